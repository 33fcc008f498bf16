"""Reads the batches of `tubelet pipe`, in both formats. Needs numpy, and msgpack for --format msgpack.

    tubelet pipe shards/train --batch-size 8 | python read_batches.py     # says what comes
    tubelet pipe shards/train --batch-size 8 | python train.py            # for batch in read_batches(): ...

A batch is a dict: epoch, batchIndex, step (int), cursor (str); arrays keys, samples, datasets, labels, frameIndex, isPad,
isMissing, and, as the options say, views, pixels, visible, target, visibleTokens, maskedTokens, softLabels. Arrays may be
read-only. Store batch['cursor'] with a checkpoint: the text in a file makes --cursor FILE go on behind this batch.
"""
import sys
from types import SimpleNamespace

import numpy as np

LISTS = dict(keys='U', samples='i4', datasets='U', labels='i4', frameIndex='i4', views='i4', isPad='?', isMissing='?')


def read_batches(stream=None):
    """Yields the batches of a buffered binary stream, by default stdin. Raises if it ends in the middle of one."""
    stream = stream or sys.stdin.buffer
    return read_npy(stream) if stream.peek(1)[:1] == b'\x93' else read_msgpack(stream)


def read_npy(stream):
    source = SimpleNamespace(read=stream.read)  # numpy would seek in a real file, which pipes cannot
    while stream.peek(1):
        names = np.lib.format.read_array(source).tolist()
        arrays = {name: np.lib.format.read_array(source) for name in names}
        yield {name: array if array.ndim else array.item() for name, array in arrays.items()}


def read_msgpack(stream):
    import msgpack
    unpacker, taken, used = msgpack.Unpacker(max_buffer_size=1 << 34), 0, 0
    while chunk := stream.read1(1 << 20):
        unpacker.feed(chunk)
        taken += len(chunk)
        for batch in unpacker:
            used = unpacker.tell()
            yield to_arrays(batch)
    if taken != used:
        raise EOFError('the stream ends in the middle of a batch')


def to_arrays(batch):
    if batch.pop('v') != 1:
        raise ValueError('these batches need a newer reader')
    tensors = {name: value for name, value in batch.items() if isinstance(value, dict) and 'data' in value}
    tensors[batch.pop('tensor')] = {part: batch.pop(part) for part in ('shape', 'dtype', 'data')}
    for name, tensor in tensors.items():
        batch[name] = np.frombuffer(tensor['data'], tensor['dtype']).reshape(tensor['shape'])
    batch.update((name, np.array(batch[name], kind)) for name, kind in LISTS.items() if batch[name] is not None)
    return {name: value for name, value in batch.items() if value is not None}


if __name__ == '__main__':
    for batch in read_batches():
        shapes = [f'{name} {a.dtype}{list(a.shape)}' for name, a in batch.items() if getattr(a, 'ndim', 0) > 1]
        print(f"step {batch['step']}, epoch {batch['epoch']}: {len(batch['keys'])} clips, {', '.join(shapes)}", flush=True)
