"""Report D's figures: mode collapse and its cures, with the collapse meter of each."""

import numpy as np

from inference.studies import COLORS, by_epoch, changes, origins
from metrics import collapse
from models import sampling
from plot_utils import curve, save, sheet


def draw(trained, faces, out):
    """Report D: fig5_1 training images, fig5_2 samples before the collapse,
    fig5_3 of WGAN-GP, fig5_7 after the collapse, fig5_4 before and after, fig5_5 the
    cures, fig5_6 the collapse meter by epoch.

    Args:
        trained: list of `Trained` weights of Report D's recipes, `dcgan_d` first.
        faces: the training images.
        out: folder of the figures.

    Returns:
        {recipe: {"diversity", "n", "epochs", "collapsed_at_epoch"}}, also printed.
    """
    runs = {t.recipe.name: t for t in trained}
    foot = origins(runs)
    few = min(collapse.SAMPLES, len(faces.images))

    def meter(t, at=None):
        return collapse.diversity(sampling.draw(t, range(few), at=at), faces.images[:few])

    title = f"The first 100 of {len(faces.images):,} training images"
    save(sheet(faces.images[:100], 10, title), out / "fig5_1.jpg", str(faces.folder.name))

    moments = {name: moment_of_collapse(t) for name, t in runs.items()}
    first = trained[0]
    healthy = next(iter(first.snapshots()), None)
    for number, name, seed, at in (
        (2, "dcgan_d", 34, healthy),
        (3, "wgan_gp_d", 4, None),
        (7, "dcgan_d", 4, None),
    ):
        images = sampling.draw(runs[name], range(seed, seed + 16), at=at)
        when = "at the end" if at is None else f"after epoch {at}"
        if at is not None and moments[name] is not None:
            when += ", before it collapsed"
        title = f"{name} {when}: 16 random images, seeds {seed} to {seed + 15}"
        save(sheet(images, 8, title), out / f"fig5_{number}.jpg", runs[name].origin())

    rows, images = [], []
    for epoch in (*first.snapshots(), None):
        when = "at the end" if epoch is None else f"epoch {epoch}"
        rows.append(f"{when}\n{meter(first, epoch):.2f}")
        images.append(sampling.draw(first, range(10), at=epoch))
    said = "no collapse" if moments[first.recipe.name] is None else "collapse"
    title = f"{first.recipe.name}, the same noise in a column: {said}; beside a row its\n"
    title += (
        f"epoch and diversity (the first {few} training images 1, collapsed below 0.5)"
    )
    save(sheet(np.concatenate(images), 10, title, rows), out / "fig5_4.jpg", foot)

    numbers, rows, images = {}, [], []
    for name, t in runs.items():
        numbers[name] = {
            "diversity": meter(t),
            "n": few,
            "epochs": t.card["epochs"],
            "collapsed_at_epoch": moments[name],
        }
        for at in (*(t.snapshots() if t is not first else ()), None):  # fig5_4 has those
            epoch = t.card["epochs"] if at is None else at
            rows.append(f"{name}\nepoch {epoch:g}\n{meter(t, at):.2f}")
            images.append(sampling.draw(t, range(10), at=at))
    title = (
        "The cures side by side at the end, some before, the same noise in a column;\n"
        f"beside a row its diversity (the first {few} training images 1, collapsed below "
        "0.5)"
    )
    save(sheet(np.concatenate(images), 10, title, rows), out / "fig5_5.jpg", foot)

    save(meter_curves(runs, few), out / "fig5_6.jpg", foot)
    for name, n in numbers.items():
        epoch = n["collapsed_at_epoch"]
        when = "never" if epoch is None else f"from epoch {epoch:.1f} on"
        print(
            f"{name:18} {n['diversity']:.2f} of the training images' diversity after "
            f"{n['epochs']:g} epochs, "
            f"collapsed: {when}"
        )
    return numbers


def meter_curves(runs, few):
    """The meter of every run by epoch and by step: a critic with several updates a step
    sees more epochs in the same steps."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(12, 4.8), sharey=True)
    merged = by_epoch(runs)
    for (name, t), color in zip(runs.items(), COLORS, strict=False):
        if "diversity" in t.history():
            curve(axes[0], merged, f"diversity {name}", name, color, x="epoch")
            curve(axes[1], t.history(), "diversity", name, color)
    unit = f"diversity of {few} samples / of as many training images"
    axes[0].set(title="Collapse meter by epoch", xlabel="epoch", ylabel=unit)
    axes[1].set(title="The same by training step", xlabel="training step")
    for axis in axes:
        axis.axhline(collapse.COLLAPSED, color="0.3", ls="--", lw=1)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.25)
    for step in changes(runs):
        axes[1].axvline(step, color="0.5", ls=":", lw=1)
    right = {"transform": axes[0].get_yaxis_transform(), "ha": "right"}
    axes[0].text(1, collapse.COLLAPSED, "collapsed below", va="bottom", **right)
    axes[1].legend(frameon=False, loc="lower center", fontsize=9)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    return figure


def moment_of_collapse(trained):
    """The epoch after which the meter stays below its threshold, or None."""
    if "diversity" not in trained.history():  # trained without the meter
        return None
    history = by_epoch({"": trained})[["epoch", "diversity "]].dropna()
    return collapse.moment(history["epoch"].tolist(), history["diversity "].tolist())
