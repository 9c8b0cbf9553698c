"""`python -m inference interpolate`: a walk from image to image, as GIF or MP4.

Between seeds it is spherical (White 2016): normal noise of many dimensions is close to a
sphere, and the middle of a straight line is far inside, where a generator was not
trained. Between a VAE's codes of two real images it is linear: posterior means are not
on a sphere, and a straight line keeps what both codes share. So it is between codes
of the fitted density, whose seeds may be of different components.
"""

import importlib.util

import imageio.v3 as iio
import numpy as np
from PIL import Image

from cli import UserError, file_of_kind, replacing
from data_tools.images import read_image
from inference import options

FRAME = 80  # milliseconds
MOST = 10_000  # frames, which are all in memory
WIDEST = 1024  # pixels


def run(args):
    """Write the walk; its key frames are the images that `sample` draws.

    Raises:
        UserError: unusable recipe, run, seeds, label, images or file.
    """
    film_file(args.out)
    if args.steps < 1:
        raise UserError(f"--steps {args.steps}: 1 or more")
    if args.width is not None and not 16 <= args.width <= WIDEST:
        raise UserError(f"--width {args.width}: 16 to {WIDEST:,} pixels")
    if args.images:
        given = {
            "label": args.label is not None,
            "truncation": args.truncation != 1,
            "prior": args.prior != "normal",
        }
        for option in (name for name, used in given.items() if used):
            raise UserError(f"--{option} applies to --seeds only; leave it")
    seeds = None if args.images else options.numbers(args.seeds)
    if seeds is not None and len(seeds) < 2:
        raise UserError(f"--seeds {args.seeds}: give two or more to walk between")
    frames = (len(args.images or seeds) - 1) * args.steps
    if frames > MOST:
        raise UserError(f"--steps {args.steps}: {frames:,} frames; at most {MOST:,}")
    truncation = options.truncated(args.truncation)
    trained = options.source(args, rebuilds=bool(args.images))
    options.prior(trained, args.prior)

    from models import latents, sampling  # takes seconds

    if args.images:
        size = trained.recipe.image_size
        images = [read_image(path, size)[0] for path in args.images]
        codes = sampling.walk(
            sampling.encode(trained, np.stack(images)), args.steps, sampling.linear
        )
    else:
        labels = options.classes(trained, seeds, args.label)
        keys = latents(trained.recipe, seeds, labels, truncation)
        if args.prior == "fitted":  # a mixture: its codes jump where noise does not
            codes = trained.prior.codes(keys)
            codes = sampling.walk(codes, args.steps, sampling.linear)
        else:
            codes = between(trained.recipe, keys, args.steps)
    frames = sampling.render(trained, codes)
    write(args.out, enlarged(frames, args.width))
    print(f"{len(frames)} frames of {trained.recipe.name} are in {args.out}")
    return 0


def between(recipe, keys, steps):
    """Latents between those of seeds: noise spherically, classes linearly.

    Args:
        keys: float32 `(seeds, latent + condition)`.

    Returns:
        float32 `(frames, latent + condition)`.
    """
    from models.sampling import linear, spherical, walk

    noise, condition = np.split(keys, [recipe.latent], axis=1)
    parts = walk(noise, steps, spherical), walk(condition, steps, linear)
    return np.concatenate(parts, 1)


def film_file(path):
    """Check that a film can be written to a file.

    Raises:
        UserError: neither GIF nor MP4, imageio-ffmpeg missing, or an unusable folder.
    """
    file_of_kind(path, (".gif", ".mp4"))
    if path.suffix.lower() == ".mp4" and not importlib.util.find_spec("imageio_ffmpeg"):
        raise UserError(
            f"{path}: MP4 needs 'pip install imageio-ffmpeg'; GIF does without"
        )


def enlarged(frames, width=None):
    """uint8 frames `(n, height, width, 3)` at another width, if one is given."""
    if width is None:
        return frames
    size = width, round(width * frames.shape[1] / frames.shape[2])
    return np.stack(
        [Image.fromarray(f).resize(size, Image.Resampling.BICUBIC) for f in frames]
    )


def write(path, frames):
    """Write uint8 frames `(n, height, width, 3)` as an endless GIF, or as MP4 (height
    and width are made even)."""
    with replacing(path) as file:
        if path.suffix.lower() == ".gif":
            iio.imwrite(file, frames, extension=".gif", duration=FRAME, loop=0)
        else:
            more = {"plugin": "FFMPEG", "extension": ".mp4", "fps": 1000 / FRAME}
            iio.imwrite(file, frames, macro_block_size=2, **more)
