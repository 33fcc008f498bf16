import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { makeSample, temporaryFolder, writeDataset } from '../helpers/make-dataset.ts';

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

const hasPython = spawnSync('python3', ['-c', 'import msgpack']).status === 0;
const testWithPython = hasPython ? test : test.skip;

testWithPython('python3 with tarfile and msgpack reads the same values', async (t) => {
  const folder = await temporaryFolder(t);
  const info = await writeDataset(folder, [4, 3]);
  const { stdout } = await promisify(execFile)('python3', ['-c', SCRIPT, folder]);
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
