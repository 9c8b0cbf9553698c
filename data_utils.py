"""From a folder of faces to one uint8 array, decoded once.

The course's layout is `<data>/train/*.png`, `<data>/test/*.png`, `train.csv`
and `test.csv` (`image_name` and binary attributes). A folder of images
without CSV works wherever no attribute is needed.
"""

import cli  # noqa: F401 - first of all: it says what is not installed

# isort: split
import contextlib
import dataclasses
import functools
from pathlib import Path

import numpy as np
from PIL import Image

from cli import DataError, run_cli
from data_tools import convert
from data_tools.files import find, ignored, image_files
from data_tools.images import decoded
from data_tools.tables import read_attributes


@dataclasses.dataclass
class Faces:
    """One split of a data folder.

    Attributes:
        images: uint8 `(n, size, size, 3)` in [0, 255], in CSV order (by name
            where there is no CSV); may be a read-only memory map.
        attributes: pandas frame `(n, attributes)` of 0 and 1 (int8), or None.
        names: file names, in the same order.
        folder: the folder of images.
        without_row: how many images of the folder the CSV does not list.
        left_out: how many others `first` or `last` left out.
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
        count, rest = len(self.images), self.without_row + self.left_out
        return f"{count:,} of {count + rest:,}" if rest else f"all {count:,}"

    def first(self, count):
        """The first `count` of them, or all if there are fewer."""
        return self._part(slice(count))

    def last(self, count):
        """The last `count` of them, or all if there are fewer."""
        return self._part(slice(-count, None))

    def _part(self, part):
        images, table = self.images[part], self.attributes
        return dataclasses.replace(
            self,
            images=images,
            attributes=None if table is None else table[part],
            names=self.names[part],
            left_out=self.left_out + len(self.images) - len(images),
        )

    @property
    def columns(self):
        """The names of all attributes; DataError if there are none."""
        if self.attributes is None or not len(self.attributes.columns):
            raise DataError(
                f"{self.folder}: no attributes; add {self.folder.name}.csv with "
                "image_name and 0/1 attributes"
            )
        return list(self.attributes.columns)

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


def data_folder(data, split="train"):
    """The `Path` of a data folder; DataError if it is none, with what may be meant."""
    data = Path(data)
    if not data.is_dir():
        what = "no such folder" + (" but a file; unpack it" if data.is_file() else "")
        raise DataError(f"{data}: {what}; give a folder with {split}/ in it{_hint(data)}")
    return data


def size_of(data, *splits):
    """(width, height) of the first image of a folder, of the first split that it has."""
    folders = (*(Path(data) / split for split in splits), Path(data))
    with Image.open(image_files(next(f for f in folders if f.is_dir()))[0]) as image:
        return image.size


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
        DataError: missing folder or images, unreadable images, CSV that does
            not fit the images or is not binary.
    """
    data = data_folder(data, split)
    folder, table, hint = data / split, data / f"{split}.csv", ""
    if not folder.is_dir():
        hint = _hint(data, split)
        if table.exists():
            raise DataError(f"{folder}: no such folder, but {table} lists images{hint}")
        if split != "train":
            raise DataError(
                f"{folder}: no such folder; images to test on belong there{hint}"
            )
        folder = data  # a plain folder of images
    present = {path.name: path for path in image_files(folder, report, hint)}
    attributes, paths = None, present
    if table.exists():
        attributes = read_attributes(table)
        paths = find(attributes.index, present, table, folder, report)
    images = decoded(list(paths.values()), size, report)
    return Faces(images, attributes, list(paths), folder, len(present) - len(paths))


def _hint(data, split=None):
    """What a user who gave this folder may have meant."""
    text = str(data)
    if "\\" in text and not data.is_dir():
        return r" (write / for \; in WSL C:\ is /mnt/c/)"
    if not data.is_dir():
        return f" (without the blank: {text.strip()})" if text != text.strip() else ""
    if data.resolve().name == split and (data / ".." / f"{split}.csv").exists():
        return f"; give {data.parent} instead"
    for inner in sorted(p for p in data.iterdir() if p.is_dir() and not ignored(p.name)):
        if inner.name.lower() == split:
            return f"; rename {inner} to {split}"
        with contextlib.suppress(OSError):  # a folder of somebody else
            if (inner / split).is_dir():
                return f"; give {inner} instead"
    return ""


def indices(n, batch, step, seed):
    """Which images step `step` reads: a pure function of its arguments.

    Images come in epochs, each a new permutation of all `n`; a batch may reach
    over an epoch's end. Returns int64 `(batch,)`.
    """
    places = range(step * batch, (step + 1) * batch)
    return np.array([_permutation(n, seed, k // n)[k % n] for k in places], np.int64)


@functools.lru_cache(maxsize=3)
def _permutation(n, seed, epoch):
    return np.random.default_rng((seed, epoch)).permutation(n)


def to_uint8(images, pixel_range):
    """Float images in `pixel_range` -> uint8 in [0, 255], clipped, same shape."""
    low, high = pixel_range
    scaled = (np.asarray(images, "float32") - low) * (255.0 / (high - low))
    return np.clip(np.rint(scaled), 0, 255).astype("uint8")


def from_uint8(images, pixel_range):
    """uint8 images in [0, 255] -> float32 in `pixel_range`, same shape."""
    low, high = pixel_range
    return images.astype("float32") * ((high - low) / 255.0) + low


def tile(images, columns, gap=2):
    """Images `(n, height, width, 3)` uint8 -> one, row by row, `gap` px apart."""
    n, height, width, _ = images.shape
    size = -(-n // columns) * (height + gap) + gap, columns * (width + gap) + gap
    sheet = np.full((*size, 3), 255, "uint8")
    for k, image in enumerate(images):
        top = gap + (k // columns) * (height + gap)
        left = gap + (k % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


if __name__ == "__main__":
    run_cli(convert.main)
