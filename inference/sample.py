"""`python -m inference sample`: images of a recipe, one PNG for each seed, or a sheet."""

import math

import imageio.v3 as iio
import numpy as np

import data_utils
from cli import UserError, replacing, writable
from inference import options
from models import sampling

BATCH = 256  # images drawn at a time
SHEET = 10_000  # images in a sheet


def run(args):
    """Write `seed_0042.png` and so on, or all in one `sheet.png`, row by row. The image
    of seed 42 is the same whatever the other seeds.

    Raises:
        UserError: unusable recipe, run, seeds, label or folder.
    """
    seeds = options.numbers(args.seeds)
    if args.sheet and len(seeds) > SHEET:
        raise UserError(f"--sheet: {len(seeds):,} seeds; at most {SHEET:,}")
    trained = options.source(args)
    labels = options.classes(trained, seeds, args.label)
    writable(args.out)
    sheet, more = [], {"truncation": args.truncation, "prior": args.prior}
    for k in range(0, len(seeds), BATCH):
        part = slice(k, k + BATCH)
        images = sampling.draw(trained, seeds[part], labels and labels[part], **more)
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
