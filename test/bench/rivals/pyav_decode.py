"""Rival for benchmarks: decode videos with PyAV, scale every K-th frame, hold it as an RGB array.

    python3 pyav_decode.py LIST --short-side 256 --every 4 --procs 2

LIST is a text file with one path a line. Prints one line of JSON.

Fair to PyAV, as somebody who knows it well would write it:
- Processes instead of threads, one codec thread and one scaler thread in each: with short videos this beats several
  threads on one video. Processes are forked, so the libraries are loaded once.
- One scaler kept per process: it is set up anew only when the size of the videos changes.
- Frames that are not wanted are decoded but neither scaled nor copied.
- Scaling and conversion to RGB are one call, as everybody writes it: bicubic, as what it is compared with, but without
  flags for exact rounding and full colour resolution. `--planar` is the better way that few know: scale to planar RGB
  first, then interleave. Compare with both.
- Arrays are dropped where they are made: no time goes into sending pixels between processes.
"""

import time

STARTED = time.perf_counter()  # before the imports, so that wall time counts what CPU time counts

import argparse
import json
import multiprocessing
import platform
import resource
import sys
from collections import namedtuple
from functools import partial

import av
from av.video.reformatter import Interpolation, VideoReformatter

Counts = namedtuple("Counts", "decoded out error")

_scaler = VideoReformatter()
_packer = VideoReformatter()


def short_side_size(width, height, short_side):
    """Size after scaling the short side, the long side rounded down."""
    short = min(width, height)
    return width * short_side // short, height * short_side // short


def open_video(path):
    """The container and its video stream, set to one codec thread. The caller closes the container."""
    container = av.open(path)
    try:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return container, stream
    except BaseException:
        container.close()
        raise


def scale_frame(frame, options):
    """The frame as an RGB array [H, W, 3] of uint8."""
    width, height = short_side_size(frame.width, frame.height, options.short_side)
    layout = "gbrp" if options.planar else "rgb24"
    kernel = Interpolation[options.interpolation]
    scaled = _scaler.reformat(frame, width, height, layout, interpolation=kernel, threads=1)
    return _packer.reformat(scaled, format="rgb24", threads=1).to_ndarray()


def decode_video(path, options):
    """Decodes one video; a video that fails is counted up to its error and does not stop the others."""
    decoded = out = 0
    try:
        container, stream = open_video(path)
        with container:
            for frame in container.decode(stream):
                if decoded % options.every == 0:
                    scale_frame(frame, options)
                    out += 1
                decoded += 1
    except (av.error.FFmpegError, OSError, IndexError, ValueError) as error:
        return Counts(decoded, out, f"{path}: {type(error).__name__}: {error}")
    return Counts(decoded, out, None)


def read_list(path):
    """The lines of a list of paths, without empty ones."""
    with open(path, encoding="utf-8") as lines:
        return [line.strip() for line in lines if line.strip()]


def create_pool(procs):
    """A pool of forked processes."""
    return multiprocessing.get_context("fork").Pool(procs)


def report(**results):
    """Prints one line of JSON. Call it after the pool is joined, or the CPU time of its processes is missing."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    versions = {
        "python": platform.python_version(),
        "pyav": av.__version__,
        "ffmpeg": av.ffmpeg_version_info,
        **results.pop("versions", {}),
    }
    wall = round(time.perf_counter() - STARTED, 4)
    cpu = round(sum(usage.ru_utime + usage.ru_stime for usage in used), 4)
    print(json.dumps({**results, "wall": wall, "cpu": cpu, "versions": versions}))


def parse_arguments(parser, *positional):
    """Adds the arguments that all PyAV rivals share and parses the command line."""
    for name in ("list", *positional):
        parser.add_argument(name)
    parser.add_argument("--short-side", type=int, default=256)
    parser.add_argument("--procs", type=int, default=2)
    parser.add_argument("--interpolation", choices=[item.name for item in Interpolation], default="BICUBIC")
    parser.add_argument("--planar", action="store_true", help="scale to planar RGB first")
    return parser.parse_args()


def main():
    parser = argparse.ArgumentParser(description="Decode videos with PyAV and scale every K-th frame.")
    parser.add_argument("--every", type=int, default=1)
    options = parse_arguments(parser)
    work = partial(decode_video, options=options)
    with create_pool(options.procs) as pool:
        counts = list(pool.imap_unordered(work, read_list(options.list)))
        pool.close()
        pool.join()
    errors = [count.error for count in counts if count.error]
    for error in errors:
        print(error, file=sys.stderr)
    report(
        videos=len(counts),
        failures=len(errors),
        frames_decoded=sum(count.decoded for count in counts),
        frames_out=sum(count.out for count in counts),
    )


if __name__ == "__main__":
    main()
