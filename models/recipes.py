"""What is trained and how: a recipe for every system of the reports.

`RECIPES` is the only list of them. The command lines, the tests, the README's
table and the cards beside the weights all read it.
"""

import dataclasses
import difflib

from models.recipe import Optimizer, Recipe, RecipeError

ADAM_C = Optimizer("pytorch_adam", 2e-4, beta_1=0.5, epsilon=1e-8)
ADAM_D = Optimizer("pytorch_adam", 1e-4, beta_1=0.5, epsilon=1e-8)
RMSPROP_A = Optimizer("rmsprop", 5e-5, rho=0.9, epsilon=1e-10)  # TensorFlow 1's
ADAM_RECENT = Optimizer(
    *("pytorch_adam", 4e-4), beta_1=0.0, beta_2=0.99, epsilon=1e-8, schedule="cosine"
)

# What several reports leave open.
AVERAGED = "an average of the weights draws"
NORM = "batch norm's momentum 0.9 and epsilon 1e-5 (PyTorch's)"
SUMS = "KL summed over the code, MSE a mean over the image"
CHOSEN_A = (
    "kernel 5x5, stride 2, leaky slope 0.2",
    "weights: Keras' Glorot",
    "length of training",
    NORM,
    AVERAGED,
)
WGAN_A = (
    *CHOSEN_A,
    "rate 5e-5, 5 critic steps, z 100, batch 64 (the WGAN paper's)",
    "filters 64 to 512, tanh and pixels in [-1, 1], a dense start",
    "RMSProp with TensorFlow 1's rho 0.9 and epsilon 1e-10",
)
CHOSEN_B = (
    "activations leaky ReLU 0.2 where the tables name none",
    'padding "same"',
    "the right branch's filters and stride, cut off in the table",
    "weights: Keras' Glorot; RMSProp and Adam with Keras' epsilon",
    NORM,
    AVERAGED,
)
CHOSEN_C = (
    "weights: PyTorch's default, uniform within 1/sqrt(fan in)",
    "Adam as PyTorch has it, epsilon 1e-8",
    "length of training",
    AVERAGED,
)
CHOSEN_D = (
    "the DCGAN of Report C, from 6x6 to 96x96",
    *CHOSEN_C[:2],
    "steps of the runs",
)
CHOSEN_RECENT = ("everything: the recipe is in no report",)

# What this repository trains with instead of the report's settings, and why.
BEST = "what measured best ships"
MORE_UPDATES = "smaller batches: an hour of a core has more updates"
FEWER_FACES = ("flip=true", "8,000 faces in place of 40,000")


def _cosine(**rates):
    """The words of `--set` for rates that fall to 0 along a cosine."""
    return " ".join(
        f"{k}.learning_rate={v} {k}.schedule=cosine" for k, v in rates.items()
    )


def _here_a(steps):
    """How Report A's GANs train here: so many steps."""
    return (
        (f"batch_size=32 steps={steps} d_steps=2", MORE_UPDATES),
        (
            _cosine(discriminator="3e-4", generator="4e-4"),
            "at 5e-5 the weights hardly move in these hours",
        ),
        ("image_noise=0.2", "gives a critic behind batch norm a measure of contrast"),
        FEWER_FACES,
        ("evaluate_every=500", BEST),
    )


def _here_b(steps, start, why):
    """How Report B's GANs train here: so many steps, from these weights."""
    return (
        (f"batch_size=16 steps={steps} d_steps=2", MORE_UPDATES),
        (f"start={start}", why),
        ("generator.beta_1=0.5", "as in DCGAN (Radford et al. 2016)"),
        ("image_noise=0.15 augment=0.2", "D must not remember 8,000 faces"),
        FEWER_FACES,
        ("evaluate_every=500", BEST),
    )


STAGE_B = "from random weights G draws one face for its first thousand steps"
AFTER_GAN_B = _here_b(3000, "gan_b", "it draws faces; what reads the condition is fresh")
OPTIMIZERS_B = {
    "discriminator": Optimizer("rmsprop", 5e-5),
    "classifier": Optimizer("adam", 1e-4),
    "generator": Optimizer("adam", 1e-4),
}
RATES_B = "at the report's rates the weights hardly move in these hours"
THREE_B = _cosine(discriminator="2e-4", classifier="2e-4", generator="1e-4"), RATES_B


