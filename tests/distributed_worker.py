"""One process of a job, or one process alone: a run, and the same run again, in the
middle of which process 1 may die. At the end each process asks for a run of another
seed, which the job must refuse.

    distributed_worker.py <vae|acgan> <data> <out> <steps> [<step of process 1's death>]
"""

import dataclasses
import os
import signal
import sys
from pathlib import Path

import numpy as np
import tiny

import data_utils
from models import get_recipe
from models.keras_setup import BACKEND, to_numpy
from train import backend
from train.feed import Feed
from train.job import join, leave_together
from train.model import model_of
from train.run import Run


def recipe_of(family):
    """No layer of `vae` looks at several images at once, and it has no noise; `acgan` has
    batch norm, dropout, noise on images and labels."""
    small = {"batch_size": 4, "flip": True}
    if family == "vae":
        small |= {"image_size": 16, "noise": "none"}
        return dataclasses.replace(get_recipe("vae_e"), **small)
    return tiny.recipe("acgan_c", **small, latent=5, image_noise=0.1)


def weights(model):
    return [to_numpy(v) for v in model.state().values()]


def main(words, job):
    family, data, out, *numbers = words
    steps, dies = (*map(int, numbers), None)[:2]
    recipe = recipe_of(family)
    faces = data_utils.load_faces(data, size=recipe.image_size)

    def progress(step, logs):
        if step == dies and job.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    def run(folder, progress=None, seed=3):
        options = {"report": lambda s: None, "job": job}
        run = Run(recipe, faces, Path(out) / folder, seed, "float32", **options)
        run.train(steps, 0, 4, progress)
        return run.model

    whole = run("whole")
    if job.count == 1:
        return 0
    parts = run("parts", progress)
    assert not dies, "process 0 went on alone"
    for a, b in zip(weights(whole), weights(parts), strict=True):
        np.testing.assert_array_equal(a, b)
    if BACKEND == "tensorflow":  # batch norm sees the rows of its process: all end alike
        model = model_of(recipe_of("acgan"), 3, job)
        feed = Feed(model.recipe, faces, 3, job)
        backend.compiled(model, feed, 1)[0](0, 2)
        for name, v in model.state().items():
            job.agree(name, to_numpy(v).tolist())
    run("differs", seed=job.rank)
    return 0


if __name__ == "__main__":
    job = join()
    sys.exit(leave_together(job, lambda: main(sys.argv[1:], job)))
