"""Every distance ranks more damage of real images as worse; coverage and the collapse
meter fall with repetition."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from metrics import collapse, distance, manifold, swd
from metrics.judge import Judge
from models.trained import Trained

DISTANCES = ("swd", "frechet", "kernel")


def uint8(x):
    return np.clip(np.rint(x), 0, 255).astype("uint8")


def blur(images, sigma, rng):
    return uint8(gaussian_filter(images.astype("float32"), (0, sigma, sigma, 0)))


def noise(images, deviation, rng):
    return uint8(images + rng.normal(0, deviation, images.shape))


def contrast(images, times, rng):
    mean = images.mean((1, 2, 3), keepdims=True)
    return uint8(mean + times * (images - mean))


def red_up_blue_down(images, levels, rng):
    return uint8(images + levels * np.array([1.0, 0.0, -1.0]))


def upside_down(images, share, rng):
    images = images.copy()
    half = round(share * len(images))
    images[:half] = images[:half, ::-1]
    return images


def shuffled_tiles(images, count, rng):
    """Each image's `count` x `count` tiles, in random order."""
    n, side, _, channels = images.shape
    size = side // count
    cut = images.reshape(n, count, size, count, size, channels).swapaxes(2, 3)
    cut = cut.reshape(n, count**2, size, size, channels)
    order = rng.permuted(np.tile(np.arange(count**2), (n, 1)), axis=1)
    cut = cut[np.arange(n)[:, None], order]
    cut = cut.reshape(n, count, count, size, size, channels).swapaxes(2, 3)
    return cut.reshape(images.shape)


def mean_face(images, share, rng):
    """Towards the mean face, with noise of 10 of 255."""
    return noise((1 - share) * images + share * images.mean(0), 10, rng)


def repeated(images, kept, rng):
    """`kept` different images, in random order."""
    return images[rng.permutation(len(images)) % kept]


# Half of the faces, each twice, have the same averages. SWD and the kernel distance
# compare averages, over patches and over pairs, so they see only chance there.
DAMAGES = (
    (blur, (1, 2, 4), DISTANCES, ()),
    (noise, (10, 20, 40), DISTANCES, ()),
    (contrast, (1.3, 1.6), DISTANCES, ()),
    (red_up_blue_down, (20, 40), DISTANCES, ()),
    (upside_down, (0.5, 1), DISTANCES, ()),
    (shuffled_tiles, (4, 8), DISTANCES, ()),
    (mean_face, (0.5, 1), DISTANCES, ()),
    (repeated, (32,), ("frechet",), ("coverage", "diversity")),
    (repeated, (6, 3), DISTANCES, ("coverage", "diversity")),
)


@pytest.fixture(scope="module")
def measures(faces_twice):
    """images -> {name: value} against real faces, by the network that ships."""
    real, _ = faces_twice
    judge = Judge(Trained("attributes"))
    features = judge.features(real)

    def measure(images):
        found = judge.features(images)
        return {
            "swd": swd.distances(real, images)["mean"],
            "frechet": distance.frechet(features, found),
            "kernel": distance.kernel(features, found)[0],
            **manifold.shares(features, found),
            "diversity": collapse.diversity(images, real),
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(swd, "PATCHES", 16)
        patch.setattr(swd, "REPEATS", 1)
        yield measure


@pytest.mark.slow
@pytest.mark.parametrize(("damage", "levels", "rising", "falling"), DAMAGES)
def test_more_damage_is_worse(damage, levels, rising, falling, faces_twice, measures):
    _, unseen = faces_twice
    images = [damage(unseen, x, np.random.default_rng(k)) for k, x in enumerate(levels)]
    rows = [measures(x) for x in (unseen, *images)]
    for name in rising:
        values = [row[name] for row in rows]
        assert values == sorted(set(values)), (name, values)
    for name in falling:  # a value of 0 (nearest neighbours among copies) cannot fall
        values = [max(row[name], 1e-3) for row in rows]
        assert all(b < a or b == 1e-3 for a, b in pairwise(values))
    if damage is contrast:  # harsh is not diverse
        assert rows[-1]["diversity"] < 1.1


def test_damage_is_what_it_says(faces_twice):
    images = faces_twice[0]
    rng = np.random.default_rng(0)
    tiled = shuffled_tiles(images, 8, rng)
    assert (tiled != images).any()
    for a, b in zip(tiled, images, strict=True):  # the same pixels elsewhere
        np.testing.assert_array_equal(np.sort(a, None), np.sort(b, None))
    np.testing.assert_array_equal(upside_down(images, 1, rng), images[:, ::-1])
    three = repeated(images, 3, rng)
    assert len(three) == 64 and len(np.unique(three, axis=0)) == 3
    grey = mean_face(images, 1, rng)
    assert np.abs(grey.mean(0) - images.mean(0)).mean() < 2 < grey.std(0).mean() < 12
