"""Command line: build report.pdf."""

import argparse
import datetime
import json
import shutil
import tempfile
from pathlib import Path

from cli import UserError, replacing, run_cli
from models import WEIGHTS
from report import FIGURES, FOLDER


def parse():
    parser = argparse.ArgumentParser(
        prog="python -m report",
        description="Build report.pdf from cards, metrics, histories, results and "
        "figures; the same inputs give the same bytes. The report says what is missing. "
        "`python -m report.redraw` renews figures and results.",
    )
    parser.add_argument("--out", type=Path, default=FOLDER.parent / "report.pdf")
    parser.add_argument("--weights", type=Path, help="default: the repository's weights/")
    return parser.parse_args()


def main():
    args = parse()
    try:
        import typst
    except ImportError:
        raise UserError(
            "the report needs typst; pip install -r requirements-test.txt"
        ) from None
    from report.facts import gather  # imports Keras, which takes seconds

    if not args.out.absolute().parent.is_dir():
        raise UserError(f"{args.out}: no such folder to write to")
    pdf = compiled(typst, gather(args.weights or WEIGHTS), FIGURES)
    with replacing(args.out) as file:
        file.write(pdf)
    print(f"{args.out}: {len(pdf) / 2**20:.1f} MiB")
    return 0


def compiled(typst, facts, figures):
    """The report as bytes, reproducible: it has no date, and typst's own fonts.

    Args:
        facts: from `report.facts.gather`.
        figures: the folder of <name>.jpg.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        shutil.copy(FOLDER / "report.typ", root)
        shutil.copytree(figures, root / "figures")
        facts["figures"] = sorted(p.name for p in figures.glob("*.jpg"))
        (root / "facts.json").write_text(json.dumps(facts))
        return typst.compile(
            root / "report.typ",
            root=root,
            ignore_system_fonts=True,
            timestamp=datetime.datetime.fromtimestamp(0, datetime.UTC),
        )


if __name__ == "__main__":
    run_cli(main)
