"""Command line: measure the weights of one recipe or of all; or test the measures.

Every result is printed and appended, as one line of JSON, to
`weights/<recipe>/metrics.jsonl`, or to `<out>/metrics.jsonl` with --out. The last
line of a metric is the newest; new weights start a new file.
"""

import argparse
from pathlib import Path

from cli import UserError, run_cli, writable
from models.recipes import get_recipe


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m metrics",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="?", help="a recipe that has weights")
    parser.add_argument(
        "--all", action="store_true", help="all recipes of the data's image size"
    )
    parser.add_argument(
        "--sanity",
        type=Path,
        metavar="DATA",
        help="measure known damage of real images instead: does every distance rank "
        "more damage as worse?",
    )
    parser.add_argument("--data", type=Path, help="the data folder")
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
    if bool(args.recipe) + args.all + bool(args.sanity) != 1:
        raise UserError("give one recipe, or --all, or --sanity")
    if bool(args.sanity) == bool(args.data):
        raise UserError("give --data, the data folder (--sanity has its own)")
    if args.recipe:
        get_recipe(args.recipe)  # refuse an unknown name before Keras is imported
    from metrics.registry import METRICS
    from metrics.sides import LEAST
    from models import WEIGHTS
    from models.trained import Trained

    if args.samples < LEAST:
        raise UserError(f"--samples {args.samples}: {LEAST} or more are needed")
    root = args.weights or WEIGHTS
    if args.sanity and args.metrics:
        raise UserError("--metrics: --sanity checks distances of its own choice")
    if args.sanity:
        from metrics import sanity

        if args.out:
            writable(args.out)
        return sanity.check(args.sanity, args.samples, root, args.out)
    for name in args.metrics or ():
        if name not in METRICS:
            raise UserError(f"unknown metric '{name}'; known: {', '.join(METRICS)}")
    trained = fitting(root, args.data) if args.all else [Trained(args.recipe, root)]
    chosen = {t: applying(t.recipe, args.metrics or METRICS) for t in trained}
    chosen = {t: names for t, names in chosen.items() if names}
    if not chosen:
        families = ", ".join(sorted({t.recipe.family for t in trained}))
        raise UserError(f"{', '.join(args.metrics)}: no metric of {families} recipes")
    if args.out:
        writable(args.out)
    measure_all(chosen, args, root)
    return 0


def applying(recipe, names):
    """The named metrics that apply to the family of a recipe."""
    from metrics.registry import METRICS

    return [name for name in names if METRICS[name].about(recipe.traits)]


def fitting(root, data):
    """`Trained` weights of all recipes that draw or read images of the folder's size;
    prints which recipes are left out.

    Raises:
        UserError: there are none.
    """
    from models.recipes import RECIPES
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


def measure_all(chosen, args, root):
    """Measure {`Trained`: names of metrics}; print and record each result."""
    from metrics import record
    from metrics.reader import attribute_network
    from metrics.registry import METRICS
    from metrics.sides import Real, Subject

    sizes = {trained.recipe.image_size for trained in chosen}
    sides = {size: Real(args.data, size, args.samples, root) for size in sizes}
    for trained in chosen:  # report a mistake before the first number
        trained.check()
    if any(METRICS[name].reads for names in chosen.values() for name in names):
        attribute_network(root).check()
    for trained, names in chosen.items():
        real = sides[trained.recipe.image_size]
        subject = Subject(trained, real, args.out)
        print(f"{trained.origin()}; on {real.faces.folder}")
        path = (args.out or trained.folder) / "metrics.jsonl"
        for name in names:
            result, text = record.measured(subject, name)
            print(f"  {name}: {text}", flush=True)
            if result is not None:
                record.append(path, result)
        print(f"  appended to {path}")


if __name__ == "__main__":
    run_cli(main)
