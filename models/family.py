"""What a family of recipes is, apart from its training: one row each.

No other code tests for the name of a family. The classes that train are in `train/`; a
recipe names one, `algorithm="gans.WGANGP"`.
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
    conditioned_on: str | None = None  # G's condition: the same, or a "category"
    figures: str | None = None  # the problem that draws it: a module of inference/


_GAN = {"draws": "generator", "adversarial": True}
_ONE = {"learns": "attribute", "conditioned_on": "attribute"}
_ALL = {"learns": "attributes", "conditioned_on": "attributes"}
_FRECHET = "frechet_attribute_features"

FAMILIES = {
    "vae": Traits("reconstruction", "decoder", rebuilds=True, figures="vae"),
    "gan": Traits(_FRECHET, **_GAN, figures="gan"),
    "acgan": Traits("requested_attribute", **_GAN, **_ONE, figures="acgan"),
    "infogan": Traits("categories", **_GAN, conditioned_on="category", figures="infogan"),
    "attribute_gan": Traits(_FRECHET, **_GAN, **_ALL),
    "classifier": Traits("attribute_accuracy", learns="attributes"),
}
