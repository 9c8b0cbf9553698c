"""Training steps, ours beside PyTorch's, each in its process; they take turns."""

import dataclasses
import multiprocessing
import time

import numpy as np
import pandas as pd

from cli import UserError
from data_utils import Faces
from models import get_recipe

IMAGES = 1024  # random ones, in memory
AT_ONCE = 25  # steps in a call on an accelerator, as in training


def ours(name, precision, batch):
    """(run, n, about): `run(k)` runs n steps of a recipe from step k on, on random
    images, and waits for them; `about` is what to record."""
    from models import keras_setup
    from train.backend import compiled
    from train.feed import Feed
    from train.model import model_of

    keras_setup.set_precision(precision)
    recipe = dataclasses.replace(get_recipe(name), batch_size=batch)
    rng = np.random.default_rng(0)
    side = recipe.image_size
    images = rng.integers(0, 256, (IMAGES, side, side, 3), "uint8")
    table = pd.DataFrame({recipe.attribute: rng.integers(0, 2, IMAGES)})
    feed = Feed(recipe, Faces(images, table, [], None), 0)
    advance, most = compiled(model_of(recipe, 0), feed, AT_ONCE)
    return lambda k: advance(k, most), most, {}


def pytorch(name, precision, batch):
    """The same of its PyTorch twin, on CUDA if there is one; compiled if that works here
    and is faster."""
    import torch

    from benchmarks.torch_twins import make_step, working_compiler

    torch.set_num_interop_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    side = get_recipe(name).image_size
    images = torch.randint(256, (IMAGES, side, side, 3), dtype=torch.uint8, device=device)
    many = AT_ONCE if device == "cuda" else 1

    def runner(compiler):
        step = make_step(name, precision, batch, device, compiler)

        def run(k):
            for j in range(k, k + many):
                chosen = torch.arange(j * batch, (j + 1) * batch, device=device) % IMAGES
                logs = step(images[chosen])
            return [float(x) for x in logs]  # waits for the device

        return run

    runs = {"seconds_plain": runner(None)}
    if compiler := working_compiler(device):
        runs["seconds_compiled"] = runner(compiler)
    seconds = {}
    for key, run in runs.items():
        run(0), run(many)  # the first steps compile
        seconds[key] = min(_timed(run, many * k) for k in range(2, 5)) / many
    best = min(seconds, key=seconds.get)
    about = {f"torch_{key}": round(value, 5) for key, value in seconds.items()}
    return runs[best], many, about | {"torch_compiled": best == "seconds_compiled"}


def _timed(run, k):
    began = time.perf_counter()
    run(k)
    return time.perf_counter() - began


class Worker:
    """A process that makes `run` and times it; `about` is what it says of itself."""

    def __init__(self, make, *words):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, *words))
        self.process.start()
        theirs.close()
        self.about = self._answer()

    def time(self, steps):
        """Run so many calls; return the median seconds of a step."""
        self.pipe.send(steps)
        return self._answer()

    def _answer(self):
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            raise UserError("a worker died; its message is above") from None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.pipe.close()
        self.process.join()


def _serve(pipe, make, *words):
    run, many, about = make(*words)
    pipe.send(about)
    k = 0
    while True:
        try:
            count = pipe.recv()
        except EOFError:
            return
        times = []
        for _ in range(count):
            times.append(_timed(run, k) / many)
            k += many
        pipe.send(float(np.median(times)))


def compare(name, precision, batch, pairs, steps):
    """Time PyTorch and ours in turn; a row with images/s of both and the ratio."""
    images, words = batch * get_recipe(name).d_steps, (name, precision, batch)
    with Worker(pytorch, *words) as theirs, Worker(ours, *words) as mine:
        theirs.time(2), mine.time(2)  # compiling
        times = [(theirs.time(steps), mine.time(steps)) for _ in range(pairs)]
    ratios = [x / y for x, y in times]
    rates = [images / float(np.median(column)) for column in zip(*times, strict=True)]
    return {
        "recipe": name,
        "batch": batch,
        "precision": precision,
        "torch_images_per_second": round(rates[0], 2),
        "images_per_second": round(rates[1], 2),
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "pairs": pairs,
        "steps": steps,
    } | theirs.about
