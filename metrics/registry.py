"""The list of all metrics, by name."""

import dataclasses
from collections.abc import Callable

from metrics import (
    condition,
    distance,
    diversity,
    manifold,
    neighbours,
    prior,
    reconstruction,
    swd,
)


def draws(traits):
    return traits.draws is not None


def rebuilds(traits):
    return traits.rebuilds


def asked_for(what):
    return lambda traits: traits.asked == what


def reads_attributes(traits):
    return not traits.draws


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        measure: `Subject` -> (values, text): a dict of plain JSON values (with
            `n_real` and `n_fake` if it did not compare all images), or None if the data
            lack what it needs; and the same in words.
        about: `models.family.Traits` -> whether it applies to such a recipe.
        pixel_range: the range of the pixels that it compares.
        reads: whether it uses the attribute network; its accuracy is then recorded too.
        of_prior: whether it measures `prior.npz`, which may be fitted anew.
    """

    measure: Callable
    about: Callable
    pixel_range: str = "uint8 [0, 255]"
    reads: bool = False
    of_prior: bool = False


METRICS = {
    "reconstruction": Metric(
        reconstruction.reconstruction, rebuilds, "[0, 1], MSE in [-1, 1] as well"
    ),
    "fitted_prior": Metric(prior.fitted_prior, rebuilds, reads=True, of_prior=True),
    "swd": Metric(swd.swd, draws, "in units of the data's patches"),
    "frechet_attribute_features": Metric(
        distance.frechet_attribute_features, draws, reads=True
    ),
    "kernel_attribute_features": Metric(
        distance.kernel_attribute_features, draws, reads=True
    ),
    "density_coverage": Metric(manifold.density_coverage, draws, reads=True),
    "ms_ssim": Metric(diversity.ms_ssim, draws, "[0, 1]"),
    "collapse_meter": Metric(diversity.collapse_meter, draws, "[0, 1], 16x16"),
    "nearest_training": Metric(neighbours.nearest_training, draws, "[0, 1], 16x16"),
    "asked_attribute": Metric(
        condition.asked_attribute, asked_for("attribute"), reads=True
    ),
    "asked_attributes": Metric(
        condition.asked_attributes, asked_for("attributes"), reads=True
    ),
    "categories": Metric(condition.categories, asked_for("category"), reads=True),
    "attribute_accuracy": Metric(condition.attribute_accuracy, reads_attributes),
}
