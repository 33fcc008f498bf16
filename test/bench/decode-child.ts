/** Decodes the videos of a list to RGB frames with tubelet. Usage: decode-child.js LIST EVERY SHORT_SIDE */

import { readFileSync } from 'node:fs';
import { VideoReader, createFrameChooser, shortSideSize } from '../../lib/index.ts';

const [list = '', every = '1', shortSide = '256'] = process.argv.slice(2);
const stride = Number(every);
let memory = new Uint8Array();
const counts = { framesDecoded: 0, framesOut: 0, bytes: 0 };

for (const path of readFileSync(list, 'utf8').split('\n').filter(Boolean)) {
  const reader = new VideoReader(path, {
    chooseSize: ({ width, height }) => shortSideSize(width, height, Number(shortSide)),
    allocate: reuseMemory,
    ...(stride === 1 ? {} : { createChooser: chooseEvery }),
  });
  for await (const { data } of reader.frames()) {
    counts.framesOut++;
    counts.bytes += data.length;
  }
  counts.framesDecoded += reader.report.numFrames ?? 0;
}
console.log(JSON.stringify(counts));

function chooseEvery(): (frameIndex: number, ptsSeconds: number) => 'take' | 'skip' {
  const chooser = createFrameChooser({ kind: 'stride', stride });
  return (frameIndex, ptsSeconds) => (chooser.wants(frameIndex, ptsSeconds) ? 'take' : 'skip');
}

/** Pixels are dropped at once, so every frame of a size may lie in the same place; Python's arrays come to that by themselves. */
function reuseMemory(numBytes: number): Uint8Array {
  if (memory.length !== numBytes) memory = new Uint8Array(numBytes);
  return memory;
}
