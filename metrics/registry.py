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
        pixel_range: of the pixels it compares.
        reads: rests on the attribute network, whose accuracy stands beside it.
    """

    measure: Callable
    families: tuple
    pixel_range: str = "uint8 [0, 255]"
    reads: bool = False


# Recorded of new weights at once: what says most of a family.
HEADLINE = {
    "vae": "reconstruction",
    "gan": "frechet_attribute_features",
    "acgan": "asked_attribute",
    "acgan3": "asked_attribute",
    "attribute_gan": "frechet_attribute_features",
    "infogan": "categories",
    "classifier": "attribute_accuracy",
}

METRICS = {
    "reconstruction": Metric(
        reconstruction.reconstruction, ("vae",), "[0, 1], MSE in [-1, 1] as well"
    ),
    "swd": Metric(swd.swd, DRAWS, "normalised by colour channel"),
    "frechet_attribute_features": Metric(
        distance.frechet_attribute_features, DRAWS, reads=True
    ),
    "kernel_attribute_features": Metric(
        distance.kernel_attribute_features, DRAWS, reads=True
    ),
    "precision_recall": Metric(manifold.precision_recall, DRAWS, reads=True),
    "ms_ssim": Metric(diversity.ms_ssim, DRAWS, "[0, 1]"),
    "collapse_meter": Metric(diversity.collapse_meter, DRAWS, "[0, 1], 16x16"),
    "nearest_training": Metric(neighbours.nearest_training, DRAWS, "[0, 1], 16x16"),
    "asked_attribute": Metric(condition.asked_attribute, ("acgan", "acgan3"), reads=True),
    "categories": Metric(condition.categories, ("infogan",), reads=True),
    "attribute_accuracy": Metric(condition.attribute_accuracy, ("classifier",)),
}
