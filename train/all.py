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

import imageio.v3 as iio

from cli import UserError, writable
from data_tools.files import image_files
from models.recipes import RECIPES, get_recipe

HOME = Path(__file__).resolve().parent.parent
ALONE = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def parse(words=None):
    parser = argparse.ArgumentParser(prog="bash train_all.sh", description=__doc__)
    parser.add_argument(
        "data", type=Path, help="data folder, or a plain folder of images"
    )
    parser.add_argument("runs", type=Path, help="a run folder a recipe, and weights/")
    parser.add_argument("recipes", nargs="*", help="default: all for images of this size")
    parser.add_argument("--jobs", type=int, help="runs at a time; default: cores, or 5")
    parser.add_argument("--precision", default="float32", help="as of python -m train")
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    if not args.data.is_dir():
        raise UserError(f"{args.data}: no such folder")
    recipes = [get_recipe(name) for name in args.recipes]
    if not recipes:
        folder = args.data / "train"
        files = image_files(folder if folder.is_dir() else args.data)
        side = iio.improps(files[0]).shape[0]
        recipes = [r for r in RECIPES.values() if r.image_size == side]
        if not recipes:
            raise UserError(f"{files[0]}: no recipe for images of side {side}; name some")
    writable(args.runs)
    gpu = os.environ.get("KERAS_BACKEND") == "jax"  # several runs share it
    cores = getattr(os, "process_cpu_count", os.cpu_count)()
    jobs = args.jobs or (5 if gpu else cores)
    alone = {} if gpu else dict.fromkeys(ALONE, "1")
    environment = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"} | alone

    def command(module, recipe, *more):
        run = ["--data", str(args.data.resolve())]
        run += ["--run", str(args.runs.resolve() / recipe.name)]
        return [sys.executable, "-m", module, *run, *more]

    def trains(recipe, *more):
        precision = ("--precision", args.precision)
        return [*command("train", recipe, *precision, *more), recipe.name]

    for recipe in recipes:
        words = trains(recipe, "--dry-run")
        options = {"cwd": HOME, "env": environment, "capture_output": True, "text": True}
        done = subprocess.run(words, **options)
        if done.returncode:
            raise UserError(done.stderr.strip().removeprefix("error: "))
        print(f"{recipe.name}: {done.stdout.splitlines()[-1]}", flush=True)

    def work(recipe):
        with open(args.runs / f"{recipe.name}.log", "a") as log:
            options = {"cwd": HOME, "env": environment, "stdout": log, "stderr": log}
            status = subprocess.run(trains(recipe), **options).returncode
            if status == 0:
                weights = ("--weights", str(args.runs.resolve() / "weights"), "--replace")
                words = command("train.export", recipe, *weights)
                status = subprocess.run(words, **options).returncode
        print(
            f"{recipe.name}: {'done' if not status else f'status {status}'}", flush=True
        )
        return status

    with ThreadPoolExecutor(jobs) as pool:
        return max(pool.map(work, recipes))
