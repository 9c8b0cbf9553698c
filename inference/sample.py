"""`python -m inference sample`: images of a recipe, one PNG for each seed, or a sheet."""

import math

import imageio.v3 as iio
import numpy as np

import data_utils
from cli import UserError, replacing, writable
from inference import options

BATCH = 256  # images drawn at a time
SHEET = 10_000  # images in a sheet


def run(args):
    """Write `seed_0042.png` and so on, or all in one `sheet.png`, row by row. The image
    of seed 42 is the same whatever the other seeds.

    Raises:
        UserError: unusable recipe, run, seeds, label or folder.
    """
    seeds = options.numbers(args.seeds)
    truncation = options.truncated(args.truncation)
    trained = options.source(args)
    options.prior(trained, args.prior)

    if args.sheet and len(seeds) > SHEET:
        raise UserError(f"--sheet: {len(seeds):,} seeds; at most {SHEET:,}")

    from models import sampling  # takes seconds

    labels = options.classes(trained, seeds, args.label)
    writable(args.out)
    sheet = []
    for k in range(0, len(seeds), BATCH):
        part = slice(k, k + BATCH)
        images = sampling.draw(
            trained,
            seeds[part],
            labels and labels[part],
            truncation=truncation,
            prior=args.prior,
        )
        if args.sheet:
            sheet.extend(images)
            continue
        for seed, image in zip(seeds[part], images, strict=True):
            write(args.out / f"seed_{seed:04d}.png", image)
    if args.sheet:
        columns = math.ceil(math.sqrt(len(seeds)))
        write(args.out / "sheet.png", data_utils.tile(np.stack(sheet), columns))
    print(f"{len(seeds):,} images of {trained.recipe.name} are in {args.out}")
    return 0


def write(path, image):
    with replacing(path) as file:
        iio.imwrite(file, image, extension=".png")
