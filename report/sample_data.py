"""Make `sample_data/`: faces of no real person, in the course's layout.

`python -m report.sample_data <folder>` draws them with a trained conditional generator.
Their labels are the attributes that the attribute network reads in them.
"""

import argparse
import tempfile
from pathlib import Path

import imageio.v3 as iio

from cli import UserError, run_cli
from models.trained import Trained

SPLITS = {"train": (0, 240), "test": (100_000, 120)}  # first seed, images


def parse():
    parser = argparse.ArgumentParser(
        prog="python -m report.sample_data", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--recipe", default="rpgan_attributes", help="default: %(default)s"
    )
    return parser.parse_args()


def main():
    args = parse()
    if args.folder.exists():
        raise UserError(f"{args.folder}: there already; remove it first")
    from metrics.judge import Judge

    generator, judge = Trained(args.recipe), Judge(Trained("attributes"))
    with tempfile.TemporaryDirectory(dir=args.folder.resolve().parent) as temporary:
        made = Path(temporary) / "made"
        for split, (first, count) in SPLITS.items():
            write_split(made, split, generator, judge, range(first, first + count))
        made.rename(args.folder)
    print(
        f"{args.folder}: {', '.join(f'{n} {s}' for s, (_, n) in SPLITS.items())} images"
    )
    return 0


def write_split(folder, split, generator, judge, seeds):
    """Write numbered PNG files, and a CSV of the attributes that are read in them."""
    from models import sampling

    (folder / split).mkdir(parents=True)
    images = sampling.draw(generator, seeds, sampling.conditions_of(generator, seeds))
    read = judge.read(images) > 0.5
    lines = [",".join(["image_name", *judge.names])]
    for k, image in enumerate(images):
        name = f"{k:05d}.png"
        iio.imwrite(folder / split / name, image)
        lines.append(",".join([name, *(f"{v:.1f}" for v in read[k])]))
    (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    run_cli(main)
