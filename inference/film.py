"""`python -m inference film`: a film of a run's grids, which share their noise."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cli import UserError
from inference import options
from inference.interpolate import film_file, write

MOST = 200  # frames
WIDTHS = (64, 4096)


def run(args):
    """Write the film of a run folder's `samples/`, the step below each grid.

    Raises:
        UserError: no grids, or an unusable width, length or file.
    """
    film_file(args.out)
    if not WIDTHS[0] <= args.width <= WIDTHS[1]:
        raise UserError(f"--width {args.width}: {WIDTHS[0]} to {WIDTHS[1]:,} pixels")
    if not 0 < args.seconds <= 600:
        raise UserError(f"--seconds {args.seconds:g}: more than 0, 600 at most")
    grids = grids_of(args.run)
    steps = [int(path.stem) for path in grids]
    frames = [
        frame(p, s, steps[-1], args.width) for p, s in zip(grids, steps, strict=True)
    ]
    frames += frames[-1:] * max(1, len(frames) // 5)  # hold the last frame
    write(args.out, np.stack(frames), max(20, 1000 * args.seconds / len(frames)))
    print(f"{len(grids)} grids, steps {steps[0]:,} to {steps[-1]:,}, are in {args.out}")
    return 0


def grids_of(run):
    """The grids of a run in the order of steps, at most `MOST` of them.

    Raises:
        UserError: there are none.
    """
    grids = [p for p in (run / "samples").glob("*.png") if p.stem.isdecimal()]
    grids.sort(key=lambda path: int(path.stem))
    if not grids:
        raise UserError(
            f"{run / 'samples'}: no grids; a run draws one every --sample-every steps"
        )
    return [grids[k] for k in options.spread(len(grids), MOST)]


def read_grid(path):
    """The grid in a file, an RGB image of Pillow.

    Raises:
        UserError: not a readable image.
    """
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError):
        raise UserError(f"{path}: not a readable image; remove it") from None


def frame(path, step, last, width):
    """A grid resized to `width`, with the step and a bar below it: uint8, even sides.

    Raises:
        UserError: not a readable image.
    """
    grid = read_grid(path)
    larger = Image.Resampling.BICUBIC if width > grid.width else Image.Resampling.LANCZOS
    width += width % 2
    height = round(grid.height * width / grid.width)
    text = max(10, width // 28)
    below = 2 * text
    whole = Image.new("RGB", (width, (height + below + 1) // 2 * 2), "white")
    whole.paste(grid.resize((width, height), larger))
    pen = ImageDraw.Draw(whole)
    font = ImageFont.load_default(text)
    pen.text((text // 2, height + text // 4), f"step {step:,}", "black", font)
    bar = height + below - max(2, text // 5)
    pen.rectangle((0, bar, width * step // max(1, last), whole.height), "#1f77b4")
    return np.asarray(whole)
