"""Command line: the figures of one problem or of all; samples, walks, edits."""

import argparse
import importlib
from pathlib import Path

from cli import run_cli
from inference.problems import ALL, SCRIPTS, drawable
from models import WEIGHTS

READS = {"test": "folder with test/ and test.csv", "train": "folder of images"}
SEEDS = "such as 0-99, or 1,5,9"


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m inference",
        description="Draw figures, samples, walks or edits with trained weights.",
        epilog="example: python -m inference sample dcgan_c --seeds 0-99 --out samples",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(name, prog, said, example):
        sub = commands.add_parser(name, prog=prog, help=said, description=f"{said}.")
        sub.epilog = f"example: {prog} {example}"
        weights = "folder of all weights (default: the repository's)"
        sub.add_argument("--weights", type=Path, default=WEIGHTS, help=weights)
        return sub

    def figures(name, prog, said, data):
        sub = command(name, prog, said, "sample_data out")
        sub.add_argument("data", type=Path, help=data)
        sub.add_argument("out", type=Path, help="folder for the figures, made if missing")
        return sub

    figures(ALL, "bash hw4.sh", "All problems, with their default recipes", READS["test"])
    for name, script in SCRIPTS.items():
        data = READS.get(script.split, "not read")
        sub = figures(name, script.command, f"{script.title}: {script.asks}", data)
        if not script.study:
            said = f"{', '.join(drawable(name))}; or a folder with card.json "
            said += "(default: %(default)s)"
            sub.add_argument("recipe", nargs="?", default=script.recipes[0], help=said)
        for option, said in script.options.items():
            sub.add_argument(f"--{option}", help=said)
        sub.set_defaults(options=tuple(script.options))

    def verb(name, said, example):
        sub = command(name, f"python -m inference {name}", said, example)
        sub.set_defaults(verb=name)
        return sub

    _sample(verb)
    _interpolate(verb)
    _edit(verb)
    return parser.parse_args(words)


# The other commands; `run(args)` of the module with the same name does the work.


def _sample(verb):
    sub = verb("sample", "One PNG a seed", "dcgan_c --seeds 0-99 --out samples")
    sub.add_argument("--seeds", required=True, help=SEEDS)
    sub.add_argument("--sheet", action="store_true", help="all in one sheet.png")
    sub.add_argument("--out", type=Path, required=True, help="folder")
    _source(sub)


def _interpolate(verb):
    said = "A walk between seeds or two images, as GIF or MP4"
    sub = verb("interpolate", said, "dcgan_c --seeds 1,5,9 --out walk.gif")
    ends = sub.add_mutually_exclusive_group(required=True)
    ends.add_argument("--seeds", help=SEEDS)
    ends.add_argument("--images", nargs=2, type=Path, help="two image files, for a VAE")
    steps = "from one to the next (default: %(default)s)"
    sub.add_argument("--steps", type=int, default=16, help=steps)
    sub.add_argument("--width", type=int, help="in pixels (default: the recipe's)")
    sub.add_argument("--out", type=Path, required=True, help="file, .gif or .mp4")
    _source(sub)


def _source(sub):
    """The weights, and how noise or codes are drawn."""
    sub.add_argument("recipe", nargs="?", help="a recipe, or a folder with card.json")
    sub.add_argument("--run", type=Path, help="a run folder, in place of a recipe")
    label = "such as Smiling=1 (default: seed modulo the number of classes)"
    sub.add_argument("--label", help=label)
    density = "of a VAE's codes: N(0, I), or a mixture fitted to those of its training "
    density += "images (default: %(default)s)"
    kinds = ("normal", "fitted")
    sub.add_argument("--prior", choices=kinds, default=kinds[0], help=density)
    share = "noise factor; below 1 images are more alike, less often broken (default: 1)"
    sub.add_argument("--truncation", type=float, default=1.0, help=share)


def _edit(verb):
    said = "Test faces moved along attributes, by a VAE"
    sub = verb("edit", said, "vae_c --data sample_data --out edit.jpg")
    sub.add_argument("recipe", help="of a VAE, or a folder with card.json")
    sub.add_argument("--data", type=Path, required=True, help="with attributes")
    places = "places in test.csv (default: %(default)s)"
    sub.add_argument("--faces", default="0", help=places)
    sub.add_argument("--attributes", nargs="+", help="(default: all)")
    sub.add_argument("--out", type=Path, required=True, help="file, .jpg")


def main(words=None):
    args = parse(words)
    if "verb" in args:
        return importlib.import_module(f"inference.{args.verb}").run(args)
    from inference.draw import draw  # takes a second

    given = {name: getattr(args, name) for name in getattr(args, "options", ())}
    given = {name: value for name, value in given.items() if value is not None}
    recipe = getattr(args, "recipe", None)
    draw(args.command, args.data, args.out, args.weights, recipe, **given)
    print(f"figures and results.json are in {args.out}; open index.html there")
    return 0


if __name__ == "__main__":
    run_cli(main)
