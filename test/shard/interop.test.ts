import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Unpackr } from 'msgpackr';
import { makeSample, temporaryFolder, writeDataset } from '../helpers/make-dataset.ts';
import { runPython, testWithPython } from '../helpers/python.ts';

const SCRIPT = `
import hashlib, json, sys, tarfile
import msgpack
folder = sys.argv[1]
info = json.load(open(folder + '/dataset.json', encoding='utf-8'))
out = {'name': info['name'], 'classes': info['classes'], 'samples': []}
for shard in info['shards']:
    path = folder + '/' + shard['name'] + '.tar'
    assert hashlib.sha256(open(path, 'rb').read()).hexdigest() == shard['sha256']
    with tarfile.open(path) as tar:
        for member in tar:
            assert member.isreg() and not member.pax_headers
            sample = msgpack.unpackb(tar.extractfile(member).read())
            assert member.name == sample['key'] + '.msgpack'
            assert all(type(x) is float for x in sample['ptsSeconds'])
            assert all(type(x) is int for x in sample['frameIndex'])
            assert type(sample['source']['fps']) is float
            data = sample['data']
            sample['data'] = data.hex() if isinstance(data, bytes) else [x.hex() for x in data]
            out['samples'].append(sample)
print(json.dumps(out))
`;

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

testWithPython('Python with tarfile and msgpack reads the same values', ['msgpack'], async (t) => {
  const folder = await temporaryFolder(t);
  const info = await writeDataset(folder, [4, 3]);
  const { stdout } = await runPython(['-c', SCRIPT, folder]);
  t.deepEqual(JSON.parse(stdout), {
    name: info.name,
    classes: info.classes,
    samples: Array.from({ length: 7 }, (_, i) => {
      const sample = makeSample(i);
      const data = sample.codec === 'raw' ? hex(sample.data) : sample.data.map(hex);
      return { ...sample, data };
    }),
  });
});

/** Groups the files of a tar as WebDataset does: the key ends at the first dot of the name, files of one key stand together. */
function groupFiles(tar: Buffer): Map<string, Map<string, Buffer>> {
  const samples = new Map<string, Map<string, Buffer>>();
  let last = '';
  for (let at = 0; tar[at] !== 0;) {
    const name = tar.toString('latin1', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8);
    const [, key = '', extension = ''] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(name) ?? [];
    if (key !== last && samples.has(key)) throw new Error(`files of ${key} are apart`);
    last = key;
    const files = samples.get(key) ?? new Map<string, Buffer>();
    samples.set(key, files.set(extension, tar.subarray(at + 512, at + 512 + size)));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return samples;
}

test('a shard is a WebDataset: one sample per key, one file with extension msgpack', async (t) => {
  const folder = await temporaryFolder(t);
  const info = await writeDataset(folder, [4, 3]);
  let i = 0;
  for (const { name, samples } of info.shards) {
    const groups = groupFiles(await readFile(join(folder, `${name}.tar`)));
    t.is(groups.size, samples);
    for (const [key, files] of groups) {
      t.deepEqual([...files.keys()], ['msgpack']);
      const value = new Unpackr({ useRecords: false }).unpack(files.get('msgpack')!) as unknown;
      const { data, ...meta } = makeSample(i++);
      t.is(key, meta.key);
      t.like(value, {
        ...meta,
        data: data instanceof Uint8Array ? buffer(data) : data.map(buffer),
      });
    }
  }
  t.is(i, 7);
});

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

const WEBDATASET = `
import json, sys
import msgpack, webdataset
shards = webdataset.WebDataset(sys.argv[1], shardshuffle=False).map_dict(msgpack=msgpack.unpackb)
for sample in shards:
    value = sample['msgpack']
    names = sorted(name for name in sample if not name.startswith('__'))
    data = value['data']
    hexed = data.hex() if isinstance(data, bytes) else [x.hex() for x in data]
    print(json.dumps([sample['__key__'], names, value['key'], value['label'], value['shape'], hexed]))
`;

testWithPython(
  'the webdataset package reads the same samples in the same order',
  ['webdataset', 'msgpack'],
  async (t) => {
    const folder = await temporaryFolder(t);
    await writeDataset(folder, [4, 3]);
    const urls = join(folder, 'train-{000000..000001}.tar');
    const { code, stdout, stderr } = await runPython(['-c', WEBDATASET, urls]);
    t.is(code, 0, stderr);
    t.deepEqual(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      Array.from({ length: 7 }, (_, i) => {
        const { key, label, shape, data } = makeSample(i);
        const hexed = data instanceof Uint8Array ? hex(data) : data.map(hex);
        return [key, ['msgpack'], key, label, shape, hexed];
      }),
    );
  },
);
