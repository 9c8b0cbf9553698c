"""Command line: measure, print, and append what was measured as JSON lines.

`python -m benchmarks steps` times training steps, float32 against bfloat16 and ours
against PyTorch; `race` measures how soon recipes draw faces; `data` times decoding and
loading, `figures` the whole of hw4.sh, `start` the command lines' first answer. Two sides
of a comparison take turns in one run (A B A B ...), because no absolute time is stable
on a shared machine.
"""

import argparse
import contextlib
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks import TWINS
from cli import UserError, run_cli
from models.recipes import RECIPES, get_recipe
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
    steps = known.add_parser("steps", help="training steps, in pairs")
    steps.add_argument("--recipes", nargs="+", default=list(RECIPES), metavar="RECIPE")
    steps.add_argument("--batch", type=int, help="default: the recipe's")
    steps.add_argument("--pairs", type=int, default=5)
    steps.add_argument("--steps", type=int, default=3, help="in each half of a pair")
    steps.add_argument(
        "--against",
        choices=["precision", "torch"],
        default="precision",
        help="float32 beside bfloat16, or ours beside PyTorch in both precisions",
    )
    steps.add_argument(
        "--precisions",
        nargs="+",
        choices=PRECISIONS,
        default=PRECISIONS,
        help="of a comparison with PyTorch",
    )
    steps.add_argument("--matmul", type=int, default=2048, metavar="N")
    races = known.add_parser("race", help="time to a face, one core each, figure")
    races.add_argument("data", type=Path)
    races.add_argument(
        "--sides",
        nargs="+",
        default=["rpgan", "wgan_a", "dcgan_c", "torch:dcgan_c", "torch:rpgan"],
        metavar="SIDE",
        help="recipes of GANs; torch:<recipe> is its PyTorch twin",
    )
    races.add_argument("--minutes", type=float, default=20, help="of processor time")
    races.add_argument("--every", type=float, default=2, help="minutes of it")
    races.add_argument("--batch", type=int, help="default: the recipe's")
    races.add_argument("--precision", choices=PRECISIONS, default="bfloat16")
    data = known.add_parser("data", help="decoding, cached loading, feeding")
    data.add_argument("--images", type=int, default=40_000)
    figures = known.add_parser("figures", help="hw4.sh: time and peak memory")
    figures.add_argument("data")
    known.add_parser("start", help="--help, import, first step")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    for name, value in vars(args).items():
        if isinstance(value, (int, float)) and not 0 < value < math.inf:
            raise UserError(f"--{name} must be a number above 0, not {value}")
    kinds = (steps, race, data, figures, start)
    rows = {f.__name__: f for f in kinds}[args.what]
    args.results.mkdir(parents=True, exist_ok=True)
    path = args.results / f"{args.what}.jsonl"
    for row in rows(args):
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
    return {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": versions,
        "date": time.strftime("%Y-%m-%d"),
    }


def race(args):
    """Rows of `benchmarks.race`; the figure shows all rows in the file."""
    # TensorFlow reads these when it starts: train on one core.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from benchmarks import race as module

    path, rows = args.results / "race.jsonl", []
    if path.exists():
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in module.sides(args):
        rows.append(row | machine())
        yield row
    module.figure(rows, args.results / "race.jpg")


# --------------------------------------------------------------- training steps


