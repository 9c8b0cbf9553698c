"""Image files as people have them -> uint8 RGB: any mode and depth, turned upright,
without what lies hidden under transparent pixels."""

import logging
import warnings

import numpy as np
from PIL import Image

from cli import DataError

SUFFIXES = (".png", ".jpg", ".jpeg")
OTHERS = (".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif", ".jfif")
MOST_PIXELS = 178_956_970  # of a file: half a gigabyte once decoded
NOTES = {
    "turned": "are turned upright, as their EXIF orientation says",
    "transparent": "have transparent pixels: white shows through",
    "resized": "are not {size}x{size}: centre-cropped and resized",
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_KINDS = {  # what else goes by the name of an image, by its first bytes
    b"version https://git-lfs": "a Git LFS pointer: git lfs pull",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"pk\x03\x04": "a ZIP archive",
}

Image.MAX_IMAGE_PIXELS = None  # Pillow warns at half of ours, and calls it an attack
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # of damage
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # likewise


def read_image(path, size):
    """Read one image file, of an animation the first image.

    Grey becomes RGB, 16 bits become 8, other sizes are centre-cropped and resized.
    Colour profiles and gamma are left aside.

    Returns:
        (uint8 `(size, size, 3)`, keys of `NOTES` that say what was done for that).

    Raises:
        DataError: no readable image, too large, or of a depth that has no white.
    """
    try:
        with Image.open(path) as image:
            pixels = image.width * image.height
            if pixels <= MOST_PIXELS:
                image.load()
                turn = _turn(image)
    except Exception as error:  # decoders raise what they like where a file is damaged
        if getattr(error, "errno", None):  # not there, not permitted
            raise DataError(f"{path}: cannot be read ({error.strerror})") from None
        kind = _kind(path)
        raise DataError(
            f"{path}: not a readable image{kind}; replace or remove it"
        ) from None
    if pixels > MOST_PIXELS:
        raise DataError(
            f"{path}: {image.width}x{image.height} pixels, the limit is {MOST_PIXELS:,}; "
            "make it smaller or remove it"
        )
    notes = set()
    image, alpha = _eight_bits(image, path)
    if alpha is not None and alpha.getextrema()[0] < 255:
        notes.add("transparent")
        image.paste("white", mask=alpha.point(lambda a: 255 - a))
    if turn is not None:  # one of them is 0
        notes.add("turned")
        image = image.transpose(turn)
    if image.size != (size, size):
        notes.add("resized")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        image = image.resize((size, size), Image.Resampling.LANCZOS, box)
    return np.asarray(image, "uint8"), notes


def _turn(image):
    """The transposition that EXIF asks for, or None."""
    try:
        return _TURNS.get(image.getexif().get(0x0112))
    except Exception:  # damaged EXIF of a good image
        return None


def _eight_bits(image, path):
    """(RGB image, its alpha in mode L or None); no value is clipped."""
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        raise DataError(
            f"{path}: 32 bits a value, and nothing says how much is white; save it with "
            "8 or 16 bits"
        )
    if image.mode.startswith("I"):  # 16 bits of grey
        values = np.asarray(image).astype("float32")
        grey = Image.fromarray(np.rint(values / 257).clip(0, 255).astype("uint8"))
        alpha = None
        if isinstance(hidden := image.info.get("transparency"), int):
            alpha = Image.fromarray(np.where(values == hidden, 0, 255).astype("uint8"))
        return grey.convert("RGB"), alpha
    try:
        if image.has_transparency_data:
            image = image.convert("RGBA")
            return image.convert("RGB"), image.getchannel("A")
        return image.convert("RGB"), None
    except ValueError:  # of a mode that has no way to RGB
        raise DataError(f"{path}: colours of kind {image.mode}; save it as RGB") from None


def _kind(path):
    """ " (what the file is instead)", where its first bytes say."""
    try:
        with open(path, "rb") as file:
            head = file.read(64).lower()
    except OSError:
        return ""
    if not head:
        return " (an empty file)"
    if head[4:8] == b"ftyp":
        return " (HEIC or a film: convert it to JPEG)"
    found = [kind for start, kind in _KINDS.items() if head.strip().startswith(start)]
    return f" ({found[0]})" if found else ""
