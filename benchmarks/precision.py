"""Whether bfloat16 costs quality: one recipe trained twice from one seed, in float32
and in bfloat16, the curves on one figure."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from cli import UserError
from plot_utils import BLUE, RED, panels, save

LAST = 0.2  # of the run, whose mean is compared


def compare(recipe, data, steps, changes, precisions, folder):
    """Train the recipe in each precision and draw the curves.

    Args:
        recipe: a `Recipe` of VAEs or classifiers: a GAN's losses tell no quality.
        data: the data folder.
        steps: of each run.
        changes: list of "field=value" as for `python -m train --set`.
        precisions: the two, the reference first.
        folder: of the figure, `precision_<recipe>.jpg`.

    Returns:
        dict: the means over the last fifth of each run's losses.
    """
    if recipe.traits.adversarial:
        raise UserError(f"{recipe.name}: a GAN's losses tell no quality; take a VAE")
    column = "mse" if recipe.traits.rebuilds else "c_loss_real"
    histories = {}
    with tempfile.TemporaryDirectory() as runs:
        for precision in precisions:
            run = Path(runs) / precision
            words = ["-m", "train", recipe.name, "--data", data, "--run", run]
            words += ["--steps", steps, "--precision", precision]
            words += ["--set", *changes] if changes else []
            words = [sys.executable, *map(str, words)]
            done = subprocess.run(words, stdout=subprocess.DEVNULL, env=os.environ)
            if done.returncode:
                raise UserError(f"{' '.join(words)}: ended with {done.returncode}")
            histories[precision] = pd.read_csv(run / "history.csv")
    both = [h.set_index("step").add_suffix(f" {p}") for p, h in histories.items()]
    both = pd.concat(both, axis=1).reset_index()
    colors = dict(zip(precisions, (BLUE, RED), strict=True))

    def curves(name):
        return [(f"{name} {p}", p, color) for p, color in colors.items()]

    charts = [("Training loss", column, curves(column))]
    if recipe.traits.rebuilds:
        low, high = recipe.pixel_range
        charts = [
            ("Squared error, training", f"in [{low:g}, {high:g}]", curves("mse")),
            ("KL divergence, training", "nats per image", curves("kld")),
        ]
    foot = f"{recipe.name}, seed 0, {steps:,} steps, {Path(data).name}; both precisions"
    save(panels(both, *charts), folder / f"precision_{recipe.name}.jpg", foot)
    tail = both[both["step"] > (1 - LAST) * steps].mean()
    means = {p: float(tail[f"{column} {p}"]) for p in precisions}
    text = ", ".join(f"{p} {value:.5f}" for p, value in means.items())
    print(f"{recipe.name}: {column} over the last {LAST:.0%} of {steps} steps: {text}")
    return {"loss": column, "last_share": LAST, "means": means}
