import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import type { Rng } from '../../lib/core/index.ts';
import { openSource } from '../../lib/source/index.ts';
import type { ListForm, VideoRef } from '../../lib/source/index.ts';
import { makeFolder } from './temp-folder.ts';

const NUM_ROUNDS = 250;
const CODES = new Set(['TUBE_LIST_SYNTAX', 'TUBE_LIST_CONFLICT', 'TUBE_SOURCE_EMPTY']);

const seeds: Readonly<Record<ListForm, string>> = {
  csv: 'path,label,start,end,split\na b.mp4,"x, y",1,2.5,train\n"c""d.mp4",z,,,val\r\n# e\ne.mp4,z\n',
  tsv: 'path\tclass\tlabel\na.mp4\tx\t0\nb.mp4\ty\t1\n',
  lines: 'a/b c.mp4 3\n./d//e.mp4 4\n\n# f\ng.mp4 sit\n',
  jsonl: '{"path":"a.mp4","label":"x","start":1}\n{"path":"é\\udc80.mp4","end":2e0}\n',
};
/** Bytes that mean something to some reader, and some that no text holds. */
const ODD = [
  '"',
  ',',
  '\t',
  '\n',
  '\r',
  '#',
  '{',
  '}',
  '\\',
  ' ',
  '/',
  '.',
  '-',
  '1',
  'e',
  '\0',
  '\xa0',
  '\xff',
  '\xc3',
];

for (const form of Object.keys(seeds) as ListForm[]) {
  test(`mutated ${form} gives videos or a coded error`, async (t) => {
    const folder = await makeFolder(t);
    const rng = createRng(0, 'fuzz', form);
    let numRead = 0;
    for (let round = 0; round < NUM_ROUNDS; round++) {
      const list = join(folder, `list-${round}`);
      const bytes = mutate(Buffer.from(seeds[form]), rng);
      await writeFile(list, bytes);
      const videos = await tryToRead(list, round % 2 === 0 ? form : undefined);
      if (videos instanceof TubeletError) {
        t.true(CODES.has(videos.code), `${videos.code} for ${bytes.toString('hex')}`);
      } else {
        numRead += 1;
        for (const { path, startSeconds, endSeconds } of videos) {
          t.true(path !== '' && (endSeconds ?? Infinity) > (startSeconds ?? 0));
        }
        t.is(new Set(videos.map(({ id }) => id)).size, videos.length);
      }
    }
    t.true(numRead > 0 && numRead < NUM_ROUNDS);
  });
}

/** Anything else than a coded error fails the test. */
async function tryToRead(list: string, form?: ListForm): Promise<VideoRef[] | TubeletError> {
  try {
    const source = await openSource(list, form === undefined ? {} : { form });
    const videos = await source.read(0, source.numVideos);
    await source[Symbol.asyncDispose]();
    return videos;
  } catch (error) {
    if (error instanceof TubeletError) return error;
    throw error;
  }
}

/** Changes, removes, repeats or replaces some bytes, or all of them. */
function mutate(bytes: Buffer, rng: Rng): Buffer {
  if (rng.uniform() < 0.05) {
    return Buffer.from(Array.from({ length: rng.integer(0, 300) }, () => rng.integer(0, 256)));
  }
  let mutated = bytes;
  for (let change = rng.integer(1, 5); change > 0; change--) {
    const at = rng.integer(0, mutated.length + 1);
    const until = Math.min(mutated.length, at + rng.integer(0, 6));
    const odd = Buffer.from(ODD[rng.integer(0, ODD.length)] ?? '', 'latin1');
    const middle = rng.uniform() < 0.7 ? odd : mutated.subarray(rng.integer(0, at + 1), at);
    mutated = Buffer.concat([mutated.subarray(0, at), middle, mutated.subarray(until)]);
  }
  return mutated;
}
