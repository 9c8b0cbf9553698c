"""The list of all metrics, by name: what each measures, and its result in words."""

import dataclasses
from collections.abc import Callable

from metrics import (
    attribute_accuracy,
    categories,
    collapse,
    distance,
    fitted_prior,
    manifold,
    neighbours,
    reconstruction,
    record,
    requested_attribute,
    requested_attributes,
    ssim,
    swd,
)


def draws(traits):
    return traits.draws is not None


def rebuilds(traits):
    return traits.rebuilds


def requested(what):
    return lambda traits: traits.conditioned_on == what


def reads_attributes(traits):
    return not traits.draws


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        measure: `images.Subject` -> a dict of plain JSON values, with `n_real` and
            `n_fake` if it did not compare all images; raises `Inapplicable`.
        words: these values in at most 40 characters.
        about: `models.family.Traits` -> whether it applies to such a recipe.
        details: values -> lines that a terminal shows below the words.
        pixel_range: the range of the pixels that it compares.
        judged: whether it uses the attribute network; its accuracy is then recorded too.
        of_prior: whether it measures `prior.npz`, which may be fitted anew.
    """

    measure: Callable
    words: Callable
    about: Callable
    details: Callable = lambda values: []
    pixel_range: str = "uint8 [0, 255]"
    judged: bool = False
    of_prior: bool = False

    def text(self, values):
        """The words; those of real images in place of samples; the details."""
        floor = values.get("real_images")
        beside = f"; real images {self.words(floor)}" if floor else ""
        return "\n    ".join([self.words(values) + beside, *self.details(values)])


def _metric(module, about, pixel_range="uint8 [0, 255]", **more):
    """The metric of a module's `measure`, `words` and, if it has them, `details`."""
    details = getattr(module, "details", Metric.details)
    return Metric(module.measure, module.words, about, details, pixel_range, **more)


METRICS = {
    "reconstruction": _metric(reconstruction, rebuilds, "[0, 1], MSE in [-1, 1] as well"),
    "fitted_prior": _metric(fitted_prior, rebuilds, judged=True, of_prior=True),
    "swd": _metric(swd, draws, "in units of the data's patches"),
    "frechet_attribute_features": Metric(
        distance.measure_frechet,
        distance.frechet_words,
        draws,
        distance.frechet_details,
        judged=True,
    ),
    "kernel_attribute_features": Metric(
        distance.measure_kernel, distance.kernel_words, draws, judged=True
    ),
    "density_coverage": _metric(manifold, draws, judged=True),
    "ms_ssim": _metric(ssim, draws, "[0, 1]"),
    "collapse_meter": _metric(collapse, draws, "[0, 1], 16x16"),
    "nearest_training": _metric(neighbours, draws, "[0, 1], 16x16"),
    "requested_attribute": _metric(
        requested_attribute, requested("attribute"), judged=True
    ),
    "requested_attributes": _metric(
        requested_attributes, requested("attributes"), judged=True
    ),
    "categories": _metric(categories, requested("category"), judged=True),
    "attribute_accuracy": _metric(attribute_accuracy, reads_attributes),
}

TELLING = (  # the most telling first
    "reconstruction",
    "requested_attribute",
    "requested_attributes",
    "categories",
    "attribute_accuracy",
    "frechet_attribute_features",
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
