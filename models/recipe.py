"""A system of a report as data: a frozen dataclass, what its family is, and how a command
line changes its fields."""

import dataclasses
import math

from cli import UserError

LOG_EVERY = 25  # steps a row of history.csv and a point in TensorBoard average


class RecipeError(UserError):
    """An unknown recipe or field, or a value that does not fit; one line."""


OPTIMIZERS = ("adam", "pytorch_adam", "rmsprop", "sgd")
SCHEDULES = ("constant", "staircase", "cosine")
NOISES = ("normal", "uniform", "none")


@dataclasses.dataclass(frozen=True)
class Traits:
    """What a family of recipes is, apart from its training, which a recipe's `algorithm`
    names. No other code tests for the name of a family."""

    headline: str  # the most telling metric, of faces: a key of metrics.registry.METRICS
    draws: str | None = None  # the role that makes images from noise or codes
    rebuilds: bool = False  # has a role "encoder" that gives images their codes
    adversarial: bool = False  # has a role "discriminator"
    scores: bool = False  # what D answers is shown, so it ships with the generator
    learns: str | None = None  # labels it trains on: "attribute", or all "attributes"
    conditioned_on: str | None = None  # G's condition: the same, or a "category"
    figures: str | None = None  # the problem that draws it: a module of inference/


_GAN = {"draws": "generator", "adversarial": True}
_ONE = {"learns": "attribute", "conditioned_on": "attribute"}
_ALL = {"learns": "attributes", "conditioned_on": "attributes"}
_FRECHET = "frechet_attribute_features"

