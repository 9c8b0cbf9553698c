"""How well a VAE rebuilds images that it never saw, and what its fitted density draws."""

import contextlib

import numpy as np

import data_utils
from metrics import Inapplicable, collapse, distance, neighbours
from metrics.images import Subject
from models import sampling

PART = 256  # images at a time


def measure(subject):
    """MSE in both pixel ranges and PSNR over the entire test set; the code is the
    posterior mean. PSNR is of the mean squared error over the set."""
    trained, images = subject.trained, subject.real.faces.images
    outputs = sampling.reconstruct(trained, images)
    values = reconstruction_error(images, outputs, trained.recipe.pixel_range)
    values["n_real"] = values["n_fake"] = values.pop("n")
    return values


def reconstruction_error(images, outputs, pixel_range):
    """Error over all images, pixels and channels.

    Args:
        images: uint8 `(n, height, width, 3)`.
        outputs: float `(n, height, width, 3)` in `pixel_range`, or such arrays one
            after the other, which need not all be in memory.

    Returns:
        dict: n, mse in [-1, 1] and in [0, 1] (one quarter of it), psnr in dB
        (of the mean squared error over the set, peak 1 in [0, 1]), code.
    """
    low, high = pixel_range
    total, done = 0.0, 0
    if isinstance(outputs, np.ndarray):
        outputs = np.split(outputs, range(PART, len(outputs), PART))
    for part in outputs:
        same = data_utils.from_uint8(images[done : done + len(part)], (0.0, 1.0))
        scaled = (part.astype("float64") - low) / (high - low)
        total += float(np.square(scaled - same).sum())
        done += len(part)
    mse = total / images.size
    return {
        "n": len(images),
        "mse_minus1_1": 4 * mse,
        "mse_0_1": mse,
        "psnr_db": float(-10 * np.log10(max(mse, 1e-12))),
        "code": "posterior mean",
    }


def fitted_prior(subject):
    """Other metrics of samples from the density fitted to the codes (`models.prior`) in
    place of N(0, I), and the Frechet distance from reconstructions of the test images to
    these images: no density of codes can be expected to draw much better, but blurred
    images may be nearer than their reconstructions."""
    trained, real = subject.trained, subject.real
    if "prior" not in trained.card:
        raise Inapplicable("no prior.npz; an export with the training images makes it")
    fitted = Subject(trained, real, prior="fitted")
    values = {
        "frechet_attribute_features": fitted.against_data(distance.frechet_with_error),
        "collapse_meter": collapse.measure(fitted),
        "nearest_training": None,
    }
    with contextlib.suppress(Inapplicable):  # the data may have no training images
        values["nearest_training"] = neighbours.measure(fitted)
    rebuilt = sampling.as_images(trained, sampling.reconstruct(trained, real.images))
    features = real.judge.features(rebuilt)
    values["frechet_of_reconstructions"] = distance.frechet(real.features, features)
    return values
