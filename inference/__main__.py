"""Command line: the figures of one problem or of all; samples, walks, edits."""

import argparse
import importlib
from pathlib import Path

from cli import run_cli
from inference.options import pair
from inference.problems import PROBLEMS, STUDIES, draw, drawable
from models import WEIGHTS


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m inference",
        description="Draw from saved weights. VAEs need <data>/test.",
    )
    known = parser.add_subparsers(dest="problem", required=True, metavar="problem")
    for problem, default in PROBLEMS.items():
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
        if problem == "infogan":
            sub.add_argument("--categories", help="mixed in fig4_4, such as 2,5")
    for study, recipes in STUDIES.items():
        sub = known.add_parser(
            study, prog=f"bash hw_{study}.sh", help=f"compares {' '.join(recipes)}"
        )
        images = "folder of training images" if study == "anime" else "folder with test/"
        _common(sub, images if study != "today" else "is not read")
    everything = "all problems, default recipes"
    _common(known.add_parser("hw4", prog="bash hw4.sh", help=everything))
    _verbs(known)
    return parser.parse_args(words)


def _verbs(known):
    """The other verbs; `run(args)` of the module with the same name does the work."""
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
            "--prior",
            choices=("normal", "fitted"),
            default="normal",
            help="density of a VAE's codes: N(0, I), or a mixture of Gaussians fitted to "
            "those of its training images",
        )
        sub.add_argument(
            "--truncation",
            type=float,
            default=1.0,
            help="noise factor; below 1 images are more alike, less often broken",
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


def _common(parser, data="folder with test/ and test.csv; GANs do not use it"):
    parser.add_argument("data", type=Path, help=data)
    parser.add_argument("out", type=Path, help="folder for the figures; made if missing")
    parser.add_argument("--weights", type=Path, help="default: the repository's weights/")


def main(words=None):
    args = parse(words)
    if hasattr(args, "verb"):
        return importlib.import_module(f"inference.{args.problem}").run(args)
    given = {k: vars(args).get(k) for k in ("recipe", "attribute", "categories")}
    given = {name: value for name, value in given.items() if value is not None}
    if "categories" in given:
        given["categories"] = pair(given["categories"])
    draw(args.problem, args.data, args.out, args.weights or WEIGHTS, **given)
    print(f"figures and results.json are in {args.out}; open index.html there")
    return 0


if __name__ == "__main__":
    run_cli(main)
