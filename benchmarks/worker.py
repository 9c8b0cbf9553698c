"""One side of a comparison, in a process of its own.

`python -m benchmarks.worker <ours|torch> <recipe> <precision> <batch>` reads how
many steps to run, a line each, and answers with their median time in seconds.
"""

import sys
import time

import numpy as np

IMAGES = 1024


def ours(name, precision, batch):
    """A function of k that runs step k of a recipe on random images."""
    import dataclasses

    import pandas as pd

    from data_utils import Faces
    from models import get_recipe, runtime
    from train.backend import compiled
    from train.families import FAMILIES
    from train.run import Feed

    runtime.set_precision(precision)
    recipe = dataclasses.replace(get_recipe(name), batch_size=batch)
    rng = np.random.default_rng(0)
    side = recipe.image_size
    images = rng.integers(0, 256, (IMAGES, side, side, 3), "uint8")
    names = [recipe.attribute, *(f"attribute {k}" for k in range(12))]
    table = pd.DataFrame(rng.integers(0, 2, (IMAGES, 13)), columns=names)
    feed = Feed(recipe, Faces(images, table, [], None, ""), 0)
    advance, _ = compiled(FAMILIES[recipe.family](recipe, 0), feed, 1)
    return lambda k: advance(k, 1)


def twin(name, precision, batch):
    import torch

    from benchmarks.torch_twins import make_step
    from models import get_recipe

    torch.set_num_interop_threads(1)
    step = make_step(name, precision, batch)
    side = get_recipe(name).image_size
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, side, side, 3), "uint8")

    def run(k):
        chosen = np.arange(k * batch, (k + 1) * batch) % IMAGES
        return step(images[chosen])

    return run


def main():
    side, name, precision, batch = sys.argv[1:]
    step = {"ours": ours, "torch": twin}[side](name, precision, int(batch))
    k = 0
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            began = time.perf_counter()
            step(k)
            times.append(time.perf_counter() - began)
            k += 1
        print(float(np.median(times)), flush=True)


if __name__ == "__main__":
    main()
