import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { countFrames } from '../../lib/decode/decode-frames.ts';
import { emptyTally } from '../../lib/decode/decoder.ts';
import { openVideo } from '../../lib/decode/open-video.ts';
import { writeGreyVideo } from '../helpers/grey-videos.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('a stretch without frames still shows that work goes on', async (t) => {
  const path = join(await temporaryFolder(t), 'v.mp4');
  await writeGreyVideo(path, { frames: 60 });
  const bytes = await readFile(path);
  const mdat = bytes.indexOf('mdat', 0, 'latin1') + 4;
  bytes.fill(0, mdat, bytes.indexOf('moov', mdat, 'latin1') - 4);
  await writeFile(path, bytes);
  using video = openVideo(path);
  const tally = emptyTally();
  const packets = new Set<number>();
  for (const _ of countFrames(video, () => 'take', tally)) packets.add(video.packetsRead);
  t.is(tally.numFrames, 0);
  t.is(packets.size, 60);
});
