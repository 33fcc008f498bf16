import test from 'ava';
import { runCli } from '../helpers/cli.ts';

test('doctor says what runs here, how fast, and what to install for more', async (t) => {
  const { code, stdout } = await runCli('doctor', '--json');
  t.is(code, 0);
  const { chosen, why, engines, machine } = JSON.parse(stdout) as {
    chosen: string;
    why: string;
    machine: { cores: number };
    engines: {
      name: string;
      version: string | null;
      productsGflops: number | null;
      problem: string | null;
      install: string | null;
    }[];
  };
  t.is(chosen, 'onnx/cpu');
  t.regex(why, /^the default/u);
  t.true(machine.cores >= 1);
  const names = new Set(engines.map(({ name }) => name));
  for (const name of ['onnx/cpu', 'onnx/cuda', 'onnx/webgpu', 'eager/tfjs-node', 'eager/cpu']) {
    t.true(names.has(name), name);
  }
  for (const { name, version, productsGflops, problem, install } of engines) {
    if (problem === null) t.true(version !== null && productsGflops! > 0 && install === null, name);
    else t.true(productsGflops === null && install !== null && problem !== '', name);
  }
  const [native] = engines;
  const plain = engines.find(({ name }) => name === 'eager/cpu');
  t.true(native!.productsGflops! > plain!.productsGflops!);
});
