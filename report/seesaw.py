"""Report B's remark that D's two losses rise and fall in turn, step by step (B 2.2).

`python -m report.seesaw --data <data> --run <new folder>` trains `gan_b` on from the
weights that ship, with the report's optimizers, labels and noise-free images, and keeps
both losses of every step, which the history of a run averages over 25. The numbers go to
`report/seesaw.json`, the last steps to `report/figures/seesaw.jpg`.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

import data_utils
from cli import UserError, replacing, run_cli
from inference.figures import pair, panels, save
from models import get_recipe
from report import FIGURES, FOLDER

RESULTS = FOLDER / "seesaw.json"
SETTINGS = {"batch_size": "16", "steps": "200", "flip": "true"}  # else as reported
SETTLED = 25  # steps in which the optimizers find their scales; not counted
DRAWN = 24  # steps, the last ones
COLUMNS = ["d_loss_real", "d_loss_fake"]


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m report.seesaw", description=__doc__)
    parser.add_argument("--data", required=True, help="faces in the course's layout")
    parser.add_argument("--run", required=True, type=Path, help="a new folder")
    precisions = ["float32", "bfloat16"]
    parser.add_argument("--precision", choices=precisions, default="float32")
    args = parser.parse_args(words)
    from models.keras_setup import set_precision  # Keras takes seconds
    from train.run import Run

    set_precision(args.precision)
    recipe = get_recipe("gan_b").replace(SETTINGS)
    faces = data_utils.load_faces(args.data, "train", recipe.image_size)
    rows = []
    run = Run(recipe, faces, args.run, 0, args.precision, start=recipe.name)

    def keep(step, logs):
        rows.append({"step": step} | logs)

    if not run.train(recipe.steps, progress=keep):
        raise UserError(f"{args.run}: stopped; begin again in a new folder")
    losses = pd.DataFrame(rows[SETTLED:])
    with replacing(RESULTS, "w") as file:
        found = {"steps": len(losses), "batch": recipe.batch_size}
        file.write(json.dumps(found | in_numbers(losses[COLUMNS]), indent=1) + "\n")
    title = "gan_b, the report's optimizers: losses of D at each step"
    chart = (title, "cross entropy (nats)", pair("d_loss"))
    save(panels(losses.tail(DRAWN), chart), FIGURES / "seesaw.jpg")
    return 0


def in_numbers(losses):
    """How two losses, columns of a table with a row for each step, alternate.

    Returns:
        dict: their means; the share of steps at which the first is above; how often
        their order changes; the correlation of their difference with itself a step
        later, -1 for losses that take turns.
    """
    first, second = (losses[name] for name in losses)
    above = first > second
    return {
        "means": [float(first.mean()), float(second.mean())],
        "above": float(above.mean()),
        "flips": int((above != above.shift()).sum() - 1),
        "autocorrelation": float((first - second).autocorr()),
    }


if __name__ == "__main__":
    run_cli(main)
