"""Rival for the benchmark of training: VideoMAE's pre-training and fine-tuning in PyTorch, from the same shards to updated weights.

    python3 torch_train.py '{"shards": "DIR", "task": "pretrain", "size": "S", "batch": 4, "threads": 2, "workers": 1}'

Answers one line of JSON when ready and one for each line "step" that it reads, with the time of the step and what of it was waiting
for the batch. The network, AdamW and what is fair about them are those of `torch_step.py`. Loading is what a careful user would do:
- torch's DataLoader; a worker process reads shards one after the other (tarfile, msgpack), takes 16 frames at random, decodes and scales
  them with OpenCV (Pillow where there is none), one crop a clip, and hands over bytes, a quarter of what floats would be.
- Masks and random choices are made in the worker. Patches are cut, normalised and made targets of in the trainer, with all its threads,
  and only those that are used: the reference implementation normalises and embeds all of them.
- Fine-tuning takes random resized crops and flips; no RandAugment, no mixing and no erasing, here and at tubelet.
"""

import glob
import json
import math
import multiprocessing
import os
import random
import resource
import sys
import time
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from load_clips import draw_crop, read_samples
from torch_step import DEPTH, MASKED, SIZES, VALUES, VISIBLE, Block, Pretrain, answer, make_optimizer

try:
    import cv2
    cv2.setNumThreads(1)
except ImportError:
    cv2 = None
    import io
    from PIL import Image

warnings.filterwarnings("ignore", message="The given NumPy array is not writable")

FRAMES, SIDE, SLOTS, PLACES, TOKENS = 16, 224, 8, 196, 1568
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Clips(IterableDataset):
    """Clips of 16 frames as bytes, with a tube mask or a label."""

    def __init__(self, shards, task):
        self.shards, self.task = shards, task

    def __iter__(self):
        info = get_worker_info()
        number, count = (info.id, info.num_workers) if info else (0, 1)
        rng = random.Random(number)
        for sample in read_samples(self.shards[number::count] or self.shards):
            if len(sample["data"]) < FRAMES:
                continue
            if self.task == "pretrain":
                crop = draw_crop(*sample["shape"][1:3], rng)
                yield load_frames(sample, crop, rng), *draw_tubes(rng)
            else:
                crop = draw_resized_crop(*sample["shape"][1:3], rng)
                frames = load_frames(sample, crop, rng)
                if rng.random() < 0.5:
                    frames = np.ascontiguousarray(frames[:, :, ::-1])
                yield frames, sample["label"]


def load_frames(sample, crop, rng):
    left, top, w, h = crop
    start = rng.randrange(len(sample["data"]) - FRAMES + 1)
    frames = np.empty((FRAMES, SIDE, SIDE, 3), np.uint8)
    for jpeg, frame in zip(sample["data"][start:start + FRAMES], frames):
        if cv2 is None:
            box = (left, top, left + w, top + h)
            frame[:] = Image.open(io.BytesIO(jpeg)).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box)
        else:
            pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            scaled = cv2.resize(pixels[top:top + h, left:left + w], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB, dst=frame)
    return frames


