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

import data_utils
from models import get_recipe
from models.keras_setup import BACKEND, keras, to_numpy
from models.layers import BatchNorm, layers, output, stack
from train import backend
from train.feed import Feed
from train.job import join, leave_together
from train.model import model_of
from train.run import Run

BATCH = 4


def generator(latent, condition, size):
    # A bias before batch norm has no gradient but rounding errors.
    noise = keras.Input((latent + condition,))
    image = [
        layers.Dense(size * size * 3, use_bias=False),
        BatchNorm(),
        layers.Reshape((size, size, 3)),
    ]
    return keras.Model(noise, stack(noise, *image, output("tanh")), name="generator")


def discriminator(size):
    image = keras.Input((size, size, 3))
    x = stack(
        image, layers.Conv2D(8, 4, 4, use_bias=False), BatchNorm(), layers.Dropout(0.5)
    )
    x = layers.Flatten()(x)
    ends = [layers.Dense(1, name="real_fc")(x), layers.Dense(2, name="label_fc")(x)]
    return keras.Model(image, ends, name="discriminator")


def recipe_of(family):
    """No layer of `vae` looks at several images at once, and it has no noise; `acgan` has
    batch norm, dropout, noise on images and labels."""
    small = {"image_size": 16, "batch_size": BATCH, "flip": True}
    if family == "vae":
        return dataclasses.replace(get_recipe("vae_e"), **small, noise="none")
    sys.modules["models.of_jobs"] = sys.modules[__name__]  # where `models.build` looks
    networks = {role: f"of_jobs.{role}" for role in ("generator", "discriminator")}
    small |= {"networks": networks, "latent": 5, "image_noise": 0.1}
    return dataclasses.replace(get_recipe("acgan_c"), **small)


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
