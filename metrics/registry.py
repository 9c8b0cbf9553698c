"""The list of all metrics, by name: what each measures, and its result in words."""

import dataclasses
import operator
from collections.abc import Callable

import numpy as np

from metrics import (
    categories,
    collapse,
    distance,
    fitted_prior,
    judge,
    neighbours,
    reconstruction,
    record,
    requested,
    ssim,
    swd,
)

draws, rebuilds = operator.attrgetter("draws"), operator.attrgetter("rebuilds")


def conditioned_on(what):
    return lambda traits: traits.conditioned_on == what


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        measure: `images.Subject` -> a dict of plain JSON values, with `n_real` and
            `n_fake` if it did not compare all images; raises `Inapplicable`.
        template: these values in at most 40 characters, as `str.format` takes it.
        about: `models.recipe.Traits` -> whether it applies to such a recipe.
        pixel_range: the range of the pixels that it compares.
        judged: whether it uses the attribute network; its accuracy is then recorded too.
        of_prior: whether it measures `prior.npz`, which may be fitted anew.
    """

    measure: Callable
    template: str
    about: Callable
    pixel_range: str = "uint8 [0, 255]"
    judged: bool = False
    of_prior: bool = False

    def words(self, values):
        answers = [*values.get("commoner_answer", {"none": 0}).values()]
        return self.template.format_map(values | {"constant": np.mean(answers)})

    def text(self, values):
        """The words; those of real images in place of samples; all that was measured."""
        floor = values.get("real_images")
        beside = f"; real images {self.words(floor)}" if floor else ""
        rest = [f"{k}: {plain(v)}" for k, v in values.items() if k != "real_images"]
        return "\n    ".join([self.words(values) + beside, *rest])


def plain(value):
    """A measured value as a person reads it."""
    if isinstance(value, dict):
        return ", ".join(f"{k} {plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return "".join(f"\n      {k}: {plain(v)}" for k, v in enumerate(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


FITTED = (
    "Fréchet {frechet_attribute_features[distance]:.1f} ± "
    "{frechet_attribute_features[standard_error]:.1f}, "
    "rebuilt {frechet_of_reconstructions:.1f}"
)
FRECHET = "Fréchet {distance:.1f} ± {standard_error:.1f}"
KERNEL = "kernel {distance:.4f} ± {standard_error:.4f}"
DENSITY = "density {density:.2f}, coverage {coverage:.2f}"
MS_SSIM = "MS-SSIM {samples:.3f}, of real images {data:.3f}"
DIVERSITY = "{diversity:.2f} of the test images' diversity"
NEAREST = "{ratio:.2f} of unseen ones', {copies:.1%} copies"
REQUESTED = "{agreement:.1%} as requested"
READ_BACK = "{own_classifier[accuracy]:.1%} read back"
ACCURACY = "{mean_accuracy:.1%} right, a constant answer {constant:.1%}"
SMALL = "[0, 1], 16x16"

METRICS = {
    "reconstruction": Metric(
        *(reconstruction.measure, "test MSE {mse_minus1_1:.4f} in [-1, 1]", rebuilds),
        pixel_range="[0, 1], MSE in [-1, 1] as well",
    ),
    "fitted_prior": Metric(
        fitted_prior.measure, FITTED, rebuilds, judged=True, of_prior=True
    ),
    "swd": Metric(
        swd.measure, "SWD {mean:.1f} x 1e-3", draws, "in units of the data's patches"
    ),
    "frechet_attribute_features": Metric(
        distance.measure_frechet, FRECHET, draws, judged=True
    ),
    "kernel_attribute_features": Metric(
        distance.measure_kernel, KERNEL, draws, judged=True
    ),
    "density_coverage": Metric(distance.measure_density, DENSITY, draws, judged=True),
    "ms_ssim": Metric(ssim.measure, MS_SSIM, draws, "[0, 1]"),
    "collapse_meter": Metric(collapse.measure, DIVERSITY, draws, SMALL),
    "nearest_training": Metric(neighbours.measure, NEAREST, draws, SMALL),
    "requested_attribute": Metric(
        requested.measure_one, REQUESTED, conditioned_on("attribute"), judged=True
    ),
    "requested_attributes": Metric(
        requested.measure_many, REQUESTED, conditioned_on("attributes"), judged=True
    ),
    "categories": Metric(
        categories.measure, READ_BACK, conditioned_on("category"), judged=True
    ),
    "attribute_accuracy": Metric(
        judge.measure, ACCURACY, lambda traits: not traits.draws
    ),
}

TELLING = (  # the most telling first
    *("reconstruction", "requested_attribute", "requested_attributes", "categories"),
    *("attribute_accuracy", "frechet_attribute_features"),
)


def obtained(trained):
    """The most telling measurements of trained weights, in words: at most two, in 40
    characters. README's table and report.pdf show them.

    A recipe whose runs log the collapse meter is about diversity.
    """
    found = record.newest(trained)
    names = ("collapse_meter",) if trained.recipe.meter_every else TELLING
    said = [METRICS[n].words(found[n]["values"]) for n in names if n in found]
    # Of a VAE the samples of N(0, I) are not the point.
    return ", ".join(said[: 1 if trained.recipe.traits.rebuilds else 2]) or (
        "not measured yet"
    )
