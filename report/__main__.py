"""Command line: build report.pdf."""

import argparse
import datetime
import importlib.util
import json
import shutil
import tempfile
from pathlib import Path

from cli import UserError, file_of_kind, replacing, run_cli
from models import WEIGHTS
from report import FIGURES, FOLDER


def main():
    parser = argparse.ArgumentParser(
        prog="python -m report",
        description="Build report.pdf from cards, metrics, histories, results and "
        "figures; the same inputs give the same bytes. The report says what is missing. "
        "`python -m report.redraw` renews figures and results.",
    )
    parser.add_argument("--out", type=Path, default=FOLDER.parent / "report.pdf")
    weights = "default: the repository's weights/"
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help=weights)
    args = parser.parse_args()
    if not importlib.util.find_spec("typst"):
        cure = "pip install -r requirements-test.txt"
        raise UserError(f"the report needs typst; {cure}")
    file_of_kind(args.out, (".pdf",))
    from report.facts import gather  # imports Keras, which takes seconds

    pdf = compiled(gather(args.weights), FIGURES)
    with replacing(args.out) as file:
        file.write(pdf)
    print(f"{args.out}: {len(pdf) / 2**20:.1f} MiB")
    return 0


def compiled(facts, figures):
    """The report as bytes, of `report.facts.gather` and a folder of <name>.jpg;
    reproducible: it has no date, and the fonts of typst."""
    import typst  # no user of the rest needs it

    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        shutil.copy(FOLDER / "report.typ", root)
        shutil.copytree(figures, root / "figures")
        facts["figures"] = sorted(p.name for p in figures.glob("*.jpg"))
        (root / "facts.json").write_text(json.dumps(facts))
        epoch = datetime.datetime.fromtimestamp(0, datetime.UTC)
        fonts = {"ignore_system_fonts": True}
        return typst.compile(root / "report.typ", root=root, timestamp=epoch, **fonts)


if __name__ == "__main__":
    run_cli(main)
