"""Recompute the batch-norm statistics of an averaged generator."""

from models import default_conditions, latents
from models.keras_setup import keras
from models.layers import flat

BATCHES = (16, 128)  # batches, images in each


def recompute_batch_norm(generator, recipe, table=None):
    """Recompute the batch-norm statistics of an averaged generator (Brock et al. 2019)
    from `BATCHES` batches of noise and conditions.

    The statistics averaged in training are those of other weights. Their variances are
    larger than those of the averaged weights, which greys the images. The noise comes
    from seeds that no figure draws.
    """
    kind = keras.layers.BatchNormalization  # those of the reports are of it, too
    norms = [layer for layer in flat(generator) if isinstance(layer, kind)]
    batches, size = BATCHES if norms else (0, 0)
    before = [(norm.momentum, norm.trainable) for norm in norms]
    for k in range(batches):
        for norm in norms:
            norm.momentum = k / (k + 1)  # so it is the mean over batches
            norm.trainable = True  # Keras' layer ignores batches if it is frozen
        seeds = range(10**9 + k * size, 10**9 + (k + 1) * size)
        conditions = default_conditions(recipe, seeds, table)
        generator(latents(recipe, seeds, conditions), training=True)
    for norm, values in zip(norms, before, strict=True):
        norm.momentum, norm.trainable = values