def _report_d(name, about, generator="generator", discriminator="discriminator", **more):
    """A recipe of Report D: what differs from its DCGAN."""
    settings = {
        "optimizers": {"discriminator": ADAM_D, "generator": ADAM_D},
        "batch_size": 64,
        "latent": 100,
        "image_size": 96,
        "ema": 0.0,  # the study is of the generator itself
        "meter_every": 25,
        "features": "random",  # photographs taught the others
        "chosen": CHOSEN_D,
    }
    networks = {
        "generator": f"report_d.{generator}",
        "discriminator": f"report_d.{discriminator}",
    }
    algorithm = more.pop("algorithm", "gans.GAN")
    if algorithm != "gans.WGANGP":
        settings["settings"] = {"real_target": 1.0}
    settings |= more
    # The report counts in epochs, of 71,314 images.
    each = settings["batch_size"] * settings.get("d_steps", 1)
    settings["steps"] = round(settings["epochs"] * 71_314 / each)
    return Recipe(name, "D", "gan", algorithm, networks, about=about, **settings)


GRADIENT_PENALTY = {
    "algorithm": "gans.WGANGP",
    "discriminator": "critic",
    "settings": {"gradient_penalty": 250.0},
    "d_steps": 3,
    "chosen": (*CHOSEN_D, "no batch norm in the critic"),
}


FAST = {  # the report's rate of its WGAN-GP
    "optimizers": dict.fromkeys(
        ("discriminator", "generator"), dataclasses.replace(ADAM_D, learning_rate=2e-3)
    )
}
ALL_ANIME = (
    "images=19000 flip=true ema=0.998 meter_every=0",
    "better faces; the last 1,000 images are for measuring; no study of collapse",
)


def _few_anime(epochs=18, kept=14):
    """`here` of the study of collapse: one optimizer and as many steps for all."""
    return (
        ("batch_size=16 images=2000", "half an hour of a core, 1.3 with penalties"),
        (f"epochs={epochs}", "for all as many steps as 18 epochs of a batch a step"),
        (
            "discriminator.learning_rate=2e-4 discriminator.schedule=cosine "
            "generator.learning_rate=4e-4",
            "D's rate falls, G's does not: faces first, the collapse later",
        ),
        (f"snapshots={kept}", "before dcgan_collapse_d collapses"),
    )


PENALTIES = {"r1": 0.1, "r2": 0.1, "penalty_every": 8}
RECENT = {
    "batch_size": 32,
    "steps": 18_000,
    "latent": 128,
    "augment": 1.0,
    "flip": True,
    "ema": 0.9995,
    "evaluate_every": 500,
    "chosen": CHOSEN_RECENT,
}


