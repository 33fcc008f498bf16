import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { TubeletError, createRng } from '../../lib/core/index.ts';
import { openWeights, weightsInMemory, writeSafetensors } from '../../lib/weights/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';
import { mutateBytes } from '../helpers/mutate-bytes.ts';

const NUM_ROUNDS = 800;

test('mutated safetensors files give weights or a coded error', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'good');
  await writeSafetensors(
    path,
    weightsInMemory([
      ['a', { shape: [2, 3], data: new Float32Array(6) }],
      ['b', { shape: [4], data: new Int32Array(4) }],
      ['c', { shape: [3], data: new Uint8Array(3) }],
    ]),
    { metadata: { k: 'v' } },
  );
  const good = await readFile(path);
  const rng = createRng(0, 'fuzz', 'safetensors');
  const tokens = [
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '0',
    '9',
    '-',
    '.',
    'e9',
    'F64',
    'null',
    '\0',
    '\xff',
  ];
  let numRead = 0;
  for (let round = 0; round < NUM_ROUNDS; round++) {
    const bytes = mutateBytes(good, tokens, rng);
    await writeFile(path, bytes);
    try {
      await using file = await openWeights(path);
      let total = 0;
      for (const weight of file.weights) {
        const { shape, data } = await weight.read();
        t.is(
          data.length,
          shape.reduce((product, size) => product * size, 1),
        );
        total += data.length;
      }
      t.true(total <= bytes.length);
      numRead += 1;
    } catch (error) {
      if (!(error instanceof TubeletError)) throw error;
      t.regex(error.code, /^TUBE_WEIGHTS_(DAMAGED|UNSUPPORTED)$/);
    }
  }
  t.true(numRead > 10 && numRead < NUM_ROUNDS);
});
