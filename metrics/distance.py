"""Distances between two sets of images, in the features of the attribute network.

They are made like FID (Heusel et al. 2017) and KID (Binkowski et al. 2018), but
in the space of this project's own small network, trained on faces of 64x64: they
compare with each other, never with numbers from InceptionV3.
"""

import numpy as np

SUBSETS, SUBSET = 50, 200  # of the kernel distance, for its standard error


def frechet_attribute_features(subject):
    """Frechet distance of samples to data."""
    values = subject.against_data(_frechet, features=True)
    return values, subject.in_words(values, "{distance:.3f}".format_map)


def kernel_attribute_features(subject):
    """Kernel distance of samples to data, with its standard error over subsets."""
    values = subject.against_data(_kernel, features=True)
    words = "{distance:.4f} ± {standard_error:.4f}".format_map
    return values, subject.in_words(values, words)


def _frechet(a, b):
    return {"distance": frechet(a, b)}


def _kernel(a, b):
    value, error = kernel(a, b)
    return {"distance": value, "standard_error": error, "subsets": SUBSETS}


def frechet(a, b):
    """Frechet distance of Gaussians fitted to two sets of features.

    Args:
        a, b: `(n, d)` and `(m, d)`; n and m well above d, or it is biased upwards.

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


def kernel(a, b, seed=0):
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, unbiased.

    Args:
        a, b: features `(n, d)` and `(m, d)`.
        seed: of the subsets.

    Returns:
        (mean over subsets, its standard error); the mean may be below 0 where the
        two sets are alike. Subsets overlap, so the error is that of drawing them,
        not of having another set of images.
    """
    rng = np.random.default_rng(seed)
    # Half a small set: subsets that were all the set would not differ.
    size = max(2, min(SUBSET, len(a) // 2, len(b) // 2))
    values = []
    for _ in range(SUBSETS):
        x, y = (
            np.asarray(s, "float64")[rng.choice(len(s), size, replace=False)]
            for s in (a, b)
        )
        xx, yy, xy = (
            (u @ v.T / u.shape[1] + 1) ** 3 for u, v in ((x, x), (y, y), (x, y))
        )
        within = sum((k.sum() - np.trace(k)) / (size * (size - 1)) for k in (xx, yy))
        values.append(within - 2 * xy.mean())
    return float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(SUBSETS))
