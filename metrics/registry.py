"""Every metric by name: the only list of them."""

import dataclasses
from collections.abc import Callable

from metrics import (
    condition,
    distance,
    diversity,
    manifold,
    neighbours,
    reconstruction,
    swd,
)

DRAWS = ("vae", "gan", "acgan", "acgan3", "infogan")


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        measure: `Subject` -> (values, text): a dict of plain JSON values (with
            `n_real` and `n_fake` where it did not compare all), or None where the
            data has not what it takes; and the same in words.
        families: of recipes that it is about.
        about: one line.
        pixel_range: of the pixels it compares.
        judged: rests on the attribute network, whose accuracy stands beside it.
    """

    measure: Callable
    families: tuple
    about: str
    pixel_range: str = "uint8 [0, 255]"
    judged: bool = False


METRICS = {
    "reconstruction": Metric(
        reconstruction.reconstruction,
        ("vae",),
        "MSE in both pixel ranges, PSNR, SSIM; entire test set",
        "[0, 1], MSE in [-1, 1] as well",
    ),
    "swd": Metric(
        swd.swd,
        DRAWS,
        "sliced Wasserstein distance of patches, by scale (Karras et al. 2018)",
        "normalised by colour channel",
    ),
    "frechet_attribute_features": Metric(
        distance.frechet_attribute_features,
        DRAWS,
        "Frechet distance in the attribute network's features; not the FID",
        judged=True,
    ),
    "kernel_attribute_features": Metric(
        distance.kernel_attribute_features,
        DRAWS,
        "kernel distance, unbiased, in the same features; not the KID",
        judged=True,
    ),
    "precision_recall": Metric(
        manifold.precision_recall,
        DRAWS,
        "precision and recall in the same features (Kynkaanniemi et al. 2019)",
        judged=True,
    ),
    "ms_ssim": Metric(
        diversity.ms_ssim,
        DRAWS,
        "MS-SSIM between random pairs of samples, and of data",
        "[0, 1]",
    ),
    "collapse_meter": Metric(
        diversity.collapse_meter,
        DRAWS,
        "distance to the nearest other sample, relative to data",
        "[0, 1], 16x16",
    ),
    "nearest_training": Metric(
        neighbours.nearest_training,
        DRAWS,
        "distance to the nearest training image; copies; a figure",
        "[0, 1], 16x16",
    ),
    "asked_attribute": Metric(
        condition.asked_attribute,
        ("acgan", "acgan3"),
        "asked attribute against read attribute; what a pair keeps",
        judged=True,
    ),
    "categories": Metric(
        condition.categories,
        ("infogan",),
        "how well categories are told apart, and what each one is",
        judged=True,
    ),
    "attribute_accuracy": Metric(
        condition.attribute_accuracy,
        ("classifier",),
        "the attribute network on labelled test faces",
    ),
}
