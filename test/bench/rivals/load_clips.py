"""Rivals for benchmarks: batches from tubelet's shards in Python, as a careful user would make them, with 2 processes.

    python3 load_clips.py KIND FOLDER --batch-size 8 --warm 8 --batches 64 [--drop]

KIND is what makes clips of samples:
- tarfile: finished clips, uint8 [B, N, P]: tarfile, msgpack, numpy.frombuffer, stacked.
- webdataset: the same with webdataset and torch's DataLoader, torch.frombuffer, torch.stack.
- opencv, pillow, torchvision: 16 JPEG frames, one multi-scale crop a clip, scaled to 224 x 224 with bilinear weights, and
  normalised to float32: [B, T, H, W, 3] (torchvision: [B, T, 3, H, W], which costs it nothing more).

Fair to Python:
- Shards are read one after the other, which is the quickest way through a tar; tubelet reads samples in random order. No
  checksum is looked at; tubelet checks the CRC-32 of every sample.
- Batches go to the trainer's process in shared memory that is made once and used again; through the queues go only numbers. That
  is less than what torch's DataLoader does (new shared memory for each batch). `--drop` leaves even that out: processes write
  batches into memory of their own, for nobody. This is no loader, but a limit of one.
- JPEG decoders are what the wheels bring (libjpeg-turbo in all three). One thread a process. OpenCV gets no filter that widens when
  shrinking (it has none with linear weights), and decodes straight to RGB.
- Pillow crops and scales in one call; torchvision decodes to uint8, crops, scales with antialiasing as Pillow does (all frames of a
  clip in one call) and normalises in place.
- Normalisation is one multiplication and one addition, of a frame while it is in cache, or of a clip (torchvision).

Time is taken between two batches in the steady run. Prints one line of JSON.
"""

import argparse
import glob
import io
import json
import multiprocessing
import os
import random
import tarfile
import time
import warnings

import msgpack

# torch warns of arrays that must not be written; nobody writes them, and a copy would cost time.
warnings.filterwarnings("ignore", message="The given buffer is not writable")

SIZE, FRAMES, PROCESSES, PLACES = 224, 16, 2, 4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SCALES, SHIFTS = (1, 0.875, 0.75, 0.66), ((0, 0), (4, 0), (0, 4), (4, 4), (2, 2), (0, 2), (4, 2), (2, 4), (2, 0),
                                          (1, 1), (3, 1), (1, 3), (3, 3))


def read_samples(shards):
    """Samples of all shards, without end."""
    while True:
        for shard in shards:
            with tarfile.open(shard) as tar:
                for member in tar:
                    yield msgpack.unpackb(tar.extractfile(member).read())


