"""How much samples differ from each other: MS-SSIM and the collapse meter."""

import numpy as np

from metrics import collapse
from metrics.ssim import ms_ssim as similarity

PAIRS = 1000


def ms_ssim(subject):
    """Mean MS-SSIM of random pairs of samples (Odena et al. 2017) and of random pairs of
    real images; higher is more alike."""
    values = {
        "samples": pairs(subject.samples, PAIRS),
        "data": pairs(subject.real.images, PAIRS),
        "pairs": PAIRS,
    }
    text = (
        f"samples {values['samples']:.4f}, data {values['data']:.4f} "
        f"({PAIRS:,} random pairs of each; higher is more alike)"
    )
    return values, text


def pairs(images, count, seed=0):
    """Mean MS-SSIM of `count` random pairs of two different images."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(images), count)
    second = (first + rng.integers(1, len(images), count)) % len(images)
    return float(similarity(images[first], images[second]).mean())


def collapse_meter(subject):
    """Nearest-neighbour diversity relative to the data; see `metrics.collapse`."""
    few = min(collapse.SAMPLES, subject.count)
    value = collapse.diversity(subject.samples[:few], subject.real.images[:few])
    collapsed = value < collapse.COLLAPSED
    values = {"diversity": value, "collapsed": collapsed, "n_real": few, "n_fake": few}
    said = "collapsed" if collapsed else "not collapsed"
    return values, f"{value:.3f} of the data's diversity, {few} of each: {said}"
