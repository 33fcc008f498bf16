/**
 * Rival: the ffmpeg program, one process a video, raw RGB frames through a pipe; what wrappers of the program do.
 * Usage: cli-child.js LIST EVERY SHORT_SIDE FILTER, where FILTER is `packed` or `planar`.
 *
 * Fair to ffmpeg: two processes at a time with one thread each (more threads cost more than they bring on short clips),
 * no audio, no frames doubled or dropped, the filter that every wrapper uses, or the planar detour that few know, which
 * costs less where exact scaling is asked for; here it is not.
 */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const PROCESSES = 2;
const [list = '', every = '1', shortSide = '256', filter = 'packed'] = process.argv.slice(2);
const paths = readFileSync(list, 'utf8').split('\n').filter(Boolean);
const counts = { bytes: 0 };

await Promise.all(Array.from({ length: PROCESSES }, () => work()));
console.log(JSON.stringify(counts));

async function work(): Promise<void> {
  for (let path = paths.shift(); path !== undefined; path = paths.shift()) await readVideo(path);
}

function readVideo(path: string): Promise<void> {
  const size = `trunc(iw*${shortSide}/min(iw\\,ih)):trunc(ih*${shortSide}/min(iw\\,ih))`;
  const steps = [
    ...(every === '1' ? [] : [`select=not(mod(n\\,${every}))`]),
    `scale=${size}:flags=bicubic`,
    ...(filter === 'planar' ? ['format=gbrp', 'scale=flags=bicubic'] : []),
    'format=rgb24',
  ];
  const input = ['-v', 'quiet', '-nostdin', '-threads', '1', '-i', path, '-map', '0:v:0'];
  const output = ['-vf', steps.join(','), '-fps_mode', 'passthrough', '-f', 'rawvideo', '-'];
  const child = spawn('ffmpeg', [...input, '-filter_threads', '1', ...output], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.on('data', (chunk: Buffer) => (counts.bytes += chunk.length));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve());
  });
}
