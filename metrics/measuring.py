"""What `python -m metrics` does: choose weights and metrics, measure, print, record."""

from PIL import Image

import data_utils
from cli import UserError, writable
from metrics import Inapplicable, record
from metrics.images import LEAST, Real, Subject
from metrics.judge import attribute_network
from metrics.registry import METRICS
from models.recipes import RECIPES
from models.trained import Trained
from models.unexported import RunWeights


def measure(args):
    """Do what the arguments of the command line say.

    Raises:
        UserError: an unknown metric, too few images, or weights that cannot be used.
    """
    if args.samples < LEAST:
        raise UserError(f"--samples {args.samples}: {LEAST} or more are needed")
    for name in args.metrics or ():
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}'; known: {', '.join(METRICS)}")
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


def weights_of_run(folder):
    """The weights of a run folder, or of a folder with a card."""
    return (Trained.of if (folder / "card.json").exists() else RunWeights)(folder)


def fitting(root, data):
    """`Trained` weights of all recipes that draw or read images of the folder's size;
    prints which recipes are left out.

    Raises:
        UserError: there are none.
    """
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
    sizes = {trained.recipe.image_size for trained in chosen}
    real = {size: Real(args.data, size, args.samples, args.weights) for size in sizes}
    for trained, names in chosen.items():
        out = None if args.run else args.out
        yield Subject(trained, real[trained.recipe.image_size], out), names


def measure_all(chosen, args):
    """Measure {`Trained`: names of metrics}; print and record each result."""
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
