"""Tables of binary attributes as people have them: the course's CSV, CelebA's own
list, what spreadsheets and pandas make of them."""

import csv
import io
import re

import numpy as np

from cli import DataError

NAMES = ("image_name", "image_id")  # the course's, CelebA's CSV's
EMPTY = ("", "na", "nan", "n/a", "null", "none")


def read_attributes(table):
    """Read a table of binary attributes; -1 (CelebA's own files) becomes 0.

    Spaces around cells do not count, nor does a column without a name that is empty
    or numbers the rows. A file that begins with a count alone in its line is CelebA's
    `list_attr_celeba.txt`: names of attributes, then one image a line.

    Returns:
        pandas frame of int8 0 and 1, indexed by `image_name`.

    Raises:
        DataError: no column of names, missing or non-binary cells, a name that
            stands twice, no rows.
    """
    import pandas as pd

    header, rows = _without_nameless(table, *_cells(table))
    folded = [name.casefold() for name in header]
    found = [folded.index(name) for name in NAMES if name in folded]
    if not found:
        raise DataError(
            f"{table}: no column image_name; its first line names columns{_hint(header)}"
        )
    if not rows:
        raise DataError(f"{table}: no rows; list one image a row")
    names = [row[found[0]] for row in rows]
    for what in (header, names):
        unique, counts = np.unique(what, return_counts=True)
        if len(unique) < len(what):
            twice = unique[counts > 1][0]
            raise DataError(f"{table}: {twice} stands there twice; keep one")
    columns = {
        name: _binary(table, name, [row[k] for row in rows], names)
        for k, name in enumerate(header)
        if k != found[0]
    }
    index = pd.Index(names, object, name="image_name")
    frame = pd.DataFrame(columns, index, dtype="int8")
    if (frame == -1).any(axis=None) and (frame == 0).any(axis=None):
        raise DataError(f"{table}: both 0 and -1 in it; use 0 and 1, or -1 and 1")
    return frame.clip(lower=0)


def _cells(table):
    """(names of columns, rows of cells), all stripped."""
    try:
        raw = table.read_bytes()
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror})") from None
    if b"\0" in raw:
        raise DataError(f"{table}: not a CSV file (UTF-16?); save it as UTF-8")
    # Names of files need not be UTF-8; they are compared with what the system gives.
    text = raw.decode("utf-8-sig", "surrogateescape")
    file = io.StringIO(text, newline=None)
    if re.match(r"\s*\d+\s*\n(?!.*,)", file.getvalue()):
        lines = [line.split() for line in file.getvalue().split("\n") if line.strip()]
        return ["image_name", *(lines[1] if len(lines) > 1 else ())], lines[2:]
    try:
        lines = [
            [cell.strip() for cell in line]
            for line in csv.reader(file, skipinitialspace=True)
        ]
    except csv.Error as error:
        raise DataError(f"{table}: not a CSV file ({error})") from None
    lines = [line for line in lines if any(line)]
    if not lines:
        raise DataError(f"{table}: not a CSV file (nothing in it)")
    if len(lines) > 1 and len(lines[0]) == 1 and lines[0][0].isdecimal():
        del lines[0]  # the count of CelebA's list, which a CSV has no place for
    if any("\ud800" <= letter <= "\udfff" for letter in "".join(lines[0])):
        raise DataError(f"{table}: names of columns are not UTF-8; save it as UTF-8")
    return lines[0], lines[1:]


def _without_nameless(table, header, rows):
    """Without columns that have no name; every row as long as the header."""
    width = max(len(header), *map(len, rows), 0) if rows else len(header)
    header = header + [""] * (width - len(header))
    rows = [row + [""] * (width - len(row)) for row in rows]
    kept = []
    for k, name in enumerate(header):
        if name and not re.fullmatch(r"Unnamed: \d+", name):  # pandas' word for it
            kept.append(k)
            continue
        cells = [row[k] for row in rows]
        numbers = all(cell.isdecimal() for cell in cells)
        if any(cells) and not (k == 0 and numbers and len(set(cells)) == len(cells)):
            raise DataError(f"{table}: column {k + 1} has no name; name or remove it")
    return [header[k] for k in kept], [[row[k] for k in kept] for row in rows]


def _binary(table, column, cells, names):
    """Cells as numbers -1, 0 and 1."""
    known = {cell: _number(cell) for cell in set(cells)}
    bad = [k for k, cell in enumerate(cells) if known[cell] is None]
    if bad:
        cell = cells[bad[0]]
        what = "is empty" if cell.casefold() in EMPTY else f"is {cell!r}"
        raise DataError(
            f"{table}: {column} of {names[bad[0]]} {what}; attributes are 0 or 1 (or -1 "
            f"and 1); {len(bad)} such cells in the column"
        )
    return [known[cell] for cell in cells]


def _number(cell):
    """-1, 0 or 1; None for all else."""
    words = {"true": 1, "false": 0}
    try:
        value = words.get(cell.casefold()) if cell.isalpha() else float(cell)
    except ValueError:
        return None
    return int(value) if value in (-1, 0, 1) else None


def _hint(header):
    """What a first line without commas is made of."""
    if len(header) == 1:
        for mark, word in ((";", "semicolons"), ("\t", "tabs")):
            if mark in header[0]:
                return f" and has {word} where commas belong"
    return ""
