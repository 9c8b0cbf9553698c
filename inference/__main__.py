"""Command line: the figures of one problem or of all; samples, walks, edits."""

import argparse
import importlib
from pathlib import Path

from cli import run_cli
from inference.problems import ALL, SCRIPTS, drawable
from models import WEIGHTS

DATA = {"test": "folder with test/ and test.csv", "train": "folder of images"}
SEEDS = "such as 0-99, or 1,5,9"


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m inference",
        description="Draw figures, samples, walks or edits with trained weights.",
        epilog="example: python -m inference sample dcgan_c --seeds 0-99 --out samples",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(name, prog, said, example, module):
        sub = commands.add_parser(name, prog=prog, help=said, description=f"{said}.")
        sub.epilog = f"example: {prog} {example}"
        weights = "folder of all weights (default: the repository's)"
        sub.add_argument("--weights", type=Path, default=WEIGHTS, help=weights)
        sub.set_defaults(module=f"inference.{module}")
        return sub.add_argument

    def figures(name, prog, said, data):
        add = command(name, prog, said, "sample_data out", "draw")
        add("data", type=Path, help=data)
        add("out", type=Path, help="folder for the figures, made if missing")
        return add

    def verb(name, said, example):
        return command(name, f"python -m inference {name}", said, example, name)

    figures(ALL, "bash hw4.sh", "All problems, with their default recipes", DATA["test"])
    for name, script in SCRIPTS.items():
        said = f"{script.title}: {script.asks}"
        add = figures(name, script.command, said, DATA.get(script.split, "not read"))
        if not script.study:
            said = f"{', '.join(drawable(name))}; or an exported run "
            said += f"(default: {script.recipes[0]})"
            add("recipe", nargs="?", help=said)
        for option, said in script.options.items():
            add(f"--{option}", help=said)

    add = verb("sample", "One PNG a seed", "dcgan_c --seeds 0-99 --out samples")
    add("--seeds", required=True, help=SEEDS)
    add("--sheet", action="store_true", help="all in one sheet.png")
    add("--out", type=Path, required=True, help="folder")
    _source(add)

    said = "A walk between seeds or two images, as GIF or MP4"
    add = verb("interpolate", said, "dcgan_c --seeds 1,5,9 --out walk.gif")
    add("--seeds", help=SEEDS)
    add("--images", nargs=2, type=Path, help="two image files, for a VAE")
    steps = "from one to the next (default: %(default)s)"
    add("--steps", type=int, default=16, help=steps)
    add("--width", type=int, help="in pixels (default: the recipe's)")
    add("--out", type=Path, required=True, help="file, .gif or .mp4")
    _source(add)

    said = "Test faces moved along attributes, by a VAE"
    add = verb("edit", said, "vae_c --data sample_data --out edit.jpg")
    add("recipe", help="of a VAE, or an exported run")
    add("--data", type=Path, required=True, help="with attributes")
    add("--faces", default="0", help="places in test.csv (default: %(default)s)")
    add("--attributes", nargs="+", help="(default: all)")
    add("--out", type=Path, required=True, help="file, .jpg")
    return parser.parse_args(words)


def _source(add):
    """The weights, and how noise or codes are drawn."""
    add("recipe", help="a recipe, or an exported run")
    label = "such as Smiling=1 (default: seed modulo the number of classes)"
    add("--label", help=label)
    density = "of a VAE's codes: N(0, I), or a mixture fitted to those of its training "
    density += "images (default: %(default)s)"
    add("--prior", choices=("normal", "fitted"), default="normal", help=density)
    share = "noise factor; below 1 images are more alike, less often broken (default: 1)"
    add("--truncation", type=float, default=1.0, help=share)


def main(words=None):
    args = parse(words)
    return importlib.import_module(args.module).run(args)


if __name__ == "__main__":
    run_cli(main)
