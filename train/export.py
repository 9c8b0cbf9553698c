"""Export a run: its networks, its curves and a card, beside the run.

`python -m train.export --run runs/vae_c --data <data>`
"""

import argparse
from pathlib import Path

import data_utils
from cli import run_cli
from models import WEIGHTS


def parse(words=None):
    parser = argparse.ArgumentParser(prog="python -m train.export", description=__doc__)
    parser.add_argument("--run", required=True, type=Path, help="the run folder")
    parser.add_argument("--data", required=True, help="to measure on its test/")
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--weights", type=Path, help="folder of all weights; default: <run>/weights"
    )
    place.add_argument(
        "--ship",
        action="store_const",
        dest="weights",
        const=WEIGHTS,
        help="into the repository's weights/, which the scripts draw by default",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace weights that are there"
    )
    parser.add_argument(
        "--last", action="store_true", help="the last checkpoint, not the best"
    )
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    data_utils.data_folder(args.data, "test")
    from metrics.registry import obtained
    from train.exporting import export  # imports Keras, which takes seconds

    made = export(args.run, args.data, args.weights, args.last, args.replace)
    card, recipe = made.card, made.recipe
    sizes = ", ".join(
        f"{role} {entry['bytes'] / 2**20:.1f} MiB"
        for role, entry in card["files"].items()
    )
    print(f"{made.folder}: {recipe.name} after {card['steps']:,} steps; {sizes}")
    print(f"measured: {obtained(made)}")
    drawn = not recipe.traits.scores or "discriminator" in card["files"]
    if recipe.traits.figures and drawn and args.weights is None:
        script = f"bash hw4_{recipe.traits.figures}.sh"
        print(f"draw its figures: {script} {args.data} <out> {args.run}")
    return 0


if __name__ == "__main__":
    run_cli(main)
