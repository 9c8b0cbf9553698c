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


def image_files(folder, report=None, hint=""):
    """The image files of a folder itself, sorted by name.

    Args:
        folder: the folder.
        report: called with one line of text where images of other kinds are left out.
        hint: what to add to the message where there are none.

    Raises:
        DataError: there are none, or one is a link to nothing.
    """
    files, others = [], 0
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        suffix = os.path.splitext(entry.name)[1].lower()
        if ignored(entry.name):
            continue
        others += suffix in OTHERS
        if suffix in SUFFIXES and entry.is_file():
            files.append(Path(entry.path))
        elif suffix in SUFFIXES and not entry.is_dir():
            raise DataError(f"{entry.path}: a link to nothing; restore or remove it")
    found = f"{others} images of other kinds ({' '.join(OTHERS)})"
    if not files:
        hint = (f"; {found} there" if others else "") + hint
        if inner := next(walk(folder), None) if not hint else None:
            raise DataError(
                f"{folder}: no images, but in folders inside, such as {inner.parent}; "
                f"'python data_utils.py folder {folder} <new folder>' makes one set"
            )
        raise DataError(f"{folder}: no images; put PNG or JPEG files there{hint}")
    if others and report:
        report(f"{folder}: {found} are left out")
    return files


def walk(folder):
    """The image files of a folder and all folders inside; links are followed once."""
    seen = set()
    for top, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(f for f in folders if not ignored(f))
        if os.path.realpath(top) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(top))
        for name in sorted(names):
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
        what = (
            "an archive; unpack it and give the folder" if archive else "no such folder"
        )
        raise DataError(f"{folder}: {what}")
    paths = list(walk(folder))
    if not paths:
        raise DataError(f"{folder}: no images; it should hold PNG or JPEG files")
    base = Path(os.path.commonpath([path.parent for path in paths]))
    found = {}
    for path in paths:
        name = "_".join(path.relative_to(base).parts)
        if name in found:
            both = f"{path} and {found[name]}"
            raise DataError(f"{both} would both be called {name}; rename one")
        found[name] = path
    return base, dict(sorted(found.items()))


def find(names, files):
    """The file of each name: {name: path, or None}.

    Names that differ in how Unicode composes letters (macOS takes them apart), or in
    their suffix alone (CelebA's PNG files, a table of .jpg), mean the same file if no
    other name does.

    Args:
        names: strings, of a table.
        files: {name: path}.
    """
    found = {name: files.get(name) for name in names}
    for key in (_composed, lambda name: os.path.splitext(_composed(name))[0]):
        missing = [name for name, path in found.items() if path is None]
        if not missing:
            break
        taken, left = set(found.values()), {}
        for name, path in files.items():
            if path not in taken:
                left.setdefault(key(name), []).append(path)
        for name in missing:
            if len(left.get(key(name), ())) == 1:
                found[name] = left.pop(key(name))[0]
    return found


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
    found = [kind for start, kind in KINDS.items() if head.startswith(start)]
    return f" ({found[0]})" if found else ""
