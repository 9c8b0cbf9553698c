"""report.pdf and its source; every measured number in it is read from a file."""

from pathlib import Path

import cli  # noqa: F401 - before all else: it says what is not installed

FOLDER = Path(__file__).resolve().parent
FIGURES = FOLDER / "figures"  # <name>.jpg, drawn by the programs of this room
RESULTS = FOLDER / "results.json"  # what the studies measured on real images