class Side:
    """A worker process; `time(n)` runs n steps and returns the median seconds of one."""

    def __init__(self, *words):
        command = [sys.executable, "-m", "benchmarks.worker", *map(str, words)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def time(self, steps):
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise UserError("a worker died; its own message stands above")
        return float(line)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def steps(args):
    names = [get_recipe(name).name for name in args.recipes]
    if args.against == "torch":
        names = [name for name in names if name in TWINS]
        if not names:
            raise UserError(f"--recipes: there are PyTorch twins of {', '.join(TWINS)}")
    for name in names:
        batch = args.batch or get_recipe(name).batch_size
        if args.against == "precision":
            pairs = [[("ours", name, p, batch) for p in PRECISIONS]]
        else:
            sides = ("torch", "ours")
            pairs = [[(s, name, p, batch) for s in sides] for p in args.precisions]
        for a, b in pairs:
            row = compare(a, b, args.pairs, args.steps)
            yield row | share_of_matmul(row, b[2], args.matmul)


def compare(a, b, pairs, steps):
    """Time two sides in turn; return images/s of both, and the speed of b over a."""
    name, batch = a[1], a[3]
    recipe = get_recipe(name)
    images = batch * recipe.d_steps
    with Side(*a) as first, Side(*b) as second:
        first.time(2), second.time(2)  # compiling
        times = [(first.time(steps), second.time(steps)) for _ in range(pairs)]
    ratios = [x / y for x, y in times]
    row = {
        "recipe": name,
        "batch": batch,
        "d_steps": recipe.d_steps,
        "g_steps": recipe.g_steps,
        "a": f"{a[0]} {a[2]}",
        "b": f"{b[0]} {b[2]}",
        "a_images_per_second": round(images / float(np.median([x for x, _ in times])), 2),
        "b_images_per_second": round(images / float(np.median([y for _, y in times])), 2),
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "pairs": pairs,
        "steps": steps,
    }
    print(
        f"{name:18} batch {batch:4d}  {row['a']} {row['a_images_per_second']:8.1f} img/s"
        f"  {row['b']} {row['b_images_per_second']:8.1f} img/s"
        f"  {row['ratio']:.2f}x [{min(ratios):.2f}, {max(ratios):.2f}]",
        flush=True,
    )
    return row


def share_of_matmul(row, precision, side):
    """The rate of b's step as a share of that of an N x N matrix product, counted in the
    operations of its layers; {} for families that `flops` does not count."""
    work = flops(get_recipe(row["recipe"]))
    if not work:
        return {}
    with Side("matmul", row["recipe"], precision, side) as product:
        product.time(1)
        rate = 2 * side**3 / product.time(3)
    share = work * row["b_images_per_second"] / rate
    print(f"{'':18} {share:.1%} of {rate / 1e12:.2f} TFLOP/s of a {side}-square product")
    return {
        "flops_per_image": work,
        "matmul": {"side": side, "tflops": round(rate / 1e12, 3)},
        "b_share_of_matmul": round(share, 3),
    }


def flops(recipe):
    """Floating-point operations of a training step for each image of its batch, in
    convolutions and dense layers; 0 for families that are not counted.

    A pass forward, one back to the inputs and one to the weights cost the same.
    """
    from models import build

    cost = {role: forward_flops(build(recipe, role)) for role in recipe.networks}
    if recipe.traits.rebuilds:
        return 3 * sum(cost.values())
    if (recipe.d_steps, recipe.condition, recipe.adversarial) == (1, 0, "bce"):
        d, g = cost["discriminator"], cost["generator"]
        return (6 * d + g) + recipe.g_steps * (2 * d + 3 * g)
    return 0


def forward_flops(network):
    """Of one image."""
    total = 0
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        transposed = "Transpose" in type(layer).__name__
        image = layer.input.shape if transposed else layer.output.shape
        places = int(np.prod(image[1:-1])) if len(kernel.shape) == 4 else 1
        total += 2 * int(np.prod(kernel.shape)) * places
    return total


# ------------------------------------------------------------ data, figures, start


def data(args):
    """Decode a folder of PNGs cold, copies of those in `sample_data`; load it again,
    and feed from it."""
    import shutil

    import data_utils
    from train.feed import Feed

    originals = sorted((RESULTS.parents[1] / "sample_data" / "train").glob("*.png"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HW4_CACHE"] = str(Path(folder) / "cache")
        images = Path(folder) / "images"
        images.mkdir()
        for k in range(args.images):
            shutil.copy(originals[k % len(originals)], images / f"{k:06d}.png")
        seconds, before = {}, anonymous_mib()
        for what in ("decode", "from_cache"):
            began = time.perf_counter()
            faces = data_utils.load_faces(images, report=lambda text: None)
            seconds[what] = time.perf_counter() - began
        feed = Feed(get_recipe("dcgan_c"), faces, 0)
        began = time.perf_counter()
        for k in range(50):
            feed(k)
        seconds["feed"] = time.perf_counter() - began
        growth = anonymous_mib() - before
    row = {
        "images": args.images,
        "decode_seconds": round(seconds["decode"], 2),
        "from_cache_seconds": round(seconds["from_cache"], 3),
        "feed_images_per_second": round(50 * feed.recipe.batch_size / seconds["feed"]),
        "images_mib": faces.images.nbytes >> 20,
        "memory_growth_mib": growth,
    }
    print(json.dumps(row))
    yield row


def anonymous_mib():
    """Memory of this process that no file backs (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(x.split()[1] for x in lines if x.startswith("RssAnon"))) >> 10


def figures(args):
    with tempfile.TemporaryDirectory() as out:
        seconds, memory = timed("-m", "inference", "hw4", args.data, out)
    row = {"data": Path(args.data).name, "seconds": round(seconds, 1), "peak_mib": memory}
    print(json.dumps(row))
    yield row


def start(args):
    cases = {
        "hw4_vae.sh --help": ("-m", "inference", "vae", "--help"),
        "import of Keras": ("-c", "from models.keras_setup import keras"),
        "train --help": ("-m", "train", "--help"),
    }
    for what, words in cases.items():
        seconds = [timed(*words)[0] for _ in range(5)]
        row = {"what": what, "seconds": round(float(np.median(seconds)), 2), "runs": 5}
        print(json.dumps(row))
        yield row


def timed(*words):
    """(seconds, peak memory in MiB) of a Python command."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL)
    if done.returncode:
        raise UserError(f"{' '.join(words)}: ended with status {done.returncode}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return time.perf_counter() - began, peak


if __name__ == "__main__":
    run_cli(main)
