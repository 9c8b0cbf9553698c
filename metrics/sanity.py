"""A test of the measures on known damage.

Real images, other than those that samples are compared with, are damaged more and more.
Every distance has to rank more damage as worse; coverage and the collapse meter have to
fall with repetition. `python -m metrics --sanity <data>` prints the table.
"""

import dataclasses
import json
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from cli import UserError, replacing
from metrics import collapse, distance, manifold, swd
from metrics.reader import attribute_network
from metrics.sides import Real

DISTANCES = ("swd", "frechet", "kernel")


@dataclasses.dataclass(frozen=True)
class Damage:
    """One kind of damage.

    Attributes:
        name: what kind it is.
        levels: the levels in words, from little to much.
        apply: (uint8 images, number of the level, `numpy` generator) -> uint8 images.
        rises, falls: the measures that have to rise, and to fall, level by level.
    """

    name: str
    levels: tuple
    apply: Callable
    rises: tuple = DISTANCES
    falls: tuple = ()


def _uint8(x):
    return np.clip(np.rint(x), 0, 255).astype("uint8")


def blur(images, level, rng):
    sigma = (1, 2, 4)[level]
    return _uint8(gaussian_filter(images.astype("float32"), (0, sigma, sigma, 0)))


def noise(images, level, rng):
    return _uint8(images + rng.normal(0, (10, 20, 40)[level], images.shape))


def contrast(images, level, rng):
    mean = images.mean((1, 2, 3), keepdims=True)
    return _uint8(mean + (1.3, 1.6)[level] * (images - mean))


def colour(images, level, rng):
    return _uint8(images + (20, 40)[level] * np.array([1.0, 0.0, -1.0]))


def upside_down(images, level, rng):
    images = images.copy()
    half = len(images) // (2, 1)[level]
    images[:half] = images[:half, ::-1]
    return images


def tiles(images, level, rng):
    """Shuffle the square tiles of each image; smaller tiles are worse."""
    n, side, _, channels = images.shape
    count = (4, 8)[level]
    size = side // count
    cut = images.reshape(n, count, size, count, size, channels).swapaxes(2, 3)
    cut = cut.reshape(n, count**2, size, size, channels)
    order = rng.permuted(np.tile(np.arange(count**2), (n, 1)), axis=1)
    cut = cut[np.arange(n)[:, None], order]
    cut = cut.reshape(n, count, count, size, size, channels).swapaxes(2, 3)
    return cut.reshape(images.shape)


def towards_mean(images, level, rng):
    """Half way to the mean face, then the mean face; both with noise of 10 of 255."""
    share = (0.5, 1.0)[level]
    mixed = (1 - share) * images + share * images.mean(0)
    return _uint8(mixed + rng.normal(0, 10, images.shape))


def repeated(few):
    """A damage that keeps `few[level](n)` different images and repeats them, in random
    order."""

    def apply(images, level, rng):
        kept = few[level](len(images))
        return images[rng.permutation(len(images)) % kept]

    return apply


DAMAGES = (
    Damage("blur", ("sigma 1", "sigma 2", "sigma 4"), blur),
    Damage("noise", ("10 of 255", "20 of 255", "40 of 255"), noise),
    Damage("contrast", ("x1.3", "x1.6"), contrast),
    Damage("red up, blue down", ("by 20", "by 40"), colour),
    Damage("upside down", ("half of them", "all"), upside_down),
    Damage("tiles shuffled", ("16x16", "8x8"), tiles),
    Damage("mean face", ("half way", "with noise"), towards_mean),
    # Half of the faces, each twice, have the same averages. SWD and the kernel distance
    # compare averages, over patches and over pairs, so they see only chance here.
    Damage(
        "half of them",
        ("twice each",),
        repeated([lambda n: n // 2]),
        ("frechet",),
        ("coverage", "diversity"),
    ),
    Damage(
        "repeated",
        ("a tenth", "three"),
        repeated([lambda n: n // 10, lambda n: 3]),
        falls=("coverage", "diversity"),
    ),
)


def measures(real, images, features):
    """Every measure that is tested.

    Args:
        real: (uint8 images, their features), the data.
        images, features: as many images in place of samples, and their features.
    """
    few = min(collapse.SAMPLES, len(images))
    return {
        "swd": swd.distances(real[0], images)["mean"],
        "frechet": distance.frechet(real[1], features),
        "kernel": distance.kernel(real[1], features)[0],
        **manifold.shares(real[1], features),
        "diversity": collapse.diversity(images[:few], real[0][:few]),
    }


def battery(real, report=print):
    """Measure every damage of `real.others` against `real.images`.

    Args:
        real: `metrics.sides.Real` with others.
        report: called with a line of text, row by row.

    Returns:
        ({"kind, level": measures}, [one line for each wrong rank]).
    """
    data = (real.images, real.features)
    clean = measures(data, real.others, real.features_of_others)
    rows, wrong = {"real, unseen": clean}, []
    report(_line("", {n: n for n in NAMES}))
    report(_line("real, unseen", clean))
    for damage in DAMAGES:
        before, last = clean, "real, unseen"
        for level, words in enumerate(damage.levels):
            images = damage.apply(real.others, level, np.random.default_rng(level))
            now = measures(data, images, real.reader.features(images))
            name = f"{damage.name}, {words}"
            rows[name] = now
            report(_line(name, now))
            ranks = [(m, before[m] < now[m]) for m in damage.rises]
            # A value of 0 (nearest neighbours among copies) cannot fall.
            ranks += [(m, now[m] < max(before[m], 1e-3)) for m in damage.falls]
            wrong += [
                f"{m}: {name} ({now[m]:.4g}) is not worse than {last} ({before[m]:.4g})"
                for m, worse in ranks
                if not worse
            ]
            before, last = now, name
    return rows, wrong


NAMES = (*DISTANCES, "density", "coverage", "diversity")


def _line(name, values):
    cells = (values[n] for n in NAMES)
    cells = (c if isinstance(c, str) else f"{c:.3f}" for c in cells)
    return f"{name:26}" + "".join(f"{c:>10}" for c in cells)


def check(data, count, root, out=None):
    """Print the table and write it to `<out>/sanity.json`; the exit status is 1 if a
    measure ranks a damage wrongly, else 0.

    Raises:
        UserError: too few images that the attribute network was not trained on.
    """
    real = Real(data, attribute_network(root).recipe.image_size, count, root)
    if real.others is None or real.reader_knows_others:
        raise UserError(
            f"{data}: no {len(real.images)} training images that the attribute network "
            "was not trained on; try fewer --samples"
        )
    print(f"{len(real.images)} images against the same number of {real.faces.folder}")
    rows, wrong = battery(real)
    for line in wrong:
        print(f"WRONG: {line}")
    if not wrong:
        print("every distance ranks more damage as worse")
    if out:
        with replacing(out / "sanity.json", "w") as file:
            json.dump(
                {"n": len(real.images), "rows": rows, "wrong": wrong}, file, indent=1
            )
    return int(bool(wrong))
