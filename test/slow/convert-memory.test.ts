/** Memory of whole conversions at 2 workers, sampled over all their processes: under 1 GB, and not following the size of the source. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { startCli } from '../helpers/cli.ts';
import type { Ended } from '../helpers/cli.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { hasProc, isRunning, residentBytesOfTree } from '../helpers/processes.ts';

/** These take minutes; `npm run test:slow` asks for them. */
const isWanted = hasProc && process.env['TUBELET_SLOW_TESTS'] === '1';
const slowTest = isWanted ? test.serial : test.serial.skip;

const MIB = 2 ** 20;
const LIMIT_MIB = 1000;

/** Runs a command and samples the resident memory of its processes; ends it with Ctrl-C after so many samples. */
async function peakOf(
  args: readonly string[],
  { maxSamples = Infinity }: { readonly maxSamples?: number } = {},
): Promise<Ended & { readonly peakMib: number }> {
  const running = startCli(args);
  let peak = 0;
  for (let samples = 0; isRunning(running.pid); samples++) {
    peak = Math.max(peak, residentBytesOfTree(running.pid));
    if (samples === maxSamples) running.child.kill('SIGINT');
    await setTimeout(50);
  }
  return { ...(await running.ended), peakMib: peak / MIB };
}

/** A list of so many rows over a few videos: spans of a tenth of a second, one after the other. */
async function writeList(folder: string, rows: number): Promise<string> {
  const path = join(folder, `list-${rows}.csv`);
  await using file = await open(path, 'w');
  await file.write('path,start,end,label\n');
  for (let first = 0; first < rows; first += 10_000) {
    const count = Math.min(10_000, rows - first);
    const lines = Array.from({ length: count }, (_, k) => {
      const row = first + k;
      const start = (Math.floor(row / 4) / 10_000).toFixed(4);
      return `v${row % 4}.mp4,${start},${(Number(start) + 0.1).toFixed(4)},${row % 400}`;
    });
    await file.write(`${lines.join('\n')}\n`);
  }
  return path;
}

slowTest('a list of a million rows, planned and begun', async (t) => {
  t.timeout(300_000);
  const folder = await temporaryFolder(t);
  for (let i = 0; i < 4; i++) await writeGreyVideo(join(folder, `v${i}.mp4`), { frames: 300 });
  const peaks: number[] = [];
  for (const rows of [50_000, 1_000_000]) {
    const list = await writeList(folder, rows);
    const args = ['convert', list, '--out', join(folder, `out-${rows}`), '--short-side', '16'];
    const options = ['--workers', '2', '--max-failures', '100%', '--quiet'];
    const plan = await peakOf([...args, ...options, '--dry-run']);
    t.is(plan.code, 0, plan.stderr);
    const begun = await peakOf([...args, ...options], { maxSamples: 600 });
    t.true(begun.code === 0 || begun.code === 130, begun.stderr);
    t.log(
      `${rows} rows: ${plan.peakMib.toFixed(0)} MiB planned, ${begun.peakMib.toFixed(0)} MiB converting`,
    );
    t.true(plan.peakMib < LIMIT_MIB && begun.peakMib < LIMIT_MIB);
    peaks.push(begun.peakMib);
  }
  t.true(peaks[1]! < peaks[0]! + 250, `${peaks.join(' and ')} MiB`);
});

for (const flags of [
  ['--stride', '1'],
  ['--layout', 'tubelets', '--size', '64', '--clips', 'all', '--stride', '1'],
]) {
  slowTest(`a video of two hours with ${flags.join(' ')}`, async (t) => {
    t.timeout(300_000);
    const folder = await temporaryFolder(t);
    const peaks: number[] = [];
    for (const minutes of [10, 120]) {
      const videos = join(folder, `videos-${minutes}`);
      for (const name of ['a.mp4', 'b.mp4']) {
        const form = { frames: minutes * 60 * 12, width: 128, height: 96, fps: 12 } as const;
        await writeGreyVideo(join(videos, name), form);
      }
      const args = ['convert', videos, '--out', join(folder, `out-${minutes}`), ...flags];
      const options = ['--workers', '2', '--timeout', '600', '--quiet', '--strict'];
      const size = flags.length === 2 ? ['--short-side', '192'] : [];
      const { code, stderr, peakMib } = await peakOf([...args, ...options, ...size]);
      t.is(code, 0, stderr);
      t.log(`${minutes} minutes: ${peakMib.toFixed(0)} MiB`);
      t.true(peakMib < LIMIT_MIB);
      peaks.push(peakMib);
    }
    t.true(peaks[1]! < peaks[0]! + 250, `${peaks.join(' and ')} MiB`);
  });
}
