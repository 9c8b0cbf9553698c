"""How well a VAE rebuilds images that it never saw."""

import numpy as np

from data_utils import to_uint8
from metrics.ssim import ssim
from models import sampling


def reconstruction(subject):
    """MSE in both pixel ranges, PSNR and SSIM over the entire test set.

    The code is the posterior mean. PSNR is of the mean squared error over the set;
    SSIM is of reconstructions rounded to 8 bits, the mean over images.
    """
    trained, images = subject.trained, subject.real.faces.images
    pixel_range = trained.recipe.pixel_range
    outputs = sampling.reconstruct(trained, images)[1]
    values = sampling.reconstruction_error(images, outputs, pixel_range)
    values["n_real"] = values["n_fake"] = values.pop("n")
    starts = range(0, len(images), 256)
    parts = [
        ssim(images[k : k + 256], to_uint8(outputs[k : k + 256], pixel_range))
        for k in starts
    ]
    values["ssim"] = float(np.concatenate(parts).mean())
    text = (
        f"MSE {values['mse_minus1_1']:.5f} in [-1, 1], {values['mse_0_1']:.6f} in "
        f"[0, 1]; PSNR {values['psnr_db']:.2f} dB; SSIM {values['ssim']:.4f}; "
        f"all {len(images):,} images of {subject.real.split}"
    )
    return values, text
