import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { helpOf } from '../../bin/flags.ts';
import { weightsCommand } from '../../bin/weights.ts';
import { openWeights, readAllWeights } from '../../lib/weights/index.ts';
import type { WeightData } from '../../lib/weights/index.ts';
import { runCli, runJson } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { projectFile } from '../helpers/project.ts';
import {
  globalOp,
  makeCheckpoint,
  modelPickle,
  ops,
  pickleOf,
  tensorOps,
  textOp,
} from '../helpers/torch-files.ts';

const OFFICIAL = projectFile('test', 'golden', 'c1_pretrain.weights.safetensors');
const HF = projectFile('test', 'golden', 'c1_pretrain_hf.weights.safetensors');
const PTH = projectFile('test', 'fixtures', 'pth', 'official.pth');

async function readFileWeights(path: string): Promise<Record<string, WeightData>> {
  await using file = await openWeights(path);
  return Object.fromEntries(await readAllWeights(file.weights));
}

test.serial('the help of weights lists every flag that it takes', async (t) => {
  const { code, stdout } = await runCli('weights', '--help');
  t.is(code, 0);
  t.is(stdout, helpOf(weightsCommand));
});

test.serial('convert to Hugging Face names and back gives the golden weights', async (t) => {
  const folder = await temporaryFolder(t);
  const [hf, back] = [join(folder, 'hf.safetensors'), join(folder, 'back.safetensors')];
  const there = await runJson('weights', 'convert', OFFICIAL, hf, '--names', 'hf');
  t.like(there, {
    out: hf,
    from: { names: 'official', kind: 'pretrain' },
    to: { names: 'hf', kind: 'pretrain' },
    numWeights: 55,
    unused: [],
    missing: [],
  });
  t.deepEqual(await readFileWeights(hf), await readFileWeights(HF));
  const { code, stdout } = await runCli('weights', 'convert', hf, back, '--names', 'official');
  t.is(code, 0);
  t.regex(stdout, /^ +weights +49$/m);
  t.deepEqual(await readFileWeights(back), await readFileWeights(OFFICIAL));
  t.deepEqual((await readdir(folder)).toSorted(), ['back.safetensors', 'hf.safetensors']);
  // One hash for one content, whatever the file.
  const [a, b] = [
    await runJson('weights', 'inspect', back),
    await runJson('weights', 'inspect', OFFICIAL),
  ];
  t.is(a['sha256'], b['sha256']);
  t.deepEqual(a['metadata'], { format: 'pt' });
});

test.serial('a checkpoint of PyTorch starts a classifier; the rest is named', async (t) => {
  const out = join(await temporaryFolder(t), 'a.safetensors');
  const result = await runJson(
    'weights',
    'convert',
    PTH,
    out,
    '--names',
    'official',
    '--for',
    'finetune',
  );
  const read = await readFileWeights(out);
  const all = await readFileWeights(PTH);
  const used = Object.keys(all).filter((name) => /^encoder\.(patch|blocks)/.test(name));
  t.deepEqual(
    read,
    Object.fromEntries(used.map((name) => [name.slice('encoder.'.length), all[name]!])),
  );
  t.deepEqual(
    result['unused'],
    Object.keys(all).filter((name) => !used.includes(name)),
  );
  t.deepEqual(result['missing'], ['fc_norm.weight', 'fc_norm.bias', 'head.weight', 'head.bias']);
  t.is(result['numWeights'], used.length);
  const { stdout } = await runCli('weights', 'inspect', out);
  t.regex(stdout, /^ +model +finetune, official names$/m);
  const back = await runCli(
    'weights',
    'convert',
    out,
    `${out}2`,
    '--names',
    'hf',
    '--for',
    'pretrain',
  );
  t.is(back.code, 1);
  t.regex(back.stderr, /^TUBE_WEIGHTS_MISMATCH: .*decoder/);
});

test.serial('a .pth and its conversion under the same names have one hash', async (t) => {
  const out = join(await temporaryFolder(t), 'a.safetensors');
  const converted = await runJson('weights', 'convert', PTH, out, '--names', 'official');
  const [pth, file] = [
    await runJson('weights', 'inspect', PTH),
    await runJson('weights', 'inspect', out),
  ];
  t.is(converted['sha256'], pth['sha256']);
  t.is(file['sha256'], pth['sha256']);
  t.is(pth['sha256'], '15c8061646b35b79dc7a1374a1e3b99859f38c0b412aadee71ea1893ed5b2b0a');
  t.like(pth, { format: 'torch', kind: 'pretrain', names: 'official', numParameters: 834 });
});

