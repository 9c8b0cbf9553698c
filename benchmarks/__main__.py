"""Command line: measure, print, and append what was measured as JSON lines.

`python -m benchmarks steps` times training steps beside PyTorch's, `data` decoding and
loading, `figures` the whole of hw4.sh. Ours and PyTorch take turns in one run (A B A B
...), because no absolute time is stable on a shared machine.
"""

import argparse
import contextlib
import importlib.util
import json
import math
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import data_utils
from benchmarks import TWINS
from benchmarks.steps import compare, timed
from cli import UserError, run_cli
from models.recipes import get_recipe
from train.machine import processor

RESULTS = Path(__file__).parent / "results"
PRECISIONS = ("float32", "bfloat16")


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    known = parser.add_subparsers(dest="what", required=True)
    pairs = known.add_parser("steps", help="training steps beside PyTorch's, in pairs")
    pairs.add_argument("--recipes", nargs="+", choices=TWINS, default=TWINS)
    pairs.add_argument("--batch", type=int, help="default: the recipe's")
    pairs.add_argument("--pairs", type=int, default=5)
    pairs.add_argument("--steps", type=int, default=3, help="in each half of a pair")
    pairs.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    decoding = known.add_parser("data", help="decoding, cached loading, feeding")
    decoding.add_argument("--images", type=int, default=40_000)
    whole = known.add_parser("figures", help="hw4.sh: time and peak memory")
    whole.add_argument("data")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    for name, value in vars(args).items():
        if isinstance(value, (int, float)) and not 0 < value < math.inf:
            raise UserError(f"--{name} must be a number above 0, not {value}")
    rows = {f.__name__: f for f in (steps, data, figures)}[args.what]
    args.results.mkdir(parents=True, exist_ok=True)
    path = args.results / f"{args.what}.jsonl"
    for row in rows(args):
        print(json.dumps(row), flush=True)
        with open(path, "a") as file:
            file.write(json.dumps(row | machine()) + "\n")
    print(f"appended to {path}")
    return 0


def machine():
    """Processor, cores, versions and date of a measurement."""
    versions = {}
    for package in ("tensorflow", "keras", "numpy", "torch", "jax"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    about = {"cpu": processor(), "cores": os.cpu_count(), "versions": versions}
    python = platform.python_version()
    return about | {"python": python, "date": time.strftime("%Y-%m-%d")}


def steps(args):
    if not importlib.util.find_spec("torch"):
        raise UserError("steps needs PyTorch: pip install -r requirements-test.txt")
    for name in args.recipes:
        for precision in args.precisions:
            batch = args.batch or get_recipe(name).batch_size
            yield compare(name, precision, batch, args.pairs, args.steps)


def data(args):
    """Decode a folder of PNGs cold, copies of those in `sample_data`; load it again,
    and feed from it."""
    from train.feed import Feed  # not at the top: PyTorch's worker imports this file

    originals = sorted((RESULTS.parents[1] / "sample_data" / "train").glob("*.png"))
    before, loaded = anonymous_mib(), []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HW4_CACHE"] = str(Path(folder) / "cache")
        images = Path(folder) / "images"
        images.mkdir()
        for k in range(args.images):
            shutil.copy(originals[k % len(originals)], images / f"{k:06d}.png")

        def load():
            loaded.append(data_utils.load_faces(images, report=lambda text: None))

        decode, from_cache = timed(load), timed(load)
        feed = Feed(get_recipe("dcgan_c"), loaded[1], 0)
        feeding = timed(lambda: [feed(k) for k in range(50)])
        growth = anonymous_mib() - before
    yield {
        "images": args.images,
        "decode_seconds": round(decode, 2),
        "from_cache_seconds": round(from_cache, 3),
        "feed_images_per_second": round(50 * feed.recipe.batch_size / feeding),
        "images_mib": loaded[1].images.nbytes >> 20,
        "memory_growth_mib": growth,
    }


def anonymous_mib():
    """Memory of this process that no file backs (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x.split()[1] for x in lines if x.startswith("RssAnon"))) >> 10


def figures(args):
    with tempfile.TemporaryDirectory() as out:
        words = (sys.executable, "-m", "inference", "hw4", args.data, out)
        began = time.perf_counter()
        done = subprocess.run(words, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
    if done.returncode:
        raise UserError(f"inference hw4: ended with status {done.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    name = Path(args.data).name
    yield {"data": name, "seconds": round(seconds, 1), "peak_mib": peak}


if __name__ == "__main__":
    run_cli(main)
