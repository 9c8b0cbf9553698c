"""Every distance ranks more damage of real images as worse; coverage and the collapse
meter fall with repetition."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from metrics import collapse, distance
from metrics.judge import Judge
from models.trained import Trained

ALL = ("frechet", "kernel")


def shuffled(images, count, rng):
    """Each image's `count` x `count` tiles, in random order."""
    n, side, _, channels = images.shape
    shape = n, count, side // count, count, side // count, channels
    tiles = images.reshape(shape).swapaxes(2, 3)
    order = rng.permuted(np.tile(np.arange(count**2), (n, 1)), axis=1)
    mixed = tiles.reshape(n, count**2, -1)[np.arange(n)[:, None], order]
    return mixed.reshape(tiles.shape).swapaxes(2, 3).reshape(images.shape)


def upside_down(x, share, rng):
    turned = np.arange(len(x)) < share * len(x)
    return np.where(turned[:, None, None, None], x[:, ::-1], x)


def some(x, count, rng):
    return x[rng.permutation(len(x)) % count]


def contrast(x, times, rng):
    return times * x + (1 - times) * x.mean((1, 2, 3), keepdims=True)


def mean_face(x, share, rng):
    return (1 - share) * x + share * x.mean(0) + rng.normal(0, 10, x.shape)


# What is done to float images, at which levels, which distances rise and what falls.
# Half of the faces, each twice, have the same averages. The kernel distance
# compares averages over pairs, so it sees only chance there.
RED_UP = np.array([1.0, 0.0, -1.0])
REPEATED = ("coverage", "diversity")
DAMAGES = {
    "blur": ((1, 2, 4), lambda x, s, rng: gaussian_filter(x, (0, s, s, 0)), ALL, ()),
    "noise": ((10, 20, 40), lambda x, s, rng: x + rng.normal(0, s, x.shape), ALL, ()),
    "contrast": ((1.3, 1.6), contrast, ALL, ()),
    "red up, blue down": ((20, 40), lambda x, by, rng: x + RED_UP * by, ALL, ()),
    "upside down": ((0.5, 1), upside_down, ALL, ()),
    "shuffled tiles": ((4, 8), shuffled, ALL, ()),
    "towards the mean face": ((0.5, 1), mean_face, ALL, ()),
    "half of them twice": ((32,), some, ("frechet",), REPEATED),
    "a few repeated": ((6, 3), some, ALL, REPEATED),
}


@pytest.fixture(scope="module")
def measure(faces_twice):
    """images -> {name: value} against real faces, by the network that ships."""
    real, _ = faces_twice
    judge = Judge(Trained("attributes"))
    features = judge.features(real)

    def measured(images):
        found = judge.features(images)
        return {
            "frechet": distance.frechet(features, found),
            "kernel": distance.kernel(features, found)["distance"],
            **distance.density_coverage(features, found),
            "diversity": collapse.diversity(images, real),
        }

    return measured


@pytest.mark.slow
@pytest.mark.parametrize("name", DAMAGES)
def test_more_damage_is_worse(name, faces_twice, measure):
    levels, damage, rising, falling = DAMAGES[name]
    _, unseen = faces_twice
    rows = [measure(unseen)]
    for k, level in enumerate(levels):
        x = damage(unseen.astype("float32"), level, np.random.default_rng(k))
        rows.append(measure(np.clip(np.rint(x), 0, 255).astype("uint8")))
    for a, b in pairwise(rows):
        assert all(a[m] < b[m] for m in rising)
        # A value of 0 (nearest neighbours among copies) cannot fall.
        assert all(b[m] < max(a[m], 1e-3) for m in falling)
    if name == "contrast":  # harsh is not diverse
        assert rows[-1]["diversity"] < 1.1
