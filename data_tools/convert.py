"""Data as people have it -> the course's layout: `python data_utils.py celeba|folder`.

Images become square PNG files in `<out>/train` and `<out>/test`, attributes become
`train.csv` and `test.csv`. The tables are written last, so a folder that has them is
whole; the same command goes on with a folder that has not.
"""

import argparse
import functools
import json
import os
from pathlib import Path

import pandas as pd
from PIL import Image

from cli import DataError, UserError, replacing
from data_tools.files import find, ignored, images_below
from data_tools.images import clear_cache, in_parallel, read_image
from data_tools.tables import read_attributes, read_partition

COURSE = (
    "Bangs,Big_Lips,Black_Hair,Blond_Hair,Brown_Hair,Heavy_Makeup,High_Cheekbones,"
    "Male,Mouth_Slightly_Open,Smiling,Straight_Hair,Wavy_Hair,Wearing_Lipstick"
)
TRAIN, TEST = 40_000, 2_621  # the course's numbers of images
RECORD = "made_from.json"  # which command made a folder
SOURCE = "/"  # a column that no table has: attributes are not called so


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python data_utils.py",
        description="Make a data folder: train/, test/, train.csv and test.csv.",
    )
    kinds = parser.add_subparsers(
        dest="kind", required=True, metavar="celeba|folder|clear"
    )
    celeba = kinds.add_parser("celeba", help="from CelebA's aligned images")
    celeba.add_argument("images", type=Path, help="the folder img_align_celeba")
    celeba.add_argument("table", type=Path, help="list_attr_celeba.txt or .csv")
    celeba.add_argument("--partition", type=Path, help="list_eval_partition.txt or .csv")
    celeba.add_argument("--train", type=int, default=TRAIN, help=f"default: {TRAIN:,}")
    celeba.add_argument("--test", type=int, default=TEST, help=f"default: {TEST:,}")
    folder = kinds.add_parser("folder", help="from any folder of images")
    folder.add_argument("images", type=Path, help="a folder; subfolders are read too")
    folder.add_argument("--table", type=Path, help="attributes: image_name, then 0 or 1")
    folder.add_argument("--train", type=int, help="default: all that are not for tests")
    last = f"the last by name; default: its test/, else a tenth, at most {TEST:,}"
    folder.add_argument("--test", type=int, help=last)
    for sub, default in ((celeba, COURSE), (folder, "all")):
        sub.add_argument("out", type=Path, help="the data folder to make")
        sub.add_argument("--size", type=int, default=64, help="side in pixels")
        sub.add_argument("--attributes", help=f"A,B,C or all; default: {default}")
    kinds.add_parser("clear", help="remove decoded images from the cache")
    return parser.parse_args(words)


def main(words=None):
    """Make a data folder, or clear the cache.

    Raises:
        UserError: a file, number or folder that cannot be used.
    """
    args = parse(words)
    if args.kind == "clear":
        print(clear_cache())
        return 0
    for name in ("train", "test"):
        if (getattr(args, name) or 0) < 0:
            raise UserError(f"--{name} {getattr(args, name)}: 0 or more")
    if not 4 <= args.size <= 1024:
        raise UserError(f"--size {args.size}: 4 to 1,024")
    splits = split(args, *images_below(args.images))
    splits = {name: frame for name, frame in splits.items() if len(frame)}
    if not splits:
        raise UserError("--train 0 --test 0: nothing to make")
    write(splits, args)
    return 0


