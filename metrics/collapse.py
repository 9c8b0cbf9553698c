"""The collapse meter: how diverse samples are, compared with data.

Diversity is the mean distance from a sample to its nearest other sample, divided by
the same mean among as many real images. Images are first averaged down to 16x16,
which cancels noise and keeps what they show. Both sets are then brought to the same
contrast, because harsh colours are not diversity and grey ones are not collapse; a
contrast below half of the data's counts as half, because such images show little. 1 is
as diverse as the data, 0 is one image. A generator that repeats itself has near
neighbours, however many modes it repeats; the mean distance between pairs would not
notice that. The meter does not measure quality: faces with shuffled tiles are more
diverse than faces.
"""

import numpy as np

from cli import DataError
from metrics import Inapplicable

SIDE = 16  # pixels
SAMPLES = 256  # do not change: with more samples the nearest one is nearer
COLLAPSED = 0.5  # below this, samples are called collapsed
ALIKE = 1e-4  # of the pixel range: images this near to another repeat it


def measure(subject):
    """Diversity relative to the test images."""
    few = min(SAMPLES, subject.count)
    value = diversity(subject.samples[:few], subject.real.images[:few])
    collapsed = value < COLLAPSED
    return {"diversity": value, "collapsed": collapsed, "n_real": few, "n_fake": few}


def diversity(samples, data):
    """Nearest-neighbour diversity of samples relative to data.

    Args:
        samples, data: uint8 `(n, height, width, 3)`, as many of each, of any size.

    Returns:
        float, >= 0; below `COLLAPSED` the samples are collapsed.

    Raises:
        Inapplicable: data without diversity, see `unit`.
    """
    near_data, contrast_data = unit(data)
    small = shrink(samples)
    near = nearest(small) / max(contrast(small), contrast_data / 2)
    return near / (near_data / contrast_data)


def unit(data):
    """(`nearest`, `contrast`) of real images, uint8, which those of samples are compared
    with; Inapplicable unless the images differ."""
    if len(data) < 2:
        raise Inapplicable("one image; diversity needs two or more")
    small = shrink(data)
    near = nearest(small)
    if near < ALIKE:
        raise Inapplicable(
            f"each of the first {len(data)} images is there twice; diversity needs "
            "images that differ"
        )
    return near, contrast(small)


def check(faces):
    """Raise DataError, with the folder, if the meter has no unit for these `Faces`."""
    try:
        unit(faces.images[:SAMPLES])
    except Inapplicable as error:
        raise DataError(f"{faces.folder}: {error}") from None


def contrast(images):
    """Standard deviation of all pixels about the mean of their colour channel."""
    return float(images.std((0, 1, 2)).mean())


def nearest(images):
    """Mean distance to the nearest other image, root mean square over pixels."""
    x = images.reshape(len(images), -1)
    square = np.square(x).sum(1)
    distance = square[:, None] + square - 2 * x @ x.T
    np.fill_diagonal(distance, np.inf)
    return float(np.sqrt(np.maximum(distance.min(1), 0) / x.shape[1]).mean())


def shrink(images, side=SIDE):
    """uint8 `(n, height, width, 3)` -> float64 `(n, side, side, 3)` in [0, 1], by the
    mean over tiles; sides are cut to a multiple of `side`."""
    n, height, width, channels = images.shape
    tall, wide = height // side, width // side
    cut = images[:, : tall * side, : wide * side].astype("float64") / 255
    return cut.reshape(n, side, tall, side, wide, channels).mean((2, 4))


def step_of(history):
    """The first step in a run's history after which diversity stays below `COLLAPSED`,
    or None; also where the run did not log it."""
    rows = history.reindex(columns=["step", "diversity"]).dropna()
    low = (rows["diversity"] < COLLAPSED)[::-1].cummin()[::-1]
    return int(rows["step"][low].min()) if low.any() else None
