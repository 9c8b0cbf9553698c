"""A run's grids and losses, as the page plays them.

`python -m page.film --run <run>` makes `film.json` of a run, the film that pages have.
"""

import argparse
import base64
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cli import UserError, replacing, run_cli

SHIPPED = Path(__file__).resolve().parent / "film.json"
FRAMES = 24
TALL = 3 * 66 + 2  # pixels of a grid that are seen: three rows of faces
ROWS = 300  # of the losses
CURVES = {"d_loss": "discriminator", "g_loss": "generator", "mse": "squared error"}


def film_of(run):
    """The grids of a run folder as WebP, and its losses: a dict that JSON takes.

    Raises:
        UserError: no grids there, or one, or the losses, that cannot be read.
    """
    grids = [p for p in (run / "samples").glob("*.png") if p.stem.isdecimal()]
    grids = spread(sorted(grids, key=lambda path: int(path.stem)), FRAMES)
    if not grids:
        raise UserError(
            f"{run / 'samples'}: no grids; a run draws one every --sample-every steps"
        )
    history, rows = run / "history.csv", pd.DataFrame({"step": [0]})
    if history.exists():
        try:
            rows = pd.read_csv(history).astype({"step": int})
        except (OSError, ValueError, KeyError):
            raise UserError(f"{history}: no losses by step; remove it") from None
    rows = rows.iloc[spread(range(len(rows)), ROWS)]
    values = {
        label: [None if np.isnan(v) else float(f"{v:.4g}") for v in rows[name]]
        for name, label in CURVES.items()
        if name in rows
    }
    return {
        "about": _recipe(run),
        "steps": [int(path.stem) for path in grids],
        "frames": [_webp(path) for path in grids],
        "curves": {"steps": rows["step"].tolist(), "values": values},
    }


def shipped():
    """The film that the repository has."""
    return json.loads(SHIPPED.read_text())


def spread(items, most):
    """At most `most` of a list's items, evenly spread, with the first and the last."""
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round()
    return [items[int(k)] for k in places]


def _recipe(run):
    """The recipe of a run; the folder's name where it does not say."""
    try:
        return json.loads((run / "run.json").read_text())["recipe"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return run.resolve().name


def _webp(path):
    file = io.BytesIO()
    try:
        with Image.open(path) as image:
            seen = image.convert("RGB").crop((0, 0, image.width, min(TALL, image.height)))
            seen.save(file, "WEBP", quality=50, method=6)
    except (OSError, ValueError, SyntaxError):
        raise UserError(f"{path}: not a readable image; remove it") from None
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def main(words=None):
    """Write the film of a run.

    Raises:
        UserError: as `film_of`.
    """
    parser = argparse.ArgumentParser(prog="python -m page.film", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="a run folder of a GAN")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="default: film.json")
    args = parser.parse_args(words)
    film = film_of(args.run)
    with replacing(args.out) as file:
        file.write(json.dumps(film, indent=0).encode())
    print(f"{args.out}: {len(film['frames'])} grids of {film['about']}")
    return 0


if __name__ == "__main__":
    run_cli(main)