FAMILIES = {
    "vae": Traits("reconstruction", "decoder", rebuilds=True, figures="vae"),
    "gan": Traits(_FRECHET, **_GAN, scores=True, figures="gan"),
    "acgan": Traits("requested_attribute", **_GAN, **_ONE, figures="acgan"),
    "infogan": Traits(
        "categories", **_GAN, conditioned_on="category", scores=True, figures="infogan"
    ),
    "attribute_gan": Traits(_FRECHET, **_GAN, **_ALL, scores=True),
    "classifier": Traits("attribute_accuracy", learns="attributes"),
}


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """One optimizer.

    `adam`, `rmsprop` and `sgd` are those of Keras. `pytorch_adam` adds epsilon to the
    root of the bias-corrected second moment, as PyTorch does; Keras adds it before the
    correction, which in the first steps has 30 times the effect.
    """

    name: str = "adam"  # of OPTIMIZERS
    learning_rate: float = 2e-4  # at the start
    beta_1: float = 0.9  # Adam only
    beta_2: float = 0.999  # Adam only
    rho: float = 0.9  # RMSprop only: decay of the mean square
    epsilon: float = 1e-7  # Adam: beside the root; RMSprop: inside it
    schedule: str = "constant"  # of SCHEDULES: how the rate falls
    decay: float = 1.0  # staircase: the rate is multiplied by it ...
    decay_steps: int = 0  # ... after every so many updates
    floor: float = 0.0  # cosine: the share of the rate that the run ends with

    def __post_init__(self):
        for field, known in (("name", OPTIMIZERS), ("schedule", SCHEDULES)):
            if (value := getattr(self, field)) not in known:
                raise RecipeError(
                    f"unknown optimizer {field} '{value}'; known: {', '.join(known)}"
                )


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A complete system of a report, as the report has it.

    `python -m train <name>` trains it as `here` says, with `--as-reported` as it is.
    """

    name: str
    report: str  # "A" ... "E"
    family: str  # what it is: a key of FAMILIES
    algorithm: str  # the class that trains it: "module.Class" under train/
    networks: dict  # role -> "module.function" under models/
    optimizers: dict  # role -> Optimizer; the role says what it updates
    batch_size: int  # images per update of each network
    steps: int  # the length of a run; of one in epochs, on the report's data
    latent: int  # size of the code or noise
    settings: dict = dataclasses.field(default_factory=dict)  # of the algorithm alone
    about: str = ""
    reported: str = ""  # the report's own result, in its words
    ended: str = ""  # the same of the curves here: their last means for `str.format`
    epochs: float = 0.0  # the length in epochs of the data, in place of steps
    image_size: int = 64
    pixel_range: tuple = (-1.0, 1.0)  # of images inside the networks
    noise: str = "normal"  # or "uniform" in [0, 1), or "none", in an autoencoder
    attribute: str = "Smiling"  # the condition, or the t-SNE's colour
    condition: int = 0  # units appended to the noise, or attributes that are read
    d_steps: int = 1  # discriminator updates in a step, each on its own images
    g_steps: int = 1  # generator updates in a step
    augment: float = 0.0  # strength, 0 to 1, of the augmentation of images before D
    image_noise: float = 0.0  # stddev of Gaussian noise on D's images, [-1, 1] units
    images: int = 0  # training images, the first of the data's; 0 = all
    flip: bool = False  # mirror half of the training images
    # Decay of the average of the network that draws. The average spans a ninth of the
    # steps so far, and 1 / (1 - ema) steps at the most.
    ema: float = 0.999
    evaluate_every: int = 0  # steps between measurements on test/; the best ships
    meter_every: int = 0  # steps between points of the collapse meter; 0 = none
    snapshots: tuple = ()  # epochs whose averaged networks the run keeps
    features: str = "attributes"  # in which images are measured, or "random"
    start: str = ""  # weights to start from: a recipe's that ship, or one of `STAGES`
    chosen: tuple = ()  # choices that the report leaves open, in words
    here: tuple = ()  # (words of --set, why): what this repository trains with instead

    @property
    def traits(self):
        """The properties of its family.

        Raises:
            RecipeError: there is no such family.
        """
        if self.family not in FAMILIES:
            known = ", ".join(FAMILIES)
            raise RecipeError(f"{self.name}: family '{self.family}'; known: {known}")
        return FAMILIES[self.family]

    @property
    def headline(self):
        """Its most telling metric: a key of `metrics.registry.METRICS`."""
        if self.meter_every:  # its subject is the collapse
            return "collapse_meter"
        random = self.features == "random"
        return "frechet_random_features" if random else self.traits.headline

    @property
    def noise_on_pixels(self):
        """`image_noise` in units of this recipe's pixel range."""
        low, high = self.pixel_range
        return self.image_noise * (high - low) / 2

    @property
    def images_a_step(self):
        return self.batch_size * self.d_steps

    def trained_here(self):
        """This recipe with the settings of `here`, which ship."""
        return self.replace(
            dict(pair(w) for words, _ in self.here for w in words.split())
        )

    def departures(self):
        """[(setting, the report's value, this repository's, why)], in order."""
        here = self.trained_here()
        return [
            (key, self.value(key), here.value(key), why)
            for words, why in self.here
            for key, _ in map(pair, words.split())
            if self.value(key) != here.value(key)
        ]

    def value(self, key):
        """The value of a setting as `--set` names it."""
        owner, _, field = key.rpartition(".")
        if not owner and key in self.settings:
            return self.settings[key]
        return getattr(self.optimizers[owner] if owner else self, field)

    def lasting(self, images):
        """A copy with the steps of its epochs of so many training images."""
        if not self.epochs:
            return self
        steps = self.epochs * images / self.images_a_step
        return dataclasses.replace(self, steps=max(1, round(steps)))

    def replace(self, settings):
        """A copy with `settings`, {"field" or "optimizer.field": text}.

        Raises:
            RecipeError: an unknown field (the message lists the known ones), a value of
                another type or out of bounds, or a field without effect.
        """
        recipe = self
        for key, text in settings.items():
            recipe = _set(recipe, key, text)
        if "steps" in settings and "epochs" not in settings:
            recipe = dataclasses.replace(recipe, epochs=0.0)
        for key in settings:
            _check(recipe, key)
        return recipe

    @classmethod
    def from_resolved(cls, plain):
        """The inverse of `resolved`; KeyError or TypeError if `plain` is no recipe.

        A field that `plain` lacks has its default.
        """
        optimizers = {k: Optimizer(**v) for k, v in plain["optimizers"].items()}
        tuples = {k: tuple(v) for k, v in plain.items() if isinstance(v, list)}
        return cls(**(plain | tuples | {"optimizers": optimizers}))

    def resolved(self):
        """The settings as plain JSON values, without the words about them."""
        plain = dataclasses.asdict(self)
        return {
            k: list(v) if isinstance(v, tuple) else v
            for k, v in plain.items()
            if k not in WORDS
        }


# About a recipe; they train nothing.
WORDS = ("about", "reported", "ended", "chosen", "here")
FIXED = (
    *("name", "report", "family", "algorithm", "networks", "optimizers", "settings"),
    *WORDS,
    # The tables of the networks were written for these.
    *("pixel_range", "image_size", "condition", "features"),
)

