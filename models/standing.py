"""Batch-norm statistics of an averaged generator, taken anew."""

from models import asked, latents
from models.layers import BatchNorm

STANDING = (16, 128)  # batches, and images in each


def standing_statistics(generator, recipe, table=None):
    """Take the batch-norm statistics of an averaged generator anew (Brock et al.
    2019), over `STANDING` batches of noise and of what `models.asked` asks for.

    The statistics averaged in training belong to weights that moved on: they are
    wider than what the averaged weights make, and grey the images. The noise is
    of seeds that no figure draws.
    """
    norms = [layer for layer in generator.layers if isinstance(layer, BatchNorm)]
    batches, size = STANDING if norms else (0, 0)
    momentum = [norm.momentum for norm in norms]
    for k in range(batches):
        for norm in norms:
            norm.momentum = k / (k + 1)  # the plain mean over batches
        seeds = range(10**9 + k * size, 10**9 + (k + 1) * size)
        generator(latents(recipe, seeds, asked(recipe, seeds, table)), training=True)
    for norm, value in zip(norms, momentum, strict=True):
        norm.momentum = value
