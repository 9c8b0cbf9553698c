"""Command line: measure trained weights.

Each result is printed and appended, as one line of JSON, to
`metrics.jsonl` beside the weights, or to `<out>/metrics.jsonl` with --out. The last
line of a metric is the newest; new weights start a new file.
"""

import argparse
from pathlib import Path

from cli import run_cli
from models import WEIGHTS
from models.trained import named


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m metrics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what, add = parser.add_mutually_exclusive_group(required=True), parser.add_argument
    what.add_argument("recipe", nargs="*", default=[], help="recipes, or exported runs")
    all_of_size = "all recipes of the data's image size"
    what.add_argument("--all", action="store_true", help=all_of_size)
    add("--data", type=Path, required=True, help="the data folder")
    add("--metrics", nargs="+", metavar="NAME", help="default: all that apply")
    count = "how many samples, and how many test images; default: %(default)s"
    add("--samples", type=int, default=1000, help=count)
    add("--out", type=Path, help="folder for metrics.jsonl and a figure of neighbours")
    weights = "default: the repository's weights/"
    add("--weights", type=Path, default=WEIGHTS, help=weights)
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    trained = [named(word, args.weights) for word in args.recipe]
    from metrics.measuring import measure  # imports Keras, which takes seconds

    measure(args, trained)
    return 0


if __name__ == "__main__":
    run_cli(main)