def draw_crop(height, width, rng):
    """VideoMAE's multi-scale crop: sides that are equal or next to each other in SCALES, one of 13 places."""
    sides = [int(min(height, width) * scale) for scale in SCALES]
    sides = [SIZE if abs(side - SIZE) < 3 else side for side in sides]
    across, down = rng.choice([(i, k) for i in range(4) for k in range(4) if abs(i - k) <= 1])
    w, h = sides[across], sides[down]
    right, below = rng.choice(SHIFTS)
    return right * ((width - w) // 4), below * ((height - h) // 4), w, h


def fill_tarfile(sample, out, rng):
    import numpy as np
    np.copyto(out, np.frombuffer(sample["data"], np.uint8).reshape(out.shape))


def normalise(np, pixels, lines, frame):
    """Takes whole rows: numpy is slow where the last axis is as short as that of colours."""
    rows = frame.reshape(SIZE, SIZE * 3)
    np.multiply(pixels.reshape(SIZE, SIZE * 3), lines.scale, out=rows)
    rows += lines.shift


def fill_opencv(sample, out, rng):
    import cv2
    import numpy as np
    left, top, w, h = draw_crop(*sample["shape"][1:3], rng)
    for jpeg, frame in zip(sample["data"], out):
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        pixels = cv2.resize(pixels[top:top + h, left:left + w], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        normalise(np, pixels, fill_opencv, frame)


def fill_pillow(sample, out, rng):
    import numpy as np
    from PIL import Image
    left, top, w, h = draw_crop(*sample["shape"][1:3], rng)
    box = (left, top, left + w, top + h)
    for jpeg, frame in zip(sample["data"], out):
        pixels = Image.open(io.BytesIO(jpeg)).resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=box)
        normalise(np, np.asarray(pixels), fill_pillow, frame)


def fill_torchvision(sample, out, rng):
    import torch
    from torchvision.io import decode_jpeg
    from torchvision.transforms.v2 import functional
    left, top, w, h = draw_crop(*sample["shape"][1:3], rng)
    frames = torch.stack([decode_jpeg(torch.frombuffer(jpeg, dtype=torch.uint8))[:, top:top + h, left:left + w]
                          for jpeg in sample["data"]])
    scaled = functional.resize(frames, [SIZE, SIZE], antialias=True)
    torch.mul(scaled, fill_torchvision.scale, out=out)
    out += fill_torchvision.shift


FILLERS = {"tarfile": fill_tarfile, "opencv": fill_opencv, "pillow": fill_pillow, "torchvision": fill_torchvision}


def prepare(kind):
    """One thread a process, and constants in the type of the arrays. Gives what turns a buffer into an array."""
    import numpy as np
    fill = FILLERS[kind]
    repeats = 1 if kind == "torchvision" else SIZE
    fill.scale = np.tile(np.float32([1 / (255 * std) for std in STD]), repeats)
    fill.shift = np.tile(np.float32([-mean / std for mean, std in zip(MEAN, STD)]), repeats)
    if kind == "opencv":
        import cv2
        cv2.setNumThreads(1)
    if kind == "torchvision":
        import torch
        torch.set_num_threads(1)
        fill.scale = torch.from_numpy(fill.scale).reshape(3, 1, 1)
        fill.shift = torch.from_numpy(fill.shift).reshape(3, 1, 1)
        return lambda buffer, shape: torch.from_numpy(np.frombuffer(buffer, np.float32).reshape(shape))
    dtype = np.uint8 if kind == "tarfile" else np.float32
    return lambda buffer, shape: np.frombuffer(buffer, dtype).reshape(shape)


def shape_of(kind, batch_size, first):
    if kind == "tarfile":
        return (batch_size, *first["shape"])
    return (batch_size, FRAMES, 3, SIZE, SIZE) if kind == "torchvision" else (batch_size, FRAMES, SIZE, SIZE, 3)


def work(number, kind, shards, shape, buffers, free, full):
    """A process: fills places that are free and says which are full."""
    view = prepare(kind)
    places = [view(buffer, shape) for buffer in buffers]
    rng = random.Random(number)
    samples = read_samples(shards)
    while (place := free.get()) is not None:
        for slot in places[place]:
            FILLERS[kind](next(samples), slot, rng)
        full.put(place)


def run_processes(options, shards):
    """Batches of all processes; each has places and shards of its own."""
    kind = options.kind
    shape = shape_of(kind, options.batch_size, next(read_samples(shards[:1])))
    size = 1 if kind == "tarfile" else 4
    for side in shape:
        size *= side
    context = multiprocessing.get_context("fork")
    full = context.Queue()
    free, processes = [], []
    for number in range(PROCESSES):
        buffers = [multiprocessing.RawArray("B", size) for _ in range(PLACES // PROCESSES)]
        free.append(context.Queue())
        for place in range(len(buffers)):
            free[number].put(place)
        own = Tagged(full, number)
        process = context.Process(target=work, daemon=True, args=(
            number, kind, shards[number::PROCESSES] or shards, shape, buffers, free[number], own))
        process.start()
        processes.append(process)
    while True:
        number, place = full.get()
        yield
        free[number].put(place)


class Tagged:
    """A queue that says who put something."""

    def __init__(self, queue, tag):
        self.queue, self.tag = queue, tag

    def put(self, value):
        self.queue.put((self.tag, value))


def count_dropped(number, options, shards, shape, done):
    view = prepare(options.kind)
    import numpy as np
    size = int(np.prod(shape)) * (1 if options.kind == "tarfile" else 4)
    batch = view(bytearray(size), shape)
    rng = random.Random(number)
    samples = read_samples(shards)
    while True:
        for slot in batch:
            FILLERS[options.kind](next(samples), slot, rng)
        done.release()


def run_dropping(options, shards):
    """Batches that nobody gets, counted."""
    shape = shape_of(options.kind, options.batch_size, next(read_samples(shards[:1])))
    context = multiprocessing.get_context("fork")
    done = context.Semaphore(0)
    for number in range(PROCESSES):
        own = shards[number::PROCESSES] or shards
        context.Process(target=count_dropped, daemon=True, args=(number, options, own, shape, done)).start()
    while True:
        done.acquire()
        yield


def run_webdataset(options, shards):
    import torch
    import webdataset
    from torch.utils.data import DataLoader

    def unpack(sample):
        sample = msgpack.unpackb(sample["msgpack"])
        return torch.frombuffer(sample["data"], dtype=torch.uint8).reshape(sample["shape"])

    dataset = webdataset.WebDataset(shards, shardshuffle=False, nodesplitter=None, empty_check=False)
    dataset = dataset.map(unpack).batched(options.batch_size, collation_fn=torch.stack, partial=False).repeat()
    loader = DataLoader(dataset, batch_size=None, num_workers=PROCESSES, prefetch_factor=2)
    yield from loader


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=[*FILLERS, "webdataset"])
    parser.add_argument("folder")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--warm", type=int, default=8)
    parser.add_argument("--batches", type=int, default=64)
    parser.add_argument("--drop", action="store_true")
    options = parser.parse_args()
    shards = sorted(glob.glob(os.path.join(options.folder, "*.tar")))
    run = run_webdataset if options.kind == "webdataset" else run_dropping if options.drop else run_processes
    batches = run(options, shards)
    for _ in range(options.warm):
        next(batches)
    start, cpu = time.perf_counter(), cpu_seconds()
    for _ in range(options.batches):
        next(batches)
    seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
    clips = options.batches * options.batch_size
    print(json.dumps({"clips": clips, "seconds": seconds, "cpuSeconds": cpu}), flush=True)
    os._exit(0 if stop_children() is None else 1)


def cpu_seconds():
    """User and system time of this process and its children so far."""
    ticks = 0
    for pid in [os.getpid(), *(child.pid for child in multiprocessing.active_children())]:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            ticks += sum(int(field) for field in file.read().rsplit(")", 1)[1].split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def stop_children():
    for child in multiprocessing.active_children():
        child.kill()
        child.join()


if __name__ == "__main__":
    main()
