"""Make `sample_data/`: faces of no real person, in the course's layout.

`python -m report.sample_data <folder>` draws them with `rpgan_attributes`. Their labels
are the attributes that the attribute network reads in them.
"""

import argparse
import tempfile
from pathlib import Path

import imageio.v3 as iio
import pandas as pd

from cli import UserError, run_cli
from models.trained import Trained

SPLITS = {"train": range(240), "test": range(100_000, 100_120)}  # seeds


def main():
    parser = argparse.ArgumentParser(
        prog="python -m report.sample_data", description=__doc__
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if folder.exists():
        raise UserError(f"{folder}: there already; remove it first")
    from metrics.judge import Judge  # Keras takes seconds
    from models import sampling

    generator, judge = Trained("rpgan_attributes"), Judge(Trained("attributes"))
    with tempfile.TemporaryDirectory(dir=folder.resolve().parent) as temporary:
        made = Path(temporary) / "made"
        for split, seeds in SPLITS.items():
            (made / split).mkdir(parents=True)
            images = sampling.draw(generator, seeds)
            names = [f"{k:05d}.png" for k in range(len(images))]
            for name, image in zip(names, images, strict=True):
                iio.imwrite(made / split / name, image)
            read = (judge.read(images) > 0.5).astype(float)
            table = pd.DataFrame(read, pd.Index(names, name="image_name"), judge.names)
            table.to_csv(made / f"{split}.csv")
        made.rename(folder)
    counts = ", ".join(f"{len(seeds)} {split}" for split, seeds in SPLITS.items())
    print(f"{folder}: {counts} images")
    return 0


if __name__ == "__main__":
    run_cli(main)
