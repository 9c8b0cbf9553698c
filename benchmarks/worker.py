"""One side of a comparison, in a process of its own.

`python -m benchmarks.worker <ours|torch|matmul> <recipe> <precision> <batch>` reads lines
with a number of steps, runs them, and prints the median seconds of one step. On an
accelerator a call runs `AT_ONCE` steps, as in training.
"""

import sys
import time

import numpy as np

IMAGES = 1024
AT_ONCE = 25


def ours(name, precision, batch):
    """(run, n): `run(k)` runs n steps of a recipe from step k on, on random images."""
    import dataclasses

    import pandas as pd

    from data_utils import Faces
    from models import get_recipe, keras_setup
    from train.backend import compiled
    from train.families import FAMILIES
    from train.feed import Feed

    keras_setup.set_precision(precision)
    recipe = dataclasses.replace(get_recipe(name), batch_size=batch)
    rng = np.random.default_rng(0)
    side = recipe.image_size
    images = rng.integers(0, 256, (IMAGES, side, side, 3), "uint8")
    names = [recipe.attribute, *(f"attribute {k}" for k in range(12))]
    table = pd.DataFrame(rng.integers(0, 2, (IMAGES, 13)), columns=names)
    feed = Feed(recipe, Faces(images, table, [], None), 0)
    advance, most = compiled(FAMILIES[recipe.family](recipe, 0), feed, AT_ONCE)
    return lambda k: advance(k, most), most


def twin(name, precision, batch):
    """The same for its PyTorch twin; on CUDA, where it is compiled, if available."""
    import torch

    from benchmarks.torch_twins import make_step
    from models import get_recipe

    torch.set_num_interop_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    step = make_step(name, precision, batch, device)
    side = get_recipe(name).image_size
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (IMAGES, side, side, 3), "uint8"))
    images = images.to(device)
    many = AT_ONCE if device == "cuda" else 1

    def run(k):
        for j in range(k, k + many):
            chosen = torch.arange(j * batch, (j + 1) * batch, device=device) % IMAGES
            logs = step(images[chosen])
        return [float(x) for x in logs]  # waits for the device

    return run, many


def matmul(name, precision, side):
    """The same for a product of two square matrices, an upper limit for the rate of a
    step on this machine."""
    import keras

    shape, many = (side, side), 10
    a, b = (keras.random.normal(shape, dtype=precision, seed=k) for k in (0, 1))

    def run(k):
        for _ in range(many):
            c = keras.ops.matmul(a, b)
        return float(c[0, 0])  # waits for the device

    return run, many


SIDES = {"ours": ours, "torch": twin, "matmul": matmul}


def main():
    side, name, precision, batch = sys.argv[1:]
    run, many = SIDES[side](name, precision, int(batch))
    k = 0
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            began = time.perf_counter()
            run(k)
            times.append((time.perf_counter() - began) / many)
            k += many
        print(float(np.median(times)), flush=True)


if __name__ == "__main__":
    main()
