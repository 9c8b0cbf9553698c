"""Training steps, ours beside PyTorch's, each in its process; they take turns."""

import importlib
import multiprocessing
import time

import numpy as np

from cli import UserError
from models import get_recipe

IMAGES = 1024  # random ones, in memory
AT_ONCE = 25  # steps in a call on an accelerator, as in training


def timed(run, k):
    began = time.perf_counter()
    run(k)
    return time.perf_counter() - began


class Worker:
    """A process that times the steps of `benchmarks.<module>.make_run`; `about` is what
    it says of itself."""

    def __init__(self, module, *words):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, module, *words))
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


def _serve(pipe, module, *words):
    run, many, about = importlib.import_module(f"benchmarks.{module}").make_run(*words)
    pipe.send(about)
    k = 0
    while True:
        try:
            count = pipe.recv()
        except EOFError:
            return
        times = []
        for _ in range(count):
            times.append(timed(run, k) / many)
            k += many
        pipe.send(float(np.median(times)))


def compare(name, precision, batch, pairs, steps):
    """Time PyTorch and ours in turn; a row with images/s of both and the ratio."""
    images, words = batch * get_recipe(name).d_steps, (name, precision, batch)
    with Worker("torch_twins", *words) as theirs, Worker("ours", *words) as mine:
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
