"""The list of all metrics, by name: what each measures, and its result in words."""

import dataclasses
import operator
from collections.abc import Callable

import numpy as np

from metrics import (
    collapse,
    conditions,
    distance,
    judge,
    neighbours,
    random_features,
    reconstruction,
    record,
)
from models.recipes import RECIPES


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric."""

    measure: Callable  # `images.Subject` -> plain JSON values; may raise Inapplicable.
    # They have `n_real` and `n_fake` if it did not compare all images.
    template: str  # for `str.format`: the values in at most 40 characters
    about: Callable  # `models.Recipe` -> whether it applies to it
    pixel_range: str = "uint8 [0, 255]"
    judged: bool = False  # by the attribute network, whose accuracy is recorded too
    of_prior: bool = False  # of `prior.npz`, which may be fitted anew

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


def compared(compare, words):
    """A metric that compares features of real images and of samples."""
    return Metric(lambda s: s.against_data(compare), words, draws, judged=True)


def conditional(measure, words, on):
    """A metric of what a generator is conditioned on."""
    return Metric(measure, words, lambda r: r.traits.conditioned_on == on, judged=True)


draws, rebuilds = map(operator.attrgetter, ("traits.draws", "traits.rebuilds"))
SMALL = "[0, 1], 16x16"
MSE = "test MSE {mse_minus1_1:.4f} in [-1, 1]"
FRECHET = "Fréchet {distance:.1f} ± {standard_error:.1f}"
RANDOM = "random " + FRECHET  # features of another network: another scale
FITTED = (
    "Fréchet {frechet_attribute_features[distance]:.1f} ± "
    "{frechet_attribute_features[standard_error]:.1f}, "
    "rebuilt {frechet_of_reconstructions:.1f}"
)
KERNEL = "kernel {distance:.4f} ± {standard_error:.4f}"
DENSITY = "density {density:.2f}, coverage {coverage:.2f}"
DIVERSITY = "{diversity:.2f} of the test images' diversity"
NEAREST = "{ratio:.2f} of unseen ones', {copies:.1%} copies"
REQUESTED = "{agreement:.1%} as requested"
READ_BACK = "{own_classifier[accuracy]:.1%} read back"
RIGHT = "{mean_accuracy:.1%} right, a constant answer {constant:.1%}"

METRICS = {
    "reconstruction": Metric(
        reconstruction.measure, MSE, rebuilds, "[0, 1], MSE in [-1, 1] as well"
    ),
    "fitted_prior": Metric(
        reconstruction.fitted_prior, FITTED, rebuilds, judged=True, of_prior=True
    ),
    "frechet_attribute_features": compared(distance.frechet_with_error, FRECHET),
    "frechet_random_features": Metric(
        random_features.measure, RANDOM, lambda r: r.features == "random"
    ),
    "kernel_attribute_features": compared(distance.kernel, KERNEL),
    "density_coverage": compared(distance.density_coverage, DENSITY),
    "collapse_meter": Metric(collapse.measure, DIVERSITY, draws, SMALL),
    "nearest_training": Metric(neighbours.measure, NEAREST, draws, SMALL),
    "requested_attribute": conditional(conditions.one_attribute, REQUESTED, "attribute"),
    "requested_attributes": conditional(
        conditions.several_attributes, REQUESTED, "attributes"
    ),
    "categories": conditional(conditions.category, READ_BACK, "category"),
    "attribute_accuracy": Metric(judge.measure, RIGHT, lambda r: not r.traits.draws),
}

TELLING = (  # the most telling first
    *("reconstruction", "requested_attribute", "requested_attributes", "categories"),
    *("attribute_accuracy", "frechet_attribute_features"),
)

LAST = 20  # rows to average at the end of a curve


def obtained(trained):
    """The most telling measurements of trained weights, in words: at most two, after what
    the report itself names. README's table and report.pdf show them.

    Report D's recipes have the collapse, or the distance in random features.
    """
    found = record.newest(trained)
    headline = trained.recipe.headline
    if headline == "collapse_meter" and headline in found:
        at = collapse.step_of(trained.history())
        when = f"collapses at epoch {trained.epoch_of(at):.1f}" if at else "no collapse"
        return f"{when}, diversity {found[headline]['values']['diversity']:.2f}"
    names = TELLING if headline in TELLING else (headline,)
    said = [METRICS[n].words(found[n]["values"]) for n in names if n in found]
    # Of a VAE the samples of N(0, I) are not the point.
    said = said[: 1 if trained.recipe.traits.rebuilds else 2]
    if said and (ended := RECIPES[trained.recipe.name].ended):
        said.insert(0, ended.format_map(trained.at_end(LAST)))
    return ", ".join(said) or "not measured yet"
