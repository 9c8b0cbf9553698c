"""Which files of a folder are images, and which of them a table names."""

import os
import unicodedata
from pathlib import Path

from cli import DataError

SUFFIXES = (".png", ".jpg", ".jpeg")
OTHERS = (".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif", ".jfif")
KINDS = {  # what else goes by the name of an image or a table, by its first bytes
    b"version https://git-lfs": "a Git LFS pointer: git lfs pull",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"pk\x03\x04": "a ZIP archive, as .xlsx files are",
}


def ignored(name):
    """What macOS, notebooks and editors leave: `._a.png`, `.ipynb_checkpoints` ..."""
    return name.startswith(".") or name == "__MACOSX"


def image_files(folder, report=lambda text: None, hint=""):
    """The image files of a folder itself, sorted by name.

    Args:
        folder: the folder.
        report: called with one line of text where images of other kinds are left out.
        hint: what to add to the message where there are none.

    Raises:
        DataError: there are none, or one is a link to nothing.
    """
    entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    entries = [e for e in entries if not ignored(e.name) and not e.is_dir()]
    others = sum(e.name.lower().endswith(OTHERS) for e in entries)
    files = [e for e in entries if e.name.lower().endswith(SUFFIXES)]
    if broken := [e.path for e in files if not e.is_file()]:
        raise DataError(f"{broken[0]}: a link to nothing; restore or remove it")
    found = f"{others} images of other kinds ({' '.join(OTHERS)})"
    if files and others:
        report(f"{folder}: {found} are left out")
    if files:
        return [Path(e.path) for e in files]
    hint = (f"; {found} there" if others else "") + hint
    if inner := next(_below(folder), None) if not hint else None:
        raise DataError(
            f"{folder}: no images, but in folders inside, such as {inner.parent}; "
            f"'python data_utils.py folder {folder} <new folder>' makes one set"
        )
    raise DataError(f"{folder}: no images; put PNG or JPEG files there{hint}")


def _below(folder):
    """The image files of a folder and all folders inside; links are followed once."""
    seen = set()
    for top, folders, names in os.walk(folder, followlinks=True):
        known = os.path.realpath(top) in seen
        seen.add(os.path.realpath(top))
        folders[:] = [] if known else sorted(f for f in folders if not ignored(f))
        for name in [] if known else sorted(names):
            if name.lower().endswith(SUFFIXES) and not ignored(name):
                yield Path(top) / name


def images_below(folder):
    """Images of a folder and of all folders inside.

    Returns:
        (the innermost folder with all of them, {name: file} sorted by name). A file of
        a folder inside that one is called "<folder>_<name>".

    Raises:
        DataError: not a folder, no images, or two that would be called the same.
    """
    if not folder.is_dir():
        archive = folder.suffix.lower() in (".zip", ".7z", ".tar", ".gz")
        what = "an archive; unpack it, give the folder" if archive else "no such folder"
        raise DataError(f"{folder}: {what}")
    paths = list(_below(folder))
    if not paths:
        raise DataError(f"{folder}: no images; it should hold PNG or JPEG files")
    base = Path(os.path.commonpath([path.parent for path in paths]))
    found = {}
    for path in paths:
        name = "_".join(path.relative_to(base).parts)
        if (other := found.setdefault(name, path)) != path:
            raise DataError(f"{path} and {other} would both be called {name}; rename one")
    return base, dict(sorted(found.items()))


def find(names, files, table, folder, report):
    """The files that a table names.

    Names that differ in how Unicode composes letters (macOS takes them apart), or in
    their suffix alone (CelebA's PNG files, a table of .jpg), mean the same file if no
    other name does.

    Args:
        names: strings, of a table.
        files: {name: path} of a folder.
        table, folder, report: `report` is called with one line if files have no row.

    Returns:
        {name: path}

    Raises:
        DataError: some are not there.
    """
    found = {}
    for key in (str, _composed, lambda name: os.path.splitext(_composed(name))[0]):
        taken, left = set(found.values()), {}
        for name, path in files.items():
            if path not in taken:
                left.setdefault(key(name), []).append(path)
        for name in names:
            if name not in found and len(left.get(key(name), ())) == 1:
                found[name] = left.pop(key(name))[0]
    if missing := [name for name in names if name not in found]:
        raise DataError(
            f"{table}: {len(missing):,} of its {len(names):,} images are not in "
            f"{folder}: {', '.join(missing[:5])}; add them or remove their rows"
        )
    if rest := len(files) - len(found):
        report(
            f"{table}: {rest:,} of {len(files):,} images in {folder} have no row; "
            "they are left out"
        )
    return {name: found[name] for name in names}


def _composed(name):
    return unicodedata.normalize("NFC", name)


def kind_of(path):
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
    head = head.removeprefix(b"\xef\xbb\xbf").strip()
    return next((f" ({KINDS[k]})" for k in KINDS if head.startswith(k)), "")
