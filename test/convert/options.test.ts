import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { inspect } from 'node:util';
import test from 'ava';
import { resolveContent } from '../../lib/convert/options.ts';
import type { ContentOptions } from '../../lib/convert/options.ts';
import { resolveRun } from '../../lib/convert/run-options.ts';
import type { ConvertOptions } from '../../lib/convert/run-options.ts';

test('defaults of layout frames', (t) => {
  t.deepEqual(resolveContent({}), {
    name: 'train',
    split: 'train',
    video: {
      layout: 'frames',
      codec: 'jpeg',
      quality: 90,
      stride: 4,
      fps: null,
      shortSide: 256,
      maxSeconds: null,
    },
    videosPerShard: 64,
    seed: 0,
    shuffle: true,
  });
});

test('defaults of layout tubelets', (t) => {
  t.deepEqual(resolveContent({ layout: 'tubelets' }).video, {
    layout: 'tubelets',
    codec: 'raw',
    stride: 4,
    fps: null,
    shortSide: 224,
    frames: 16,
    size: 224,
    clips: 1,
    tubelet: [2, 16, 16],
    shortVideo: 'repeat-last',
  });
});

for (const { options, name, split } of [
  { options: { split: 'val' }, name: 'val', split: 'val' },
  { options: { name: 'part-1' }, name: 'part-1', split: 'part-1' },
  { options: { name: 'a', split: 'b c' }, name: 'a', split: 'b c' },
]) {
  test(`${JSON.stringify(options)} is named ${name}, split ${split}`, (t) => {
    const content = resolveContent(options);
    t.deepEqual([content.name, content.split], [name, split]);
  });
}

test('fps takes the place of the default stride', (t) => {
  const { stride, fps } = resolveContent({ fps: 2.5 }).video;
  t.deepEqual([stride, fps], [null, 2.5]);
});

test('raw frames have no quality', (t) => {
  const { video } = resolveContent({ codec: 'raw' });
  t.is(video.layout === 'frames' ? video.quality : 0, null);
});

test('the short side of tubelets follows the size and may be larger', (t) => {
  t.is(resolveContent({ layout: 'tubelets', size: 112 }).video.shortSide, 112);
  t.is(resolveContent({ layout: 'tubelets', size: 112, shortSide: 128 }).video.shortSide, 128);
});

const TUBELETS = { layout: 'tubelets' } as const;

/** Wrong options, and the name that the message must have. */
const WRONG_CONTENT: readonly (readonly [unknown, string])[] = [
  [{ name: 'a/b' }, 'name'],
  [{ name: '' }, 'name'],
  [{ name: 'ä' }, 'name'],
  [{ split: 'a.b' }, 'split'],
  [{ layout: 'clips' }, 'layout'],
  [{ codec: 'png' }, 'codec'],
  [{ quality: 0 }, 'quality'],
  [{ quality: 101 }, 'quality'],
  [{ quality: 90.5 }, 'quality'],
  [{ codec: 'raw', quality: 90 }, 'quality'],
  [{ stride: 0 }, 'stride'],
  [{ stride: 1.5 }, 'stride'],
  [{ stride: 4, fps: 2 }, 'stride'],
  [{ fps: 0 }, 'fps'],
  [{ fps: Number.NaN }, 'fps'],
  [{ fps: Infinity }, 'fps'],
  [{ shortSide: -1 }, 'shortSide'],
  [{ shortSide: 16_385 }, 'shortSide'],
  [{ maxSeconds: 0 }, 'maxSeconds'],
  [{ frames: 16 }, 'frames'],
  [{ size: 224 }, 'size'],
  [{ clips: 1 }, 'clips'],
  [{ tubelet: [2, 16, 16] }, 'tubelet'],
  [{ shortVideo: 'loop' }, 'shortVideo'],
  [{ ...TUBELETS, quality: 90 }, 'quality'],
  [{ ...TUBELETS, maxSeconds: 10 }, 'maxSeconds'],
  [{ ...TUBELETS, codec: 'jpeg' }, 'codec'],
  [{ ...TUBELETS, frames: 0 }, 'frames'],
  [{ ...TUBELETS, size: 0 }, 'size'],
  [{ ...TUBELETS, size: 4097 }, 'size'],
  [{ ...TUBELETS, shortSide: 223 }, 'shortSide'],
  [{ ...TUBELETS, clips: 0 }, 'clips'],
  [{ ...TUBELETS, clips: 'every' }, 'clips'],
  [{ ...TUBELETS, shortVideo: 'drop' }, 'shortVideo'],
  [{ ...TUBELETS, tubelet: [3, 16, 16] }, 'tubelet'],
  [{ ...TUBELETS, tubelet: [2, 15, 15] }, 'tubelet'],
  [{ ...TUBELETS, tubelet: [2, 16, 8] }, 'tubelet'],
  [{ ...TUBELETS, tubelet: [2, 16, 15] }, 'tubelet'],
  [{ ...TUBELETS, tubelet: [0, 16, 16] }, 'tubelet'],
  [{ videosPerShard: 0 }, 'videosPerShard'],
  [{ videosPerShard: 1_000_001 }, 'videosPerShard'],
  [{ seed: -1 }, 'seed'],
  [{ seed: 0.5 }, 'seed'],
];

