"""A training step of ours, to be timed."""

import dataclasses

import numpy as np
import pandas as pd

from benchmarks.steps import AT_ONCE, IMAGES
from data_utils import Faces
from models import get_recipe
from models.keras_setup import set_precision
from train.backend import compiled
from train.feed import Feed
from train.model import model_of


def make_run(name, precision, batch):
    """(run, n, about): `run(k)` runs n steps of a recipe from step k on, on random
    images, and waits for them; `about` is what to record."""
    set_precision(precision)
    recipe = dataclasses.replace(get_recipe(name), batch_size=batch)
    rng = np.random.default_rng(0)
    side = recipe.image_size
    images = rng.integers(0, 256, (IMAGES, side, side, 3), "uint8")
    table = pd.DataFrame({recipe.attribute: rng.integers(0, 2, IMAGES)})
    feed = Feed(recipe, Faces(images, table, [], None), 0)
    advance, most = compiled(model_of(recipe, 0), feed, AT_ONCE)
    return lambda k: advance(k, most), most, {}
