import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import { openWeights } from '../../lib/weights/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { mutateBytes } from '../helpers/mutate-bytes.ts';
import { projectFile } from '../helpers/project.ts';
import { makeCheckpoint, modelPickle, tensorOps } from '../helpers/torch-files.ts';

const NUM_ROUNDS = 200;
const CODES = /^TUBE_WEIGHTS_(DAMAGED|UNSUPPORTED|UNSAFE)$/;

/** Operations of pickles, records of zip archives, and numbers at the edges. */
const TOKENS = [
  '(',
  ')',
  '.',
  '0',
  '2',
  'N',
  'R',
  'Q',
  'b',
  'c',
  'h\0',
  'q\0',
  'j\0\0\0\0',
  't',
  'u',
  's',
  'a',
  'e',
  '}',
  ']',
  '\x81',
  '\x85',
  '\x86',
  '\x87',
  '\x88',
  '\x93',
  '\x94',
  'cos\nsystem\n',
  'cbuiltins\neval\n',
  '\xff\xff\xff\xff',
  '\xff\xff\xff\x7f',
  '\0\0\0\0',
  'PK\x03\x04',
  'PK\x01\x02',
  'PK\x05\x06',
  'PK\x06\x06',
  'PK\x06\x07',
  'X\x03\0\0\0abc',
];

async function fuzz(path: string, bytes: Buffer): Promise<'read' | 'refused'> {
  await writeFile(path, bytes);
  try {
    await using file = await openWeights(path);
    let total = 0;
    for (const weight of file.weights) {
      const { shape, data } = await weight.read();
      if (shape.reduce((product, size) => product * size, 1) !== data.length) {
        throw new Error(`${weight.name} has ${data.length} values for [${shape.join()}]`);
      }
      total += data.byteLength;
    }
    if (total > 16 * bytes.length) throw new Error(`${total} bytes out of ${bytes.length}`);
    return 'read';
  } catch (error) {
    if (error instanceof TubeletError && CODES.test(error.code)) return 'refused';
    throw error;
  }
}

for (const name of ['official.pth', 'types.pth', 'legacy.pth', 'types-legacy.pth']) {
  test(`mutated ${name} gives weights or a coded error`, async (t) => {
    const path = join(await temporaryFolder(t), 'a.pth');
    const good = await readFile(projectFile('test', 'fixtures', 'pth', name));
    const rng = createRng(0, 'fuzz', name);
    const counts = { read: 0, refused: 0 };
    for (let round = 0; round < NUM_ROUNDS; round++) {
      counts[await fuzz(path, mutateBytes(good, TOKENS, rng))] += 1;
    }
    t.true(counts.read > 0 && counts.refused > 100, JSON.stringify(counts));
  });
}

test('mutated pickles in a sound archive give weights or a coded error', async (t) => {
  const path = join(await temporaryFolder(t), 'a.pth');
  const parts = { numValues: 6, shape: [2, 3], strides: [3, 1] };
  const pickle = modelPickle({ a: tensorOps(parts), b: tensorOps({ ...parts, strides: [1, 2] }) });
  const rng = createRng(0, 'fuzz', 'pickle');
  const counts = { read: 0, refused: 0 };
  for (let round = 0; round < 2 * NUM_ROUNDS; round++) {
    const bytes = makeCheckpoint(mutateBytes(pickle, TOKENS, rng), { 0: Buffer.alloc(24) });
    counts[await fuzz(path, bytes)] += 1;
  }
  t.true(counts.read > 0 && counts.refused > 100, JSON.stringify(counts));
});
