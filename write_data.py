"""Write a data folder in the course's layout, for `make_data`: what may be written where,
and the images, of which the same command skips those that are there already.
"""

import concurrent.futures
import contextlib
import dataclasses
import io
import json
import os
import shutil
import sys

from PIL import Image

import data_utils
from cli import UserError, replacing
from data_utils import DataError

RECORD = "made_from.json"  # which command made a folder


@dataclasses.dataclass
class Split:
    """One split to be made.

    Attributes:
        name: "train" or "test".
        sources: {file name in the split: image file it is made from}, in order.
        attributes: pandas frame of 0 and 1 with those names as index, or None.
    """

    name: str
    sources: dict
    attributes: object = None


def begin(args, splits):
    """Check that `out` is new or of this very command, and that the disk has room.

    Raises:
        UserError: it is not, or has not.
    """
    record = {
        "kind": args.kind,
        "images": args.images.resolve().name,
        "size": args.size,
        "cropped": "the largest square in the middle",
        **{split.name: len(split.sources) for split in splits},
        "attributes": [*splits[0].attributes] if splits[0].attributes is not None else [],
        "first": {split.name: next(iter(split.sources)) for split in splits},
    }
    if args.out.resolve().is_relative_to(args.images.resolve()):
        raise UserError(f"{args.out}: lies in {args.images}; name a folder outside it")
    path = args.out / RECORD
    if path.exists():
        try:
            before = json.loads(path.read_text())
        except ValueError:
            before = {}
        before = before if isinstance(before, dict) else {}
        other = [key for key in record if before.get(key) != record[key]]
        if other:
            raise UserError(
                f"{args.out}: made before with other {', '.join(other)}; "
                "name another folder"
            )
    elif args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise UserError(f"{args.out}: holds something else; name a new folder")
    todo = [
        source
        for split in splits
        for name, source in split.sources.items()
        if not (args.out / split.name / name).exists()
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(args.out).free
    need = estimated_bytes(todo, args.size)
    if need > free:
        if not path.exists():
            args.out.rmdir()
        raise UserError(
            f"{args.out}: {len(todo):,} images take about {need / 1e6:,.0f} MB; "
            f"{free / 1e6:,.0f} MB are free"
        )
    with replacing(path, "w") as file:
        file.write(json.dumps(record, indent=1) + "\n")


def estimated_bytes(sources, size):
    """What the PNG files of so many images will take on disk, from 32 of them."""
    lengths = []
    for source in sources[:: max(1, len(sources) // 32)]:
        with contextlib.suppress(DataError):
            lengths.append(len(_png(source, size)))
    block = 4096
    blocks = sum(-(-length // block) for length in lengths)
    return 1.05 * len(sources) * block * blocks / max(1, len(lengths))


def _png(source, size):
    file = io.BytesIO()
    Image.fromarray(data_utils.read_image(source, size)[0]).save(file, "PNG")
    return file.getvalue()


def write(split, out, size):
    """Write the images of a split that are not there yet.

    Returns:
        names of those that cannot be read.
    """
    from rich.console import Console
    from rich.progress import track

    folder = out / split.name
    folder.mkdir(exist_ok=True)

    def make(item):
        name, source = item
        path = folder / name
        if path.exists():
            return None
        try:
            data = _png(source, size)
        except DataError:
            return name
        # No fsync, as `replacing` has it: 40,000 of them take minutes.
        temporary = path.with_name(f".{name}.tmp")
        temporary.write_bytes(data)
        os.replace(temporary, path)
        return None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            made = track(
                pool.map(make, split.sources.items()),
                f"writing {split.name}",
                len(split.sources),
                console=Console(file=sys.stderr),
                disable=not sys.stderr.isatty(),
            )
            return [name for name in made if name]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
