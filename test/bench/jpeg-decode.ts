/** JPEG frames of short side 256 to RGB: whole, and a crop scaled to 224 x 224; each program in a process with one thread, in turns. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createRng } from '../../lib/core/index.ts';
import { VideoReader } from '../../lib/decode/index.ts';
import type { Size } from '../../lib/decode/index.ts';
import { projectFile } from '../helpers/project.ts';
import { median, round } from './bench.ts';
import type { Bench } from './bench.ts';
import type { JpegFrame } from './jpeg-child.ts';
import { canRun, runTimed } from './timed-process.ts';
import type { Command } from './timed-process.ts';

const SHORT_SIDE = 256;
const QUALITY = 90;
const NUM_FRAMES = 64;
/** Frames in a row that have the same crop, as those of a clip have. */
const CLIP_FRAMES = 16;
const TASKS = ['whole', 'crop'] as const;
const PYTHONS = ['python3', '/usr/bin/python3'] as const;
const PYTHON_MODULES = { cv2: 'cv2', pillow: 'PIL', torchvision: 'torchvision' } as const;

/** Reports milliseconds per frame of every program: the median over rounds of the median over frames. */
export async function compareJpegDecoders(
  work: string,
  paths: readonly string[],
  { isShort, rounds, report }: Bench,
): Promise<void> {
  const list = await writeFrames(join(work, 'frames'), paths);
  const repeats = isShort ? '1' : '10';
  const child = join(import.meta.dirname, 'jpeg-child.js');
  const script = projectFile('test/bench/rivals/jpeg_decode.py');
  const commands = new Map<string, Command>();
  for (const name of ['tubelet', 'nodeAv', 'sharp']) {
    commands.set(name, [process.execPath, child, name, list, repeats]);
  }
  for (const [name, module] of Object.entries(PYTHON_MODULES)) {
    const python = PYTHONS.find((path) => canRun([path, '-c', `import ${module}`]));
    if (python === undefined) report({ bench: `decode/jpeg/${name}`, skipped: `no ${module}` });
    else commands.set(name, [python, script, name, list, repeats]);
  }
  const cases = [...commands].flatMap(([name, command]) =>
    TASKS.map((task) => ({ name, task, command, times: [] as number[] })),
  );
  for (let number = 0; number < rounds; number++) {
    for (const { command, task, times } of cases) {
      const { results } = await runTimed([[...command, task]]);
      times.push(Number(results[0]?.['medianMs']));
    }
  }
  for (const { name, task, times } of cases) {
    const ratios = times.map((ms, i) => {
      const ours = cases.find((one) => one.name === 'tubelet' && one.task === task);
      return ms / (ours?.times[i] ?? Number.NaN);
    });
    report({
      bench: `decode/jpeg/${name}-${task}`,
      rounds,
      frames: NUM_FRAMES,
      medianMs: round(median(times), 3),
      timesOfTubelet: round(median(ratios)),
    });
  }
}

/** Writes first frames as JPEG files, and a list of them with crops like those of training; gives the path of the list. */
async function writeFrames(folder: string, paths: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  const rng = createRng(0, 'jpeg crops');
  const frames: JpegFrame[] = [];
  const chooseSize = ({ width, height }: Size): Size => {
    const scale = SHORT_SIDE / Math.min(width, height);
    return { width: Math.round(width * scale), height: Math.round(height * scale) };
  };
  for (let clip = 0; clip < NUM_FRAMES / CLIP_FRAMES; clip++) {
    const format = { kind: 'jpeg', quality: QUALITY } as const;
    const reader = new VideoReader(paths[clip % paths.length] ?? '', { format, chooseSize });
    const size = rng.integer(160, SHORT_SIDE + 1);
    const [across, down] = [rng.uniform(), rng.uniform()];
    let number = 0;
    for await (const { width, height, data } of reader.frames()) {
      const file = join(folder, `${clip}-${number}.jpg`);
      await writeFile(file, data);
      const left = Math.floor(across * (width - size + 1));
      const top = Math.floor(down * (height - size + 1));
      frames.push({ file, width, height, left, top, size });
      if (++number === CLIP_FRAMES) break;
    }
  }
  const list = join(folder, 'frames.json');
  await writeFile(list, JSON.stringify(frames));
  return list;
}
