"""`python -m inference sample`: images of a recipe, one PNG for each seed."""

import imageio.v3 as iio

from cli import replacing, writable
from inference import options

BATCH = 256  # images drawn at a time


def run(args):
    """Write `seed_0042.png` and so on. The image of seed 42 is always the same, whatever
    other seeds are asked for.

    Raises:
        UserError: unusable recipe, run, seeds, label or folder.
    """
    seeds = options.numbers(args.seeds)
    truncation = options.truncated(args.truncation)
    trained = options.source(args)
    options.prior(trained, args.prior)

    from models import sampling

    labels = options.classes(trained, seeds, args.label)
    writable(args.out)
    for k in range(0, len(seeds), BATCH):
        part = slice(k, k + BATCH)
        asked = labels and labels[part]
        images = sampling.draw(
            trained, seeds[part], asked, truncation=truncation, prior=args.prior
        )
        for seed, image in zip(seeds[part], images, strict=True):
            with replacing(args.out / f"seed_{seed:04d}.png") as file:
                iio.imwrite(file, image, extension=".png")
    print(f"{len(seeds):,} images of {trained.recipe.name} are in {args.out}")
    return 0
