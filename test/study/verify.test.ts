import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { convert } from '../../lib/convert/index.ts';
import { openDataset } from '../../lib/shard/index.ts';
import type { SampleEntry } from '../../lib/shard/index.ts';
import { verify } from '../../lib/study/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { writeGreyFolder } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

interface Found {
  readonly isSound: boolean;
  readonly defects: readonly { code: string; shard: string | null; key: string | null }[];
}

interface Row {
  readonly title: string;
  readonly ruin: (folder: string, second: SampleEntry) => Promise<void>;
  /** Codes that must be among the defects, with what they must name. */
  readonly wanted: readonly (readonly [code: string, names: 'shard' | 'key'])[];
}

const SHARD = 'train-000001';

async function flip(path: string, at: number, bit = 1): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= bit;
  await writeFile(path, bytes);
}

const ROWS: readonly Row[] = [
  {
    title: 'a flipped bit in the pixels',
    ruin: (folder, { offset, bytes }) => flip(join(folder, `${SHARD}.tar`), offset + bytes - 9),
    wanted: [
      ['TUBE_SHARD_DAMAGED', 'shard'],
      ['TUBE_SAMPLE_DAMAGED', 'key'],
    ],
  },
  {
    title: 'a flipped bit in the head of a sample',
    ruin: (folder, { offset }) => flip(join(folder, `${SHARD}.tar`), offset + 20),
    wanted: [['TUBE_SAMPLE_DAMAGED', 'key']],
  },
  {
    title: 'a flipped bit in a tar header',
    ruin: (folder, { offset }) => flip(join(folder, `${SHARD}.tar`), offset - 512 + 3),
    wanted: [['TUBE_SHARD_DAMAGED', 'shard']],
  },
  {
    title: 'a cut shard',
    ruin: (folder, { offset, bytes }) => truncate(join(folder, `${SHARD}.tar`), offset + bytes - 5),
    wanted: [
      ['TUBE_SHARD_DAMAGED', 'shard'],
      ['TUBE_SAMPLE_DAMAGED', 'key'],
    ],
  },
  {
    title: 'a missing shard',
    ruin: (folder) => rm(join(folder, `${SHARD}.tar`)),
    wanted: [['TUBE_SHARD_NOT_FOUND', 'shard']],
  },
  {
    title: 'a missing sidecar',
    ruin: (folder) => rm(join(folder, `${SHARD}.json`)),
    wanted: [['TUBE_DATASET_DAMAGED', 'shard']],
  },
  {
    title: 'a sidecar with another label',
    ruin: async (folder) => {
      const path = join(folder, `${SHARD}.json`);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replace(/"label":\d/g, '"label":7'));
    },
    wanted: [['TUBE_SAMPLE_DAMAGED', 'key']],
  },
  {
    title: 'a dataset.json with another hash',
    ruin: async (folder) => {
      const path = join(folder, 'dataset.json');
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replaceAll(/"sha256": "./g, '"sha256": "0'));
    },
    wanted: [['TUBE_DATASET_DAMAGED', 'shard']],
  },
];

for (const layout of ['frames', 'tubelets'] as const) {
  test.serial(`defects of a dataset of ${layout} are named, and only those`, async (t) => {
    const folder = await temporaryFolder(t);
    const [videos, sound] = [join(folder, 'videos'), join(folder, 'sound')];
    await writeGreyFolder(videos, 9);
    const options =
      layout === 'frames'
        ? { shortSide: 24 }
        : { layout, size: 32, frames: 4, tubelet: [2, 16, 16] as const };
    await convert(videos, { out: sound, videosPerShard: 3, ...options });
    const report = await runJson('verify', sound);
    t.deepEqual(report, {
      isSound: true,
      shards: 3,
      samples: 9,
      frames: layout === 'frames' ? 45 : 36,
      defects: [],
    });
    const { code, stdout } = await runCli('verify', sound);
    t.is(code, 0);
    t.regex(stdout, /: 3 shards, 9 samples, \d+ frames: all sound\n$/);
    await using dataset = await openDataset(sound);
    const second = await dataset.entry(4);
    t.is(second.shard, SHARD);
    for (const { title, ruin, wanted } of ROWS) {
      const out = join(folder, title);
      await cp(sound, out, { recursive: true });
      await ruin(out, second);
      const ended = await runCli('verify', out, '--json');
      t.is(ended.code, 1, title);
      const { isSound, defects } = JSON.parse(ended.stdout) as Found;
      t.false(isSound);
      for (const [wantedCode, names] of wanted) {
        const hits = defects.filter((defect) => defect.code === wantedCode);
        const isNamed = hits.some(
          ({ shard, key }) => names === 'shard' || (shard === SHARD && key !== null),
        );
        t.true(isNamed, `${title}: ${ended.stdout}`);
      }
      t.true(
        title.includes('dataset.json') ||
          defects.every(({ shard }) => shard === SHARD || shard === null),
        `${title}: ${ended.stdout}`,
      );
      const text = await runCli('verify', out);
      t.regex(text.stdout, /^TUBE_[A-Z_]+ {2}/);
      t.is(text.stdout.split('\n').length, defects.length + 2);
    }
  });
}

test.serial('a single flipped bit anywhere in a tar is noticed', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 2);
  await convert(videos, { out, shortSide: 16 });
  const path = join(out, 'train-000000.tar');
  const whole = await readFile(path);
  for (let at = 5; at < whole.length; at += 199) {
    await flip(path, at, 1 << (at % 8));
    const { defects } = await verify(out);
    t.true(defects.length > 0, `byte ${at}`);
    t.is(defects[0]!.shard, 'train-000000');
    await writeFile(path, whole);
  }
  t.deepEqual((await verify(out)).defects, []);
});

test.serial('a dataset.json that cannot be read is an error that names it', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 2);
  await convert(videos, { out, shortSide: 16 });
  await writeFile(join(out, 'dataset.json'), '{"v": 1');
  const { code, stderr } = await runCli('verify', out);
  t.is(code, 1);
  t.regex(stderr, /TUBE_DATASET_DAMAGED.*dataset\.json/);
});

test.serial('progress counts samples; an abort rejects with its reason', async (t) => {
  const folder = await temporaryFolder(t);
  const [videos, out] = [join(folder, 'videos'), join(folder, 'out')];
  await writeGreyFolder(videos, 5);
  await convert(videos, { out, shortSide: 16 });
  const counts: number[] = [];
  await verify(out, { onProgress: ({ samplesDone }) => counts.push(samplesDone) });
  t.deepEqual(counts, [1, 2, 3, 4, 5]);
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  t.is(await t.throwsAsync(verify(out, { signal })), reason);
});
