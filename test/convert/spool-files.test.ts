import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import { SpoolFiles } from '../../lib/convert/spool-files.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

test('while more than 2 GiB wait, no file is handed out; then in the order of the calls', async (t) => {
  await using spools = await SpoolFiles.create(`${await temporaryFolder(t)}/work`);
  const [first, second, third] = [await spools.take(), await spools.take(), await spools.take()];
  spools.fill(first, 2 ** 31);
  spools.fill(second, 2 ** 31 + 1);
  const order: string[] = [];
  const later = ['a', 'b', 'c'].map(async (name) => {
    const path = await spools.take();
    order.push(name);
    return path;
  });
  await setImmediate();
  spools.giveBack(first);
  await setImmediate();
  t.deepEqual(order, []);
  spools.giveBack(second);
  spools.fill(third, 2 ** 31 + 1); // whose turn has come does not wait again
  const paths = await Promise.all(later);
  t.deepEqual(order, ['a', 'b', 'c']);
  t.is(new Set([...paths, third]).size, 4);
});
