"""Memorisation: the training image nearest to each sample.

Distances are between images averaged down to 16x16, as in the collapse meter. A copy
lies much nearer to one training image than to any other, even if it is blurred or
grainy; a blurred image that is no copy is near to many. So the result has both the
distance, relative to that of unseen faces, and the share of copies.
"""

import imageio.v3 as iio
import numpy as np
from sklearn.neighbors import NearestNeighbors

import data_utils
from cli import replacing
from metrics import Inapplicable, collapse

COPY = 1 / 3  # of the distance to the second nearest (Yoon et al. 2023)
PAIRS = 10


def measure(subject):
    """Distance to the nearest training image, relative to that of unseen real images,
    and the share of samples that are copies; also a figure if there is a folder."""
    training = subject.real.training
    if training is None or len(training) < 2:
        raise Inapplicable("no training images to compare with")
    if subject.real.split_for(subject.trained) != "test":
        raise Inapplicable("no test images, so none are unseen")
    mirrored = subject.recipe.flip
    near, which = nearest_two(subject.samples, training, mirrored)
    unseen, _ = nearest_two(subject.real.images, training, mirrored)
    if subject.out:
        _figure(subject, training, near, which)
    distance, distance_of_unseen = (float(x[:, 0].mean()) for x in (near, unseen))
    return {
        "distance": distance,
        "distance_of_unseen": distance_of_unseen,
        "ratio": distance / distance_of_unseen,
        "copies": copies(near),
        "copies_of_unseen": copies(unseen),
        "n_training": len(training),
        "mirrored": mirrored,
    }


def nearest_two(images, training, mirrored=False):
    """The two training images nearest to each image.

    Args:
        images, training: uint8 `(n, height, width, 3)`.
        mirrored: whether the mirror image of each training image counts, too.

    Returns:
        (float `(n, 2)` root mean square distances of 16x16 images in [0, 1],
        nearest first; int `(n, 2)` indices into `training`, plus its length where the
        mirror image is the nearer one).
    """
    x, y = (small(images), small(training))
    if mirrored:
        y = np.concatenate([y, y[:, :, ::-1]])
    x, y = (s.reshape(len(s), -1) for s in (x, y))
    # The second has to be another image than the first, not its mirror image.
    wanted = 3 if mirrored else 2
    found = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(y)
    distance, index = found.kneighbors(x)
    same = index[:, 1] % len(training) == index[:, 0] % len(training)
    kept = np.stack([np.zeros_like(same, int), np.where(same, wanted - 1, 1)], 1)
    distance, index = (np.take_along_axis(a, kept, 1) for a in (distance, index))
    return distance / np.sqrt(x.shape[1]), index


def small(images):
    """As `collapse.shrink`; in parts, for a float copy of 40,000 images is 4 GB."""
    parts = [images[k : k + 1000] for k in range(0, len(images), 1000)]
    return np.concatenate([collapse.shrink(part) for part in parts])


def copies(near):
    """Share of rows of `nearest_two`'s distances where the first is below a third
    of the second."""
    return float((near[:, 0] < COPY * near[:, 1]).mean())


def _figure(subject, training, near, which):
    """`neighbours_<recipe>.jpg`: the samples nearest to a training image, in order, each
    above that image. It shows training images, so do not publish it."""
    order = np.argsort(near[:, 0])[:PAIRS]
    mirrored, index = np.divmod(which[order, 0], len(training))
    found = training[index]
    found = np.where(mirrored[:, None, None, None], found[:, :, ::-1], found)
    tiles = data_utils.tile(np.concatenate([subject.samples[order], found]), len(order))
    with replacing(subject.out / f"neighbours_{subject.recipe.name}.jpg") as file:
        iio.imwrite(file, tiles, extension=".jpg")
