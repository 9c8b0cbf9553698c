"""Figures of a recent GAN on the same data: relativistic pairs with R1 and R2."""

import numpy as np

from inference.figures import BLUE, ORANGE, RED, panels, save, sheet
from metrics import record
from models import sampling
from train.model import algorithm_of

FACES = 8  # rows of fig7_3


def draw(trained, faces, out):
    """fig7_1 losses, fig7_2 32 images, fig7_3 attributes switched one by one.

    Args:
        trained: list of `Trained` weights of `rpgan`, `rpgan_attributes` or both.
        faces: not used.
        out: folder of the figures.

    Returns:
        ({recipe: numbers}, words, table).
    """
    first, last = trained[0], trained[-1]
    histories, charts = [t.history() for t in trained], []
    for t, history in zip(trained, histories, strict=True):
        also = " (with classification)" if "c_loss_real" in history else ""
        lines = [("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE)]
        lines = [(column, name + also, color) for column, name, color in lines]
        charts.append(
            (f"{t.recipe.name}: losses, training", algorithm_of(t.recipe).unit, lines)
        )
    if last.recipe.traits.conditioned_on == "attributes":
        both = [("real", "on real images", BLUE), ("fake", "on generated images", RED)]
        parts = [(f"c_accuracy_{k}", text, color) for k, text, color in both]
        charts.append((f"{last.recipe.name}: attributes read by D", "accuracy", parts))
        histories.append(histories[-1])
    foot = "\n".join(t.origin() for t in trained)
    save(panels(histories, *charts), out / "fig7_1.jpg", foot)

    title = (
        f"32 random images of {first.recipe.name}; image k (row by row, from 0) from "
        "seed k"
    )
    save(
        sheet(sampling.draw(first, range(32)), 8, title),
        out / "fig7_2.jpg",
        first.origin(),
    )
    numbers = {t.recipe.name: {} for t in trained}
    said, table = f"32 images of {first.recipe.name}", []
    if last.recipe.traits.conditioned_on == "attributes":
        measured = switches(last, out)
        numbers[last.recipe.name]["requested_attributes"] = measured
        if measured:
            values = measured["values"]
            said = (
                f"{values['agreement']:.1%} of attributes are read as requested, "
                f"{measured['n_fake']:,} images"
            )
            kinds = ("on", "off", "forced_on", "forced_off")
            words = [kind.replace("_", " ") for kind in kinds]
            table = [["read as requested, by what was requested", *words]]
            for name in values["forced_on"]:
                shares = [values[kind].get(name, np.nan) for kind in kinds]
                shares = [f"{share:.0%}" for share in shares]
                table.append([name.replace("_", " "), *shares])
    return numbers, said, table


def switches(trained, out):
    """fig7_3: a face in each row, one attribute switched in each column.

    Returns:
        the measurement of attributes that are read as requested, or None.
    """
    names = trained.attributes
    usual = sampling.conditions_of(trained, range(FACES))
    rows = np.repeat(usual[:, None], 1 + len(names), 1)
    for k in range(len(names)):
        rows[:, k + 1, k] = 1 - rows[:, k + 1, k]
    seeds = np.repeat(np.arange(FACES), 1 + len(names))
    images = sampling.draw(trained, seeds, rows.reshape(len(seeds), -1))
    on = np.zeros((FACES, 1 + len(names)), bool)
    on[:, 1:] = usual == 0
    measured = record.newest(trained).get("requested_attributes")
    title = (
        f"{FACES} faces of {trained.recipe.name} (seeds 0 to {FACES - 1}), one attribute "
        "switched at a time:\non in a yellow box, else off; the rest is as in the first "
        "column"
    )
    values = measured["values"] if measured else {}
    if values:
        title += (
            f". Attributes so switched are read as requested in {values['forced']:.1%}\n"
            f"of {measured['n_fake']:,} images"
        )
        if values["judge_on_real"] is not None:  # the data had labels
            title += f" (real test faces: {values['judge_on_real']:.1%})"
    columns = ["as drawn", *(name.replace("_", "\n") for name in names)]
    figure = sheet(
        images,
        1 + len(names),
        title,
        column_labels=columns,
        boxed=np.flatnonzero(on.ravel()),
    )
    save(figure, out / "fig7_3.jpg", trained.origin())
    return measured
