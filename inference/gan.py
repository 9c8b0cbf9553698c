"""Problem 2's figures: a GAN's curves, samples and failures."""

import numpy as np

from cli import UserError
from inference.figures import BLUE, ORANGE, RED, panels, save, sheet
from models import sampling
from train.model import algorithm_of


def check(trained, faces):
    """Raises: UserError: there is no discriminator, whose scores fig2_4 shows."""
    if "discriminator" not in trained.card["files"]:
        raise UserError(
            f"{trained.folder}: has no discriminator, and fig2_4 shows its scores; draw "
            "samples with 'python -m inference sample'"
        )


def draw(trained, faces, out):
    """Problem 2: fig2_2 curves, with D's losses on real and on generated images, fig2_3
    samples, fig2_4 failures in boxes."""
    recipe, foot = trained.recipe, trained.origin()
    unit, history = algorithm_of(recipe).unit, trained.history()
    parts = [("d_loss_real", "on real images"), ("d_loss_fake", "on generated images")]
    if "d_loss_real" not in history:
        parts = [("score_real", "of real images"), ("score_fake", "of generated images")]
    name = "Parts of D's loss" if parts[0][0] == "d_loss_real" else "D's mean scores"
    curves = [(*part, color) for part, color in zip(parts, (BLUE, RED), strict=True)]
    figure = panels(
        history,
        (
            "Losses, training",
            unit,
            [("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE)],
        ),
        (f"{name}, training", unit, curves),
        (
            "Discriminator, training",
            "accuracy",
            [
                ("d_accuracy_real", "on real images", BLUE),
                ("d_accuracy_fake", "on generated images", RED),
            ],
        ),
    )
    save(figure, out / "fig2_2.jpg", foot)

    many = sampling.draw(trained, range(256))
    title = "32 random images; image k (row by row, from 0) from seed k"
    save(sheet(many[:32], 8, title), out / "fig2_3.jpg", foot)

    scores = sampling.realness(trained, many)
    order = np.argsort(scores)
    worst = order[:8]
    both = np.sort(np.concatenate([worst, order[-24:]]))
    boxed = np.flatnonzero(np.isin(both, worst))
    last = trained.network("discriminator").layers[-1].get_config()
    bounded = last.get("activation") == "sigmoid"
    kind = "D's probability of being real" if bounded else "D's score"
    title = (
        f"Yellow boxes: the 8 of 256 random images that D finds least real; no box: the "
        f"24 that\nit finds most real. {kind}: {scores[order[7]]:.2g} or less, "
        f"{scores[order[-24]]:.2g} or more"
    )
    save(sheet(many[both], 8, title, boxed=boxed), out / "fig2_4.jpg", foot)
    numbers = zip(
        ("least", "median", "most"), np.percentile(scores, (0, 50, 100)), strict=True
    )
    numbers = {name: float(value) for name, value in numbers}
    words = {name: f"{value:.4f}" for name, value in numbers.items()}
    said = f"{kind} of 256 random images: " + ", ".join(map(" ".join, words.items()))
    seeds = [int(k) for k in worst]
    table = [
        ["256 random images", kind],
        *map(list, words.items()),
        ["seeds in boxes, the least real first", ", ".join(map(str, seeds))],
    ]
    found = {"kind": kind, **numbers, "boxed_seeds": seeds}
    return {"realness_of_256": found}, said, table
