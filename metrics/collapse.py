"""The collapse meter: how diverse samples are, compared with data.

Diversity is the mean distance from a sample to its nearest neighbour among the
other samples, divided by the same of as many real images; distances are between
images averaged down to 16x16, where noise cancels and what the image shows
remains, after both sets are brought to the same contrast: harsh colours are not
diversity, grey ones are no collapse (below half of the data's contrast they count
as half: such images show little). 1 is as diverse as the data, 0 is one image. A
generator that repeats itself has near neighbours however many modes it repeats,
which the mean distance between pairs would not notice. The meter says nothing of
quality: shuffle the tiles of each face, and they are more diverse than faces.
"""

import numpy as np

SIDE = 16  # pixels
SAMPLES = 256  # the distance to the nearest falls with the number: keep it
COLLAPSED = 0.5  # below this, samples are called collapsed


def diversity(samples, data):
    """Nearest-neighbour diversity of samples relative to data.

    Args:
        samples: uint8 `(n, height, width, 3)`.
        data: uint8 `(n, ...)`, as many real images of any size.

    Returns:
        float, >= 0; below `COLLAPSED` the samples are collapsed.

    Raises:
        ValueError: fewer than two images, or not as many of both.
    """
    if len(samples) != len(data) or len(data) < 2:
        raise ValueError(f"{len(samples)} samples for {len(data)} images")
    near, own = nearest(shrink(samples)), contrast(shrink(samples))
    near_data, theirs = nearest(shrink(data)), contrast(shrink(data))
    return near / max(own, theirs / 2) / (near_data / theirs)


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


def moment(steps, values):
    """The first step from which on every value is below `COLLAPSED`, or None."""
    collapsed_at = None
    for step, value in zip(steps, values, strict=True):
        if value >= COLLAPSED:
            collapsed_at = None
        elif collapsed_at is None:
            collapsed_at = step
    return collapsed_at
