"""From a folder of faces to one uint8 array, decoded once.

The course's layout is `<data>/train/*.png`, `<data>/test/*.png`, `train.csv`
and `test.csv` (`image_name` and binary attributes). A folder of images
without CSV works wherever no attribute is needed.
"""

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from cli import UserError, replacing

SUFFIXES = (".png", ".jpg", ".jpeg")


class DataError(UserError):
    """The data folder cannot be used; the message names the file and the cure."""


@dataclasses.dataclass
class Faces:
    """One split of a data folder.

    Attributes:
        images: uint8 `(n, size, size, 3)` in [0, 255], in CSV order (by name
            where there is no CSV); may be a read-only memory map.
        attributes: pandas frame `(n, attributes)` of 0 and 1 (int8), or None.
        names: file names, in the same order.
        folder: the folder of images.
    """

    images: np.ndarray
    attributes: object
    names: list
    folder: Path

    def first(self, count):
        """The first `count` of them.

        Raises:
            DataError: there are fewer.
        """
        if count > len(self.images):
            raise DataError(f"{self.folder}: {len(self.images)} images, asked {count}")
        table = None if self.attributes is None else self.attributes[:count]
        return dataclasses.replace(
            self, images=self.images[:count], attributes=table, names=self.names[:count]
        )

    def label(self, attribute):
        """One attribute as int32 `(n,)` of 0 and 1.

        Raises:
            DataError: no attributes here, or none of that name.
        """
        if self.attributes is None:
            raise DataError(
                f"{self.folder}: no CSV beside it, but '{attribute}' is needed; "
                f"add {self.folder.name}.csv with image_name and 0/1 attributes"
            )
        if attribute not in self.attributes:
            known = ", ".join(self.attributes.columns)
            raise DataError(
                f"unknown attribute '{attribute}'; {self.folder} has: {known}"
            )
        return self.attributes[attribute].to_numpy("int32")


def load_faces(data, split="train", size=64, report=print):
    """Load one split of a data folder, from the cache if nothing changed.

    Args:
        data: the data folder.
        split: "train" or "test".
        size: side in pixels that images are centre-cropped and resized to.
        report: called with one line of text when there is something to say.

    Returns:
        `Faces`.

    Raises:
        DataError: missing folder or images, unreadable image, CSV that does
            not fit the images or is not binary.
    """
    data = Path(data)
    if not data.is_dir():
        raise DataError(f"{data}: no such folder; give a folder with {split}/ in it")
    folder, table = data / split, data / f"{split}.csv"
    if not folder.is_dir():
        if table.exists():
            raise DataError(f"{folder}: no such folder, but {table} lists its images")
        if split != "train":
            raise DataError(f"{folder}: no such folder; images to test on belong there")
        folder = data
    present = {p.name: p for p in image_files(folder)}
    attributes, names = None, list(present)
    if table.exists():
        attributes = read_attributes(table)
        names = [str(n) for n in attributes.index]
        missing = [n for n in names if n not in present]
        if missing:
            raise DataError(
                f"{table}: {len(missing)} of its images are not in {folder}: "
                f"{', '.join(missing[:5])}; add them or remove their rows"
            )
    paths = [present[n] for n in names]
    digest = _digest(folder, paths, size)
    images = _cached(digest, paths, size, report)
    if len(images) != len(paths):
        raise DataError(f"cache {digest[:12]} does not fit {folder}; remove it")
    return Faces(images, attributes, names, folder)


def image_files(folder):
    """The image files of a folder, sorted by name.

    Raises:
        DataError: there are none.
    """
    files = [
        p
        for p in sorted(folder.iterdir())
        if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
    ]
    if not files:
        raise DataError(f"{folder}: no images; put PNG or JPEG files there")
    return files


