"""The problems of the homework and the studies of the reports: a row for each script.

No other code tests for the name of one: what a script needs is a field here, or a
function of its module `inference/<name>.py`:

    draw(trained, faces, out, **options)
        draws the figures. `trained` is the weights, of a study a list of them; `faces`
        are the images of `split`, or None. Returns (numbers for results.json, what they
        say in one sentence, a table of them: rows of text, the first is its head).
    check(trained, faces, **options)
        if there is one: raises a `UserError` before the first figure.
"""

import dataclasses

from models.recipes import RECIPES


@dataclasses.dataclass(frozen=True)
class Script:
    """One script and its figures."""

    command: str  # "bash hw4_vae.sh"
    title: str
    asks: str  # what the problem asks for
    recipes: tuple  # a problem's default; all that a study compares
    captions: dict  # {figure: caption}, in the order of the page; {data} is the folder
    study: bool = False
    split: str | None = None  # whose images it reads
    least: int = 2  # of these images
    options: dict = dataclasses.field(default_factory=dict)  # {name: help}


SCRIPTS = {
    "vae": Script(
        "bash hw4_vae.sh",
        "Problem 1: variational autoencoder",
        "curves, reconstructions and their MSE, samples, t-SNE of the codes",
        ("vae_c",),
        {
            "fig1_2": "Training: KL divergence and squared error by step.",
            "fig1_3": "Test images of {data}, and below each its reconstruction.",
            "fig1_4": "32 images decoded from the prior N(0, I), image k from seed k.",
            "fig1_6": "32 images decoded from the density fitted to the codes of the "
            "training images, the same seeds.",
            "fig1_5": "t-SNE of the codes of the test images of {data}, by an attribute.",
        },
        split="test",
        options={"attribute": "colour of fig1_5 (default: the recipe's)"},
    ),
    "gan": Script(
        "bash hw4_gan.sh",
        "Problem 2: generative adversarial network",
        "curves, 32 samples, failures among samples",
        ("dcgan_c",),
        {
            "fig2_2": "Training: losses and the discriminator's accuracy by step.",
            "fig2_3": "32 images from random noise, image k from seed k.",
            "fig2_4": "In yellow boxes, the 8 of 256 random images that D "
            "scores lowest (least real); without a box, the 24 that it scores highest.",
        },
    ),
    "acgan": Script(
        "bash hw4_acgan.sh",
        "Problem 3: auxiliary classifier GAN",
        "curves, 10 pairs with and without an attribute",
        ("acgan_a",),
        {
            "fig3_2": "Training: losses and accuracies on real and on generated images.",
            "fig3_3": "10 pairs from the same noise: above with the attribute, below "
            "without it.",
        },
    ),
    "infogan": Script(
        "bash hw4_infogan.sh",
        "Bonus: InfoGAN",
        "5 faces in each category, two categories mixed",
        ("infogan_b",),
        {
            "fig4_2": "Training: losses, accuracy, and categories read back, by step.",
            "fig4_3": "5 random faces, one a row, in each of the categories.",
            "fig4_4": "Two categories mixed in one code, in steps.",
        },
        options={"categories": "two, mixed in fig4_4 (default: 0,1)"},
    ),
    "anime": Script(
        "bash hw_anime.sh",
        "Report D: mode collapse and its cures",
        "samples of DCGAN and WGAN-GP, a collapse, its cures side by side",
        (
            "dcgan_d",
            "wgan_gp_d",
            "dcgan_collapse_d",
            "dcgan_dropout_d",
            "dcgan_dropout_g_d",
            "wgan_gp_same_d",
            "lsgan_d",
            "wgan_gp_few_d",
        ),
        {
            "fig5_1": "The first 100 images of {data}.",
            "fig5_2": "16 images of the DCGAN of all images, and 16 from one seed.",
            "fig5_3": "16 images of the WGAN-GP of all images, and 16 from one seed.",
            "fig5_4": "Before and after the collapse, the same noise in a column.",
            "fig5_5": "The cures side by side, the same noise in a column.",
            "fig5_6": "The collapse meter of every run, by epoch and by step.",
        },
        study=True,
        split="train",
    ),
    "kl": Script(
        "bash hw_kl.sh",
        "Report E: weight of the KL term",
        "the loss, reconstructions, samples and codes at three weights",
        ("vae_e", "vae_e_kl0", "vae_e_kl100"),
        {
            "fig6_1": "Negative ELBO, the loss that was minimised, squared error and KL "
            "divergence by epoch.",
            "fig6_2": "Reconstructions of test images of {data} by epoch.",
            "fig6_3": "Samples from the prior and from a fitted mixture beside images of "
            "{data}.",
            "fig6_4": "From the code of one image of {data} to that of another.",
            "fig6_5": "KL divergence of each unit of the code, sorted.",
        },
        study=True,
        split="test",
        least=4,  # for the kernel distance's error
    ),
    "rpgan": Script(
        "bash hw_rpgan.sh",
        "A recent GAN on the same data",
        "samples, attributes switched one by one (in no report)",
        ("rpgan", "rpgan_attributes"),
        {
            "fig7_1": "Training: losses by step.",
            "fig7_2": "32 images from random noise, image k from seed k.",
            "fig7_3": "Faces by row; each attribute switched over, one a column.",
        },
        study=True,
    ),
}
ALL = "hw4"  # the script of all problems
PROBLEMS = {name: s.recipes[0] for name, s in SCRIPTS.items() if not s.study}
STUDIES = {name: s.recipes for name, s in SCRIPTS.items() if s.study}


def drawable(problem):
    """Names of the recipes that a problem can draw."""
    return [r.name for r in RECIPES.values() if r.traits.figures == problem]
