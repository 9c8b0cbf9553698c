"""Command line: draw the figures of one problem, or of all."""

import argparse
import importlib
import json
import os
import sys
from pathlib import Path

from inference import WEIGHTS
from models.errors import UserError, run_cli
from models.recipes import RECIPES

# problem -> (families whose recipes it draws, the recipe it draws by default)
PROBLEMS = {
    "vae": (("vae",), "vae_c"),
    "gan": (("gan",), "dcgan_c"),
    "acgan": (("acgan", "acgan3"), "acgan_c"),
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
    """Names of the recipes that a problem's figures can be drawn of."""
    families = PROBLEMS[problem][0]
    return [r.name for r in RECIPES.values() if r.family in families]


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


def parse():
    parser = argparse.ArgumentParser(
        prog="python -m inference",
        description="Draw figures from saved weights; needs <data>/test and test.csv.",
    )
    known = parser.add_subparsers(dest="problem", required=True, metavar="problem")
    for problem, (_, default) in PROBLEMS.items():
        sub = known.add_parser(
            problem,
            prog=f"bash hw4_{problem}.sh",
            help=f"recipes: {' '.join(drawable(problem))}",
        )
        _common(sub)
        sub.add_argument("recipe", nargs="?", default=default, help=f"default: {default}")
        if problem == "vae":
            sub.add_argument(
                "--attribute", help="colour of fig1_5; default: the recipe's"
            )
    for study, recipes in STUDIES.items():
        sub = known.add_parser(
            study, prog=f"bash hw_{study}.sh", help=f"compares {' '.join(recipes)}"
        )
        _common(sub)
    everything = "all problems, default recipes"
    _common(known.add_parser("hw4", prog="bash hw4.sh", help=everything))
    return parser.parse_args()


def _common(parser):
    parser.add_argument("data", type=Path, help="folder with test/ and test.csv")
    parser.add_argument("out", type=Path, help="folder for the figures; made if missing")
    parser.add_argument("--weights", type=Path, help="default: the repository's weights/")


def main():
    args = parse()
    root = args.weights or WEIGHTS
    if args.problem == "hw4":
        chosen = trained_defaults(root)
    elif args.problem in STUDIES:
        chosen = {name: name for name in STUDIES[args.problem]}
    else:
        if args.recipe not in drawable(args.problem):
            raise UserError(
                f"'{args.recipe}' is no recipe for {args.problem} figures; "
                f"there are: {', '.join(drawable(args.problem))}"
            )
        chosen = {args.problem: args.recipe}
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        if not os.access(args.out, os.W_OK):
            raise PermissionError(13, "not writable")
    except OSError as error:
        raise UserError(f"{args.out}: cannot write there ({error.strerror})") from None

    import data_utils  # from here on it takes seconds

    if args.problem == "anime":  # a plain folder: nothing is held back for tests
        faces = data_utils.load_faces(args.data, "train", 96)
    else:
        faces = data_utils.load_faces(args.data, "test")

    if args.problem in STUDIES and len(faces.images) < 2:
        raise UserError(f"{faces.folder}: one image; diversity needs two or more")

    from inference import figures
    from inference.weights import Trained

    trained = {p: Trained(name, root) for p, name in chosen.items()}
    for weights in trained.values():  # every mistake comes before the first figure
        weights.check()
    if args.problem in STUDIES:
        study = importlib.import_module(f"inference.{args.problem}")
        numbers = study.draw([*trained.values()], faces, args.out)
        _record(args.out / "results.json", args.problem, {"runs": numbers})
        trained = {}
    for problem, weights in trained.items():
        options = {}
        if problem == "vae":
            options["attribute"] = getattr(args, "attribute", None)
        numbers = getattr(figures, problem)(weights, faces, args.out, **options)
        origin = {"recipe": weights.recipe.name, "weights": weights.origin()}
        _record(args.out / "results.json", problem, origin | numbers)
    print(f"figures and results.json are in {args.out}")
    return 0


def _record(path, problem, numbers):
    """Merge one problem's numbers into `results.json`."""
    from data_utils import replacing

    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError):
        results = {}
    results[problem] = numbers
    with replacing(path, "w") as file:
        file.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    run_cli(main)
