/** However reading ends, nothing stays open and memory stays flat. Serial: open files are counted for the whole process. */

import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { VideoReader, listFrameTimes, writeVideo } from '../../lib/decode/index.ts';
import type { ReadOptions } from '../../lib/decode/index.ts';
import { GREY_SIZE, makeGreyVideo } from '../helpers/grey-video.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const CAN_COUNT = process.platform === 'linux';

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

function fail(): never {
  throw new Error('mine');
}

/** Ways to read a video, each several times over. */
const WAYS: readonly (readonly [string, ReadOptions])[] = [
  ['everything', {}],
  ['every fourth', { createChooser: () => (i) => (i % 4 === 0 ? 'take' : 'skip') }],
  ['from a late frame', { notBefore: { frameIndex: 40 }, createChooser: () => () => 'take' }],
  ['by counting', { method: 'count' }],
  ['as JPEG', { format: { kind: 'jpeg', quality: 90 } }],
];

async function stayClosed(t: ExecutionContext, run: () => Promise<void>): Promise<void> {
  await run();
  await setImmediate();
  const before = openFiles();
  for (let i = 0; i < 10; i++) await run();
  await setImmediate();
  t.is(openFiles(), before);
}

if (!CAN_COUNT) {
  test('open files', (t) => t.pass('can be counted on Linux only'));
} else {
  for (const [way, options] of WAYS) {
    test.serial(
      `nothing stays open: ${way}: read to the end, left early, thrown out of`,
      async (t) => {
        const file = await makeGreyVideo(await temporaryFolder(t), 'grey.mp4', 60);
        for (const given of [file, Buffer.from(file)]) {
          await stayClosed(t, async () => {
            for await (const _ of new VideoReader(given, options).frames()) continue;
          });
          await stayClosed(t, async () => {
            for await (const _ of new VideoReader(given, options).frames()) break;
          });
          await stayClosed(t, async () => {
            const reading = (async () => {
              for await (const _ of new VideoReader(given, options).frames())
                throw new Error('mine');
            })();
            await t.throwsAsync(reading, { message: 'mine' });
          });
        }
      },
    );
  }

  test.serial('nothing stays open after a chooser or a size chooser throws', async (t) => {
    const file = await makeGreyVideo(await temporaryFolder(t));
    for (const options of [
      { createChooser: fail },
      { createChooser: () => fail },
      { createChooser: () => fail, method: 'count' },
      { chooseSize: fail },
      { allocate: fail },
    ] as const) {
      await stayClosed(t, async () => {
        const reading = new VideoReader(file, options).frames().next();
        await t.throwsAsync(reading);
      });
    }
  });

  test.serial('nothing stays open after a refusal', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(`${folder}/text.mp4`, 'words');
    for (const file of [folder, `${folder}/text.mp4`, `${folder}/missing`]) {
      for (const given of [file, Buffer.from(file)]) {
        await stayClosed(t, async () => {
          await t.throwsAsync(new VideoReader(given).frames().next());
          await t.throwsAsync(listFrameTimes(given));
        });
      }
    }
  });

  test.serial('nothing stays open after writing, well or not', async (t) => {
    const folder = await temporaryFolder(t);
    const form = { ...GREY_SIZE, fps: 5, codec: 'h264' } as const;
    await stayClosed(t, async () => void (await makeGreyVideo(folder)));
    await stayClosed(t, async () => {
      await t.throwsAsync(writeVideo(`${folder}/a.mp4`, [new Uint8Array(3)], form));
      await t.throwsAsync(writeVideo(`${folder}/none/a.mp4`, [], form));
    });
  });
}

test.serial('an abort ends reading with its reason', async (t) => {
  const file = await makeGreyVideo(await temporaryFolder(t), 'grey.mp4', 60);
  for (const [way, options] of WAYS) {
    const controller = new AbortController();
    const reader = new VideoReader(file, { ...options, signal: controller.signal });
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { frameIndex } of reader.frames()) {
        seen.push(frameIndex);
        if (seen.length === 3) controller.abort(new Error('enough'));
      }
    })();
    await t.throwsAsync(reading, { message: 'enough' }, way);
    t.is(seen.length, 3, way);
    const late = new VideoReader('no such file', { ...options, signal: controller.signal });
    await t.throwsAsync(late.frames().next(), { message: 'enough' }, way);
  }
});

test.serial('a report is there at the end, and not before', async (t) => {
  const file = await makeGreyVideo(await temporaryFolder(t));
  const reader = new VideoReader(file);
  t.throws(() => reader.report, { code: 'TUBE_INTERNAL' });
  for await (const _ of reader.frames()) {
    t.throws(() => reader.report, { code: 'TUBE_INTERNAL' });
  }
  t.is(reader.report.numFrames, 5);
  t.deepEqual(reader.report.warnings, []);
  const { width, height, codec, fps, declaredFrames, durationSeconds } = reader.report.info;
  t.deepEqual({ width, height }, GREY_SIZE);
  t.deepEqual([codec, fps, declaredFrames, durationSeconds], ['h264', 10, 5, 0.5]);
});

test.serial('memory stays flat over many videos', async (t) => {
  const file = await makeGreyVideo(await temporaryFolder(t));
  const read = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      for await (const _ of new VideoReader(file).frames()) continue;
    }
  };
  await read(200);
  const before = process.memoryUsage.rss();
  await read(1000);
  const growth = (process.memoryUsage.rss() - before) / 2 ** 20;
  t.true(growth < 60, `${growth.toFixed(1)} MiB`);
});
