"""Command line: the figures of one problem or of all; samples, walks, edits."""

import argparse
import importlib
import json
import sys
from pathlib import Path

from cli import UserError, replacing, run_cli, writable
from models import WEIGHTS
from models.recipes import RECIPES, get_recipe

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


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m inference",
        description="Draw from saved weights. Figures need <data>/test and test.csv.",
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
    _verbs(known)
    return parser.parse_args(words)


def _verbs(known):
    """What else can be done with a recipe: `run(args)` of a module of that name."""
    seeds = "such as 0-99, or 1,5,9"
    label = "a class, such as Smiling=1; default: seed modulo the number of classes"
    sample = known.add_parser("sample", help="one PNG a seed")
    sample.add_argument("--seeds", required=True, help=seeds)
    sample.add_argument("--out", type=Path, required=True, help="folder")

    walk = known.add_parser("interpolate", help="a walk between seeds or two images")
    ends = walk.add_mutually_exclusive_group(required=True)
    ends.add_argument("--seeds", help=seeds)
    ends.add_argument("--images", nargs=2, type=Path, help="two image files, for a VAE")
    walk.add_argument("--steps", type=int, default=16, help="from one to the next")
    walk.add_argument("--out", type=Path, required=True, help="file, .gif or .mp4")
    for sub in (sample, walk):
        sub.add_argument("recipe", nargs="?")
        sub.add_argument("--run", type=Path, help="a run folder, in place of a recipe")
        sub.add_argument("--label", help=label)
        sub.add_argument(
            "--truncation",
            type=float,
            default=1.0,
            help="noise times this; below 1 images are more alike, less often broken",
        )

    film = known.add_parser("film", help="a run's grids, from noise to faces")
    film.add_argument("--run", type=Path, required=True, help="a run folder")
    film.add_argument("--out", type=Path, required=True, help="file, .gif or .mp4")
    film.add_argument("--width", type=int, default=528, help="in pixels")
    film.add_argument("--seconds", type=float, default=10.0, help="length")
    film.set_defaults(verb=True)

    edit = known.add_parser("edit", help="test faces moved along attributes, by a VAE")
    edit.add_argument("recipe")
    edit.add_argument("--data", type=Path, required=True, help="with attributes")
    edit.add_argument("--faces", default="0", help="places in test.csv; default: 0")
    edit.add_argument("--attributes", nargs="+", help="default: all")
    edit.add_argument("--out", type=Path, required=True, help="file, .jpg")
    for verb in (sample, walk, edit):
        verb.add_argument("--weights", type=Path, default=WEIGHTS)
        verb.set_defaults(verb=True)


def _common(parser):
    parser.add_argument("data", type=Path, help="folder with test/ and test.csv")
    parser.add_argument("out", type=Path, help="folder for the figures; made if missing")
    parser.add_argument("--weights", type=Path, help="default: the repository's weights/")


def main(words=None):
    args = parse(words)
    if hasattr(args, "verb"):
        return importlib.import_module(f"inference.{args.problem}").run(args)
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
    writable(args.out)

    import data_utils  # from here on it takes seconds

    # A plain folder of images: nothing is held back for tests.
    split = "train" if args.problem == "anime" else "test"
    size = get_recipe(next(iter(chosen.values()))).image_size
    faces = data_utils.load_faces(args.data, split, size)
    if len(faces.images) < 2:  # neither t-SNE nor the collapse meter has an answer
        raise UserError(f"{faces.folder}: one image; two or more are needed")

    from inference import figures
    from models.trained import Trained

    trained = {p: Trained(name, root) for p, name in chosen.items()}
    check(trained, root)
    if args.problem in STUDIES:
        study = importlib.import_module(f"inference.{args.problem}")
        numbers = study.draw([*trained.values()], faces, args.out)
        _record(args.out / "results.json", args.problem, {"runs": numbers})
        trained = {}
    for problem, weights in trained.items():
        more = {}
        if problem == "vae":
            more["attribute"] = getattr(args, "attribute", None)
        numbers = getattr(figures, problem)(weights, faces, args.out, **more)
        origin = {"recipe": weights.recipe.name, "weights": weights.origin()}
        _record(args.out / "results.json", problem, origin | numbers)
    print(f"figures and results.json are in {args.out}")
    return 0


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


def _record(path, problem, numbers):
    """Merge one problem's numbers into `results.json`."""
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError):
        results = {}
    results[problem] = numbers
    with replacing(path, "w") as file:
        file.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    run_cli(main)
