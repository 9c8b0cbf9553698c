"""Data as people have it -> the course's layout: `python data_utils.py celeba|folder`.

Images become square PNG files in `<out>/train` and `<out>/test`, attributes become
`train.csv` and `test.csv`. The CSV files are written last, so a folder that has them is
whole; the same command goes on with a folder that has not.
"""

import argparse
import os
from pathlib import Path

import data_utils
from cli import UserError, replacing
from data_utils import DataError
from write_data import Split, begin, write

COURSE = (
    "Bangs",
    "Big_Lips",
    "Black_Hair",
    "Blond_Hair",
    "Brown_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Lipstick",
)
TRAIN, TEST = 40_000, 2_621  # the course's numbers of images


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python data_utils.py",
        description="Make a data folder: train/, test/, train.csv and test.csv.",
    )
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="celeba|folder")
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
    folder.add_argument(
        "--test", type=int, help=f"the last by name; default: a tenth, at most {TEST:,}"
    )
    for sub, default in ((celeba, "the course's 13"), (folder, "all")):
        sub.add_argument("out", type=Path, help="the data folder to make")
        sub.add_argument("--size", type=int, default=64, help="side in pixels")
        sub.add_argument(
            "--attributes", help=f"'all', or names: A,B,C; default: {default}"
        )
    return parser.parse_args(words)


def main(words=None):
    """Make a data folder.

    Raises:
        UserError: a file, number or folder that cannot be used.
    """
    args = parse(words)
    for name in ("train", "test"):
        if (getattr(args, name) or 0) < 0:
            raise UserError(f"--{name} {getattr(args, name)}: 0 or more")
    if not 4 <= args.size <= 1024:
        raise UserError(f"--size {args.size}: 4 to 1,024")
    files = images_below(args.images)
    splits = (celeba if args.kind == "celeba" else folder)(args, files)
    splits = [split for split in splits if split.sources]
    if not splits:
        raise UserError("--train 0 --test 0: nothing to make")
    begin(args, splits)
    left_out = []
    for split in splits:
        lacking = write(split, args.out, args.size)
        if len(lacking) == len(split.sources):
            raise DataError(f"{args.images}: no image for {split.name} can be read")
        left_out += lacking
        for name in lacking:
            del split.sources[name]
    for split in splits:
        if split.attributes is not None:
            keep = split.attributes.drop(left_out, errors="ignore")
            with replacing(args.out / f"{split.name}.csv", "w") as file:
                keep.to_csv(file, index_label="image_name")
    if left_out:
        some = ", ".join(left_out[:3])
        print(f"left out, not readable: {len(left_out):,} images ({some} ...)")
    counts = " and ".join(f"{len(s.sources):,} {s.name}" for s in splits)
    print(f"{counts} images of {args.size}x{args.size} are in {args.out}")
    return 0


def images_below(folder):
    """{name: image file} of a folder and its subfolders; a file of a subfolder is
    called "<subfolder>_<name>". A lone subfolder (unpacked twice) is entered.

    Raises:
        DataError: not a folder, no images, or two that would be called the same.
    """
    if folder.suffix.lower() in (".zip", ".7z", ".tar", ".gz"):
        raise DataError(f"{folder}: an archive; unpack it and give the folder")
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    inside = [p for p in folder.iterdir() if not p.name.startswith(".")]
    if len(inside) == 1 and inside[0].is_dir():
        return images_below(inside[0])
    found = {}
    seen = set()  # links to folders are followed, circles left
    for top, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        if os.path.realpath(top) in seen:
            folders.clear()
            continue
        seen.add(os.path.realpath(top))
        for name in sorted(names):
            path = Path(top) / name
            if path.suffix.lower() in data_utils.SUFFIXES and not name.startswith("."):
                key = "_".join(path.relative_to(folder).parts)
                if key in found:
                    both = f"{path} and {found[key]}"
                    raise DataError(f"{both} would both be called {key}; rename one")
                found[key] = path
    if not found:
        raise DataError(f"{folder}: no images; it should hold PNG or JPEG files")
    return dict(sorted(found.items()))


