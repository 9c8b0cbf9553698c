"""Sliced Wasserstein distance of image patches on a Laplacian pyramid
(Karras et al. 2018, section 5): how alike two sets are, scale by scale.

The finest scale compares grain and sharpness, the coarsest the layout.
"""

import numpy as np
from scipy.ndimage import correlate1d

PATCH, PATCHES = 7, 32  # pixels a side; patches of each image and scale
DIRECTIONS, REPEATS = 128, 4
COARSEST = 16  # pixels, the side of the coarsest scale
BINOMIAL = np.array([1, 4, 6, 4, 1], "float32") / 16


def distances(a, b):
    """Sliced Wasserstein distance of two sets of images.

    Args:
        a, b: uint8 `(n, size, size, 3)`, the same number of images.

    Returns:
        dict: by_scale {size in pixels as text: distance x1000}, their mean. Patches of
        both sets are normalised by the mean and variance of a's in each colour channel.
        (In the paper each set has its mean and variance; then the colour and contrast
        of a whole set would not count.)
    """
    by_scale = {}
    for x, y in zip(pyramid(a), pyramid(b), strict=True):
        pair = [patches(level, np.random.default_rng(0)) for level in (x, y)]
        mean, std = (f(pair[0], (0, 2), keepdims=True) for f in (np.mean, np.std))
        pair = [((p - mean) / np.maximum(std, 1e-6)).reshape(len(p), -1) for p in pair]
        by_scale[str(x.shape[1])] = 1000 * sliced(*pair)
    return {"by_scale": by_scale, "mean": float(np.mean([*by_scale.values()]))}


def pyramid(images):
    """uint8 images -> the Laplacian pyramid, float32, finest scale first; the last level
    is the blurred image."""
    levels = [images.astype("float32")]
    while levels[-1].shape[1] >= 2 * COARSEST:
        fine = levels[-1]
        coarse = _blur(fine)[:, ::2, ::2]
        spread = np.zeros_like(fine)
        spread[:, ::2, ::2] = coarse
        levels[-1] = fine - 4 * _blur(spread)
        levels.append(coarse)
    return levels


def _blur(images):
    for axis in (1, 2):
        images = correlate1d(images, BINOMIAL, axis, mode="mirror")
    return images


def patches(level, rng):
    """Random patches of a scale: `(n * 32, 3, 49)`."""
    n, height, width, channels = level.shape
    top = rng.integers(0, height - PATCH + 1, (n, PATCHES))
    left = rng.integers(0, width - PATCH + 1, (n, PATCHES))
    windows = np.lib.stride_tricks.sliding_window_view(level, (PATCH, PATCH), (1, 2))
    return windows[np.arange(n)[:, None], top, left].reshape(-1, channels, PATCH**2)


def sliced(a, b):
    """Mean over random directions of the Wasserstein-1 distance along each.

    Args:
        a, b: `(n, d)`, the same number of rows.

    Returns:
        float; for Gaussians that differ by a shift s it tends to |s| times the mean of
        |cosine| between s and a random direction, about |s| sqrt(2 / (pi d)).
    """
    rng = np.random.default_rng(0)
    values = []
    for _ in range(REPEATS):
        directions = rng.standard_normal((DIRECTIONS, a.shape[1])).astype("float32")
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        x, y = (np.sort(directions @ s.T.astype("float32")) for s in (a, b))
        values.append(np.abs(x - y).mean())
    return float(np.mean(values))
