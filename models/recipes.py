"""What is trained and how: one frozen dataclass per system of the reports.

`RECIPES` is the only list of them. The command lines, the tests, the README's
table and the cards beside the weights all read it.
"""

import dataclasses
import difflib

from models.errors import UserError


class RecipeError(UserError):
    """An unknown recipe or field, or a value that does not fit; one line."""


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """One optimizer, of `keras.optimizers`."""

    name: str = "adam"  # or "rmsprop"
    learning_rate: float = 2e-4
    beta_1: float = 0.9  # Adam only
    beta_2: float = 0.999  # Adam only
    decay: float = 1.0  # learning rate x decay ...
    decay_steps: int = 0  # ... every so many updates, in stairs; 0 = never

    def __post_init__(self):
        if self.name not in ("adam", "rmsprop"):
            raise RecipeError(f"unknown optimizer '{self.name}'; known: adam, rmsprop")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A system of a report, complete: what `python -m train <name>` does."""

    name: str
    report: str  # "A" ... "E"
    family: str  # which train_step: a key of train.families.FAMILIES
    networks: dict  # role -> "module.function" under models/
    optimizers: dict  # role -> Optimizer; the role names what it moves
    batch_size: int  # images per update of each network
    steps: int  # the default length of a run; resuming may change it
    latent: int  # size of the code or noise
    about: str = ""
    reported: str = ""  # the report's own result, as far as it is a number
    image_size: int = 64
    pixel_range: tuple = (-1.0, 1.0)  # of images inside the networks
    attribute: str = "Smiling"  # the condition, or the t-SNE's colour
    condition: int = 0  # units appended to the noise
    kl_weight: float = 0.0  # weight of KL (nats per image) beside the squared error
    sum_squares: bool = False  # squared error summed over the image, not its mean
    d_steps: int = 1  # discriminator updates in a step, each on its own images
    g_steps: int = 1  # generator updates in a step
    wasserstein: bool = False  # D is a critic: scores, no log
    clip: float = 0.0  # critic weights into [-clip, clip]; 0 = no clipping
    gradient_penalty: float = 0.0  # weight of the critic's gradient penalty
    image_noise: float = 0.0  # stddev of Gaussian noise on D's images, [-1, 1] units
    real_target: float = 1.0  # D's target on real images; < 1 is a soft label
    flip: bool = False  # mirror half of the training images
    ema: float = 0.999  # decay of the average of the network that draws
    meter_every: int = 0  # steps between points of the collapse meter; 0 = none
    snapshots: tuple = ()  # epochs whose drawing networks the run keeps

    def replace(self, settings):
        """A copy with `settings`, {"field" or "optimizer.field": text}.

        Raises:
            RecipeError: unknown field (lists the known ones), or a value of
                another type.
        """
        recipe = self
        for key, text in settings.items():
            recipe = _set(recipe, key, text)
        return recipe

    @classmethod
    def from_resolved(cls, plain):
        """The inverse of `resolved`; KeyError or TypeError where it is not one."""
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
    "pixel_range",
)


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


def _set_field(record, field, text, key):
    known = [f.name for f in dataclasses.fields(record) if f.name not in FIXED]
    if isinstance(record, Optimizer):
        known.append("name")
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
            value = tuple(int(part) for part in text.split(","))
        else:
            value = kind(text)
    except (ValueError, KeyError):
        raise RecipeError(
            f"recipe field '{key}' takes {kind.__name__}, not '{text}'"
        ) from None
    low = min(value, default=0) if kind is tuple else value
    if kind in (int, float, tuple) and not (low >= 0):
        raise RecipeError(f"recipe field '{key}' cannot be {text}")
    if field in ("batch_size", "latent", "d_steps", "g_steps") and value < 1:
        raise RecipeError(f"recipe field '{key}' must be at least 1, not {text}")
    return dataclasses.replace(record, **{field: value})


ADAM_C = Optimizer("adam", 2e-4, beta_1=0.5)
ADAM_D = Optimizer("adam", 1e-4, beta_1=0.5)


def _report_d(name, about, generator="generator", discriminator="discriminator", **more):
    """A recipe of Report D: what differs from its DCGAN."""
    settings = {
        "optimizers": {"discriminator": ADAM_D, "generator": ADAM_D},
        "batch_size": 64,
        "steps": 20_000,  # 18 epochs of the report's 71,314 images
        "latent": 100,
        "image_size": 96,
        "ema": 0.0,  # the study is of the generator itself
        "meter_every": 25,
    }
    networks = {
        "generator": f"report_d.{generator}",
        "discriminator": f"report_d.{discriminator}",
    }
    return Recipe(name, "D", "gan", networks, about=about, **(settings | more))


GRADIENT_PENALTY = {
    "discriminator": "critic",
    "wasserstein": True,
    "gradient_penalty": 250.0,
    "d_steps": 3,
}


_ALL = [
    Recipe(
        "vae_a",
        "A",
        "vae",
        {"encoder": "report_a.vae_encoder", "decoder": "report_a.vae_decoder"},
        {"vae": Optimizer("adam", 1e-4)},
        about="VAE, conv 64-128-256-512, sigmoid output",
        batch_size=64,
        steps=30_000,
        latent=512,
        pixel_range=(0.0, 1.0),
        attribute="Male",
        kl_weight=2.5e-6,  # vae_c's 1e-5 in [-1, 1]: squared errors are 1/4 here
    ),
    Recipe(
        "wgan_a",
        "A",
        "gan",
        {"generator": "report_a.generator", "discriminator": "report_a.critic"},
        {
            "discriminator": Optimizer("rmsprop", 5e-5),
            "generator": Optimizer("rmsprop", 5e-5),
        },
        about="DCGAN with Wasserstein loss, critic weights clipped to 0.01",
        batch_size=64,
        steps=30_000,
        latent=100,
        d_steps=5,
        wasserstein=True,
        clip=0.01,
    ),
    Recipe(
        "acgan_a",
        "A",
        "acgan",
        {"generator": "report_a.generator", "discriminator": "report_a.acgan_critic"},
        {
            "discriminator": Optimizer("rmsprop", 5e-5),
            "generator": Optimizer("rmsprop", 5e-5),
        },
        about="wgan_a and a dense classifier on the critic's features",
        batch_size=64,
        steps=30_000,
        latent=100,
        condition=1,
        d_steps=5,
        wasserstein=True,
        clip=0.01,
    ),
    Recipe(
        "vae_b",
        "B",
        "vae",
        {"encoder": "report_b.vae_encoder", "decoder": "report_b.vae_decoder"},
        {"vae": Optimizer("adam", 2e-4, decay=0.9, decay_steps=4000)},
        about="VAE with a code of 1024, learning rate x0.9 every 4000 steps",
        batch_size=200,
        steps=100_000,  # 500 epochs of the course's 40,000 images
        latent=1024,
        kl_weight=5e-5,
    ),
    Recipe(
        "gan_b",
        "B",
        "gan",
        {"generator": "report_b.generator", "discriminator": "report_b.discriminator"},
        {
            "discriminator": Optimizer("rmsprop", 1e-4),
            "generator": Optimizer("adam", 5e-5),
        },
        about="GAN, two-branch generator, average-pooled discriminator",
        reported="both losses near 0.6",
        batch_size=200,
        steps=100_000,
        latent=256,
    ),
    Recipe(
        "acgan_b",
        "B",
        "acgan3",
        {
            "generator": "report_b.generator",
            "discriminator": "report_b.acgan_discriminator",
        },
        {
            "discriminator": Optimizer("rmsprop", 5e-5),
            "classifier": Optimizer("adam", 1e-4),
            "generator": Optimizer("adam", 1e-4),
        },
        about="gan_b and a classifier head, three optimizers",
        batch_size=200,
        steps=100_000,
        latent=256,
        condition=1,
    ),
    Recipe(
        "infogan_b",
        "B",
        "infogan",
        {
            "generator": "report_b.generator",
            "discriminator": "report_b.infogan_discriminator",
        },
        {
            "discriminator": Optimizer("rmsprop", 5e-5),
            "classifier": Optimizer("adam", 1e-4),
            "generator": Optimizer("adam", 1e-4),
        },
        about="acgan_b with 7 categories found without labels",
        batch_size=200,
        steps=70_000,
        latent=256,
        condition=7,
    ),
    Recipe(
        "vae_c",
        "C",
        "vae",
        {"encoder": "report_c.vae_encoder", "decoder": "report_c.vae_decoder"},
        {"vae": ADAM_C},
        about="VAE printed layer by layer",
        reported="test MSE 0.0291 in [-1, 1]",
        batch_size=32,
        steps=50_000,
        latent=512,
        attribute="Bangs",
        kl_weight=1e-5,
    ),
    Recipe(
        "dcgan_c",
        "C",
        "gan",
        {
            "generator": "report_c.dcgan_generator",
            "discriminator": "report_c.dcgan_discriminator",
        },
        {
            "discriminator": Optimizer("adam", 5e-5, beta_1=0.5),
            "generator": ADAM_C,
        },
        about="DCGAN printed layer by layer, two generator updates per step",
        reported="D's loss settles near 0.5",
        batch_size=128,
        steps=70_000,  # where the report's curves settle
        latent=100,
        g_steps=2,
        image_noise=0.1,  # the report names both tricks, not their size
        real_target=0.9,
    ),
    Recipe(
        "acgan_c",
        "C",
        "acgan",
        {
            "generator": "report_c.acgan_generator",
            "discriminator": "report_c.acgan_discriminator",
        },
        {"discriminator": ADAM_C, "generator": ADAM_C},
        about="ACGAN printed layer by layer, dropout in the discriminator",
        batch_size=128,
        steps=30_000,
        latent=100,
        condition=1,
    ),
    _report_d("dcgan_d", "DCGAN at 96x96"),
    _report_d(
        "wgan_gp_d",
        "WGAN-GP on the same networks, without batch norm in the critic",
        optimizers={
            "discriminator": Optimizer("adam", 2e-3, beta_1=0.5),
            "generator": Optimizer("adam", 2e-3, beta_1=0.5),
        },
        **GRADIENT_PENALTY,
    ),
    _report_d(
        "wgan_gp_same_d", "a cure: wgan_gp_d with dcgan_d's optimizer", **GRADIENT_PENALTY
    ),
    _report_d(
        "dcgan_dropout_d",
        "a cure: dropout 0.5 before the discriminator's last convolution",
        discriminator="dropout_discriminator",
    ),
    _report_d(
        "dcgan_dropout_g_d",
        "the cure that failed: dropout 0.5 in the generator as well",
        generator="dropout_generator",
        discriminator="dropout_discriminator",
    ),
    *(
        Recipe(
            name,
            "E",
            "vae",
            {"encoder": "report_e.vae_encoder", "decoder": "report_e.vae_decoder"},
            {"vae": Optimizer("adam", 1e-4)},
            about=f"VAE with a code of 20, KL term x{weight:g}",
            batch_size=100,
            steps=8000,  # 100 epochs of 8,000 images
            latent=20,
            pixel_range=(0.0, 1.0),
            kl_weight=weight,
            sum_squares=True,
            snapshots=(10, 50, 100),
        )
        for name, weight in (("vae_e", 1.0), ("vae_e_kl0", 0.0), ("vae_e_kl100", 100.0))
    ),
    Recipe(
        "attributes",
        "-",
        "classifier",
        {"classifier": "attributes.classifier"},
        {"classifier": Optimizer("adam", 1e-3, decay=0.5, decay_steps=1000)},
        about="reads the 13 attributes; measures the others, in no report",
        batch_size=64,
        steps=5000,
        latent=1,
        flip=True,
    ),
]

RECIPES = {recipe.name: recipe for recipe in _ALL}


def get_recipe(name):
    """The recipe called `name`.

    Raises:
        RecipeError: unknown name; the message lists the known ones.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise RecipeError(f"unknown recipe '{name}'{hint}; known: {', '.join(RECIPES)}")
    return RECIPES[name]
