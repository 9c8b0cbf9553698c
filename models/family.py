"""The properties of each family of recipes, apart from its training: one row each.

The algorithms have the same names in `train.families`. No other code tests for the name
of a family: a new family is a row here, a class there, a recipe, and its figures.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Traits:
    """One family."""

    headline: str  # the most telling metric: a key of metrics.registry.METRICS
    draws: str | None = None  # the role that makes images from noise or codes
    rebuilds: bool = False  # has a role "encoder" that gives images their codes
    adversarial: bool = False  # has a role "discriminator"
    learns: str | None = None  # labels it trains on: "attribute", or all "attributes"
    asked: str | None = None  # what G is asked for: the same, or a "category"
    figures: str | None = None  # the problem that draws it: a module of inference/


FAMILIES = {
    "vae": Traits("reconstruction", "decoder", rebuilds=True, figures="vae"),
    "gan": Traits(
        "frechet_attribute_features",
        "generator",
        adversarial=True,
        figures="gan",
    ),
    "acgan": Traits(
        "asked_attribute",
        "generator",
        adversarial=True,
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
        learns="attributes",
        asked="attributes",
    ),
    "classifier": Traits("attribute_accuracy", learns="attributes"),
}
