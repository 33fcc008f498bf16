/** `tubelet demo`: the whole way without any data of one's own. */

import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  TubeletError,
  convert,
  datasetSheet,
  inspect,
  makeDemoVideos,
  verify,
} from '../lib/index.ts';
import type { Arguments, Command } from './flags.ts';
import { formatCount, formatRate } from './format.ts';
import { inspectionText } from './inspect.ts';
import { ProgressLine } from './progress-line.ts';

const SHEET = 'contact-sheet.png';

/** The command. */
export const demoCommand: Command = {
  name: 'demo',
  usage: '[--out DIR]',
  summary:
    'Makes a small labelled set of real videos, converts it, verifies it and shows what came out.',
  flags: [
    { name: 'out', value: 'DIR', help: 'where everything goes (default: demo-out)' },
    {
      name: 'videos',
      value: 'N',
      help: 'videos of each of the ten classes (default: 12)',
      option: 'perClass',
    },
    { name: 'seed', value: 'N', help: 'seed of all that is drawn (default: 0)' },
  ],
  run,
};

async function run(args: Arguments, signal: AbortSignal): Promise<number> {
  const out = args.text('out') ?? 'demo-out';
  const perClass = args.number('videos') ?? 12;
  const seed = args.number('seed') ?? 0;
  const isQuiet = args.has('quiet') || args.has('json');
  const say = (text: string): void => void (isQuiet || process.stderr.write(`${text}\n`));
  const startedAt = performance.now();
  const videos = join(out, 'videos');
  const shards = join(out, 'shards');
  await mkdir(out, { recursive: true });
  await checkOut(out, videos);

  say(`1. Videos of ten kinds of motion, in four containers, into ${videos}`);
  const making = new ProgressLine('make', isQuiet);
  await makeDemoVideos(videos, {
    perClass,
    seed,
    signal,
    onProgress: ({ done, total }) => {
      const secondsElapsed = (performance.now() - startedAt) / 1000;
      making.show(() => ({
        done,
        total,
        secondsElapsed,
        facts: [`${formatRate(done / secondsElapsed)} videos/s`],
      }));
    },
  });
  making.close();

  say(`2. Videos become shards in ${shards}`);
  const line = new ProgressLine('convert', isQuiet);
  const summary = await convert(videos, {
    out: shards,
    stride: 2,
    shortSide: 128,
    videosPerShard: 32,
    seed,
    overwrite: true,
    signal,
    onProgress: ({ videosDone, videosTotal, secondsElapsed, frames }) =>
      line.show(() => ({
        done: videosDone,
        total: videosTotal,
        secondsElapsed,
        facts: [`${formatRate(frames / Math.max(secondsElapsed, 0.001))} frames/s`],
      })),
  });
  line.close();

  say('3. Every hash and every frame is checked');
  const { defects, frames } = await verify(shards, { signal });
  say('4. What came out');
  const inspection = await inspect(shards);
  const sheet = join(out, SHEET);
  await writeFile(sheet, await datasetSheet(shards));
  const seconds = (performance.now() - startedAt) / 1000;
  if (args.has('json')) {
    process.stdout.write(`${JSON.stringify({ ...summary, defects, sheet, seconds })}\n`);
  } else {
    process.stdout.write(inspectionText(inspection));
    const verdict = defects.length === 0 ? 'all sound' : `${defects.length} defects`;
    process.stdout.write(
      `\n  ${formatCount(frames)} frames checked: ${verdict}\n` +
        `  contact sheet: ${sheet}\n  done in ${seconds.toFixed(0)} s\n` +
        `\nNext: tubelet inspect ${shards} --json, or convert videos of your own: tubelet convert FOLDER --out DIR\n`,
    );
  }
  return defects.length === 0 ? 0 : 1;
}

/** Makes sure that shards and contact sheet to be written over are those of an earlier demo. */
async function checkOut(out: string, videos: string): Promise<void> {
  const isDemo = await stat(join(videos, 'demo.json')).then(
    () => true,
    () => false,
  );
  if (isDemo) return;
  const found = (await readdir(out)).find((name) => ['shards', SHEET].includes(name));
  if (found !== undefined) throw new TubeletError('TUBE_OUT_NOT_EMPTY', { path: out, found });
}