def celeba(args, files):
    """CelebA's splits: by its partition file if given (train is 0, test is 2), else
    the first images of the table, and those that follow them.

    Raises:
        UserError: the table is not of these images, or there are not enough of them.
    """
    table = data_utils.read_attributes(args.table)
    frame = _columns(table, args.attributes or ",".join(COURSE), args.table)
    _all_there(frame.index, files, args.table, args.images)
    if args.partition:
        part = read_partition(args.partition)
        lacking = frame.index.difference(part.index)
        if len(lacking):
            raise DataError(f"{args.partition}: no row of {lacking[0]}")
        part = part[frame.index]
        train, test = (frame[part == number] for number in (0, 2))
    else:
        train, test = frame[: args.train], frame[args.train :]
    return [
        _split("train", train, args.train, files, args.table),
        _split("test", test, args.test, files, args.table),
    ]


def folder(args, files):
    """Splits of any folder: the last images by name are for tests.

    Raises:
        UserError: the table is not of these images, or there are not enough of them.
    """
    import pandas as pd

    if args.attributes and not args.table:
        raise UserError("--attributes: they stand in a table; give --table as well")
    if args.table:
        table = data_utils.read_attributes(args.table)
        frame = _columns(table, args.attributes or "all", args.table)
        frame.index = frame.index.str.replace("/", "_")  # as `images_below` names them
        _all_there(frame.index, files, args.table, args.images)
        frame = frame.sort_index()
    else:
        frame = pd.DataFrame(index=list(files))
    where = args.table or args.images
    test = min(len(frame) // 10, TEST) if args.test is None else args.test
    if test > len(frame):
        raise UserError(f"--test {test:,}: {where} has {len(frame):,} images")
    rest = frame[: len(frame) - test]
    train = len(rest) if args.train is None else args.train
    return [
        _split("train", rest, train, files, where),
        _split("test", frame[len(frame) - test :], test, files, where),
    ]


def read_partition(path):
    """CelebA's partition file, text or CSV: a pandas series of 0 (train), 1
    (validation) and 2 (test) by image name.

    Raises:
        DataError: anything else.
    """
    import pandas as pd

    try:
        lines = path.read_text(encoding="utf-8-sig").replace(",", " ").splitlines()
        rows = dict(line.split() for line in lines if line.strip())
        rows.pop("image_id", None)
        part = pd.Series(rows).astype(int)
        if part.empty or not part.isin([0, 1, 2]).all():
            raise ValueError("a row is an image and 0, 1 or 2")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not CelebA's partition file ({error})") from None
    return part


def _columns(frame, wanted, path):
    if wanted == "all":
        return frame
    names = [name.strip() for name in wanted.split(",")]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(f"--attributes {wanted}: {twice[0]} stands there twice")
    unknown = [name for name in names if name not in frame]
    if unknown:
        known = ", ".join(frame)
        raise DataError(f"{path}: no attribute '{unknown[0]}'; it has: {known}")
    return frame[names]


def _all_there(names, files, table, folder):
    missing = [name for name in names if name not in files]
    if missing:
        raise DataError(
            f"{table}: {len(missing):,} of its {len(names):,} images are not in "
            f"{folder}: {', '.join(missing[:3])} ...; is the archive unpacked whole?"
        )


def _split(name, frame, count, files, where):
    if count > len(frame):
        raise UserError(
            f"--{name} {count:,}: {where} has {len(frame):,} images for {name}; "
            "ask for fewer"
        )
    frame = frame[:count]
    sources = {
        str(Path(source).with_suffix(".png")): files[source] for source in frame.index
    }
    if len(sources) < len(frame):
        raise DataError(f"{where}: two images differ by their suffix only; rename one")
    frame = frame.set_axis(list(sources), axis=0)
    return Split(name, sources, frame if len(frame.columns) else None)