def draw_tubes(rng):
    """The same places in all slots; both lists ascend."""
    shown = np.zeros(PLACES, bool)
    shown[rng.sample(range(PLACES), VISIBLE // SLOTS)] = True
    tokens = np.tile(shown, SLOTS)
    return np.flatnonzero(tokens), np.flatnonzero(~tokens)


def draw_resized_crop(height, width, rng):
    for _ in range(10):
        area = rng.uniform(0.08, 1) * height * width
        aspect = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return rng.randint(0, width - w), rng.randint(0, height - h), w, h
    side = min(height, width)
    return (width - side) // 2, (height - side) // 2, side, side


def cut_tokens(pixels):
    """Bytes of tokens [B, N, 512 * 3] of clips [B, T, H, W, 3]."""
    parts = pixels.view(-1, SLOTS, 2, 14, 16, 14, 16, 3).permute(0, 1, 3, 5, 2, 4, 6, 7)
    return parts.reshape(-1, TOKENS, VALUES)


def gather(tokens, places):
    return tokens[torch.arange(len(tokens))[:, None], places]


class Normalise:
    def __init__(self):
        self.scale = torch.tensor([1 / (255 * std) for std in STD]).repeat(VALUES // 3)
        self.shift = torch.tensor([-mean / std for mean, std in zip(MEAN, STD)]).repeat(VALUES // 3)

    def __call__(self, tokens):
        return tokens.float().mul_(self.scale).add_(self.shift)


def make_targets(tokens):
    """Every token and colour with mean 0 and deviation 1; the deviation is that of a sample."""
    pixels = tokens.float().div_(255).view(len(tokens), MASKED, VALUES // 3, 3)
    deviation, mean = torch.std_mean(pixels, dim=2, unbiased=True, keepdim=True)
    return pixels.sub_(mean).div_(deviation.add_(1e-6)).view(len(tokens), MASKED, VALUES)


def position_table(tokens, width):
    places = np.arange(tokens)[:, None] / 10000 ** (2 * (np.arange(width) // 2) / width)
    table = np.where(np.arange(width) % 2 == 0, np.sin(places), np.cos(places))
    return torch.from_numpy(table.astype(np.float32))


def make_pretrain(size):
    width, heads, decoder_width, decoder_heads = SIZES[size]
    model = Pretrain(width, heads, decoder_width, decoder_heads)
    optimizer = make_optimizer([
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.05},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ], (0.9, 0.95))
    encoder_table, decoder_table = position_table(TOKENS, width), position_table(TOKENS, decoder_width)
    normalise = Normalise()

    def loss_of(batch):
        pixels, visible, masked = batch
        tokens = cut_tokens(pixels)
        order = torch.cat((visible, masked), 1)
        predicted = model(normalise(gather(tokens, visible)), encoder_table[visible], decoder_table[order])
        return F.mse_loss(predicted, make_targets(gather(tokens, masked)))

    return optimizer, loss_of


class Classifier(torch.nn.Module):
    def __init__(self, width, heads, classes):
        super().__init__()
        self.embed = torch.nn.Linear(VALUES, width)
        self.blocks = torch.nn.ModuleList(Block(width, heads) for _ in range(DEPTH))
        self.fc_norm = torch.nn.LayerNorm(width, eps=1e-6)
        self.head = torch.nn.Linear(width, classes)

    def forward(self, tokens, positions):
        x = self.embed(tokens) + positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.fc_norm(x.mean(1)))


def make_finetune(size, classes):
    width, heads, _, _ = SIZES[size]
    model = Classifier(width, heads, classes)
    layers = [(model.embed, 0), *((block, i + 1) for i, block in enumerate(model.blocks)), (model.fc_norm, DEPTH + 1), (model.head, DEPTH + 1)]
    groups = []
    for module, layer in layers:
        for decays in (True, False):
            params = [p for p in module.parameters() if (p.dim() > 1) == decays]
            if params:
                groups.append({"params": params, "weight_decay": 0.05 if decays else 0.0, "lr": 1e-4 * 0.75 ** (DEPTH + 1 - layer)})
    optimizer = make_optimizer(groups, (0.9, 0.999))
    table, normalise = position_table(TOKENS, width), Normalise()

    def loss_of(batch):
        pixels, labels = batch
        soft = F.one_hot(labels, classes).float()
        return F.cross_entropy(model(normalise(cut_tokens(pixels)), table), soft)

    return optimizer, loss_of


def worker_bytes():
    """Memory of the workers; a page of several processes counts in parts."""
    total = 0
    for child in multiprocessing.active_children():
        with open(f"/proc/{child.pid}/smaps_rollup", encoding="ascii") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total * 1024


def main():
    work = json.loads(sys.argv[1])
    torch.manual_seed(0)
    torch.set_num_threads(work["threads"])
    shards = sorted(glob.glob(os.path.join(work["shards"], "*.tar")))
    loader = DataLoader(Clips(shards, work["task"]), batch_size=work["batch"], num_workers=work["workers"],
                        prefetch_factor=3, drop_last=True)
    batches = iter(loader)
    optimizer, loss_of = make_pretrain(work["size"]) if work["task"] == "pretrain" else make_finetune(work["size"], work["classes"])

    def step():
        start = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - start
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(batch)
        loss.backward()
        optimizer.step()
        return {"loss": loss.item(), "waitSeconds": waited, "seconds": time.perf_counter() - start}

    first = step()
    answer(ready=True, torch=torch.__version__, decoder="Pillow" if cv2 is None else f"OpenCV {cv2.__version__}", loss=first["loss"])
    for line in sys.stdin:
        if line.strip() != "step":
            break
        answer(**step())
    answer(peakBytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + worker_bytes())
    sys.stdout.flush()
    os._exit(0 if stop_workers() is None else 1)


def stop_workers():
    for child in multiprocessing.active_children():
        child.kill()
        child.join()


if __name__ == "__main__":
    main()
