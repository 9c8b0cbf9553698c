"""Problem 2's figures: a GAN's curves, samples and failures."""

import numpy as np

from cli import UserError
from inference.figures import LOSSES, pair, panels, save, sheet
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
    foot, history = trained.origin(), trained.history()
    unit = algorithm_of(trained.recipe).unit
    parts = ("Parts of D's loss, training", unit, pair("d_loss"))
    if "d_loss_real" not in history:
        parts = ("D's mean scores, training", unit, pair("score", "of"))
    accuracy = ("Discriminator, training", "accuracy", pair("d_accuracy"))
    figure = panels(history, ("Losses, training", unit, LOSSES), parts, accuracy)
    save(figure, out / "fig2_2.jpg", foot)

    many = sampling.draw(trained, range(256))
    title = "32 random images; image k (row by row, from 0) from seed k"
    save(sheet(many[:32], 8, title), out / "fig2_3.jpg", foot)

    scores = sampling.realness(trained, many)
    order = np.argsort(scores)
    worst = order[:8]
    both = np.sort(np.concatenate([worst, order[-24:]]))
    last = trained.network("discriminator").layers[-1].get_config()
    bounded = last.get("activation") == "sigmoid"
    kind = "D's probability of being real" if bounded else "D's score"
    title = (
        f"Yellow boxes: the 8 of 256 random images that D finds least real; no box: the "
        f"24 that\nit finds most real. {kind}: {scores[order[7]]:.2g} or less, "
        f"{scores[order[-24]]:.2g} or more"
    )
    boxed = np.flatnonzero(np.isin(both, worst))
    save(sheet(many[both], 8, title, boxed=boxed), out / "fig2_4.jpg", foot)

    values = np.percentile(scores, (0, 50, 100)).tolist()
    numbers = dict(zip(("least", "median", "most"), values, strict=True))
    words = [[name, f"{value:.4f}"] for name, value in numbers.items()]
    said = f"{kind} of 256 random images: " + ", ".join(map(" ".join, words))
    boxes = ["seeds in boxes, the least real first", ", ".join(map(str, worst))]
    found = {"kind": kind, **numbers, "boxed_seeds": worst.tolist()}
    table = [["256 random images", kind], *words, boxes]
    return {"realness_of_256": found}, said, table
