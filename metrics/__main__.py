"""Command line: measure the weights of one recipe or of all, or compare runs.

Each result is printed and appended, as one line of JSON, to
`weights/<recipe>/metrics.jsonl`, or to `<out>/metrics.jsonl` with --out. The last
line of a metric is the newest; new weights start a new file. `--run A B` prints a
column for each run and records nothing.
"""

import argparse
from pathlib import Path

from cli import UserError, run_cli, writable
from models.recipes import RECIPES, get_recipe


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m metrics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("recipe", nargs="?", help="a recipe that has weights")
    what.add_argument(
        "--all", action="store_true", help="all recipes of the data's image size"
    )
    what.add_argument(
        "--run",
        type=Path,
        nargs="+",
        metavar="RUN",
        help="run folders of 'python -m train', or folders of weights, side by side",
    )
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    parser.add_argument(
        "--metrics", nargs="+", metavar="NAME", help="only these; default: all that apply"
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=1000,
        help="how many samples, and how many test images",
    )
    parser.add_argument(
        "--out", type=Path, help="folder for metrics.jsonl and the figure of neighbours"
    )
    parser.add_argument("--weights", type=Path, help="default: the repository's weights/")
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    if args.recipe:
        get_recipe(args.recipe)  # refuse an unknown name before Keras is imported
    from metrics.images import LEAST
    from metrics.registry import METRICS
    from models import WEIGHTS
    from models.trained import Trained

    if args.samples < LEAST:
        raise UserError(f"--samples {args.samples}: {LEAST} or more are needed")
    for name in args.metrics or ():
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}'; known: {', '.join(METRICS)}")
    args.weights = args.weights or WEIGHTS
    if args.run:
        trained = [weights_of_run(folder) for folder in args.run]
    elif args.all:
        trained = fitting(args.weights, args.data)
    else:
        trained = [Trained(args.recipe, args.weights)]
    names = args.metrics or METRICS
    chosen = {t: [n for n in names if METRICS[n].about(t.recipe.traits)] for t in trained}
    if not any(chosen.values()):
        families = ", ".join(sorted({t.recipe.family for t in trained}))
        raise UserError(f"{', '.join(args.metrics)}: no metric of {families} recipes")
    if args.out:
        writable(args.out)
    (print_columns if args.run else measure_all)(chosen, args)
    return 0


def weights_of_run(folder):
    """The weights of a run folder, or of a folder with a card."""
    from models.trained import Trained
    from models.unexported import RunWeights

    return (Trained.of if (folder / "card.json").exists() else RunWeights)(folder)


def fitting(root, data):
    """`Trained` weights of all recipes that draw or read images of the folder's size;
    prints which recipes are left out.

    Raises:
        UserError: there are none.
    """
    from models.trained import Trained

    size = size_of(data)
    known = [n for n in RECIPES if (root / n / "card.json").exists()]
    trained = [Trained(name, root) for name in known]
    fits = [t for t in trained if (t.recipe.image_size,) * 2 == size]
    if not fits:
        have = ", ".join(f"{t.recipe.name} {t.recipe.image_size}" for t in trained)
        raise UserError(
            f"{data}: images of {size[0]}x{size[1]}; there are weights for: "
            f"{have or 'nothing'}; to have images resized, name a recipe"
        )
    for t in trained:
        if t not in fits:
            side, name = t.recipe.image_size, t.recipe.name
            print(
                f"{name}: left out, its images are {side}x{side}, not {size[0]}x{size[1]}"
            )
    return fits


def size_of(data):
    """(width, height) of the first image of a data folder."""
    from PIL import Image

    import data_utils

    folder = next((f for f in (data / "test", data / "train") if f.is_dir()), data)
    if not folder.is_dir():
        raise data_utils.DataError(f"{data}: no such folder; give a folder of images")
    first = data_utils.image_files(folder)[0]
    try:
        with Image.open(first) as image:
            return image.size
    except OSError:
        raise data_utils.DataError(
            f"{first}: not a readable image; replace or remove it"
        ) from None


def subjects(chosen, args):
    """Yield (`Subject`, names of metrics) of {`Trained`: names}."""
    from metrics.images import Real, Subject

    sizes = {trained.recipe.image_size for trained in chosen}
    real = {size: Real(args.data, size, args.samples, args.weights) for size in sizes}
    for trained, names in chosen.items():
        yield Subject(trained, real[trained.recipe.image_size], args.out), names


def measure_all(chosen, args):
    """Measure {`Trained`: names of metrics}; print and record each result."""
    from metrics import Inapplicable, record
    from metrics.judge import attribute_network
    from metrics.registry import METRICS

    for trained in chosen:  # report a mistake before the first number
        trained.check()
    if any(METRICS[name].judged for names in chosen.values() for name in names):
        attribute_network(args.weights).check()
    for subject, names in subjects(chosen, args):
        trained = subject.trained
        print(f"{trained.origin()}; on {subject.real.faces.folder}")
        path = (args.out or trained.folder) / "metrics.jsonl"
        for name in names:
            try:
                row = record.measured(subject, name, METRICS[name])
            except Inapplicable as reason:
                print(f"  {name}: left out, {reason}", flush=True)
                continue
            print(f"  {name}: {METRICS[name].text(row['values'])}", flush=True)
            record.append(path, row)
        print(f"  recorded in {path}")


def print_columns(chosen, args):
    """Print a table: a row for each metric, a column for each run."""
    from metrics import Inapplicable
    from metrics.registry import METRICS

    columns = []
    for subject, names in subjects(chosen, args):
        print(subject.trained.origin(), flush=True)
        found = {}
        for name in names:
            if METRICS[name].of_prior:  # a run has none yet
                continue
            try:
                found[name] = METRICS[name].words(METRICS[name].measure(subject))
            except Inapplicable as reason:
                print(f"  {name}: left out, {reason}")
        columns.append(found)
    print("".join(f"{cell!s:42}" for cell in ("", *args.run)).rstrip())
    for name in METRICS:
        cells = [column.get(name, "-") for column in columns]
        if any(name in column for column in columns):
            print("".join(f"{cell:42}" for cell in (name, *cells)).rstrip())


if __name__ == "__main__":
    run_cli(main)
