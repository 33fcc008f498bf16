"""Rival for benchmarks: the whole conversion of videos to shards, as a careful Python user would write it.

    python3 pyav_convert.py LIST OUT --short-side 256 --stride 4 --quality 90 --procs 2 --videos-per-shard 64

LIST is a text file with one path a line; the folder of a video is its class. Prints one line of JSON.

The result is what tubelet writes: tar shards of MessagePack samples with JPEG frames, and beside each an index with
the SHA-256 of the tar and the CRC-32 of every payload. Fair to Python, beyond what `pyav_decode.py` says:
- Processes decode, scale, compress and pack; the parent only writes, and hashes what it writes while writing it, so
  nothing is read again. One packed payload a video goes through the pipe.
- Pillow's JPEG as it comes in its wheel (libjpeg-turbo), colour at half resolution, standard code tables.
- A shard is written under a temporary name, flushed to disk and renamed.
"""

from pyav_decode import create_pool, open_video, parse_arguments, read_list, report, scale_frame  # starts the clock

import argparse
import hashlib
import io
import json
import os
import sys
import tarfile
import zlib
from collections import namedtuple
from functools import partial
from itertools import islice
from pathlib import Path

import av
import msgpack
import PIL
from PIL import Image

Video = namedtuple("Video", "key path label class_name")
Packed = namedtuple("Packed", "video payload crc32 frames seconds error")


def name_videos(paths):
    """Gives every path a key and the class of its folder."""
    names = [Path(path).parent.name for path in paths]
    labels = {name: label for label, name in enumerate(sorted(set(names)))}
    return [Video(f"{i:08d}", path, labels[name], name) for i, (path, name) in enumerate(zip(paths, names))]


def read_sample(video, options):
    """Decodes a video to its sample map; keeps every `stride`-th frame."""
    indexes, times, pictures, decoded = [], [], [], 0
    container, stream = open_video(video.path)
    with container:
        fps = float(stream.average_rate or 0)
        for frame in container.decode(stream):
            if decoded % options.stride == 0:
                pixels = scale_frame(frame, options)
                picture = io.BytesIO()
                Image.fromarray(pixels).save(picture, "JPEG", quality=options.quality)
                pictures.append(picture.getvalue())
                indexes.append(decoded)
                times.append(frame.time if frame.time is not None else decoded / (fps or 25.0))
            decoded += 1
        seconds = (container.duration or 0) / av.time_base
        size = {"width": stream.width, "height": stream.height}
    if not pictures:
        raise ValueError("no frames")
    return {
        "v": 1, "key": video.key, "split": "train", "label": video.label, "class": video.class_name,
        "source": {"path": video.path, **size, "fps": fps, "frames": decoded, "seconds": seconds},
        "frameIndex": indexes, "ptsSeconds": times, "layout": "frames", "codec": "jpeg",
        "shape": [len(pictures), *pixels.shape], "boxes": None, "data": pictures,
    }


def pack_video(video, options):
    """Work of the pool: one video to one payload. A video that fails becomes an entry in the index."""
    try:
        sample = read_sample(video, options)
    except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
        return Packed(video, b"", 0, 0, 0.0, f"{type(error).__name__}: {error}")
    payload = msgpack.packb(sample)
    seconds = sample["source"]["seconds"]
    return Packed(video, payload, zlib.crc32(payload), len(sample["data"]), seconds, None)


class HashingFile:
    """A file that hashes what is written to it; as much of a file as tarfile needs."""

    def __init__(self, file):
        self.file, self.hash, self.tell = file, hashlib.sha256(), file.tell

    def write(self, data):
        self.hash.update(data)
        return self.file.write(data)


def write_shard(folder, name, packed):
    """Writes one shard while its videos come in, then its index, which is returned."""
    samples, failures, total_seconds = [], [], 0.0
    with open(folder / f"{name}.tmp", "wb") as file:
        hashing = HashingFile(file)
        with tarfile.open(fileobj=hashing, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for video, payload, crc32, frames, seconds, error in packed:
                if error is not None:
                    failures.append({"path": video.path, "code": "FAILED", "message": error})
                    continue
                total_seconds += seconds
                offset = tar.offset + tarfile.BLOCKSIZE
                samples.append({"key": video.key, "offset": offset, "bytes": len(payload), "crc32": crc32,
                                "label": video.label, "frames": frames})
                info = tarfile.TarInfo(f"{video.key}.msgpack")
                info.size = len(payload)
                tar.addfile(info, io.BytesIO(payload))
        size = file.tell()
        file.flush()
        os.fsync(file.fileno())
    os.replace(folder / f"{name}.tmp", folder / f"{name}.tar")
    index = {"v": 1, "shard": name, "bytes": size, "sha256": hashing.hash.hexdigest(), "videos": len(samples),
             "seconds": total_seconds, "samples": samples, "failures": failures}
    (folder / f"{name}.tmp").write_text(json.dumps(index), encoding="utf-8")
    os.replace(folder / f"{name}.tmp", folder / f"{name}.json")
    return index


def main():
    parser = argparse.ArgumentParser(description="Convert videos to shards with PyAV, Pillow and tarfile.")
    parser.add_argument("--stride", type=int, default=4)
    parser.add_argument("--quality", type=int, default=90)
    parser.add_argument("--videos-per-shard", type=int, default=64)
    options = parse_arguments(parser, "out")
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    videos = name_videos(read_list(options.list))
    shards = []
    with create_pool(options.procs) as pool:
        done = pool.imap(partial(pack_video, options=options), videos)  # keeps order
        for _ in range(0, len(videos), options.videos_per_shard):
            packed = islice(done, options.videos_per_shard)
            shards.append(write_shard(folder, f"train-{len(shards):06d}", packed))
        pool.close()
        pool.join()
    failures = [failure for shard in shards for failure in shard["failures"]]
    for failure in failures:
        print(f"{failure['path']}: {failure['message']}", file=sys.stderr)
    samples = [sample for shard in shards for sample in shard["samples"]]
    report(videos=len(samples), failures=len(failures), frames_out=sum(sample["frames"] for sample in samples),
           bytes=sum(shard["bytes"] for shard in shards), versions={"pillow": PIL.__version__})


if __name__ == "__main__":
    main()
