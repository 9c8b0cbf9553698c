"""What is trained and how: a recipe for every system of the reports.

`RECIPES` is the only list of them. The command lines, the tests, the README's
table and the cards beside the weights all read it.
"""

import difflib

from models.recipe import Optimizer, Recipe, RecipeError

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
        reported="too little variance, for want of training",
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
        reported="clear faces, many broken",
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
        reported="classifier's loss swings with the critic's",
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
        reported="sharper than with a code of 512",
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
        reported="smiles with raised cheekbones",
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
        reported="a smile, a man, a woman, old, looking right",
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
        reported="classified better on generated than on real faces",
        batch_size=128,
        steps=30_000,
        latent=100,
        condition=1,
    ),
    _report_d("dcgan_d", "DCGAN at 96x96", reported="collapses at epoch 18"),
    _report_d(
        "wgan_gp_d",
        "WGAN-GP on the same networks, without batch norm in the critic",
        reported="no collapse by epoch 39, a little blurred",
        optimizers={
            "discriminator": Optimizer("adam", 2e-3, beta_1=0.5),
            "generator": Optimizer("adam", 2e-3, beta_1=0.5),
        },
        **GRADIENT_PENALTY,
    ),
    _report_d(
        "wgan_gp_same_d",
        "a cure: wgan_gp_d with dcgan_d's optimizer",
        reported="no collapse by epoch 18, but blurred",
        **GRADIENT_PENALTY,
    ),
    _report_d(
        "dcgan_dropout_d",
        "a cure: dropout 0.5 before the discriminator's last convolution",
        reported="no collapse by epochs 18 and 30",
        discriminator="dropout_discriminator",
    ),
    _report_d(
        "dcgan_dropout_g_d",
        "the cure that failed: dropout 0.5 in the generator as well",
        reported="hardly trains",
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
            reported=reported,
            batch_size=100,
            steps=8000,  # 100 epochs of 8,000 images
            latent=20,
            pixel_range=(0.0, 1.0),
            kl_weight=weight,
            sum_squares=True,
            snapshots=(10, 50, 100),
        )
        for name, weight, reported in (
            ("vae_e", 1.0, "sharper by epoch; samples blurred"),
            ("vae_e_kl0", 0.0, "as x1, in deeper colours"),
            ("vae_e_kl100", 100.0, "reconstructions and samples blurred"),
        )
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
