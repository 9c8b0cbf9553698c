"""Image files of any kind -> square uint8 RGB: EXIF orientation applied, transparency
composited on white, 16 bits scaled to 8. Those of a folder are kept in one file, which is
memory-mapped."""

import collections
import concurrent.futures
import contextlib
import hashlib
import io
import logging
import os
import re
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from rich.console import Console
from rich.progress import track

from cli import DataError, replacing
from data_tools.files import kind_of

MOST_PIXELS = 178_956_970  # of a file, Pillow's limit: half a gigabyte once decoded
NOTES = {
    "turned": "are turned upright, as their EXIF orientation says",
    "transparent": "have transparent pixels: white shows through",
    "resized": "are not {size}x{size}: centre-cropped and resized",
}
PNG = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND")
NAMED = 1000  # unreadable images in one message, at most
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


def cache_folder():
    """$HW4_CACHE, else the user's cache folder; OSError where the user has no home."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    path = os.environ.get("HW4_CACHE") or os.path.join(home, "hw4-faces")
    path = os.path.expanduser(path)
    if path.startswith("~"):
        raise FileNotFoundError(2, "no home folder; HW4_CACHE names another", path)
    return Path(path)


def clear_cache():
    """Remove what was cached, and no other file. Returns a line that says what."""
    written = re.compile(r"[0-9a-f]{64}\.npy|\.[0-9a-f]{20}\.[0-9a-f]{12}\.tmp")
    folder = cache_folder()
    paths = [path for path in folder.glob("*") if written.fullmatch(path.name)]
    size = sum(path.stat().st_size for path in paths)
    for path in paths:
        path.unlink()
    return f"{folder}: {len(paths)} files removed, {size / 1e6:,.0f} MB"


def decoded(paths, size, report):
    """Image files as uint8 `(n, size, size, 3)`, from the cache if neither their names
    nor sizes nor times have changed. They are never all in memory, unless no cache can
    be written.

    Raises:
        DataError: some cannot be read; the message names them all.
    """
    shape = (len(paths), size, size, 3)
    try:
        path = cache_folder() / f"{_key(paths, size)}.npy"
        with contextlib.suppress(OSError, ValueError, EOFError):
            if (images := np.load(path, mmap_mode="r")).shape == shape:
                return images
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not through a memory map: there a full disk kills the process.
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        with replacing(path) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for image in _decode(paths, size, report):
                file.write(image)
        return np.load(path, mmap_mode="r")
    except OSError as error:
        report(f"{error.filename}: cannot cache decoded images ({error.strerror})")
    image = np.dtype(("uint8", (size, size, 3)))
    return np.fromiter(_decode(paths, size, report), image, len(paths))


def _key(paths, size):
    # The first number is that of the way images are decoded.
    digest = hashlib.sha256(f"3 {size}\n".encode())
    for path in paths:
        info = path.stat()
        digest.update(os.fsencode(f"{path.name} {info.st_size} {info.st_mtime_ns}\n"))
    return digest.hexdigest()


def _decode(paths, size, report):
    """The images of `paths`, one after the other."""

    def read(path):
        try:
            return path, *read_image(path, size)
        except DataError as error:
            return path, None, str(error).removeprefix(f"{path}: ")

    done, refused = collections.Counter(), {}
    for path, image, notes in in_parallel(read, paths, "decoding images"):
        if image is None:
            refused.setdefault(notes, []).append(path.name)
        else:
            done.update(notes)
            yield image
    if refused:
        count = sum(map(len, refused.values()))
        listed = [f"{', '.join(names[:NAMED])}: {why}" for why, names in refused.items()]
        raise DataError(
            f"{paths[0].parent}: {count} of {len(paths)} images cannot be used. "
            + ". ".join(listed)
        )
    for note, text in NOTES.items():
        if note in done:
            report(f"{done[note]} of {len(paths)} images {text.format(size=size)}")
