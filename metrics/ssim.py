"""Structural similarity: SSIM (Wang et al. 2004) and MS-SSIM (Wang et al. 2003), by
which random pairs of samples are compared (Odena et al. 2017).

Each colour channel is compared, then averaged; images are uint8 `(n, height, width, 3)`.
"""

import numpy as np

WINDOW, SIGMA = 11, 1.5  # pixels
C1, C2 = 0.01**2, 0.03**2
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the five scales, finest first
PAIRS = 1000


def measure(subject):
    """Mean MS-SSIM of random pairs of samples and of random pairs of real images; higher
    is more alike."""
    samples, data = (pairs(x, PAIRS) for x in (subject.samples, subject.real.images))
    return {"samples": samples, "data": data, "pairs": PAIRS}


def pairs(images, count):
    """Mean MS-SSIM of `count` random pairs of two different images."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, len(images), count)
    second = (first + rng.integers(1, len(images), count)) % len(images)
    return float(ms_ssim(images[first], images[second]).mean())


def ssim(a, b):
    """Structural similarity of each pair, float64 `(n,)`; 1 for equal images. The window
    lies inside the image."""
    return _compare(_channels(a), _channels(b))[0]


def ms_ssim(a, b):
    """Multi-scale structural similarity of each pair, float64 `(n,)` in [0, 1], on five
    scales; sides of 16 pixels or more.

    The window shrinks on a scale that is smaller than it, and values below 0 count as
    0; both as in Karras et al. (2018).
    """
    a, b = _channels(a), _channels(b)
    product = np.ones(len(a))
    for scale, weight in enumerate(WEIGHTS):
        whole, contrast = _compare(a, b)
        last = scale == len(WEIGHTS) - 1
        product *= np.maximum(whole if last else contrast, 0) ** weight
        a, b = _half(a), _half(b)
    return product


def _channels(images):
    """uint8 `(n, height, width, 3)` -> float32 `(n, 3, height, width)` in [0, 1]."""
    return np.moveaxis(images, -1, 1).astype("float32") / 255


def _half(x):
    """Mean over tiles of 2x2; an odd side loses its last row."""
    n, channels, height, width = x.shape
    x = x[:, :, : height // 2 * 2, : width // 2 * 2]
    return x.reshape(n, channels, height // 2, 2, width // 2, 2).mean((3, 5))


def _compare(a, b):
    """(SSIM, its contrast and structure part alone), each float64 `(n,)`."""
    tall, wide = (_window(side) for side in a.shape[-2:])

    def blur(x):
        return (tall @ x @ wide.T).astype("float64")

    mean_a, mean_b = blur(a), blur(b)
    variances = blur(a * a + b * b) - mean_a**2 - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    contrast = (2 * covariance + C2) / (variances + C2)
    luminance = (2 * mean_a * mean_b + C1) / (mean_a**2 + mean_b**2 + C1)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _window(side):
    """The Gaussian window, a row for each of its places inside `side` pixels."""
    size = min(WINDOW, side)
    offsets = np.arange(size) - (size - 1) / 2
    taps = np.exp(-0.5 * (offsets / (SIGMA * size / WINDOW)) ** 2)
    matrix = np.zeros((side - size + 1, side), "float32")
    for k, row in enumerate(matrix):
        row[k : k + size] = taps / taps.sum()
    return matrix
