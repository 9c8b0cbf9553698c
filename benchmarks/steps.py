"""Training steps, ours beside PyTorch's, each in its process; they take turns."""

import concurrent.futures
import importlib
import multiprocessing
import time

import numpy as np

from models import get_recipe

IMAGES = 1024  # random ones, in memory
AT_ONCE = 25  # steps in a call on an accelerator, as in training


class Worker:
    """A process of its own that times the steps of `benchmarks.<module>.make_run`;
    `about` is what that says of itself."""

    def __init__(self, module, *words):
        spawn = multiprocessing.get_context("spawn")
        self.pool = concurrent.futures.ProcessPoolExecutor(1, spawn)
        self.about = self.pool.submit(_make, module, *words).result()

    def time(self, calls):
        """Median seconds of a step in so many calls."""
        return self.pool.submit(_time, calls).result()


made = {}  # in a worker: the run, steps of a call, steps done


def _make(module, *words):
    run, many, about = importlib.import_module(f"benchmarks.{module}").make_run(*words)
    made.update(run=run, many=many, done=0)
    return about


def _time(calls):
    times = []
    for _ in range(calls):
        times.append(timed(made["run"], made["done"]) / made["many"])
        made["done"] += made["many"]
    return float(np.median(times))


def timed(work, *words):
    """Seconds that `work(*words)` takes."""
    began = time.perf_counter()
    work(*words)
    return time.perf_counter() - began


def compare(name, precision, batch, pairs, steps):
    """Time PyTorch and ours in turn; a row with images/s of both and the ratio."""
    images, words = batch * get_recipe(name).d_steps, (name, precision, batch)
    theirs, mine = (Worker(module, *words) for module in ("torch_twins", "ours"))
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
