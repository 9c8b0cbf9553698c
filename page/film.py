"""A run's grids and curves, as the page shows them."""

import base64
import csv
import io

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
    return {
        "about": f"The training of {run.resolve().name}",
        "steps": [int(path.stem) for path in grids],
        "frames": [_jpeg(path) for path in grids],
        "curves": _curves(run / "history.csv"),
    }


def spread(items, most):
    """At most `most` of a list's items, evenly spread, with the first and the last."""
    count = len(items)
    if count <= most:
        return items
    return [items[round(k * (count - 1) / (most - 1))] for k in range(most)]


def _jpeg(path):
    file = io.BytesIO()
    try:
        with Image.open(path) as image:
            image.convert("RGB").save(file, "JPEG", quality=80)
    except (OSError, ValueError, SyntaxError):
        raise UserError(f"{path}: not a readable image; remove it") from None
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _curves(history):
    """{"steps": [...], "values": {loss: [...]}}; empty where there is no history."""
    rows = []
    if history.exists():
        with open(history, newline="") as file:
            rows = spread(list(csv.DictReader(file)), ROWS)
    values = {
        label: [float(row[name]) if row[name] else None for row in rows]
        for name, label in CURVES.items()
        if rows and name in rows[0]
    }
    return {"steps": [int(row["step"]) for row in rows] or [0], "values": values}
