"""The same shard with Python's tarfile and msgpack: write it, read it at random. Prints one JSON line of seconds per run.

Usage: tarfile_shard.py FOLDER SAMPLES RUNS
"""

import hashlib
import json
import os
import sys
import tarfile
import time
import zlib
from io import BytesIO

import msgpack

SHAPE = [16, 224, 224, 3]


def make_sample(number, pixels):
    return {
        "v": 1, "key": f"video-{number:06d}", "split": "train", "label": 3, "class": "running",
        "source": {"path": "running/a.mp4", "width": 340, "height": 256, "fps": 30.0, "frames": 300, "seconds": 10.0},
        "frameIndex": [2 * i for i in range(16)], "ptsSeconds": [2 * i / 30 for i in range(16)],
        "layout": "frames", "codec": "raw", "shape": SHAPE, "boxes": None, "data": pixels,
    }


class HashingFile:
    """A file that is hashed while it is written."""

    def __init__(self, file):
        self.file, self.sha256 = file, hashlib.sha256()

    def write(self, data):
        self.sha256.update(data)
        return self.file.write(data)

    def tell(self):
        return self.file.tell()


def write(path, pictures, samples):
    index = []
    with open(path, "wb", buffering=0) as file:
        hashing = HashingFile(file)
        with tarfile.open(fileobj=hashing, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for number in range(samples):
                payload = msgpack.packb(make_sample(number, pictures[number % len(pictures)]))
                member = tarfile.TarInfo(f"video-{number:06d}.msgpack")
                member.size = len(payload)
                index.append((file.tell() + 512, len(payload), zlib.crc32(payload)))
                tar.addfile(member, BytesIO(payload))
        os.fsync(file.fileno())
        hashing.sha256.hexdigest()
    return index


def read(path, index):
    with open(path, "rb", buffering=0) as file:
        for number in range(len(index)):
            offset, size, crc = index[number * 37 % len(index)]
            file.seek(offset)
            payload = file.read(size)
            assert zlib.crc32(payload) == crc
            assert len(msgpack.unpackb(payload)["data"]) > 0


def main():
    folder, samples, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    size = SHAPE[0] * SHAPE[1] * SHAPE[2] * SHAPE[3]
    pictures = [os.urandom(size) for _ in range(4)]
    path = os.path.join(folder, "python.tar")
    seconds = {"write": [], "read": []}
    for _ in range(runs):
        start = time.perf_counter()
        index = write(path, pictures, samples)
        written = time.perf_counter()
        read(path, index)
        seconds["write"].append(written - start)
        seconds["read"].append(time.perf_counter() - written)
        os.remove(path)
    print(json.dumps(seconds))


main()
