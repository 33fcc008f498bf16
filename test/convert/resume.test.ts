import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { makeDemoVideos } from '../../lib/demo/index.ts';
import { verify } from '../../lib/study/index.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { hashFiles, until } from '../helpers/folder-state.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { descendantsOf, hasProc, isRunning } from '../helpers/processes.ts';

const KILLS = 20;

for (const layout of ['frames', 'tubelets'] as const) {
  test.serial(
    `killed at ${KILLS} random moments and gone on with: ${layout} as undisturbed, nothing left over`,
    async (t) => {
      const folder = await temporaryFolder(t);
      const [videos, whole, out] = ['videos', 'whole', 'out'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await makeDemoVideos(videos, { perClass: 4, seconds: 1 });
      await writeFile(join(videos, 'grow', 'bad.mp4'), 'bad');
      const flags =
        layout === 'frames'
          ? ['--stride', '1', '--short-side', '200']
          : ['--layout', 'tubelets', '--frames', '8', '--stride', '1', '--size', '160'];
      const command = ['convert', videos, ...flags, '--videos-per-shard', '3', '--workers', '2'];
      const startedAt = performance.now();
      t.is((await runCli(...command, '--out', whole)).code, 0);
      const milliseconds = performance.now() - startedAt;
      const wanted = await hashFiles(whole);
      const rng = createRng(0, 'kill-moments', layout);
      const orphans: number[] = [];
      for (let kills = 0; kills < KILLS;) {
        const running = startCli([...command, '--out', out]);
        await Promise.race([running.ended, setTimeout(rng.uniform() * milliseconds)]);
        if (hasProc) orphans.push(...descendantsOf(running.pid));
        running.child.kill('SIGKILL'); // too late for a run that has ended
        const { code, signal } = await running.ended;
        if (signal === 'SIGKILL') {
          kills++;
        } else {
          t.is(code, 0);
          t.deepEqual(await hashFiles(out), wanted);
          await rm(out, { recursive: true });
        }
      }
      const last = await runCli(...command, '--out', out);
      t.is(last.code, 0, last.stderr);
      t.deepEqual(await hashFiles(out), wanted);
      await until(() => !orphans.some(isRunning));
      t.deepEqual((await verify(out)).defects, []);
    },
  );
}
