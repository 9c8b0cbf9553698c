"""From a folder of faces to one uint8 array, decoded once.

The course's layout is `<data>/train/*.png`, `<data>/test/*.png`, `train.csv`
and `test.csv` (`image_name` and binary attributes). A folder of images
without CSV works wherever no attribute is needed.
"""

import cli  # noqa: F401 - first of all: it says what is not installed

# isort: split
import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
import sys
from pathlib import Path

import numpy as np

from attribute_table import read_attributes
from cli import DataError, replacing
from image_file import NOTES, OTHERS, SUFFIXES, read_image


@dataclasses.dataclass
class Faces:
    """One split of a data folder.

    Attributes:
        images: uint8 `(n, size, size, 3)` in [0, 255], in CSV order (by name
            where there is no CSV); may be a read-only memory map.
        attributes: pandas frame `(n, attributes)` of 0 and 1 (int8), or None.
        names: file names, in the same order.
        folder: the folder of images.
        without_row: images of the folder that the CSV does not list; left out.
        left_out: others that `first` left out.
    """

    images: np.ndarray
    attributes: object
    names: list
    folder: Path
    without_row: int = 0
    left_out: int = 0

    @property
    def how_many(self):
        """ "all 120", or "5 of 120" if the CSV or `first` left some out."""
        total = len(self.images) + self.without_row + self.left_out
        if total == len(self.images):
            return f"all {total:,}"
        return f"{len(self.images):,} of {total:,}"

    def first(self, count):
        """The first `count` of them.

        Raises:
            DataError: there are fewer.
        """
        if count > len(self.images):
            raise DataError(f"{self.folder}: {len(self.images)} images, asked {count}")
        table = None if self.attributes is None else self.attributes[:count]
        return dataclasses.replace(
            self,
            images=self.images[:count],
            attributes=table,
            names=self.names[:count],
            left_out=self.left_out + len(self.images) - count,
        )

    def label(self, attribute):
        """One attribute as int32 `(n,)` of 0 and 1.

        Raises:
            DataError: no attributes here, or none of that name.
        """
        if self.attributes is None:
            raise DataError(
                f"{self.folder}: no CSV beside it, but '{attribute}' is needed; --data "
                "is a folder with train/ and train.csv, or test/ and test.csv, of "
                "image_name and 0/1 attributes (docs/data.md)"
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
        what = "no such folder" + (" but a file; unpack it" if data.is_file() else "")
        raise DataError(f"{data}: {what}; give a folder with {split}/ in it{_hint(data)}")
    folder, table, hint = data / split, data / f"{split}.csv", ""
    if not folder.is_dir():
        hint = _hint(data, split)
        if table.exists():
            raise DataError(
                f"{folder}: no such folder, but {table} lists its images{hint}"
            )
        if split != "train":
            raise DataError(
                f"{folder}: no such folder; images to test on belong there{hint}"
            )
        folder = data
    listed = table.exists()
    try:
        present = {p.name: p for p in image_files(folder, None if listed else report)}
    except DataError as error:
        raise DataError(f"{error}{hint}") from None
    attributes, names = None, list(present)
    if listed:
        attributes = read_attributes(table)
        names = [str(n) for n in attributes.index]
        missing = [n for n in names if n not in present]
        if missing:
            raise DataError(
                f"{table}: {len(missing)} of its images are not in {folder}: "
                f"{', '.join(missing[:5])}; add them or remove their rows"
            )
    without_row = len(present) - len(names)
    if without_row:
        report(
            f"{table}: {without_row} of {len(present)} images in {folder} have no row; "
            "they are left out"
        )
    paths = [present[n] for n in names]
    digest = _digest(folder, paths, size)
    images = _cached(digest, paths, size, report)
    if len(images) != len(paths):
        raise DataError(f"cache {digest[:12]} does not fit {folder}; remove it")
    return Faces(images, attributes, names, folder, without_row)


def _hint(data, split=None):
    """What a user who gave this folder may have meant."""
    text = str(data)
    if not data.is_dir():
        if "\\" in text:
            return r" (write / for \; in WSL C:\ is /mnt/c/)"
        return f" (without the blank: {text.strip()})" if text != text.strip() else ""
    if data.resolve().name == split and (data / ".." / f"{split}.csv").exists():
        return f"; give {data.parent} instead"
    for inner in sorted(path for path in data.iterdir() if path.is_dir()):
        if inner.name.lower() == split:
            return f"; rename {inner} to {split}"
        with contextlib.suppress(OSError):  # a folder of somebody else
            if (inner / split).is_dir():
                return f"; give {inner} instead"
    return ""


def image_files(folder, report=None):
    """The image files of a folder, sorted by name.

    Args:
        folder: the folder.
        report: called with one line of text where images of other kinds are left out.

    Raises:
        DataError: there are none, or one is a link to nothing.
    """
    files, others = [], 0
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        suffix = os.path.splitext(entry.name)[1].lower()
        if entry.name.startswith(".") or suffix not in SUFFIXES:
            others += suffix in OTHERS
        elif entry.is_file():
            files.append(Path(entry.path))
        elif not entry.is_dir():
            raise DataError(f"{entry.path}: a link to nothing; restore or remove it")
    found = f"{others} images of other kinds ({' '.join(OTHERS)})"
    if not files:
        what = f"; {found} there" if others else ""
        raise DataError(f"{folder}: no images; put PNG or JPEG files there{what}")
    if others and report:
        report(f"{folder}: {found} are left out")
    return files


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
    # The number is that of the way images are decoded.
    h = hashlib.sha256(os.fsencode(f"2 {folder.resolve()} {size}\n"))
    for path in paths:
        info = path.stat()
        times = f"{info.st_mtime_ns} {info.st_ctime_ns}"  # the latter cannot be copied
        h.update(os.fsencode(f"{path.name} {info.st_size} {times}\n"))
    return h.hexdigest()


def _decode(paths, size, report):
    """The images of `paths`, one after the other, decoded by all cores."""
    from rich.console import Console
    from rich.progress import track

    done = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        # In parts, or all would be read before the first is written.
        parts = (paths[k : k + 1024] for k in range(0, len(paths), 1024))
        decoded = track(
            (x for part in parts for x in pool.map(lambda p: read_image(p, size), part)),
            "decoding images",
            len(paths),
            console=Console(file=sys.stderr),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        try:
            for image, notes in decoded:
                done.update(notes)
                yield image
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    for note, text in NOTES.items():
        if done[note]:
            report(f"{done[note]} of {len(paths)} images {text.format(size=size)}")


def cache_folder():
    """Where decoded images are kept: $HW4_CACHE, else the user's cache folder; None
    where the user has no home."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = os.environ.get("HW4_CACHE") or os.path.join(home, "hw4-faces")
    folder = os.path.expanduser(folder)
    return None if folder.startswith("~") else Path(folder)


def _cached(digest, paths, size, report):
    """All images as one array, memory-mapped from the cache: decoded right into it,
    they are never all in memory, unless no cache can be written."""
    folder = cache_folder()
    if folder is None:
        report("no home folder to cache decoded images in; HW4_CACHE names another")
        return _in_memory(paths, size, report)
    path = folder / f"{digest}.npy"
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
        return _in_memory(paths, size, report)


def _in_memory(paths, size, report):
    images = np.empty((len(paths), size, size, 3), "uint8")
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


if __name__ == "__main__":
    from cli import run_cli
    from make_data import main

    run_cli(main)
