"""What `python -m metrics` does: choose weights and metrics, measure, print, record."""

import data_utils
from cli import UserError, writable
from metrics import Inapplicable, record
from metrics.images import LEAST, Real, Subject
from metrics.judge import attribute_network
from metrics.registry import METRICS
from models.trained import shipped


def measure(args, trained):
    """Do what the arguments of the command line say, to the `Trained` weights that they
    name.

    Raises:
        UserError: an unknown metric, too few images, or weights that cannot be used.
    """
    if args.samples < LEAST:
        raise UserError(f"--samples {args.samples}: {LEAST} or more are needed")
    for name in args.metrics or ():
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}'; known: {', '.join(METRICS)}")
    if args.all:
        trained = fitting(args.weights, args.data)
    names = args.metrics or METRICS
    chosen = {t: [n for n in names if METRICS[n].about(t.recipe)] for t in trained}
    if not any(chosen.values()):
        families = ", ".join(sorted({t.recipe.family for t in trained}))
        raise UserError(f"{', '.join(args.metrics)}: no metric of {families} recipes")
    if args.out:
        writable(args.out)
    for weights in trained:  # report a mistake before the first number
        weights.check()
    if any(METRICS[name].judged for names in chosen.values() for name in names):
        attribute_network(args.weights).check()
    sizes = {weights.recipe.image_size for weights in trained}
    real = {size: Real(args.data, size, args.samples, args.weights) for size in sizes}
    for weights, names in chosen.items():
        subject = Subject(weights, real[weights.recipe.image_size], args.out)
        print(f"{weights.origin()}; on {subject.real.faces.folder}")
        path = (args.out or weights.folder) / "metrics.jsonl"
        for name in names:
            try:
                row = record.measured(subject, name, METRICS[name])
            except Inapplicable as reason:
                print(f"  {name}: left out, {reason}", flush=True)
                continue
            print(f"  {name}: {METRICS[name].text(row['values'])}", flush=True)
            record.append(path, row)
        print(f"  recorded in {path}")


def fitting(root, data):
    """`Trained` weights of all recipes that draw or read images of the folder's size;
    prints which recipes are left out.

    Raises:
        UserError: there are none.
    """
    data = data_utils.data_folder(data, "test")
    width, height = data_utils.size_of(data, "test", "train")
    trained = list(shipped(root).values())
    fits = [t for t in trained if t.recipe.image_size == width == height]
    if not fits:
        have = ", ".join(f"{t.recipe.name} {t.recipe.image_size}" for t in trained)
        raise UserError(
            f"{data}: images of {width}x{height}; there are weights for: "
            f"{have or 'nothing'}; to have images resized, name a recipe"
        )
    for recipe in (t.recipe for t in trained if t not in fits):
        size = f"{recipe.image_size}x{recipe.image_size}"
        print(f"{recipe.name}: left out, its images are {size}, not {width}x{height}")
    return fits