def read_attributes(table):
    """Read a CSV of binary attributes; -1 (CelebA's own files) becomes 0.

    Returns:
        pandas frame of int8 0 and 1, indexed by image name.

    Raises:
        DataError: no `image_name` column, missing or non-binary cells, a name
            that stands twice, no rows.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(table, dtype={"image_name": str})
    except (ValueError, OSError) as error:
        raise DataError(f"{table}: not a CSV file ({error})") from None
    if "image_name" not in frame:
        raise DataError(f"{table}: no column image_name; its first line names columns")
    if frame.empty:
        raise DataError(f"{table}: no rows; list one image a row")
    frame = frame.set_index("image_name")
    twice = frame.index[frame.index.duplicated()]
    if len(twice):
        raise DataError(f"{table}: {twice[0]} stands there twice; keep one row")
    for column in frame:
        values = pd.to_numeric(frame[column], errors="coerce")
        bad = ~values.isin([-1, 0, 1])
        if bad.any():
            row = bad.to_numpy().argmax()
            cell = frame[column].iloc[row]
            what = "is empty" if pd.isna(cell) else f"is '{cell}'"
            raise DataError(
                f"{table}: {column} of {frame.index[row]} {what}; attributes are "
                f"0 or 1 (or -1 and 1); {int(bad.sum())} such cells in the column"
            )
        frame[column] = values
    if (frame == -1).any(axis=None) and (frame == 0).any(axis=None):
        raise DataError(f"{table}: both 0 and -1 in it; use 0 and 1, or -1 and 1")
    return frame.clip(lower=0).astype("int8")


def indices(n, batch, step, seed):
    """Which images step `step` reads: a pure function of its arguments.

    Images come in epochs, each a new permutation of all `n`; a batch may reach
    over an epoch's end. Returns int64 `(batch,)`.
    """
    places = np.arange(step * batch, (step + 1) * batch, dtype=np.int64)
    epochs = places // n
    out = np.empty(batch, np.int64)
    for epoch in np.unique(epochs):
        mine = epochs == epoch
        out[mine] = _permutation(n, seed, int(epoch))[places[mine] % n]
    return out


_last_permutations = {}


def _permutation(n, seed, epoch):
    key = (n, seed, epoch)
    if key not in _last_permutations:
        while len(_last_permutations) > 2:
            _last_permutations.pop(next(iter(_last_permutations)))
        _last_permutations[key] = np.random.default_rng((seed, epoch)).permutation(n)
    return _last_permutations[key]


# ------------------------------------------------------------ decoding, cache


def _digest(folder, paths, size):
    h = hashlib.sha256(f"1 {folder.resolve()} {size}\n".encode())
    for path in paths:
        info = path.stat()
        h.update(f"{path.name} {info.st_size} {info.st_mtime_ns}\n".encode())
    return h.hexdigest()


def read_image(path, size):
    """Read one image file.

    Returns:
        (uint8 `(size, size, 3)`, whether it was cropped or resized for that).

    Raises:
        DataError: not a readable image.
    """
    try:
        with Image.open(path) as image:
            image = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise DataError(f"{path}: not a readable image; replace or remove it") from None
    resized = image.size != (size, size)
    if resized:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        image = image.resize((size, size), Image.Resampling.LANCZOS, box)
    return np.asarray(image, "uint8"), resized


def _decode(paths, size, report):
    """The images of `paths`, one after the other, decoded by all cores."""
    from rich.console import Console
    from rich.progress import track

    resized = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # In parts, or all would be read before the first is written.
        parts = (paths[k : k + 1024] for k in range(0, len(paths), 1024))
        decoded = track(
            (x for part in parts for x in pool.map(lambda p: read_image(p, size), part)),
            f"decoding {paths[0].parent.name}",
            len(paths),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        try:
            for image, changed in decoded:
                resized += changed
                yield image
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if resized:
        report(
            f"{resized} of {len(paths)} images are not {size}x{size}: "
            "centre-cropped and resized"
        )


def cache_folder():
    """Where decoded images are kept: $HW4_CACHE, else the user's cache folder."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("HW4_CACHE") or os.path.join(home, "hw4-faces"))


def _cached(digest, paths, size, report):
    """All images as one array, memory-mapped from the cache: decoded right into it,
    they are never all in memory, unless no cache can be written."""
    path = cache_folder() / f"{digest}.npy"
    with contextlib.suppress(OSError, ValueError, EOFError):
        return np.load(path, mmap_mode="r", allow_pickle=False)
    shape = (len(paths), size, size, 3)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for image in _decode(paths, size, report):
                file.write(image)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        report(f"{path.parent}: cannot cache decoded images there ({error.strerror})")
    images = np.empty(shape, "uint8")
    for k, image in enumerate(_decode(paths, size, report)):
        images[k] = image
    return images


# -------------------------------------------------------------------- pixels


def to_uint8(images, pixel_range):
    """Float images in `pixel_range` -> uint8 in [0, 255], clipped, same shape."""
    low, high = pixel_range
    scaled = (np.asarray(images, "float32") - low) * (255.0 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype("uint8")


def from_uint8(images, pixel_range):
    """uint8 images in [0, 255] -> float32 in `pixel_range`, same shape."""
    low, high = pixel_range
    return images.astype("float32") * ((high - low) / 255.0) + low


def tile(images, columns, gap=2, background=255):
    """Images `(n, height, width, 3)` uint8 -> one, row by row, `gap` px apart."""
    n, height, width, _ = images.shape
    rows = -(-n // columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    sheet = np.full(shape, background, "uint8")
    for k, image in enumerate(images):
        top = gap + (k // columns) * (height + gap)
        left = gap + (k % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
