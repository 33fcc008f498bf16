"""Writes single frames of a video as RGB bytes, scaled as `pyav_convert.py` does before it compresses them.

    python3 pyav_frames.py VIDEO --indexes 0 20 40 --short-side 256
"""

from pyav_decode import open_video, parse_arguments, scale_frame

import argparse
import sys


def main():
    parser = argparse.ArgumentParser(description="Write frames of a video as RGB bytes.")
    parser.add_argument("--indexes", type=int, nargs="+", default=[0])
    options = parse_arguments(parser)
    container, stream = open_video(options.list)
    with container:
        for index, frame in enumerate(container.decode(stream)):
            if index in options.indexes:
                sys.stdout.buffer.write(scale_frame(frame, options).tobytes())


if __name__ == "__main__":
    main()
