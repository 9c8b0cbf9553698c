"""What there is to know of a family of recipes besides how it trains: one row each.

The algorithms have the same names in `train.families`. Nothing else asks for a family
by its name: a new one is a row here, a class there, a recipe, and its figures.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Traits:
    """One family."""

    headline: str  # the metric that says most: a key of metrics.registry.METRICS
    draws: str | None = None  # the role that makes images, of noise or of codes
    rebuilds: bool = False  # images have codes: a role "encoder" finds them
    adversarial: bool = False  # a role "discriminator" tells real from generated
    d_repeats: bool = False  # it may be updated several times a step, and clipped
    learns: str | None = None  # labels it trains on: "attribute", or all "attributes"
    asked: str | None = None  # what an image shall show: the same, or a "category"
    figures: str | None = None  # the problem that draws it: a file of inference/


FAMILIES = {
    "vae": Traits("reconstruction", "decoder", rebuilds=True, figures="vae"),
    "gan": Traits(
        "frechet_attribute_features",
        "generator",
        adversarial=True,
        d_repeats=True,
        figures="gan",
    ),
    "acgan": Traits(
        "asked_attribute",
        "generator",
        adversarial=True,
        d_repeats=True,
        learns="attribute",
        asked="attribute",
        figures="acgan",
    ),
    "acgan3": Traits(
        "asked_attribute",
        "generator",
        adversarial=True,
        learns="attribute",
        asked="attribute",
        figures="acgan",
    ),
    "infogan": Traits(
        "categories",
        "generator",
        adversarial=True,
        asked="category",
        figures="infogan",
    ),
    "attribute_gan": Traits(
        "frechet_attribute_features",
        "generator",
        adversarial=True,
        d_repeats=True,
        learns="attributes",
        asked="attributes",
    ),
    "classifier": Traits("attribute_accuracy", learns="attributes"),
}
