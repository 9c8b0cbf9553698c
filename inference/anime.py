"""Report D's figures: mode collapse and its cures, with the collapse meter of each."""

import numpy as np

from inference.figures import in_style, panels, save, sheet
from inference.studies import curves, merged, origins
from metrics import collapse
from models import sampling

# 16 samples each: figure, recipe, first seed, at the end or before the collapse
SAMPLES = (
    ("fig5_2", "dcgan_d", 34, False),
    ("fig5_3", "wgan_gp_d", 4, True),
    ("fig5_7", "dcgan_d", 4, True),
)


def draw(trained, faces, out):
    """Report D: fig5_1 training images, fig5_2 samples before the collapse,
    fig5_3 of WGAN-GP, fig5_7 after the collapse, fig5_4 before and after, fig5_5 the
    cures, fig5_6 the collapse meter by epoch."""
    runs, first = {t.recipe.name: t for t in trained}, trained[0]
    foot = origins(runs)
    few = min(collapse.SAMPLES, len(faces.images))
    moments = {name: moment_of_collapse(t) for name, t in runs.items()}

    def meter(t, at=None):
        return collapse.diversity(sampling.draw(t, range(few), at=at), faces.images[:few])

    title = f"The first 100 of {len(faces.images):,} training images"
    save(sheet(faces.images[:100], 10, title), out / "fig5_1.jpg", str(faces.folder.name))

    healthy = next(iter(first.snapshots()), None)
    for figure, name, seed, end in SAMPLES:
        at = None if end else healthy
        when = "at the end" if at is None else f"after epoch {at}"
        if at is not None and moments[name] is not None:
            when += ", before it collapsed"
        title = f"{name} {when}: 16 random images, seeds {seed} to {seed + 15}"
        images = sampling.draw(runs[name], range(seed, seed + 16), at=at)
        save(sheet(images, 8, title), out / f"{figure}.jpg", runs[name].origin())

    def by_epoch(figure, title, foot, places, label=""):
        """Rows of images at the end (None) or after an epoch, with their diversity."""
        labels, images = [], []
        for t, at in places:
            epoch, name = t.card["epochs"] if at is None else at, t.recipe.name
            labels.append(f"{label.format(name)}epoch {epoch:g}\n{meter(t, at):.2f}")
            images.append(sampling.draw(t, range(10), at=at))
        title += f";\nbeside a row: epoch and diversity (the first {few} training images "
        title += "1, collapsed below 0.5)"
        save(sheet(np.concatenate(images), 10, title, labels), out / figure, foot)

    said = "no collapse" if moments[first.recipe.name] is None else "collapse"
    title = f"{first.recipe.name}, the same noise in a column: {said}"
    places = [(first, at) for at in (*first.snapshots(), None)]
    by_epoch("fig5_4.jpg", title, first.origin(), places)
    title = "The cures at the end, some before, the same noise in a column"
    places = [(first, None)]  # fig5_4 has its other epochs
    places += [(t, at) for t in trained[1:] for at in (*t.snapshots(), None)]
    by_epoch("fig5_5.jpg", title, foot, places, "{}\n")
    save(meter_curves(runs, few), out / "fig5_6.jpg", foot)

    numbers = {}
    table = [["", f"diversity (first {few} training images 1)", "epochs", "collapsed"]]
    for name, t in runs.items():
        value, epochs, at = meter(t), t.card["epochs"], moments[name]
        when = "no" if at is None else f"from epoch {at:.1f} on"
        table.append([name, f"{value:.2f}", f"{epochs:g}", when])
        numbers[name] = {"diversity": value, "n": few, "epochs": epochs}
        numbers[name]["collapsed_at_epoch"] = at
    fallen = [name for name, at in moments.items() if at is not None]
    kept = [name for name in runs if name not in fallen]
    said = f"collapsed: {', '.join(fallen) or 'none'}; not collapsed: {', '.join(kept)}"
    return numbers, said, table


@in_style
def meter_curves(runs, few):
    """The meter of every run by epoch and by step: a critic with several updates a step
    sees more epochs in the same steps."""
    lines = curves("diversity", runs)
    unit = f"diversity of {few} samples / of as many training images"
    figure = panels(
        [merged(runs, "epoch"), merged(runs, "step")],
        ("Collapse meter by epoch", unit, lines),
        ("The same by training step", unit, lines),
    )
    for axis in figure.axes:
        axis.axhline(collapse.COLLAPSED, color="0.3", ls="--", lw=1)
        axis.set_ylim(bottom=0)
    right = {"transform": figure.axes[0].get_yaxis_transform(), "ha": "right"}
    figure.axes[0].text(1, collapse.COLLAPSED, "collapsed below", va="bottom", **right)
    return figure


def moment_of_collapse(trained):
    """The epoch after which the meter stays below its threshold, or None."""
    history = trained.history()
    if "diversity" not in history:  # trained without the meter
        return None
    rows = history[["step", "diversity"]].dropna()
    return collapse.moment(trained.epoch_of(rows["step"]), rows["diversity"])
