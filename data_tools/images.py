"""Image files of any kind -> square uint8 RGB: EXIF orientation applied, transparency
composited on white, 16 bits scaled to 8."""

import concurrent.futures
import contextlib
import io
import logging
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from rich.console import Console
from rich.progress import track

from cli import DataError
from data_tools.files import kind_of

MOST_PIXELS = 178_956_970  # of a file, Pillow's limit: half a gigabyte once decoded
NOTES = {
    "turned": "are turned upright, as their EXIF orientation says",
    "transparent": "have transparent pixels: white shows through",
    "resized": "are not {size}x{size}: centre-cropped and resized",
}
PNG = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND")
THREADS = 4  # not more: each has a whole photograph in memory

warnings.filterwarnings("ignore", module=r"PIL\.")  # of damage, of large images
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # likewise


def read_image(path, size):
    """Read one image file, of an animation the first image.

    Grey becomes RGB, other sizes are centre-cropped and resized. Colour profiles and
    gamma are ignored.

    Returns:
        (uint8 `(size, size, 3)`, keys of `NOTES` that say what was done for that).

    Raises:
        DataError: no readable image, too large, or of a depth that has no white.
    """
    try:
        image = _load(path)
    except Image.DecompressionBombError:
        raise DataError(
            f"{path}: more than {MOST_PIXELS:,} pixels; make it smaller or remove it"
        ) from None
    except Exception as error:  # decoders raise what they like where a file is damaged
        if getattr(error, "errno", None):  # not there, not permitted
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        why = kind_of(path)
        if not why and not isinstance(error, UnidentifiedImageError):
            why = f" ({' '.join(str(error).split())[:100]})"
        message = f"{path}: not a readable image{why}; replace or remove it"
        raise DataError(message) from None
    notes = set()
    with contextlib.suppress(Exception):  # damaged EXIF of a good image
        if image.getexif().get(ExifTags.Base.Orientation) in range(2, 9):
            notes.add("turned")
            ImageOps.exif_transpose(image, in_place=True)
    image, alpha = _eight_bits(image, path)
    if alpha is not None and alpha.getextrema()[0] < 255:
        notes.add("transparent")
        image.paste("white", mask=ImageOps.invert(alpha))
    if image.size != (size, size):
        notes.add("resized")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        image = image.resize((size, size), Image.Resampling.LANCZOS, box)
    return np.asarray(image, "uint8"), notes


def _load(path):
    """The decoded image. A PNG that cannot be is tried without the chunks that no pixel
    needs: large texts and colour profiles."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except Exception as error:
        if getattr(error, "errno", None):
            raise
        with open(path, "rb") as file:
            kept = [file.read(8)]
            if kept[0] != PNG:
                raise
            while head := file.read(8):
                body = file.read(int.from_bytes(head[:4]) + 4)
                if head[4:] in PIXEL_CHUNKS:
                    kept += [head, body]
    with Image.open(io.BytesIO(b"".join(kept))) as image:
        image.load()
        return image


def _eight_bits(image, path):
    """(RGB image, its alpha in mode L or None); no value is clipped."""
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        raise DataError(
            f"{path}: 32 bits a value, and nothing says how much is white; save it with "
            "8 or 16 bits"
        )
    alpha = None
    if image.mode.startswith("I"):  # 16 bits of grey, which Pillow clips
        values, hidden = np.asarray(image), image.info.get("transparency")
        if isinstance(hidden, int):
            alpha = Image.fromarray(np.where(values == hidden, 0, 255).astype("uint8"))
        image = Image.fromarray(np.rint(values / 257).clip(0, 255).astype("uint8"))
    try:
        if image.has_transparency_data:
            image = image.convert("RGBA")
            alpha = image.getchannel("A")
        return image.convert("RGB"), alpha
    except ValueError:  # of a mode that has no way to RGB
        raise DataError(f"{path}: colours of kind {image.mode}; save it as RGB") from None


def in_parallel(function, items, label):
    """`function` of each item, in their order, by a few threads, with a progress bar
    on a terminal."""
    console = Console(stderr=True)
    bar = {"console": console, "transient": True, "disable": not console.is_terminal}
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        # In parts, or all could be read before the first is written.
        parts = (items[k : k + 256] for k in range(0, len(items), 256))
        done = (result for part in parts for result in pool.map(function, part))
        yield from track(done, label, len(items), **bar)
