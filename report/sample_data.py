"""Make `sample_data/`: faces of no real person, in the course's layout.

`python -m report.sample_data <folder>` draws them with a trained conditional generator.
Their labels are the attributes that the attribute network reads in them.
"""

import argparse
import tempfile
from pathlib import Path

import imageio.v3 as iio

from cli import UserError, run_cli
from metrics.judge import Judge
from models import sampling
from models.trained import Trained

SPLITS = {"train": range(240), "test": range(100_000, 100_120)}  # seeds


def main():
    parser = argparse.ArgumentParser(
        prog="python -m report.sample_data", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    recipe = "default: %(default)s"
    parser.add_argument("--recipe", default="rpgan_attributes", help=recipe)
    args = parser.parse_args()
    if args.folder.exists():
        raise UserError(f"{args.folder}: there already; remove it first")
    generator, judge = Trained(args.recipe), Judge(Trained("attributes"))
    with tempfile.TemporaryDirectory(dir=args.folder.resolve().parent) as temporary:
        made = Path(temporary) / "made"
        for split, seeds in SPLITS.items():
            write_split(made, split, generator, judge, seeds)
        made.rename(args.folder)
    counts = ", ".join(f"{len(seeds)} {split}" for split, seeds in SPLITS.items())
    print(f"{args.folder}: {counts} images")
    return 0


def write_split(folder, split, generator, judge, seeds):
    """Write numbered PNG files, and a CSV of the attributes that are read in them."""
    (folder / split).mkdir(parents=True)
    images = sampling.draw(generator, seeds)
    lines = [",".join(["image_name", *judge.names])]
    for k, (image, read) in enumerate(zip(images, judge.read(images) > 0.5, strict=True)):
        name = f"{k:05d}.png"
        iio.imwrite(folder / split / name, image)
        lines.append(",".join([name, *(f"{v:.1f}" for v in read)]))
    (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    run_cli(main)
