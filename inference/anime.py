"""Report D's figures: mode collapse and its cures, with the collapse meter of each."""

import functools

import numpy as np

from inference.figures import in_style, panels, save, sheet
from inference.studies import curves, merged, origins
from metrics import collapse, record
from models import sampling
from models.recipe import flat

NAMES = {  # of the study of collapse: rows of fig5_5, curves of fig5_6
    "dcgan_collapse_d": "DCGAN",
    "dcgan_dropout_d": "dropout in D",
    "dcgan_dropout_g_d": "dropout in D and G",
    "wgan_gp_same_d": "WGAN-GP, DCGAN's optimizer",
    "lsgan_d": "LSGAN",
    "wgan_gp_few_d": "WGAN-GP, its optimizer",
}
# 16 samples, and 16 of the report's one seed: figure, recipe, seed
SAMPLES = (("fig5_2", "dcgan_d", 34), ("fig5_3", "wgan_gp_d", 4))
DISTANCE = "frechet_random_features"


def draw(trained, faces, out):
    """Report D: fig5_1 training images, fig5_2 and fig5_3 samples of its DCGAN and
    WGAN-GP, fig5_4 before and after the collapse, fig5_5 the cures, fig5_6 the collapse
    meter by epoch."""
    few = min(collapse.SAMPLES, len(faces.images))
    title = f"The first 100 of {len(faces.images):,} images"
    save(sheet(faces.images[:100], 10, title), out / "fig5_1.jpg", str(faces.folder.name))
    every = {t.recipe.name: t for t in trained}
    for figure, name, seed in SAMPLES:
        t = every[name]
        title = f"{name}: above 16 random images, seeds {seed} to {seed + 15};\n"
        title += f"below 16 with noise drawn at once from seed {seed}, as in the report"
        noise = np.random.default_rng(seed).standard_normal((16, t.recipe.latent))
        one = sampling.render(t, noise.astype("float32"))
        images = np.concatenate([sampling.draw(t, range(seed, seed + 16)), one])
        save(sheet(images, 8, title), out / f"{figure}.jpg", t.origin())

    study = {name: every[name] for name in NAMES}
    steps = {name: collapse.step_of(t.history()) for name, t in study.items()}
    moments = {name: at and study[name].epoch_of(at) for name, at in steps.items()}

    @functools.cache
    def meter(name, at=None):
        images = sampling.draw(study[name], range(few), at=at)
        return collapse.diversity(images, faces.images[:few])

    def at_epoch(name, at):
        epoch = study[name].card["epochs"] if at is None else at
        return f"epoch {epoch:g}: {meter(name, at):.2f}"

    beside = f";\nbeside a row: epoch, diversity (the first {few} training images 1, "
    beside += "collapsed below 0.5)"
    name, first = next(iter(study.items()))
    places = (next(iter(first.snapshots()), None), None)
    said = "no collapse" if moments[name] is None else "before and after its collapse"
    title = f"{name}, {said}, the same noise in both halves{beside}"
    images = np.concatenate([sampling.draw(first, range(4, 20), at=at) for at in places])
    labels = [label for at in places for label in (at_epoch(name, at), "")]
    save(sheet(images, 8, title, labels), out / "fig5_4.jpg", first.origin())

    images, labels = [], []
    for name, t in study.items():
        at = next(iter(t.snapshots()), None)
        images += [sampling.draw(t, range(5), at=at), sampling.draw(t, range(5))]
        lines = [at_epoch(name, epoch) for epoch in dict.fromkeys((at, None))]
        labels.append("\n".join([NAMES[name].replace(", ", ",\n"), *lines]))
    heads = ["", "", "earlier", "", "", "", "", "at the end", "", ""]
    title = f"The cures, the same noise in each half of a column{beside}"
    figure = sheet(np.concatenate(images), 10, title, labels, heads)
    save(figure, out / "fig5_5.jpg", origins(study))
    named = {NAMES[name]: t for name, t in study.items()}
    save(meter_curves(named), out / "fig5_6.jpg", origins(study))

    numbers = {}
    table = [["", "differs in", f"diversity of {few}", "collapsed", "Fréchet (random)"]]
    for name, t in study.items():
        at, row = moments[name], record.newest(t).get(DISTANCE)
        when = "no" if at is None else f"from epoch {at:.1f} on"
        far = f"{row['values']['distance']:.3g}" if row else "not measured"
        table.append([name, differing(t, first), f"{meter(name):.2f}", when, far])
        numbers[name] = {"diversity": meter(name), "n": few, "epochs": t.card["epochs"]}
        numbers[name] |= {"collapsed_at_epoch": at, "differs": differing(t, first)}
    fallen = [name for name, at in moments.items() if at is not None]
    kept = [name for name in study if name not in fallen]
    said = f"collapsed: {', '.join(fallen) or 'none'}; not collapsed: {', '.join(kept)}"
    return numbers, said, table


def differing(trained, other):
    """The settings of a recipe that differ from another's, in short."""
    ours, theirs = (flat(t.recipe.resolved()) for t in (trained, other))
    same = ("name", "steps", "epochs", "snapshots")
    found = {k: v for k, v in ours.items() if theirs.get(k) != v and k not in same}
    return ", ".join(f"{k.partition('.')[2] or k} {v}" for k, v in found.items()) or "-"


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
