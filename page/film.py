"""A run's grids and curves, as the page plays them."""

import base64
import io

import numpy as np
import pandas as pd
from PIL import Image

from cli import UserError

FRAMES = 24
ROWS = 300  # of the curves
CURVES = {"d_loss": "discriminator", "g_loss": "generator", "mse": "squared error"}


def film_of(run):
    """The grids of a run folder as JPEG, and its curves.

    Raises:
        UserError: no grids there, or one that cannot be read.
    """
    grids = [p for p in (run / "samples").glob("*.png") if p.stem.isdecimal()]
    grids = spread(sorted(grids, key=lambda path: int(path.stem)), FRAMES)
    if not grids:
        raise UserError(
            f"{run / 'samples'}: no grids; a run draws one every --sample-every steps"
        )
    history = run / "history.csv"
    rows = pd.read_csv(history) if history.exists() else pd.DataFrame({"step": [0]})
    rows = rows.iloc[spread(range(len(rows)), ROWS)]
    values = {
        label: [None if np.isnan(value) else value for value in rows[name]]
        for name, label in CURVES.items()
        if name in rows
    }
    return {
        "about": f"The training of {run.resolve().name}",
        "steps": [int(path.stem) for path in grids],
        "frames": [_jpeg(path) for path in grids],
        "curves": {"steps": rows["step"].tolist() or [0], "values": values},
    }


def spread(items, most):
    """At most `most` of a list's items, evenly spread, with the first and the last."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round()
    return [items[int(k)] for k in places]


def _jpeg(path):
    file = io.BytesIO()
    try:
        with Image.open(path) as image:
            image.convert("RGB").save(file, "JPEG", quality=80)
    except (OSError, ValueError, SyntaxError):
        raise UserError(f"{path}: not a readable image; remove it") from None
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
