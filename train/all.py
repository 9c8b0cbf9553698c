"""Train all recipes from nothing, as many at a time as there are cores, and export them.

`bash train_all.sh <data> <runs> [recipe ...]` runs the commands that README gives, one
process a core on a processor. Ctrl-C saves and stops all; the same command resumes. By
default it takes the recipes of the images' size. Weights come to <runs>/weights.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cli import UserError, writable
from data_utils import size_of
from models.recipes import RECIPES, STAGES, get_recipe
from train.machine import cores

HOME = Path(__file__).resolve().parent.parent
ALONE = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def parse(words=None):
    parser = argparse.ArgumentParser(prog="bash train_all.sh", description=__doc__)
    parser.add_argument(
        "data", type=Path, help="data folder, or of some recipes a plain one"
    )
    parser.add_argument("runs", type=Path, help="a run folder a recipe, and weights/")
    parser.add_argument("recipes", nargs="*", help="default: all for images of this size")
    parser.add_argument("--jobs", type=int, help="runs at a time; default: cores, or 5")
    parser.add_argument("--precision", default="float32", help="as of python -m train")
    return parser.parse_args(words)


def of_size(data):
    """The names of all recipes for images of the size of these."""
    width, height = size_of(data, "train")
    fit = {n for n, r in RECIPES.items() if r.image_size == width == height}
    found = [name for name in RECIPES if name in fit - STAGES]
    if not found:
        raise UserError(f"{data}: no recipe for images of {width}x{height}; name some")
    return found


def main(words=None):
    args = parse(words)
    if not args.data.is_dir():
        raise UserError(f"{args.data}: no such folder")
    if args.jobs is not None and args.jobs < 1:
        raise UserError(f"--jobs must be 1 or more, not {args.jobs}")
    names = [get_recipe(name).name for name in args.recipes] or of_size(args.data)
    writable(args.runs)
    data, runs = args.data.resolve(), args.runs.resolve()
    gpu = os.environ.get("KERAS_BACKEND") == "jax"  # several runs share it
    environment = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    environment |= {} if gpu else dict.fromkeys(ALONE, "1")

    def run(module, name, *more, **options):
        words = ("--data", data, "--run", runs / name, *more)
        command = [sys.executable, "-m", module, *map(str, words)]
        return subprocess.run(command, cwd=HOME, env=environment, text=True, **options)

    trains = ("--precision", args.precision)
    for name in names:
        done = run("train", name, *trains, "--dry-run", name, capture_output=True)
        if done.returncode:
            raise UserError(done.stderr.strip().removeprefix("error: "))
        print(f"{name}: {done.stdout.splitlines()[-1]}", flush=True)

    def start(name):
        """The recipe of `names` whose weights this one starts from, or ""."""
        found = get_recipe(name).trained_here().start
        return found if found in names else ""

    def work(name):
        source = ("--from", runs / "weights" / start(name)) if start(name) else ()
        with open(runs / f"{name}.log", "a") as log:
            to_log = {"stdout": log, "stderr": log}
            status = run("train", name, *trains, *source, name, **to_log).returncode
            if not status:
                place = ("--weights", runs / "weights", "--replace")
                status = run("train.export", name, *place, **to_log).returncode
        print(f"{name}: {f'status {status}' if status else 'done'}", flush=True)
        return status

    # The first measures what the others' exports record.
    turns = {n: 0 if n == "attributes" else 2 if start(n) else 1 for n in names}
    with ThreadPoolExecutor(args.jobs or (5 if gpu else cores())) as pool:
        turn = ([n for n in names if turns[n] == k] for k in range(3))
        found = [status for group in turn for status in pool.map(work, group)]
        return max(found, key=abs)  # negative: killed