test.serial('OUT is not replaced without --force', async (t) => {
  const out = join(await temporaryFolder(t), 'a.safetensors');
  await writeFile(out, 'mine');
  const args = ['weights', 'convert', OFFICIAL, out, '--names', 'official'];
  const { code, stderr } = await runCli(...args);
  t.is(code, 1);
  t.regex(stderr, /^TUBE_OUT_EXISTS: .*\n.*--force/);
  t.is(await readFile(out, 'utf8'), 'mine');
  t.is((await runCli(...args, '--force')).code, 0);
  t.deepEqual(await readFileWeights(out), await readFileWeights(OFFICIAL));
  // A file may be converted onto itself.
  t.is((await runCli('weights', 'convert', out, out, '--names', 'hf', '--force')).code, 0);
  t.deepEqual(await readFileWeights(out), await readFileWeights(HF));
});

test.serial('a malicious checkpoint is refused by name, and nothing is written', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'evil.pth');
  const pickle = pickleOf(globalOp('os', 'system'), textOp(`touch ${folder}/ran`), ops('\x85R'));
  await writeFile(path, makeCheckpoint(pickle));
  for (const args of [
    ['inspect', path],
    ['convert', path, join(folder, 'out'), '--names', 'hf'],
  ]) {
    const { code, stdout, stderr } = await runCli('weights', ...args);
    t.is(code, 1);
    t.is(stdout, '');
    t.regex(stderr, /^TUBE_WEIGHTS_UNSAFE: .*os\.system/);
  }
  t.deepEqual(await readdir(folder), ['evil.pth']);
});

test.serial('names that play with the terminal are shown as they are', async (t) => {
  const path = join(await temporaryFolder(t), 'a.pth');
  const parts = { numValues: 1, shape: [1], strides: [1] };
  const pickle = modelPickle({ 'a\u001b[2Jb': tensorOps(parts) });
  await writeFile(path, makeCheckpoint(pickle, { 0: new Uint8Array(4) }));
  const { stdout } = await runCli('weights', 'inspect', path);
  t.true(stdout.includes(String.raw`a\x1b[2Jb`));
  const { stderr } = await runCli('weights', 'convert', path, `${path}.out`, '--names', 'hf');
  t.regex(stderr, /^TUBE_WEIGHTS_MISMATCH/);
  t.false(stderr.includes('\u001b'));
});

test.serial('weights of another model are listed but not renamed', async (t) => {
  const path = projectFile('test', 'golden', 'h6_view_merge.safetensors');
  const { stdout, code } = await runCli('weights', 'inspect', path);
  t.is(code, 0);
  t.regex(stdout, /^ +model +not a VideoMAE$/m);
  t.regex(stdout, /^ +logits +F32 +\[3, 6, 8\]$/m);
  const out = join(await temporaryFolder(t), 'out');
  const failed = await runJson('weights', 'convert', path, out, '--names', 'hf');
  t.like(failed, { error: { code: 'TUBE_WEIGHTS_MISMATCH' } });
});

for (const [args, named] of [
  [[], 'convert or inspect'],
  [['export'], '"export"'],
  [['inspect'], 'FILE'],
  [['inspect', 'a', 'b'], '"b"'],
  [['inspect', 'a', '--names', 'hf'], '--names'],
  [['inspect', 'a', '--force'], '--force'],
  [['convert'], 'IN'],
  [['convert', 'a'], 'OUT'],
  [['convert', 'a', 'b'], '--names'],
  [['convert', 'a', 'b', 'c', '--names', 'hf'], '"c"'],
  [['convert', 'a', 'b', '--names', 'timm'], '--names must be one of official, hf (got "timm")'],
  [['convert', 'a', 'b', '--names', 'hf', '--for', 'fun'], '--for must be one of'],
] as const) {
  test.serial(`tubelet weights ${args.join(' ')} is wrong use of ${named}`, async (t) => {
    const { code, stdout, stderr } = await runCli('weights', ...args);
    t.is(code, 2, stderr);
    t.is(stdout, '');
    t.true(stderr.includes(named), stderr);
  });
}