_ALL = [
    Recipe(
        "vae_a",
        "A",
        "vae",
        "vae.VAE",
        {"encoder": "report_a.vae_encoder", "decoder": "report_a.vae_decoder"},
        {"vae": Optimizer("adam", 1e-4)},
        about="VAE, conv 64-128-256-512, sigmoid output",
        reported="too little variance, undertrained",
        batch_size=64,
        steps=30_000,
        latent=512,
        pixel_range=(0.0, 1.0),
        attribute="Male",
        # vae_c's 1e-5 in [-1, 1]: squared errors are 1/4 here
        settings={"kl_weight": 2.5e-6, "sum_squares": False},
        chosen=(
            *CHOSEN_A,
            "batch norm in the decoder, and its dense start of 4x4x512",
            "KL weight, that of vae_c in the range [0, 1]",
            "Adam 1e-4, batch 64",
            SUMS,
        ),
        here=(
            ("batch_size=16 steps=6000", "1.2 hours of two cores"),
            FEWER_FACES,
            ("evaluate_every=500", BEST),
        ),
    ),
    Recipe(
        "wgan_a",
        "A",
        "gan",
        "gans.WGAN",
        {"generator": "report_a.generator", "discriminator": "report_a.critic"},
        {"discriminator": RMSPROP_A, "generator": RMSPROP_A},
        about="DCGAN with Wasserstein loss, critic weights clipped to 0.01",
        reported="clear faces, many broken",
        batch_size=64,
        steps=30_000,
        latent=100,
        d_steps=5,
        settings={"clip": 0.01},
        chosen=WGAN_A,
        here=_here_a(5000),
    ),
    Recipe(
        "acgan_a",
        "A",
        "acgan",
        "gans.ACWGAN",
        {"generator": "report_a.generator", "discriminator": "report_a.acgan_critic"},
        {"discriminator": RMSPROP_A, "generator": RMSPROP_A},
        about="wgan_a and a dense classifier on the critic's features",
        reported="classifier swings with the critic",
        batch_size=64,
        steps=30_000,
        latent=100,
        condition=1,
        d_steps=5,
        settings={"clip": 0.01, "classify": 1.0},
        chosen=(
            *WGAN_A,
            "the classifier: one dense layer, not clipped with the critic",
        ),
        here=_here_a(7000),
    ),
    Recipe(
        "vae_b",
        "B",
        "vae",
        "vae.VAE",
        {"encoder": "report_b.vae_encoder", "decoder": "report_b.vae_decoder"},
        {
            "vae": Optimizer(
                "adam", 2e-4, schedule="staircase", decay=0.9, decay_steps=4000
            )
        },
        about="VAE with a code of 1024, learning rate x0.9 every 4000 steps",
        reported="sharper than with a code of 512",
        batch_size=200,
        steps=100_000,
        epochs=500.0,  # of the course's 40,000 images
        latent=1024,
        settings={"kl_weight": 5e-5, "sum_squares": False},
        chosen=(
            "the networks: four strided convolutions with batch norm, mirrored",
            "pixels in [-1, 1]",
            "weights: Keras' Glorot; Adam with Keras' epsilon",
            "the rate falls in stairs (TensorFlow's default is continuous)",
            "t-SNE by Smiling",
            *(SUMS, NORM, AVERAGED),
        ),
        here=(("batch_size=32 steps=10000", "0.9 hours of two cores"), FEWER_FACES),
    ),
    Recipe(
        "gan_b",
        "B",
        "gan",
        "gans.GAN",
        {"generator": "report_b.generator", "discriminator": "report_b.discriminator"},
        {
            "discriminator": Optimizer("rmsprop", 1e-4),
            "generator": Optimizer("adam", 5e-5),
        },
        about="GAN, two-branch generator, average-pooled discriminator",
        reported="both losses near 0.6",
        ended="losses {d_loss_real:.2f} and {d_loss_fake:.2f}",
        batch_size=200,
        steps=100_000,
        latent=256,
        settings={"real_target": 1.0},
        chosen=CHOSEN_B,
        here=(
            *_here_b(8000, "decoder_b", STAGE_B),
            (_cosine(discriminator="2e-4", generator="1e-4"), RATES_B),
        ),
    ),
    Recipe(
        "acgan_b",
        "B",
        "acgan",
        "gans.ACGAN3",
        {
            "generator": "report_b.generator",
            "discriminator": "report_b.acgan_discriminator",
        },
        OPTIMIZERS_B,
        about="gan_b and a classifier head, three optimizers",
        reported="smiles with raised cheekbones",
        batch_size=200,
        steps=100_000,
        latent=256,
        condition=1,
        settings={"real_target": 1.0, "classify": 1.0},
        chosen=(
            *CHOSEN_B,
            "D and the classifier both move the extractor",
            "the label as one number, 0 or 1",
        ),
        here=(
            *AFTER_GAN_B,
            THREE_B,
            ("classify=4", "the label is one of 257 numbers that G gets"),
        ),
    ),
    Recipe(
        "infogan_b",
        "B",
        "infogan",
        "gans.InfoGAN",
        {
            "generator": "report_b.generator",
            "discriminator": "report_b.infogan_discriminator",
        },
        OPTIMIZERS_B,
        about="acgan_b with 7 categories found without labels",
        reported="a smile, a man, a woman, old",
        batch_size=200,
        steps=70_000,
        latent=256,
        condition=7,
        settings={"real_target": 1.0, "classify": 1.0},
        chosen=(*CHOSEN_B, "D and the classifier both move the extractor"),
        here=(*AFTER_GAN_B, THREE_B),
    ),
    Recipe(
        "decoder_b",
        "-",
        "vae",
        "vae.VAE",
        {"encoder": "report_b.vae_encoder", "decoder": "report_b.generator"},
        {"vae": Optimizer("adam", 3e-4, schedule="cosine")},
        about="first stage of Report B's GANs: their generator as a VAE's decoder",
        batch_size=32,
        steps=300,
        latent=256,
        flip=True,
        settings={"kl_weight": 2e-4, "sum_squares": False},
        chosen=("everything: the first stage is in no report", SUMS),
    ),
    Recipe(
        "vae_c",
        "C",
        "vae",
        "vae.VAE",
        {"encoder": "report_c.vae_encoder", "decoder": "report_c.vae_decoder"},
        {"vae": ADAM_C},
        about="VAE printed layer by layer",
        reported="test MSE 0.0291",
        batch_size=32,
        steps=50_000,
        latent=512,
        attribute="Bangs",
        settings={"kl_weight": 1e-5, "sum_squares": False},
        chosen=(*CHOSEN_C, SUMS, "that its MSE of 0.0291 is in [-1, 1]"),
        here=(
            ("batch_size=64 steps=21000", "two minutes of a GPU"),
            (
                "vae.schedule=staircase vae.decay=0.5 vae.decay_steps=12000",
                "a lower error at the end",
            ),
            FEWER_FACES,
            ("evaluate_every=1000", BEST),
        ),
    ),
    Recipe(
        "dcgan_c",
        "C",
        "gan",
        "gans.GAN",
        {
            "generator": "report_c.dcgan_generator",
            "discriminator": "report_c.dcgan_discriminator",
        },
        {
            "discriminator": dataclasses.replace(ADAM_C, learning_rate=5e-5),
            "generator": ADAM_C,
        },
        about="DCGAN printed layer by layer, two generator updates per step",
        reported="D's loss settles near 0.5",
        ended="D's loss {d_loss:.2f}",
        batch_size=128,
        steps=70_000,  # where the report's curves settle
        latent=100,
        g_steps=2,
        image_noise=0.1,  # the report names both tricks, not their size
        settings={"real_target": 0.9},
        chosen=(
            *CHOSEN_C,
            "that both tricks which the report tried are on: noise 0.1, real target 0.9",
        ),
        here=(
            ("batch_size=32 steps=5000 d_steps=2", MORE_UPDATES),
            (
                _cosine(discriminator="2e-4", generator="2e-4"),
                "D keeps up with two updates of G",
            ),
            ("augment=0.4", "D must not remember 8,000 faces; from 0.6 on G is slower"),
            FEWER_FACES,
            ("evaluate_every=500", BEST),
        ),
    ),
    Recipe(
        "acgan_c",
        "C",
        "acgan",
        "gans.ACGAN",
        {
            "generator": "report_c.acgan_generator",
            "discriminator": "report_c.acgan_discriminator",
        },
        {"discriminator": ADAM_C, "generator": ADAM_C},
        about="ACGAN printed layer by layer, dropout in the discriminator",
        reported="reads generated faces best",
        ended="reads {c_accuracy_fake:.0%} right, real {c_accuracy_real:.0%}",
        batch_size=128,
        steps=30_000,
        latent=100,
        condition=1,
        settings={"real_target": 1.0, "classify": 1.0},
        chosen=(
            *CHOSEN_C,
            "the label joins the noise as 0 or 1",
            "cross entropy of logits, where the report has Softmax and then "
            "CrossEntropyLoss",
        ),
        here=(
            ("batch_size=32 steps=5000 d_steps=2", MORE_UPDATES),
            (
                _cosine(discriminator="4e-4", generator="2e-4"),
                "dropout slows D; at 2e-4 it falls behind",
            ),
            ("image_noise=0.1 augment=0.3", "D must not remember 8,000 faces"),
            FEWER_FACES,
            ("evaluate_every=500", BEST),
        ),
    ),
    _report_d(
        "dcgan_d",
        "DCGAN at 96x96",
        reported="16 faces at epoch 9",
        epochs=9.0,
        here=(
            ("batch_size=32 epochs=4", MORE_UPDATES),
            (_cosine(discriminator="2e-4", generator="2e-4"), "as dcgan_c"),
            ("image_noise=0.1", "without it contrast goes: D's batch norm hides it"),
            ALL_ANIME,
            ("evaluate_every=500", BEST),
        ),
    ),
    _report_d(
        "wgan_gp_d",
        "WGAN-GP on the same networks, without batch norm in the critic",
        reported="16 faces, blurred",
        epochs=39.0,
        here=(
            ("batch_size=16 epochs=8", MORE_UPDATES),
            (
                _cosine(discriminator="2e-4", generator="2e-4"),
                "2e-3 diverges in batches of 16",
            ),
            ALL_ANIME,
            ("evaluate_every=500", BEST),
        ),
        **GRADIENT_PENALTY | FAST,
    ),
    _report_d(
        "dcgan_collapse_d",
        "dcgan_d, trained until it collapses",
        reported="collapses at epoch 18",
        epochs=18.0,
        here=_few_anime(),
    ),
    _report_d(
        "dcgan_dropout_d",
        "a cure: dropout 0.5 before the discriminator's last convolution",
        reported="no collapse by epochs 18 and 30",
        epochs=30.0,
        discriminator="dropout_discriminator",
        here=_few_anime(),
    ),
    _report_d(
        "dcgan_dropout_g_d",
        "the cure that failed: dropout 0.5 in the generator as well",
        reported="hardly trains",
        epochs=18.0,
        generator="dropout_generator",
        discriminator="dropout_discriminator",
        here=_few_anime(),
    ),
    _report_d(
        "wgan_gp_same_d",
        "a cure: WGAN-GP with the optimizer of the DCGAN",
        reported="no collapse by epoch 18, but blurred",
        epochs=18.0,
        here=_few_anime(54, 42),  # three batches a step: the same steps
        **GRADIENT_PENALTY,
    ),
    _report_d(
        "lsgan_d",
        "dcgan_collapse_d with squared errors, which the report's question suggests",
        algorithm="gans.LSGAN",
        epochs=18.0,
        chosen=(*CHOSEN_D, "the system itself: the report tries other cures"),
        here=_few_anime(),
    ),
    _report_d(
        "wgan_gp_few_d",
        "wgan_gp_d on the images of the study of collapse, with its own optimizer",
        reported="no collapse by epoch 39, blurred",
        epochs=39.0,
        here=(
            ("batch_size=16 steps=1625 images=2000 snapshots=18", "40 minutes of a core"),
            (
                "discriminator.learning_rate=2e-4 generator.learning_rate=2e-4",
                "2e-3 diverges in batches of 16",
            ),
        ),
        **GRADIENT_PENALTY | FAST,
    ),
    *(
        Recipe(
            name,
            "E",
            "vae",
            "vae.VAE",
            {"encoder": "report_e.vae_encoder", "decoder": "report_e.vae_decoder"},
            {"vae": Optimizer("adam", 1e-4)},
            about=f"VAE with a code of 20, KL term x{weight:g}",
            reported=reported,
            batch_size=100,
            steps=8000,
            epochs=100.0,
            latent=20,
            pixel_range=(0.0, 1.0),
            settings={"kl_weight": weight, "sum_squares": True},
            snapshots=(10, 50, 100),
            chosen=(
                "the networks: four strided convolutions 32-64-64-128, mirrored",
                "squared error summed over the image, sigmoid output, code of 20",
                "weights: Keras' Glorot; Adam with Keras' epsilon",
                "the data: faces; pixels in [0, 1]; the optimizer (it has the rate only)",
                AVERAGED,
            ),
        )
        for name, weight, reported in (
            ("vae_e", 1.0, "sharper by epoch; samples blurred"),
            ("vae_e_kl0", 0.0, "as x1, in deeper colours"),
            ("vae_e_kl100", 100.0, "reconstructions and samples blurred"),
        )
    ),
    Recipe(
        "rpgan",
        "-",
        "gan",
        "gans.RelativisticGAN",
        {"generator": "rpgan.generator", "discriminator": "rpgan.discriminator"},
        {"discriminator": ADAM_RECENT, "generator": ADAM_RECENT},
        about="a compact GAN: relativistic pairs, R1 and R2, augmentation",
        settings=PENALTIES,
        # Without attributes full augmentation is slower.
        **RECENT | {"steps": 12_000, "augment": 0.4},
    ),
    Recipe(
        "rpgan_attributes",
        "-",
        "attribute_gan",
        "gans.AttributeGAN",
        {
            "generator": "rpgan.generator",
            "discriminator": "rpgan.attribute_discriminator",
        },
        {"discriminator": ADAM_RECENT, "generator": ADAM_RECENT},
        about="rpgan conditioned on 13 attributes",
        condition=13,
        settings=PENALTIES | {"classify": 1.0},
        **RECENT,
    ),
    Recipe(
        "attributes",
        "-",
        "classifier",
        "classifier.Classifier",
        {"classifier": "attributes.classifier"},
        {
            "classifier": Optimizer(
                *("adam", 1e-3), schedule="staircase", decay=0.6, decay_steps=625
            )
        },
        about="reads the 13 attributes; measures the others, in no report",
        condition=13,
        chosen=CHOSEN_RECENT,
        batch_size=64,
        steps=5000,
        ema=0.998,
        latent=1,
        images=7000,  # the last 1,000 are the distances' "real faces"
        flip=True,
    ),
]

RECIPES = {recipe.name: recipe for recipe in _ALL}
STAGES = {"decoder_b"}  # first stages of others, in their runs; they ship no weights


def get_recipe(name):
    """The recipe called `name`.

    Raises:
        RecipeError: unknown name (the message lists the known ones), or a mistake in the
            list of recipes.
    """
    if len(RECIPES) < len(_ALL):
        names = [recipe.name for recipe in _ALL]
        twice = next(n for n in names if names.count(n) > 1)
        raise RecipeError(f"models/recipes.py: two recipes are called '{twice}'")
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise RecipeError(f"unknown recipe '{name}'{hint}; known: {', '.join(RECIPES)}")
    _ = RECIPES[name].trained_here().traits  # may refuse a setting, or its family
    return RECIPES[name]
