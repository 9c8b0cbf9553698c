"""Figures of a recent GAN on the same data: relativistic pairs with R1 and R2."""

import numpy as np

from inference.figures import BLUE, ORANGE, pair, panels, save, sheet
from metrics import record
from models import sampling
from train.model import algorithm_of

FACES = 8  # rows of fig7_3
KINDS = ("on", "off", "forced_on", "forced_off")  # how an attribute was requested


def draw(trained, faces, out):
    """fig7_1 losses, fig7_2 32 images, fig7_3 attributes switched one by one."""
    plain, conditioned = trained
    also, charts = "", []
    for t in trained:
        lines = [("d_loss", f"discriminator{also}", BLUE)]
        lines.append(("g_loss", f"generator{also}", ORANGE))
        unit = algorithm_of(t.recipe).unit
        charts.append((f"{t.recipe.name}: losses, training", unit, lines))
        also = " (with classification)"
    title = f"{conditioned.recipe.name}: attributes read by D"
    charts.append((title, "accuracy", pair("c_accuracy")))
    histories = [plain.history(), *[conditioned.history()] * 2]
    foot = f"{plain.origin()}\n{conditioned.origin()}"
    save(panels(histories, *charts), out / "fig7_1.jpg", foot)

    title = f"32 random images of {plain.recipe.name}; "
    title += "image k (row by row, from 0) from seed k"
    images = sampling.draw(plain, range(32))
    save(sheet(images, 8, title), out / "fig7_2.jpg", plain.origin())

    measured = record.newest(conditioned).get("requested_attributes")
    figure = switches(conditioned, measured)
    save(figure, out / "fig7_3.jpg", conditioned.origin())
    said, table = f"32 images of {plain.recipe.name}", []
    if measured:
        values, count = measured["values"], f"{measured['n_fake']:,}"
        said = f"{values['agreement']:.1%} of attributes are read as requested, "
        said += f"{count} images"
        words = [kind.replace("_", " ") for kind in KINDS]
        table = [["read as requested, by what was requested", *words]]
        for name in values["forced_on"]:
            shares = [values[kind].get(name) for kind in KINDS]
            shares = ["-" if share is None else f"{share:.0%}" for share in shares]
            table.append([name.replace("_", " "), *shares])
    numbers = {"requested_attributes": measured}
    return {plain.recipe.name: {}, conditioned.recipe.name: numbers}, said, table


def switches(trained, measured):
    """A face in each row, one attribute switched in each column: a figure whose title has
    the measurement of attributes read as requested, if there is one."""
    names, columns = trained.attributes, 1 + len(trained.attributes)
    usual = sampling.conditions_of(trained, range(FACES))
    flips = np.eye(columns, len(names), -1, dtype=usual.dtype)  # none in the first column
    rows = usual[:, None] ^ flips
    seeds = np.repeat(np.arange(FACES), columns)
    images = sampling.draw(trained, seeds, rows.reshape(len(seeds), -1))
    boxed = np.flatnonzero((flips & rows).any(-1))  # switched on
    title = (
        f"{FACES} faces of {trained.recipe.name} (seeds 0 to {FACES - 1}), one attribute "
        "switched at a time:\non in a yellow box, else off; the rest is as in the first "
        "column"
    )
    if measured:
        values = measured["values"]
        title += (
            f". Attributes so switched are read as requested in {values['forced']:.1%}\n"
            f"of {measured['n_fake']:,} images"
        )
        if values["judge_on_real"] is not None:  # the data had labels
            title += f" (real test faces: {values['judge_on_real']:.1%})"
    labels = ["as drawn", *(name.replace("_", "\n") for name in names)]
    return sheet(images, columns, title, column_labels=labels, boxed=boxed)