_COUNT = (lambda v: v >= 1, "at least 1")
_SHARE = (lambda v: 0 <= v <= 1, "from 0 to 1")
_DECAY = (lambda v: 0 <= v < 1, "from 0 to below 1")
_ROWS = (lambda v: v >= 0 and v % LOG_EVERY == 0, f"a multiple of {LOG_EVERY}, or 0")
LIMITS = {
    **dict.fromkeys(("batch_size", "steps", "latent", "d_steps", "g_steps"), _COUNT),
    "penalty_every": _COUNT,
    **dict.fromkeys(("augment", "floor"), _SHARE),
    "real_target": (lambda v: 0 < v <= 1, "above 0, at most 1"),
    **dict.fromkeys(("ema", "beta_1", "beta_2", "rho"), _DECAY),
    "learning_rate": (lambda v: v > 0, "above 0"),
    "epsilon": (lambda v: v > 0, "above 0"),
    "decay": (lambda v: 0 < v <= 1, "above 0, at most 1"),
    "noise": (NOISES.__contains__, f"one of {', '.join(NOISES)}"),
    **dict.fromkeys(("evaluate_every", "meter_every"), _ROWS),
}
_FROM_0 = (lambda v: min(v, default=0) >= 0 if type(v) is tuple else v >= 0, "0 or more")


def flat(settings, path=""):
    """Nested dicts as one: {"optimizers.generator.learning_rate": 2e-4, ...}"""
    found = {}
    for key, value in settings.items():
        nested = isinstance(value, dict)
        found |= flat(value, f"{path}{key}.") if nested else {path + key: value}
    return found


def pair(word):
    """ "batch_size=64" -> ("batch_size", "64")"""
    key, equals, text = word.partition("=")
    if not equals:
        raise RecipeError(f"--set {word}: write FIELD=VALUE")
    return key, text


def _set(recipe, key, text):
    owner, _, field = key.rpartition(".")
    if owner and owner not in recipe.optimizers:
        known = ", ".join(sorted(recipe.optimizers))
        raise RecipeError(f"{recipe.name} has no optimizer '{owner}'; it has: {known}")
    record = recipe.optimizers[owner] if owner else recipe
    known = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    more = []
    if not owner:
        known = {k: v for k, v in known.items() if k not in FIXED} | recipe.settings
        more = [f"{role}.learning_rate, ..." for role in recipe.optimizers]
    if field not in known:
        known = ", ".join([*known, *more])
        raise RecipeError(f"unknown field '{key}' of {recipe.name}; known: {known}")
    change = {field: _parsed(known[field], text, key)}
    if owner:
        record = dataclasses.replace(record, **change)
        change = {"optimizers": recipe.optimizers | {owner: record}}
    elif field in recipe.settings:
        change = {"settings": recipe.settings | change}
    return dataclasses.replace(recipe, **change)


def _parsed(before, text, key):
    """The value that a text stands for, of the type of `before` and within its limits."""
    kind = type(before)
    try:
        if kind is bool:
            value = {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        elif kind is tuple:
            value = tuple(int(part) for part in text.split(",") if part)
        else:
            value = kind(text)
        if kind is float and not math.isfinite(value):
            raise ValueError
    except (ValueError, KeyError):
        raise RecipeError(f"field '{key}' takes {kind.__name__}, not '{text}'") from None
    usual = _FROM_0 if kind in (int, float, tuple) else (lambda v: True, "")
    fits, words = LIMITS.get(key.rpartition(".")[2], usual)
    if not fits(value):
        raise RecipeError(f"field '{key}' must be {words}, not {text}")
    return value


def _check(recipe, key):
    """Raise RecipeError if a setting has no effect in this recipe, or beside others."""
    owner, _, field = key.rpartition(".")
    if owner:
        spec = recipe.optimizers[owner]
        adam, stairs = spec.name.endswith("adam"), spec.schedule == "staircase"
        used = {"beta_1": adam, "beta_2": adam, "rho": spec.name == "rmsprop"}
        used |= {"epsilon": spec.name != "sgd", "floor": spec.schedule == "cosine"}
        used |= {"decay": stairs and spec.decay_steps > 0, "decay_steps": stairs}
        beside = ("name", "schedule")[field in ("decay", "decay_steps", "floor")]
        where = f"with {beside}={getattr(spec, beside)}"
    else:
        of_d = ("d_steps", "g_steps", "augment", "image_noise")
        of_drawing = ("noise", "meter_every", "evaluate_every")
        used = dict.fromkeys(of_d, recipe.traits.adversarial)
        used |= dict.fromkeys(of_drawing, recipe.traits.draws)
        where = f"in this recipe of {recipe.family}"
    if not used.get(field, True):
        raise RecipeError(f"field '{key}' has no effect {where}")
    if recipe.noise == "none" and not recipe.traits.rebuilds:
        raise RecipeError(f"field 'noise' cannot be none in a recipe of {recipe.family}")
    if recipe.noise == "uniform" and recipe.settings.get("kl_weight"):
        raise RecipeError("field 'noise': the KL term is that of normal noise")
