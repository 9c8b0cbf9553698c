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

import data_utils
from cli import UserError, file_of_kind, replacing
from inference import options

FRAME = 80  # milliseconds
MOST = 10_000  # frames, which are all in memory


def run(args):
    """Write the walk; its key frames are the images that `sample` draws.

    Raises:
        UserError: unusable recipe, run, seeds, label, images or file.
    """
    film_file(args.out)
    if args.steps < 1:
        raise UserError(f"--steps {args.steps}: 1 or more")
    if args.images and args.label:
        raise UserError(f"--label {args.label}: images have their own code; leave it")
    seeds = None if args.images else options.numbers(args.seeds)
    if seeds is not None and len(seeds) < 2:
        raise UserError(f"--seeds {args.seeds}: give two or more to walk between")
    if args.images and args.truncation != 1:
        raise UserError("--truncation: images have their own code; leave it")
    frames = (len(args.images or seeds) - 1) * args.steps
    if frames > MOST:
        raise UserError(f"--steps {args.steps}: {frames:,} frames; at most {MOST:,}")
    truncation = options.truncated(args.truncation)
    if args.images and args.prior != "normal":
        raise UserError("--prior: images have their own code; leave it")
    trained = options.source(args, rebuilds=bool(args.images))
    options.prior(trained, args.prior)

    from models import latents, sampling

    if args.images:
        size = trained.recipe.image_size
        images = [data_utils.read_image(path, size)[0] for path in args.images]
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
    write(args.out, frames)
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


def write(path, frames, frame=FRAME):
    """Write uint8 frames `(n, height, width, 3)`, of `frame` milliseconds each, as an
    endless GIF, or as MP4 (height and width even)."""
    with replacing(path) as file:
        if path.suffix.lower() == ".gif":
            iio.imwrite(file, frames, extension=".gif", duration=frame, loop=0)
        else:
            more = {"plugin": "FFMPEG", "extension": ".mp4", "fps": 1000 / frame}
            iio.imwrite(file, frames, macro_block_size=2, **more)
