"""Decoded images of a folder, kept as one file that is memory-mapped."""

import collections
import contextlib
import hashlib
import os
import re
from pathlib import Path

import numpy as np

from cli import DataError, replacing
from data_tools.images import NOTES, in_parallel, read_image

NAMED = 1000  # unreadable images in one message, at most


def folder():
    """$HW4_CACHE, else the user's cache folder; OSError where the user has no home."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    path = os.environ.get("HW4_CACHE") or os.path.join(home, "hw4-faces")
    path = os.path.expanduser(path)
    if path.startswith("~"):
        raise FileNotFoundError(2, "no home folder; HW4_CACHE names another", path)
    return Path(path)


def clear():
    """Remove what was cached, and no other file. Returns a line that says what."""
    written = re.compile(r"[0-9a-f]{64}\.npy|\.[0-9a-f]{20}\.[0-9a-f]{12}\.tmp")
    there = folder().iterdir() if folder().is_dir() else ()
    paths = [path for path in there if written.fullmatch(path.name)]
    size = sum(path.stat().st_size for path in paths)
    for path in paths:
        path.unlink()
    return f"{folder()}: {len(paths)} files removed, {size / 1e6:,.0f} MB"


def decoded(paths, size, report):
    """Image files as uint8 `(n, size, size, 3)`, from the cache if neither their names
    nor sizes nor times have changed. They are never all in memory, unless no cache can
    be written.

    Raises:
        DataError: some cannot be read; the message names them all.
    """
    shape = (len(paths), size, size, 3)
    try:
        path = folder() / f"{_key(paths, size)}.npy"
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
