"""A system of a report as data: a frozen dataclass, and how a command line changes its
fields."""

import dataclasses

from cli import UserError
from models.family import FAMILIES

LOG_EVERY = 25  # steps a row of history.csv and a point in TensorBoard average


class RecipeError(UserError):
    """An unknown recipe or field, or a value that does not fit; one line."""


OPTIMIZERS = ("adam", "pytorch_adam", "rmsprop", "sgd")
NOISES = ("normal", "uniform", "none")


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """One optimizer.

    `adam`, `rmsprop` and `sgd` are those of Keras. `pytorch_adam` adds epsilon to the
    root of the bias-corrected second moment, as PyTorch does; Keras adds it before the
    correction, which in the first steps has 30 times the effect.
    """

    name: str = "adam"  # of OPTIMIZERS
    learning_rate: float = 2e-4
    beta_1: float = 0.9  # Adam only
    beta_2: float = 0.999  # Adam only
    rho: float = 0.9  # RMSprop only: decay of the mean square
    epsilon: float = 1e-7  # Adam: beside the root; RMSprop: inside it
    decay: float = 1.0  # learning rate x decay ...
    decay_steps: int = 0  # ... after this many updates, as a staircase; 0 = never

    def __post_init__(self):
        if self.name not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise RecipeError(f"unknown optimizer '{self.name}'; known: {known}")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A complete system of a report: what `python -m train <name>` trains."""

    name: str
    report: str  # "A" ... "E"
    family: str  # which train_step: a key of models.family.FAMILIES
    networks: dict  # role -> "module.function" under models/
    optimizers: dict  # role -> Optimizer; the role names what it moves
    batch_size: int  # images per update of each network
    steps: int  # the default length of a run; resuming may change it
    latent: int  # size of the code or noise
    about: str = ""
    reported: str = ""  # the report's own result, in its words
    image_size: int = 64
    pixel_range: tuple = (-1.0, 1.0)  # of images inside the networks
    noise: str = "normal"  # or "uniform" in [0, 1), or "none", in an autoencoder
    attribute: str = "Smiling"  # the condition, or the t-SNE's colour
    condition: int = 0  # units appended to the noise, or attributes that are read
    kl_weight: float = 0.0  # weight of KL (nats per image) beside the squared error
    sum_squares: bool = False  # squared error summed over the image, not its mean
    d_steps: int = 1  # discriminator updates in a step, each on its own images
    g_steps: int = 1  # generator updates in a step
    adversarial: str = "bce"  # which loss: a key of train.losses.ADVERSARIAL
    clip: float = 0.0  # critic weights into [-clip, clip]; 0 = no clipping
    gradient_penalty: float = 0.0  # weight of (|gradient| - 1)^2 between real and fake
    r1: float = 0.0  # weight of half of D's squared gradient at real images
    r2: float = 0.0  # the same at generated images
    penalty_every: int = 1  # steps between r1 and r2; their weights are multiplied by it
    classify: float = 1.0  # weight of the classification in the losses of D and G
    augment: float = 0.0  # strength, 0 to 1, of the augmentation of images before D
    image_noise: float = 0.0  # stddev of Gaussian noise on D's images, [-1, 1] units
    real_target: float = 1.0  # D's target on real images; < 1 is a soft label
    flip: bool = False  # mirror half of the training images
    ema: float = 0.999  # decay of the average of the network that draws
    meter_every: int = 0  # steps between points of the collapse meter; 0 = none
    snapshots: tuple = ()  # epochs whose drawing networks the run keeps
    chosen: tuple = ()  # choices that the report leaves open, in words

    @property
    def traits(self):
        """The properties of its family; see `models.family`."""
        return FAMILIES[self.family]

    def replace(self, settings):
        """A copy with `settings`, {"field" or "optimizer.field": text}.

        Raises:
            RecipeError: an unknown field (the message lists the known ones), a value of
                another type, or a field that this family does not use.
        """
        recipe = self
        for key, text in settings.items():
            recipe = _set(recipe, key, text)
        _check(recipe)
        for key in settings:
            _check_used(recipe, key)
        return recipe

    def words(self, other):
        """["batch_size=64", ...]: the words of `--set` that turn this recipe into
        `other`, one of the same name; the number of steps is not among them."""
        records = [("", self, other)]
        records += [(f"{k}.", o, other.optimizers[k]) for k, o in self.optimizers.items()]
        found = []
        for owner, before, after in records:
            for name in set(_settable(before)) - {"steps"}:
                value = getattr(after, name)
                if value != getattr(before, name):
                    text = ",".join(map(str, value)) if type(value) is tuple else value
                    found.append(f"{owner}{name}={text}")
        return sorted(found)

    @classmethod
    def from_resolved(cls, plain):
        """The inverse of `resolved`; KeyError or TypeError if `plain` is no recipe.

        A field that `plain` lacks has its default.
        """
        optimizers = {k: Optimizer(**v) for k, v in plain["optimizers"].items()}
        tuples = {k: tuple(v) for k, v in plain.items() if isinstance(v, list)}
        return cls(**(plain | tuples | {"optimizers": optimizers}))

    def resolved(self):
        """The recipe as plain JSON values."""
        plain = dataclasses.asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in plain.items()}


FIXED = (
    "name",
    "report",
    "family",
    "networks",
    "optimizers",
    "about",
    "reported",
    "chosen",
    # The tables of the networks were written for these.
    "pixel_range",
    "image_size",
    "condition",
)


AT_LEAST_ONE = ("batch_size", "latent", "d_steps", "g_steps", "penalty_every")


def _set(recipe, key, text):
    owner, _, field = key.rpartition(".")
    if owner:
        if owner not in recipe.optimizers:
            known = ", ".join(sorted(recipe.optimizers))
            raise RecipeError(
                f"{recipe.name} has no optimizer '{owner}'; it has: {known}"
            )
        inner = _set_field(recipe.optimizers[owner], field, text, key)
        return dataclasses.replace(recipe, optimizers=recipe.optimizers | {owner: inner})
    return _set_field(recipe, field, text, key)


def _settable(record):
    """The fields of a recipe, or of an optimizer, that `--set` may change."""
    known = [f.name for f in dataclasses.fields(record) if f.name not in FIXED]
    return known + ["name"] * isinstance(record, Optimizer)


def _set_field(record, field, text, key):
    known = _settable(record)
    if field not in known:
        extra = (
            [f"{role}.learning_rate, ..." for role in record.optimizers]
            if isinstance(record, Recipe)
            else []
        )
        raise RecipeError(
            f"unknown recipe field '{key}'; known: {', '.join(known + extra)}"
        )
    kind = type(getattr(record, field))
    try:
        if kind is bool:
            value = {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        elif kind is tuple:
            value = tuple(int(part) for part in text.split(",") if part)
        else:
            value = kind(text)
    except (ValueError, KeyError):
        raise RecipeError(
            f"recipe field '{key}' takes {kind.__name__}, not '{text}'"
        ) from None
    low = min(value, default=0) if kind is tuple else value
    if kind in (int, float, tuple) and not (low >= 0):
        raise RecipeError(f"recipe field '{key}' cannot be {text}")
    if field in AT_LEAST_ONE and value < 1:
        raise RecipeError(f"recipe field '{key}' must be at least 1, not {text}")
    return dataclasses.replace(record, **{field: value})


def _check(recipe):
    """Raise RecipeError if a setting has no effect or is not possible."""
    family, traits = recipe.family, recipe.traits
    if recipe.noise not in NOISES:
        known = ", ".join(NOISES)
        raise RecipeError(f"recipe field 'noise' is one of {known}, not '{recipe.noise}'")
    if recipe.noise == "none" and not traits.rebuilds:
        raise RecipeError(f"recipe field 'noise' cannot be none in a recipe of {family}")
    users = {
        "kl_weight sum_squares": traits.rebuilds,
        "d_steps g_steps adversarial clip gradient_penalty": traits.adversarial,
        "r1 r2 augment image_noise real_target": traits.adversarial,
        "penalty_every": recipe.r1 or recipe.r2,
        "classify": traits.adversarial and traits.asked,
        "noise meter_every": traits.draws,
    }
    default = {f.name: f.default for f in dataclasses.fields(Recipe)}
    for fields, used in users.items():
        for field in fields.split():
            if not used and getattr(recipe, field) != default[field]:
                raise RecipeError(
                    f"recipe field '{field}' has no effect in this recipe of {family}"
                )
    if recipe.augment > 1:
        raise RecipeError(f"recipe field 'augment' is 1 at most, not {recipe.augment}")
    if recipe.meter_every % LOG_EVERY:
        raise RecipeError(f"recipe field 'meter_every' must be a multiple of {LOG_EVERY}")


def _check_used(recipe, key):
    """Raise RecipeError if a setting that was asked for has no effect beside others."""
    owner, _, field = key.rpartition(".")
    if owner:
        spec = recipe.optimizers[owner]
        adam = spec.name.endswith("adam")
        used = {"beta_1": adam, "beta_2": adam, "rho": spec.name == "rmsprop"}
        used |= {"epsilon": spec.name != "sgd", "decay": spec.decay_steps > 0}
        beside = "decay_steps=0" if field == "decay" else f"name={spec.name}"
    else:
        used = {"real_target": recipe.adversarial in ("bce", "least_squares")}
        beside = f"adversarial={recipe.adversarial}"
    if not used.get(field, True):
        raise RecipeError(f"recipe field '{key}' has no effect with {beside}")