def split(args, base, files):
    """What goes where. CelebA is split by its partition file if given (train is 0, test
    is 2), else in the order of its table; another folder by its own train/ and test/ if
    it has both, else the last images by name are for tests.

    Args:
        args: of the command line.
        base, files: from `images_below(args.images)`.

    Returns:
        {"train", "test": frame of attributes, and in column `SOURCE` the file to read,
        by the name of the file to write}.

    Raises:
        UserError: the table is not of these images, or there are not enough of them.
    """
    table, wanted, celeba = args.table, args.attributes, args.kind == "celeba"
    inner = {path.relative_to(base).parts[0] for path in files.values()} - {*files}
    if not table and {"train", "test"} <= inner:
        others = ", ".join(sorted(inner - {"train", "test"}))
        print(f"{base}: train/ and test/ stay apart" + f"; not {others}" * bool(others))
        parts = []
        for part in (base / "train", base / "test"):
            beside = part.with_suffix(".csv")
            beside = beside if beside.exists() else None
            parts.append(_rows(beside, wanted, images_below(part)[1], part))
        return _firsts(args, *parts)
    if inner:
        print(f"{base}: one set of the images in {', '.join(sorted(inner))}")
    frame = _rows(table, wanted or (COURSE if celeba else None), files, args.images)
    if celeba and args.partition:
        part = read_partition(args.partition)
        if len(lacking := frame.index.difference(part.index)):
            raise DataError(f"{args.partition}: no row of {lacking[0]}")
        return _firsts(args, *(frame[part[frame.index] == number] for number in (0, 2)))
    if celeba:
        return _firsts(args, frame[: args.train], frame[args.train :])
    count = min(len(frame) // 10, TEST) if args.test is None else args.test
    rest = max(0, len(frame) - count)
    frame = frame.sort_index()
    return _firsts(args, frame[:rest], frame[rest:])


def _rows(table, wanted, files, folder):
    if table is None:
        if wanted:
            raise UserError("--attributes: there is no table; see --table")
        return pd.DataFrame({SOURCE: files}, dtype=object)
    frame = read_attributes(table)
    if wanted not in (None, "all"):
        names = [name.strip() for name in wanted.split(",")]
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"--attributes {wanted}: {name} is listed twice")
            if name not in frame:
                known = ", ".join(frame)
                raise DataError(f"{table}: no attribute '{name}'; it has: {known}")
        frame = frame[names]
    frame.index = frame.index.str.replace("/", "_")  # as `images_below` names them
    return frame.assign(**{SOURCE: find(frame.index, files, table, folder, print)})


def _firsts(args, train, test):
    """The first rows of both splits, as many as the options say, called as PNG files."""
    splits = {"train": train[: args.train], "test": test[: args.test]}
    for name, rows in splits.items():
        if (count := getattr(args, name) or 0) > len(rows):
            raise UserError(
                f"--{name} {count:,}: {args.images} has {len(rows):,} images for {name}; "
                "request fewer"
            )
        rows.index = [f"{os.path.splitext(image)[0]}.png" for image in rows.index]
        if rows.index.has_duplicates:
            what = "images that differ by their suffix; rename one"
            raise DataError(f"{args.images}: {what}")
    return splits


def write(splits, args):
    """Write images that are not there yet, then the tables, to `args.out`. Images that
    cannot be read are left out and named.

    Raises:
        UserError: `out` is of another command, or no image of a split can be read.
        OSError: the disk is full, or not writable.
    """
    _begin(args)
    left_out = []
    for name, frame in splits.items():
        (args.out / name).mkdir(exist_ok=True)
        paths = [(source, args.out / name / k) for k, source in frame[SOURCE].items()]
        make = functools.partial(_make, args.size)
        made = pd.Series(in_parallel(make, paths, f"writing {name}"), frame.index)
        if not made.any():
            raise DataError(f"{args.images}: no image for {name} can be read")
        left_out += frame.index[~made].to_list()
        splits[name] = frame[made].drop(columns=SOURCE)
    for name, frame in splits.items():
        if len(frame.columns):
            with replacing(args.out / f"{name}.csv", "w") as file:
                frame.to_csv(file, index_label="image_name")
    if left_out:
        print(f"left out, not readable: {len(left_out):,} images ({', '.join(left_out)})")
    counts = " and ".join(f"{len(frame):,} {name}" for name, frame in splits.items())
    print(f"{counts} images of {args.size}x{args.size} are in {args.out}")


def _begin(args):
    """Check that `out` is new, or of this very command."""
    words = {k: v.name if isinstance(v, Path) else v for k, v in vars(args).items()}
    out, path, text = args.out, args.out / RECORD, json.dumps(words, indent=1) + "\n"
    if out.resolve().is_relative_to(args.images.resolve()):
        raise UserError(f"{out}: lies in {args.images}; name a folder outside it")
    if path.exists():
        if path.read_text() != text:
            raise UserError(f"{out}: made by another command ({path}); name a new folder")
    elif out.exists() and not (out.is_dir() and all(map(ignored, os.listdir(out)))):
        raise UserError(f"{out}: holds something else; name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    with replacing(path, "w") as file:
        file.write(text)


def _make(size, paths):
    """Write one image if it is not there; whether it is there then."""
    source, path = paths
    if path.exists():
        return True
    try:
        pixels, _ = read_image(source, size)
    except DataError:
        return False
    with replacing(path, sync=False) as file:  # 40,000 would take minutes
        Image.fromarray(pixels).save(file, "PNG")
    return True
