"""Distances between two sets of images, in the features of the attribute network.

They are computed like FID (Heusel et al. 2017) and KID (Binkowski et al. 2018), but
in the features of a small network, trained by this project on faces of 64x64. Compare
them with each other, never with numbers from InceptionV3.
"""

import numpy as np
from scipy.spatial.distance import cdist

HALVES = 40  # random halves of the images, for the errors


def random_halves(n, m):
    """Pairs of indices into sets of n and m images, each a random half of its set.

    The standard deviation of a statistic over these halves is its standard error over
    images: a half has twice the variance, and drawing without replacement from so small
    a set halves it again (Shao and Wu 1989). The bootstrap repeats images, which would
    bias both distances: a repeated image is a near neighbour. Of two sets of one
    distribution it is up to twice too large: there both distances are all noise, whose
    deviation falls faster than that of a mean.
    """
    rng = np.random.default_rng(0)
    return [
        tuple(rng.permutation(size)[: size // 2] for size in (n, m))
        for _ in range(HALVES)
    ]


def frechet_with_error(a, b):
    """`frechet` of features, its standard error, and that of half as many images."""
    halves = [frechet(a[x], b[y]) for x, y in random_halves(len(a), len(b))]
    return {
        "distance": frechet(a, b),
        "standard_error": float(np.std(halves, ddof=1)),
        "of_half_as_many": float(np.mean(halves)),
    }


def frechet(a, b):
    """Frechet distance of Gaussians fitted to two sets of features.

    Args:
        a, b: `(n, d)` and `(m, d)`. The distance is biased upwards; with half as
            many images the bias is about twice as large.

    Returns:
        |mean a - mean b|^2 + tr(A + B - 2 (A B)^(1/2)), float.
    """
    a, b = (np.asarray(x, "float64") for x in (a, b))
    cov_a, cov_b = (np.cov(x, rowvar=False) for x in (a, b))
    values, vectors = np.linalg.eigh(cov_a)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    middle = np.linalg.eigvalsh(root @ cov_b @ root)  # of the same trace as (A B)^(1/2)
    cross = np.sqrt(np.maximum(middle, 0)).sum()
    shift = np.square(a.mean(0) - b.mean(0)).sum()
    return float(shift + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def kernel(a, b):
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, unbiased.

    Args:
        a, b: features `(n, d)` and `(m, d)`, four or more of each.

    Returns:
        dict: distance, which may be below 0 if the two sets are alike, and its
        standard_error over images.
    """
    a, b = (np.asarray(x, "float64") for x in (a, b))
    aa, bb, ab = ((x @ y.T / x.shape[1] + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))

    def distance(xx, yy, xy):
        within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (xx, yy)]
        return float(sum(within) - 2 * xy.mean())

    halves = [
        distance(aa[np.ix_(x, x)], bb[np.ix_(y, y)], ab[np.ix_(x, y)])
        for x, y in random_halves(len(a), len(b))
    ]
    error = float(np.std(halves, ddof=1))
    return {"distance": distance(aa, bb, ab), "standard_error": error}


def density_coverage(real, fake, k=5):
    """Density and coverage of features `(n, d)` and `(m, d)`, n above k (Naeem et al.
    2020).

    Each real image has a ball with the distance to its k-th nearest real image as its
    radius. Density is the mean number of balls that a sample lies in, relative to the
    number for real images; it rises above 1 if samples crowd at what is most common.
    Coverage is the share of balls that hold a sample; it falls with every difference
    from the data, most of all with repetition. They replace precision and recall
    (Kynkaanniemi et al. 2019), for which one outlier among the data has a large ball.

    If the samples are n more images of the data, the expected density is 1 and the
    expected coverage 1 - (n - 1)...(n - k) / ((2 n - 1)...(2 n - k)): 0.97 for k = 5.
    """
    # The nearest of all is the image itself.
    radii = np.partition(cdist(real, real), k, axis=1)[:, k]
    inside = cdist(real, fake) < radii[:, None]
    return {
        "density": float(inside.sum() / (k * len(fake))),
        "coverage": float(inside.any(1).mean()),
        "k": k,
    }
