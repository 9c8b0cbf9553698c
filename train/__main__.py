"""Command line: train one recipe, or resume a run."""

import argparse
import json
import math
import sys
from pathlib import Path

import data_utils
from cli import UserError, run_cli
from models.recipe import pair
from models.recipes import RECIPES, get_recipe


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a recipe. The same command resumes where it stopped, and so "
        "does --run alone.",
        epilog="recipes: " + " ".join(RECIPES),
    )
    parser.add_argument("recipe", nargs="?", help="default: that of the run")
    parser.add_argument("--data", help="folder with train/ and train.csv")
    parser.add_argument(
        "--run", required=True, help="folder of this run; made if missing"
    )
    parser.add_argument(
        "--as-reported",
        action="store_true",
        help="take the report's settings; default: this repository's, if any",
    )
    parser.add_argument(
        "--steps",
        type=steps,
        dest="length",
        metavar="N",
        help="default: the recipe's; rates that fall do so over them",
    )
    parser.add_argument(
        "--epochs", type=epochs, dest="length", metavar="N", help="the same in epochs"
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="WEIGHTS",
        help="fine-tune trained weights: a recipe's, or a folder's with card.json",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="FIELD=VALUE",
        help="change the recipe: batch_size=64 generator.learning_rate=1e-4",
    )
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="bfloat16 is faster with bf16 instructions (AMX, a GPU), else slower",
    )
    parser.add_argument(
        "--sample-every",
        type=int,
        default=500,
        metavar="STEPS",
        help="draw a grid so often, default: 500; early ones come by themselves",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="build, time two steps, write nothing"
    )
    words = sys.argv[1:] if words is None else words
    args = parser.parse_args(words)
    if args.recipe is None:  # the run knows it
        words = [*remembered(args.run), *words]
        args = parser.parse_args(words)
    if args.recipe is None or args.data is None:
        parser.error("a new run needs a recipe and --data")
    args.words = [*words, "--data", str(Path(args.data).resolve())]
    return args


def steps(text):
    return "steps", int(text)


def epochs(text):
    return "epochs", float(text)


def remembered(run):
    """The words of the command that began a run.

    Raises:
        UserError: no run there, or none that knows them.
    """
    path = Path(run) / "run.json"
    try:
        return json.loads(path.read_text())["command"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{path}: not there or without its command; give a recipe and --data"
        ) from None


def main(words=None):
    args = parse(words)
    recipe = get_recipe(args.recipe)
    if not args.as_reported:
        recipe = recipe.trained_here()
    length = dict([args.length] if args.length else [])
    for option, value in (*length.items(), ("sample-every", args.sample_every)):
        if not 0 < value < math.inf:
            raise UserError(f"--{option} must be a number above 0, not {value}")
    recipe = recipe.replace(dict(map(pair, args.set)))
    recipe = recipe.replace({name: str(value) for name, value in length.items()})
    if not 0 <= args.seed < 2**32:
        raise UserError(f"--seed must be in 0 to 2**32 - 1, not {args.seed}")
    data_utils.data_folder(args.data)
    if not args.dry_run:
        print(f"{recipe.name}: reads {args.data}, trains in {args.run}", flush=True)
    from train.work import work  # imports Keras, which takes seconds

    return work(recipe, args)


if __name__ == "__main__":
    run_cli(main)
