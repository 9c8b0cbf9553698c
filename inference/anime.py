"""Report D's figures: mode collapse and its cures, with the collapse meter of each."""

import numpy as np

from inference.figures import in_style, panels, save, sheet
from inference.studies import curves, merged, origins
from metrics import collapse
from models import sampling

NAMES = {  # of the rows of fig5_5 and the curves of fig5_6
    "dcgan_d": "DCGAN",
    "wgan_gp_d": "WGAN-GP, its optimizer",
    "wgan_gp_same_d": "WGAN-GP, DCGAN's optimizer",
    "lsgan_d": "LSGAN",
    "dcgan_dropout_d": "dropout in D",
    "dcgan_dropout_g_d": "dropout in D and G",
}
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

    def at_epoch(t, at):
        epoch = t.card["epochs"] if at is None else at
        return f"epoch {epoch:g}: {meter(t, at):.2f}"

    beside = f";\nbeside a row: epoch, diversity (the first {few} training images 1, "
    beside += "collapsed below 0.5)"
    said = "no collapse" if moments[first.recipe.name] is None else "collapse"
    title = f"{first.recipe.name}, the same noise in a column: {said}{beside}"
    places = (*first.snapshots(), None)
    images = np.concatenate([sampling.draw(first, range(10), at=at) for at in places])
    labels = [at_epoch(first, at) for at in places]
    save(sheet(images, 10, title, labels), out / "fig5_4.jpg", first.origin())

    images, labels = [], []
    for t in trained:
        end = sampling.draw(t, range(5))
        at = next(iter(t.snapshots()), None)
        early = (
            np.full_like(end, 230) if at is None else sampling.draw(t, range(5), at=at)
        )
        images += [early, end]
        lines = [at_epoch(t, epoch) for epoch in dict.fromkeys((at, None))]
        name = NAMES.get(t.recipe.name, t.recipe.name).replace(", ", ",\n")
        labels.append("\n".join([name, *lines]))
    names = ["", "", "earlier", "", "", "", "", "at the end", "", ""]
    title = f"The cures, the same noise in each half of a column{beside}"
    figure = sheet(np.concatenate(images), 10, title, labels, names)
    save(figure, out / "fig5_5.jpg", foot)
    named = {NAMES.get(name, name): t for name, t in runs.items()}
    save(meter_curves(named), out / "fig5_6.jpg", foot)

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
def meter_curves(runs):
    """The meter of every run by epoch and by step: a critic with several updates a step
    sees more epochs in the same steps."""
    lines = curves("diversity", runs)
    unit = "diversity (training images 1)"
    figure = panels(
        [merged(runs, "epoch"), merged(runs, "step")],
        ("Collapse meter by epoch", unit, lines),
        ("The same by training step", unit, lines),
    )
    for axis in figure.axes:
        axis.axhline(collapse.COLLAPSED, color="0.3", ls="--", lw=1)
        axis.set_ylim(0, 1.1 * axis.dataLim.ymax)
        axis.get_legend().remove()
    right = {"transform": figure.axes[0].get_yaxis_transform(), "ha": "right"}
    figure.axes[0].text(1, collapse.COLLAPSED, "collapsed below", va="bottom", **right)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.05), "ncols": 3}
    figure.legend(handles, labels, frameon=False, fontsize=9, **place)
    figure.set_figheight(figure.get_figheight() + 0.6)
    figure.subplots_adjust(bottom=0.3)
    return figure


def moment_of_collapse(trained):
    """The epoch after which the meter stays below its threshold, or None."""
    history = trained.history()
    if "diversity" not in history:  # trained without the meter
        return None
    rows = history[["step", "diversity"]].dropna()
    return collapse.moment(trained.epoch_of(rows["step"]), rows["diversity"])
