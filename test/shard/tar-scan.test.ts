import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createRng } from '../../lib/core/index.ts';
import { scanTar } from '../../lib/shard/index.ts';
import type { TarEntry } from '../../lib/shard/index.ts';
import { temporaryFolder } from '../helpers/make-dataset.ts';

const END = Buffer.alloc(1024);
const DAMAGED = { code: 'TUBE_SHARD_DAMAGED' };

interface HeaderFields {
  readonly name?: string;
  readonly size?: string | Uint8Array;
  readonly type?: string;
  readonly prefix?: string;
  readonly checksum?: number;
}

function header({
  name = 'a',
  size = '0',
  type = '0',
  prefix = '',
  checksum,
}: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  if (typeof size === 'string') block.write(size.padStart(11, '0'), 124);
  else block.set(size, 124);
  block.write('ustar\x0000', 257);
  block.write(type, 156);
  block.write(prefix, 345);
  block.fill(' ', 148, 156);
  const sum = checksum ?? block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148);
  return block;
}

function padded(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function record(text: string): string {
  const length = (digits: number): number => Buffer.byteLength(text) + 2 + digits;
  const digits = [1, 2, 3, 4, 5].find((n) => String(length(n)).length === n) ?? 0;
  return `${length(digits)} ${text}\n`;
}

function pax(type: string, ...records: string[]): Buffer {
  const body = records.join('');
  return Buffer.concat([header({ type, size: Buffer.byteLength(body).toString(8) }), padded(body)]);
}

async function scan(t: ExecutionContext, ...blocks: Uint8Array[]): Promise<TarEntry[]> {
  const path = join(await temporaryFolder(t), 'x.tar');
  await writeFile(path, Buffer.concat(blocks));
  const entries = [];
  for await (const entry of scanTar(path)) entries.push(entry);
  return entries;
}

test('names, offsets and sizes; extended headers replace them', async (t) => {
  const long = `${'d'.repeat(200)}/ä.msgpack`;
  const entries = await scan(
    t,
    header({ name: 'one', size: '5' }),
    padded('12345'),
    pax('g', record('comment=hello')),
    pax('x', record(`path=${long}`), record('size=3'), record('mtime=1.5')),
    header({ name: 'short', size: '1000' }),
    padded('abc'),
    header({ name: 'x', prefix: 'p', size: Uint8Array.of(0x80, ...Array(10).fill(0), 2) }),
    padded('zz'),
    header({ name: 'empty', type: '\x00' }),
    END,
  );
  t.deepEqual(entries, [
    { name: 'one', offset: 512, bytes: 5 },
    { name: long, offset: 3584, bytes: 3 },
    { name: 'p/x', offset: 4608, bytes: 2 },
    { name: 'empty', offset: 5632, bytes: 0 },
  ]);
});

test('what the tar program writes is read', async (t) => {
  const folder = await temporaryFolder(t);
  const name = `${'n'.repeat(150)}.msgpack`;
  await mkdir(join(folder, 'in'));
  await writeFile(join(folder, 'in', name), 'content');
  const args = ['--format=pax', '-cf', join(folder, 'x.tar'), '-C', join(folder, 'in'), name];
  const made = await promisify(execFile)('tar', args).catch(() => null);
  if (made === null) {
    t.pass('no tar program that knows --format=pax');
    return;
  }
  const entries = [];
  for await (const entry of scanTar(join(folder, 'x.tar'))) entries.push(entry);
  t.deepEqual(
    entries.map((entry) => [entry.name, entry.bytes]),
    [[name, 7]],
  );
});

const huge = (...tail: number[]): Uint8Array =>
  Uint8Array.of(0x80, ...Array<number>(11 - tail.length).fill(0), ...tail);
const HOSTILE: Readonly<Record<string, readonly Uint8Array[]>> = {
  'nothing at all': [],
  'half a header': [header({}).subarray(0, 300)],
  'no end mark': [header({})],
  'half an end mark': [header({}), Buffer.alloc(512)],
  'an end mark with something behind half of it': [header({}), Buffer.alloc(512), header({}), END],
  'wrong checksum': [header({ checksum: 1 }), END],
  'size beyond the file': [header({ size: '77777777777' }), END],
  'size of one byte more than there is': [header({ size: '1' })],
  'size 2^63': [header({ size: huge(0x80, 0, 0, 0, 0, 0, 0, 0) }), END],
  'size 2^53 - 1': [header({ size: huge(0x1f, 255, 255, 255, 255, 255, 255) }), END],
  'negative size': [header({ size: new Uint8Array(12).fill(255) }), END],
  'size beyond 2^88': [header({ size: new Uint8Array(12).fill(0x81) }), END],
  'size not octal': [header({ size: '00000000099' }), END],
  'size with a sign': [header({ size: '-0000000001' }), END],
  'size empty': [header({ size: new Uint8Array(12) }), END],
  'hard link': [header({ type: '1' }), END],
  'symbolic link': [header({ type: '2' }), END],
  'character device': [header({ type: '3' }), END],
  'block device': [header({ type: '4' }), END],
  folder: [header({ type: '5' }), END],
  fifo: [header({ type: '6' }), END],
  'GNU sparse file': [header({ type: 'S' }), END],
  'GNU long name': [header({ type: 'L', size: '1' }), padded('x'), END],
  'unknown type': [header({ type: 'Z' }), END],
  'name empty': [header({ name: '' }), END],
  'name absolute': [header({ name: '/etc/passwd' }), END],
  'name that climbs': [header({ name: 'a/../../b' }), END],
  'prefix that climbs': [header({ prefix: '..', name: 'b' }), END],
  'name with a backslash': [header({ name: '..\\b' }), END],
  'name with a line break': [header({ name: 'a\nb' }), END],
  'extended name that climbs': [pax('x', record('path=../b')), header({}), END],
  'extended name with a zero': [pax('x', record('path=a\x00b')), header({}), END],
  'extended size beyond the file': [pax('x', record('size=999999')), header({}), END],
  'extended size beyond 2^53': [pax('x', record('size=9999999999999999')), header({}), END],
  'extended size negative': [pax('x', record('size=-1')), header({}), END],
  'extended header that is huge': [
    header({ type: 'x', size: '1000000' }),
    Buffer.alloc(2 ** 18),
    END,
  ],
  'extended header of length 0': [pax('x', '0 path=a\n'), header({}), END],
  'extended header longer than itself': [pax('x', '99 path=a\n'), header({}), END],
  'extended header without equals': [pax('x', record('path')), header({}), END],
  'extended header without blanks': [pax('x', 'path=a\n'), header({}), END],
  'extended sparse': [pax('x', record('GNU.sparse.major=1')), header({}), END],
  'extended header twice': [pax('x', record('a=1')), pax('x', record('a=1')), header({}), END],
  'extended header without a file': [pax('x', record('a=1')), END],
};
for (const [title, blocks] of Object.entries(HOSTILE)) {
  test(`hostile tar: ${title}`, async (t) => {
    await t.throwsAsync(scan(t, ...blocks), DAMAGED);
  });
}

test('a missing file and a folder', async (t) => {
  const folder = await temporaryFolder(t);
  await t.throwsAsync(scanTar(join(folder, 'none')).next(), { code: 'TUBE_SHARD_NOT_FOUND' });
  await t.throwsAsync(scanTar(folder).next(), DAMAGED);
});

test('flipped bits and cuts give entries or a coded error', async (t) => {
  const rng = createRng(3, 'fuzz-tar');
  const good = Buffer.concat([
    pax('x', record('path=longer'), record('size=5')),
    header({ name: 'one', size: '5' }),
    padded('12345'),
    header({ name: 'two', size: '1' }),
    padded('1'),
    END,
  ]);
  let errors = 0;
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(good);
    const at = rng.integer(0, bytes.length);
    if (round % 2 === 0) bytes[at]! ^= 1 << rng.integer(0, 8);
    const cut = round % 4 === 1 ? bytes.subarray(0, at) : bytes;
    const error: unknown = await scan(t, cut).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error === null) continue;
    errors += 1;
    t.is((error as { code?: string }).code, 'TUBE_SHARD_DAMAGED');
  }
  t.true(errors > 100);
});
