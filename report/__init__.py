"""report.pdf and its source: nothing in it is typed that was measured."""

from pathlib import Path

import cli  # noqa: F401 - before all else: it says what is not installed

FOLDER = Path(__file__).resolve().parent
FIGURES = FOLDER / "figures"  # <name>.jpg, drawn by report.redraw
RESULTS = FOLDER / "results.json"  # what the studies measured on real images
