"""What figures can be drawn of which weights, before anything is drawn."""

import sys

from cli import UserError
from models.recipes import RECIPES

# problem -> (families whose recipes it draws, the recipe it draws by default)
PROBLEMS = {
    "vae": (("vae",), "vae_c"),
    "gan": (("gan",), "wgan_a"),
    "acgan": (("acgan", "acgan3"), "acgan_a"),
    "infogan": (("infogan",), "infogan_b"),
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
    families = PROBLEMS[problem][0]
    known = [r for r in RECIPES.values() if r.family in families]
    return [r.name for r in known if not r.meter_every]


def trained_defaults(root):
    """{problem: default recipe} as far as there are weights; says what is not.

    Raises:
        UserError: there are weights for none of them.
    """
    defaults = {problem: default for problem, (_, default) in PROBLEMS.items()}
    chosen = {p: d for p, d in defaults.items() if (root / d / "card.json").exists()}
    if not chosen:
        raise UserError(f"{root}: no trained weights of {', '.join(defaults.values())}")
    for problem in defaults.keys() - chosen.keys():
        print(
            f"{problem}: left out, {root} has no weights of {defaults[problem]} yet",
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
        if problem in STUDIES["kl"]:
            there = [*weights.snapshots(), weights.card["epochs"]]
            lacking = [e for e in weights.recipe.snapshots if e not in there]
            if lacking:
                raise UserError(
                    f"{weights.folder}: nothing of epoch {lacking[0]}; train it on"
                )
