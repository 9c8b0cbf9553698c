"""Measure the averaged weights of a run on test faces.

The losses of a GAN do not show when it was at its best, and a run may collapse late.
So a measurement on images, made at regular steps, decides which checkpoint ships.
"""

import contextlib
import math

import data_utils
from cli import UserError
from metrics.images import Real
from metrics.random_features import RandomFeatures
from metrics.reconstruction import reconstruction_error
from models import build, default_conditions, latents
from models.keras_setup import keras, set_precision
from models.sampling import recompute_batch_norm, run_network

COUNT = 1000  # samples, and test images to compare them with


class Evaluation:
    """Measures averaged weights.

    The value, lower is better, is `test_mse` for a VAE: the squared error of
    reconstructions from posterior means, per channel, in [-1, 1]. For the others it is
    `test_frechet`: the Frechet distance (Heusel et al. 2017) from samples to test images
    in the recipe's features: those of the attribute network, or of random weights. The
    batch-norm statistics of a generator are recomputed first, as `train.export` does.

    Args:
        recipe: the `Recipe` in training.
        data: its data folder: test/, or of a folder without it the last images, if
            `recipe.images` leaves them out.
        root: the folder of all weights, with those of the attribute network.
        table: the `train.feed.labels_to_ship` that the weights will ship with, or None.

    Raises:
        cli.UserError: no test images or too few, or no attribute network.
    """

    def __init__(self, recipe, data, root, table=None):
        self.recipe = recipe
        self.table = None if table is None else table.to_numpy()
        self.name = "test_mse" if recipe.traits.rebuilds else "test_frechet"
        with _float32():
            self.real = Real(data, recipe.image_size, COUNT, root)
            if not self.real.unseen_by(recipe.images or math.inf):
                few = len(self.real.training)
                cure = f"--set images={few}, which leaves the last out, or " * bool(few)
                raise UserError(
                    f"{data}: no test/ in it to measure on; add it, or {cure}--set "
                    "evaluate_every=0, and the last step ships, not the best"
                )
            self.distance = self.real.distance
            if recipe.features == "random":
                self.distance = RandomFeatures(self.real.images).distance
            elif not recipe.traits.rebuilds:
                self.real.judge.trained.check()
        self.copies = {}

    def __call__(self, average):
        """The value of averaged networks, {role: `keras.Model`}, to six digits, as in
        the history; the networks are not changed."""
        with _float32():
            for role, network in average.items():
                if role not in self.copies:  # compiled once
                    self.copies[role] = build(self.recipe, role)
                self.copies[role].set_weights(network.get_weights())
            measured = self._error if self.recipe.traits.rebuilds else self._distance
            value = measured(**self.copies)
        return float(f"{value:.6g}")

    def _error(self, encoder, decoder):
        pixels = data_utils.from_uint8(self.real.images, self.recipe.pixel_range)
        outputs = run_network(decoder, run_network(encoder, pixels)[0])
        error = reconstruction_error(self.real.images, outputs, self.recipe.pixel_range)
        return error["mse_minus1_1"]

    def _distance(self, generator):
        recompute_batch_norm(generator, self.recipe, self.table)
        seeds = range(len(self.real.images))
        labels = default_conditions(self.recipe, seeds, self.table)
        outputs = run_network(generator, latents(self.recipe, seeds, labels))
        images = data_utils.to_uint8(outputs, self.recipe.pixel_range)
        return self.distance(images)


@contextlib.contextmanager
def _float32():
    """Build networks in float32, as they ship, at every precision of the run."""
    before = keras.config.dtype_policy()
    set_precision("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
