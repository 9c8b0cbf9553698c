"""Tables of binary attributes as people have them: the course's CSV, CelebA's list, what
spreadsheets and pandas write."""

import contextlib
import io
import re

import pandas as pd

from cli import DataError
from data_tools.files import kind_of

NAMES = ("image_name", "image_id")  # the course's, CelebA's CSV's
EXCEL = re.compile(r'"?sep=(.?)"?[,;\s]*', re.IGNORECASE)  # its first line
COMMENT = re.compile(r"\s*#(?!.*\.(png|jpe?g))", re.IGNORECASE)  # but no image's name
EMPTY = ("", "na", "nan", "n/a", "null", "none")


def read_attributes(table):
    """Read a table of binary attributes; -1 (CelebA's files) becomes 0.

    Cells are separated by commas, semicolons or tabs; spaces around them do not count,
    nor does a column without a name that is empty or numbers the rows. A file that
    begins with a count alone in its line is CelebA's `list_attr_celeba.txt`: names of
    attributes, then one image a line.

    Returns:
        pandas frame of int8 0 and 1, indexed by `image_name`.

    Raises:
        DataError: no column of names, missing or non-binary cells, a name that is
            listed twice, no rows.
    """
    cells = _cells(table, *_lines(table))
    place = next((k for k, x in enumerate(cells) if x.casefold() in NAMES), None)
    if place is None:
        raise DataError(f"{table}: no column image_name; its first line names columns")
    if cells.empty:
        raise DataError(f"{table}: no rows; list one image a row")
    images = pd.Index(cells.iloc[:, place], dtype=object, name="image_name")
    for listed in (cells.columns, images):
        if listed.has_duplicates:
            twice = listed[listed.duplicated()][0]
            raise DataError(f"{table}: {twice} is listed twice; keep one")
    cells = cells.set_axis(images).drop(columns=cells.columns[place])
    frame = pd.DataFrame({k: _binary(table, cells[k]) for k in cells}, images)
    if (frame == -1).any(axis=None) and (frame == 0).any(axis=None):
        raise DataError(f"{table}: both 0 and -1 in it; use 0 and 1, or -1 and 1")
    return frame.clip(lower=0).astype("int8")


def read_partition(path):
    """CelebA's partition file, text or CSV: a pandas series of 0 (train), 1
    (validation) and 2 (test) by image name.

    Raises:
        DataError: anything else.
    """
    lines = [line for line in _text(path).splitlines() if line.strip()]
    rows = re.findall(r"^\s*(\S+?)[\s,]+([012])\s*$", "\n".join(lines), re.M)
    if not rows or len(rows) < len(lines) - lines[0].startswith("image_id"):
        what = "not CelebA's partition file, an image and 0, 1 or 2 in each line"
        raise DataError(f"{path}: {what}")
    return pd.Series(dict(rows)).astype(int)


def _text(path):
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    if kind := kind_of(path):
        raise DataError(f"{path}: not a CSV file{kind}")
    if b"\0" in raw:
        raise DataError(f"{path}: not a CSV file (UTF-16?); save it as UTF-8")
    # Names of files need not be UTF-8; they are compared with what the system gives.
    return raw.decode("utf-8-sig", "surrogateescape")


def _lines(table):
    """(lines from that of the columns' names on, what separates cells; a space in
    CelebA's list)."""
    lines = [x for x in re.split(r"\r\n?|\n", _text(table)) if x.strip(" \t,;")]
    mark, counted = None, False
    while lines:
        line = lines[0].strip(" ,;")
        if found := EXCEL.fullmatch(lines[0].strip(" ")):
            mark = found[1]
        elif line.isdecimal():  # the number of images in CelebA's list
            counted = True
        elif not line.startswith("#"):
            break
        elif line.lstrip("# ").casefold().startswith(NAMES):
            lines[0] = line.lstrip("# ")
            break
        del lines[0]
    if not lines:
        what = (
            "no rows; list one image a row"
            if counted
            else "not a CSV file (nothing in it)"
        )
        raise DataError(f"{table}: {what}")
    lines = [line for line in lines if not COMMENT.match(line)]
    mark = mark or max(",;" if counted else ",;\t", key=lines[0].count)
    if counted and mark not in lines[0]:
        return [f"image_name {lines[0]}", *lines[1:]], " "
    return lines, mark


def _cells(table, lines, mark):
    """Frame of stripped strings; the columns are called as the first row says, those
    without a name are left out."""
    width = max(len(x.split() if mark == " " else x.split(mark)) for x in lines)
    try:
        cells = pd.read_csv(
            io.StringIO("\n".join(lines)),
            sep=r"\s+" if mark == " " else mark,
            header=None,
            names=range(width),
            dtype=object,
            na_filter=False,
            skipinitialspace=True,
            encoding_errors="surrogateescape",
        )
    except ValueError as error:
        raise DataError(f"{table}: not a CSV file ({error})") from None
    cells = cells.fillna("").apply(lambda column: column.str.strip())
    names, rows = cells.iloc[0].str.normalize("NFC"), cells[1:]
    if re.search("[\ud800-\udfff]", "".join(names)):
        raise DataError(f"{table}: names of columns are not UTF-8; save it as UTF-8")
    rows, nameless = rows[(rows != "").any(axis=1)], []
    for k, name in enumerate(names):
        if name and not re.fullmatch(r"Unnamed: \d+", name):  # pandas' word for it
            continue
        nameless.append(k)
        numbers = k == 0 and rows[k].str.isdecimal().all() and rows[k].is_unique
        if (rows[k] != "").any() and not numbers:
            raise DataError(f"{table}: column {k + 1} has no name; name or remove it")
    return rows.set_axis(names, axis=1).loc[:, [k not in nameless for k in range(width)]]


def _binary(table, column):
    """Cells as numbers -1, 0 and 1."""
    numbers = column.map({cell: _number(cell) for cell in column.unique()})
    bad = column[~numbers.isin([-1, 0, 1])]
    if len(bad):
        what = "is empty" if bad.iloc[0].casefold() in EMPTY else f"is {bad.iloc[0]!r}"
        raise DataError(
            f"{table}: {column.name} of {bad.index[0]} {what}; attributes are 0 or 1 (or "
            f"-1 and 1); {len(bad)} such cells in the column"
        )
    return numbers


def _number(cell):
    cell = cell.casefold().replace(",", ".")
    with contextlib.suppress(ValueError):
        return float({"true": "1", "false": "0"}.get(cell, cell))
