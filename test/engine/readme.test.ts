/** The README's example of a function of one's own, run as it stands there but for types and imports. */

import { readFileSync } from 'node:fs';
import test from 'ava';
import * as tf from '@tensorflow/tfjs';
import { compile } from '../../lib/index.ts';
import { createRandom } from '../helpers/compare-engines.ts';
import { projectFile } from '../helpers/project.ts';

interface Told {
  readonly losses: readonly number[];
  readonly w1: Float32Array;
}

test('the README’s example learns a sine', async (t) => {
  const readme = readFileSync(projectFile('README.md'), 'utf8');
  const section = readme.split('## Your own tfjs function')[1]!;
  const code = /```ts\n(?<code>[^]*?)```/u.exec(section)!.groups!['code']!;
  const body = code
    .replaceAll(/^import .*$/gmu, '')
    .replace('...[a, b, c]: tf.Tensor[]', '...[a, b, c]')
    .replace('const { loss } = await', 'const { loss } = told = await')
    .replace(/\}\nconst \{ w1 \}/u, 'losses.push(loss[0]); }\nconst { w1 }');
  const random = createRandom(3);
  const draw = (length: number): number[] => Array.from({ length }, () => random() * 2 - 1);
  const source = `export const run = async (tf, compile, draw) => {
    const losses = [];
    let told;
    ${body}
    await step.dispose();
    return { losses, w1 };
  };`;
  const { run } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    readonly run: (...names: unknown[]) => Promise<Told>;
  };
  const { losses, w1 } = await run(tf, compile, draw);
  t.is(losses.length, 2000);
  t.true(losses[0]! > 0.3, String(losses[0]));
  t.true(losses.at(-1)! < 0.02, String(losses.at(-1)));
  t.is(w1.length, 32);
});