for (const [options, name] of WRONG_CONTENT) {
  test(`${inspect(options, { breakLength: Infinity })} is refused for its ${name}`, (t) => {
    const error = t.throws(() => resolveContent(options as ContentOptions), {
      instanceOf: RangeError,
    });
    t.true(error.message.includes(`"${name}`), error.message);
  });
}

test('only options stand in quotes before the value that was given', (t) => {
  for (const [options] of WRONG_CONTENT) {
    const { message } = t.throws(() => resolveContent(options as ContentOptions));
    const quoted = [...message.replace(/\(got [^]*\)/, '').matchAll(/"([^"]*)"/g)];
    for (const [, name] of quoted) t.regex(name!, /^[a-zA-Z]+$/, message);
    t.notRegex(message, /(layout|codec) "/);
  }
});

test('defaults of a run', (t) => {
  const { failureLimit, ...run } = resolveRun({ out: 'some/where' });
  t.deepEqual(run, {
    folder: resolve('some/where'),
    workers: availableParallelism(),
    timeoutSeconds: 60,
    stallSeconds: 10,
    memoryBytes: 2 ** 31,
    retryCodes: new Set(),
  });
  t.deepEqual([19, 20, 100, 1000].map(failureLimit), [0, 1, 5, 50]);
});

for (const { maxFailures, of100 } of [
  { maxFailures: 0, of100: 0 },
  { maxFailures: 7, of100: 7 },
  { maxFailures: '7', of100: 7 },
  { maxFailures: '0%', of100: 0 },
  { maxFailures: '2.5%', of100: 2 },
  { maxFailures: '100%', of100: 100 },
]) {
  test(`maxFailures ${JSON.stringify(maxFailures)} allows ${of100} of 100`, (t) => {
    t.is(resolveRun({ out: 'x', maxFailures }).failureLimit(100), of100);
  });
}

test('words for retry stand for codes', (t) => {
  const retry = ['timeout', 'crash', 'memory', 'missing', 'unreadable'] as const;
  t.deepEqual(
    resolveRun({ out: 'x', retry }).retryCodes as Set<string>,
    new Set([
      'TUBE_DECODE_TIMEOUT',
      'TUBE_DECODE_CRASH',
      'TUBE_DECODE_MEMORY',
      'TUBE_FILE_NOT_FOUND',
      'TUBE_FILE_UNREADABLE',
    ]),
  );
});

const WRONG_RUN: readonly (readonly [unknown, string])[] = [
  [{ workers: 0 }, 'workers'],
  [{ workers: 1025 }, 'workers'],
  [{ timeoutSeconds: 0 }, 'timeoutSeconds'],
  [{ stallSeconds: 0 }, 'stallSeconds'],
  [{ workerMemoryMib: 127 }, 'workerMemoryMib'],
  [{ maxFailures: -1 }, 'maxFailures'],
  [{ maxFailures: 1.5 }, 'maxFailures'],
  [{ maxFailures: 'some' }, 'maxFailures'],
  [{ maxFailures: '101%' }, 'maxFailures'],
  [{ maxFailures: '' }, 'maxFailures'],
  [{ retry: ['everything'] }, 'retry'],
  [{ retry: ['toString'] }, 'retry'],
];

for (const [options, name] of WRONG_RUN) {
  test(`${inspect(options, { breakLength: Infinity })} is refused for its ${name}`, (t) => {
    const given = { out: 'x', ...(options as Partial<ConvertOptions>) };
    const error = t.throws(() => resolveRun(given), { instanceOf: RangeError });
    t.true(error.message.includes(`"${name}`), error.message);
  });
}
