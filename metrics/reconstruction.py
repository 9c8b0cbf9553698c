"""How well a VAE rebuilds images that it never saw."""

import numpy as np

import data_utils
from metrics.ssim import ssim
from models import sampling


def measure(subject):
    """MSE in both pixel ranges, PSNR and SSIM over the entire test set.

    The code is the posterior mean. PSNR is of the mean squared error over the set;
    SSIM is of reconstructions rounded to 8 bits, the mean over images.
    """
    trained, images = subject.trained, subject.real.faces.images
    pixel_range = trained.recipe.pixel_range
    outputs = sampling.reconstruct(trained, images)[1]
    values = reconstruction_error(images, outputs, pixel_range)
    values["n_real"] = values["n_fake"] = values.pop("n")
    parts = [
        ssim(images[k : k + 256], data_utils.to_uint8(outputs[k : k + 256], pixel_range))
        for k in range(0, len(images), 256)
    ]
    return values | {"ssim": float(np.concatenate(parts).mean())}


def reconstruction_error(images, outputs, pixel_range):
    """Error over all images, pixels and channels.

    Args:
        images: uint8 `(n, height, width, 3)`.
        outputs: float `(n, height, width, 3)` in `pixel_range`, or such arrays one
            after the other, which need not all be in memory.

    Returns:
        dict: n, mse in [-1, 1] and in [0, 1] (one quarter of it), psnr in dB
        (of the mean squared error over the set, peak 1 in [0, 1]), code.

    Raises:
        ValueError: more or fewer outputs than images.
    """
    low, high = pixel_range
    total, done = 0.0, 0
    for part in [outputs] if isinstance(outputs, np.ndarray) else outputs:
        for k in range(0, len(part), 256):
            other = part[k : k + 256].astype("float64")
            other -= low
            other /= high - low
            same = images[done : done + len(other)]
            other -= data_utils.from_uint8(same, (0.0, 1.0))
            total += float(np.square(other, out=other).sum())
            done += len(other)
    if done != len(images):
        raise ValueError(f"{done} outputs of {len(images)} images")
    mse = total / images.size
    return {
        "n": len(images),
        "mse_minus1_1": 4 * mse,
        "mse_0_1": mse,
        "psnr_db": float(-10 * np.log10(max(mse, 1e-12))),
        "code": "posterior mean",
    }
