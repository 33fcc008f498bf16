"""Rival for benchmarks: decode JPEG frames with cv2, Pillow or torchvision, one thread.

    python3 jpeg_decode.py PROGRAM LIST REPEATS whole|crop

LIST is JSON: file, size and a square to cut of every frame. After a round to warm up, prints the median time as JSON.

Fair to each, as somebody who knows it well would write it:
- cv2 decodes to its own order of channels (BGR): the whole frame is not turned to RGB.
- Pillow scales the crop with `resize(box=...)`, which reads only the crop, and widens its filter as tubelet does; cv2 does not.
- torchvision decodes to [3, H, W] and scales the bytes as its own random crop does, with antialiasing.
"""

import json
import statistics
import sys
import time

SIDE = 224


def cv2_program():
    import cv2
    import numpy

    cv2.setNumThreads(1)

    def decode(data, frame, is_whole):
        image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)
        if is_whole:
            return image
        left, top, size = frame["left"], frame["top"], frame["size"]
        return cv2.resize(image[top : top + size, left : left + size], (SIDE, SIDE))

    return decode


def pillow_program():
    import io

    import numpy
    from PIL import Image

    def decode(data, frame, is_whole):
        image = Image.open(io.BytesIO(data))
        image.load()
        if is_whole:
            return numpy.asarray(image)
        left, top, size = frame["left"], frame["top"], frame["size"]
        box = (left, top, left + size, top + size)
        return numpy.asarray(image.resize((SIDE, SIDE), Image.BILINEAR, box=box))

    return decode


def torchvision_program():
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg
    from torchvision.transforms.functional import resized_crop

    torch.set_num_threads(1)

    def decode(data, frame, is_whole):
        image = decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB)
        if is_whole:
            return image
        left, top, size = frame["left"], frame["top"], frame["size"]
        return resized_crop(image, top, left, size, size, [SIDE, SIDE], antialias=True)

    return decode


PROGRAMS = {"cv2": cv2_program, "pillow": pillow_program, "torchvision": torchvision_program}


def main():
    name, path, repeats, task = sys.argv[1:]
    with open(path) as file:
        frames = json.load(file)
    decode = PROGRAMS[name]()
    work = []
    for frame in frames:
        with open(frame["file"], "rb") as file:
            work.append((file.read(), frame))
    times = []
    for repeat in range(-1, int(repeats)):
        for data, frame in work:
            start = time.perf_counter()
            decode(data, frame, task == "whole")
            if repeat >= 0:
                times.append((time.perf_counter() - start) * 1000)
    print(json.dumps({"medianMs": round(statistics.median(times), 4)}))


main()
