"""`python -m inference interpolate`: a walk from image to image, as GIF or MP4.

Between seeds it is spherical (White 2016): normal noise of many dimensions is close to a
sphere, and the middle of a straight line is far inside, where a generator was not
trained. Between a VAE's codes of two real images it is linear: posterior means are not
on a sphere, and a straight line keeps what both codes share. So it is between codes
of the fitted density, whose seeds may be of different components.
"""

from importlib.util import find_spec

import imageio.v3 as iio
import numpy as np
from PIL import Image

from cli import UserError, file_of_kind, replacing
from data_tools.images import read_image
from inference import options
from models import latents, sampling

FRAME = 80  # milliseconds
MOST = 10_000  # frames, which are all in memory
WIDEST = 1024  # pixels


def run(args):
    """Write the walk; its key frames are the images that `sample` draws.

    Raises:
        UserError: unusable recipe, run, seeds, label, images or file.
    """
    file_of_kind(args.out, (".gif", ".mp4"))
    if args.out.suffix.lower() == ".mp4" and not find_spec("imageio_ffmpeg"):
        raise UserError(
            f"{args.out}: MP4 needs 'pip install imageio-ffmpeg'; GIF does without"
        )
    if args.steps < 1:
        raise UserError(f"--steps {args.steps}: 1 or more")
    if args.width is not None and not 16 <= args.width <= WIDEST:
        raise UserError(f"--width {args.width}: 16 to {WIDEST:,} pixels")
    if (args.seeds is None) == (args.images is None):
        raise UserError("give --seeds, or --images and two image files")
    of_seeds = (args.label, args.truncation, args.prior)
    if args.images and of_seeds != (None, 1, "normal"):
        raise UserError("--label, --truncation and --prior apply to --seeds only")
    keys = args.images or options.numbers(args.seeds)
    if len(keys) < 2:
        raise UserError(f"--seeds {args.seeds}: give two or more to walk between")
    frames = (len(keys) - 1) * args.steps
    if frames > MOST:
        raise UserError(f"--steps {args.steps}: {frames:,} frames; at most {MOST:,}")
    trained = options.source(args, rebuilds=bool(args.images))
    if args.images:
        images = [read_image(path, trained.recipe.image_size)[0] for path in keys]
        keys = sampling.encode(trained, np.stack(images))
    else:
        labels = options.classes(trained, keys, args.label)
        keys = latents(trained.recipe, keys, labels, args.truncation)
        if args.prior == "fitted":  # a mixture: its codes jump where noise does not
            keys = trained.prior.codes(keys)
    if args.images or args.prior == "fitted":
        codes = sampling.walk(keys, args.steps, sampling.linear)
    else:
        codes = between(trained.recipe, keys, args.steps)
    frames = enlarged(sampling.render(trained, codes), args.width)
    more = {"extension": ".gif", "duration": FRAME, "loop": 0}
    if args.out.suffix.lower() == ".mp4":  # height and width are made even
        more = {"extension": ".mp4", "plugin": "FFMPEG", "fps": 1000 / FRAME}
        more["macro_block_size"] = 2
    with replacing(args.out) as file:
        iio.imwrite(file, frames, **more)
    print(f"{len(frames)} frames of {trained.recipe.name} are in {args.out}")
    return 0


def between(recipe, keys, steps):
    """Latents between those of seeds, float32 `(n, latent + condition)`: noise
    spherically, classes linearly."""
    noise, condition = np.split(keys, [recipe.latent], axis=1)
    parts = (noise, sampling.spherical), (condition, sampling.linear)
    return np.concatenate([sampling.walk(x, steps, how) for x, how in parts], 1)


def enlarged(frames, width=None):
    """uint8 frames `(n, height, width, 3)` at another width, if one is given."""
    if width is None:
        return frames
    size = width, round(width * frames.shape[1] / frames.shape[2])
    return np.stack(
        [Image.fromarray(f).resize(size, Image.Resampling.BICUBIC) for f in frames]
    )
