"""What figures can be drawn of which weights, before anything is drawn."""

import sys

from cli import UserError
from models.recipes import RECIPES

# problem -> the recipe it draws by default
PROBLEMS = {
    "vae": "vae_c",
    "gan": "wgan_a",
    "acgan": "acgan_a",
    "infogan": "infogan_b",
}
# study -> the recipes it compares
STUDIES = {
    "kl": ("vae_e", "vae_e_kl0", "vae_e_kl100"),
    "anime": (
        "dcgan_d",
        "wgan_gp_d",
        "wgan_gp_same_d",
        "dcgan_dropout_d",
        "dcgan_dropout_g_d",
    ),
}


def drawable(problem):
    """Names of the recipes that a problem's figures can be drawn of; not those of
    the study of collapse, whose discriminators are not kept."""
    known = [r.name for r in RECIPES.values() if r.traits.figures == problem]
    return [name for name in known if name not in STUDIES["anime"]]


def trained_defaults(root):
    """{problem: default recipe} as far as there are weights; says what is not.

    Raises:
        UserError: there are weights for none of them.
    """
    chosen = {p: d for p, d in PROBLEMS.items() if (root / d / "card.json").exists()}
    if not chosen:
        raise UserError(f"{root}: no trained weights of {', '.join(PROBLEMS.values())}")
    for problem in PROBLEMS.keys() - chosen.keys():
        print(
            f"{problem}: left out, {root} has no weights of {PROBLEMS[problem]} yet",
            file=sys.stderr,
        )
    return chosen


def check(trained, root):
    """Every mistake comes before the first figure.

    Raises:
        UserError: weights that are missing, damaged, or end before an epoch that
            their figures show.
    """
    from models.trained import Trained

    if any(problem in STUDIES["kl"] for problem in trained):
        trained = trained | {"attributes": Trained("attributes", root)}
    for problem, weights in trained.items():
        weights.check()
        if problem == "gan" and "discriminator" not in weights.card["files"]:
            raise UserError(
                f"{weights.folder}: its discriminator did not ship, and fig2_4 asks it "
                "how real samples are; export the run again"
            )
        if problem in STUDIES["kl"]:
            there = [*weights.snapshots(), weights.card["epochs"]]
            lacking = [e for e in weights.recipe.snapshots if e not in there]
            if lacking:
                raise UserError(
                    f"{weights.folder}: nothing of epoch {lacking[0]}; train it on"
                )
