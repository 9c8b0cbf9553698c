"""Charts, sheets of images, and a foot that names the weights.

Figures have matplotlib's defaults and `STYLE`, whatever the user has set; that is left as
it is.
"""

import functools
import textwrap

import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.transforms import Bbox

import data_utils
from cli import replacing

LINE = 0.14  # inches, of a line at the foot
FOOT = 0.42  # inches below the images of a sheet, for two lines
BLUE, RED, GREEN, ORANGE = "#1f77b4", "#d62728", "#2ca02c", "#ff7f0e"
YELLOW = "#ffd500"
LOSSES = [("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE)]
STYLE = {
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # a $ in the name of a folder is one
}
in_style = matplotlib.style.context(("default", STYLE))  # decorates what draws


@in_style
def save(figure, path, foot=""):
    """Write a figure as JPEG under a temporary name, then rename. It grows downwards by
    the lines of `foot` after the second: figures leave room for two."""
    (width, height), below = figure.get_size_inches(), 0.0
    if foot:
        letters = int(width * 16)  # of this size, in a line
        foot = "\n".join(textwrap.fill(line, letters) for line in foot.splitlines())
        below = LINE * max(0, foot.count("\n") - 1)
        words = {"ha": "center", "va": "bottom", "fontsize": 8, "color": "0.4"}
        figure.text(0.5, 0.005 - below / height, foot, **words)
    spell_out(figure)
    with replacing(path) as file:
        options = {"dpi": 150, "pil_kwargs": {"quality": 92}}
        if below:
            options["bbox_inches"] = Bbox.from_extents(0, -below, width, height)
        figure.savefig(file, format="jpg", **options)


def spell_out(figure):
    """Let texts have letters that the usual font lacks: in another font installed here
    that has them, else by their code, as in "\\u9854"."""
    texts = figure.findobj(Text)
    lacking = {c for text in texts for c in text.get_text()} - {"\n"}
    lacking -= letters_of(font_manager.findfont("DejaVu Sans"))
    if not lacking:
        return
    families = ["DejaVu Sans"]
    for font in sorted(font_manager.fontManager.ttflist, key=lambda font: font.fname):
        found = lacking & letters_of(font.fname)
        if found and not font.name.startswith("Last Resort"):  # a box for every letter
            families.append(font.name)
            lacking -= found
    codes = {ord(c): c.encode("ascii", "backslashreplace").decode() for c in lacking}
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        labels = [label.get_text() for label in axis.get_majorticklabels()]
        if any(labels):  # an axis sets its labels anew
            labels = [label.translate(codes) for label in labels]
            axis.set_ticks(axis.get_majorticklocs(), labels)
    for text in figure.findobj(Text):
        text.set(text=text.get_text().translate(codes), fontfamily=families)


@functools.cache
def letters_of(path):
    """The letters of a font file; none of one of pictures, or that is gone."""
    try:
        return {*map(chr, font_manager.get_font(path).get_charmap())}
    except (OSError, RuntimeError):
        return set()


def log_scale(axis):
    """A logarithmic y axis, with plain numbers at its ticks and room for a legend."""
    axis.set_yscale("log")
    axis.autoscale(axis="y")
    low, high = axis.get_ylim()
    axis.set_ylim(low, high * (high / low) ** 0.25)
    axis.yaxis.set_major_formatter("{x:,g}")
    axis.yaxis.set_minor_formatter("")


def pair(column, word="on"):
    """The two curves of a column, of real and of generated images, for `panels`."""
    kinds = (("real", "real", BLUE), ("fake", "generated", RED))
    return [(f"{column}_{k}", f"{word} {kind} images", color) for k, kind, color in kinds]


@in_style
def panels(history, *charts):
    """Charts against the training step, or the epoch, at most two in a row: raw in light,
    smoothed above it. A dashed line is at the step of the weights, where the run went on.

    Args:
        history: frame with a column `step`, or else `epoch`; or a list, one a chart.
        charts: (title, unit of the y axis, [(column, label, color), ...]);
            columns that the history lacks are left out, and a chart without any.

    Returns:
        the figure.
    """
    histories = history if isinstance(history, list) else [history] * len(charts)
    drawn = []
    for frame, (title, unit, curves) in zip(histories, charts, strict=True):
        if curves := [curve for curve in curves if curve[0] in frame]:
            drawn.append((frame, title, unit, curves))
    columns, rows = min(2, len(drawn)), -(-len(drawn) // 2)
    width, height = 5.2 * columns, 3.9 * rows
    figure = Figure((width, height))
    grid = figure.add_gridspec(rows, columns)
    for k, (frame, title, unit, curves) in enumerate(drawn):
        alone = k == len(drawn) - 1 and not k % 2  # in its row
        axis = figure.add_subplot(grid[k // 2, :] if alone else grid[k // 2, k % 2])
        x = "step" if "step" in frame else "epoch"
        marked = "weights" in frame.attrs
        if marked:
            at = {"x": frame.attrs["weights"], "label": "step of the weights"}
            axis.axvline(**at, color="0.5", ls="--", lw=1)
        for column, label, color in curves:
            raw = frame[[x, column]].dropna()
            if raw.empty:  # as of a meter that the run was too short for
                continue
            mean = raw[column].rolling(max(1, len(raw) // 25), 1, center=True).mean()
            axis.plot(raw[x], raw[column], color=color, alpha=0.25, linewidth=0.8)
            axis.plot(raw[x], mean, color=color, linewidth=1.8, label=label)
        xlabel = "training step" if x == "step" else x
        axis.set(title=title, xlabel=xlabel, ylabel=unit)
        axis.grid(alpha=0.25)
        if "accuracy" in unit:
            axis.set_ylim(-0.03, 1.03)
            axis.set_yticks(np.linspace(0, 1, 6))
        low, high = axis.get_ylim()  # room above the curves for their names
        axis.set_ylim(low, high + (0.03 + 0.08 * (len(curves) + marked)) * (high - low))
        place = {"loc": "upper right", "framealpha": 0.9, "edgecolor": "none"}
        axis.legend(frameon=marked, fontsize=9, **place)  # above that line
    # In inches, so that no text has to be measured: `tight_layout` draws them all once.
    figure.subplots_adjust(
        left=0.8 / width,
        right=1 - 0.25 / width,
        wspace=0.95 / (width / columns - 1),
        hspace=0.95 / (height / rows - 1),
        bottom=0.75 / height,
        top=1 - 0.4 / height,
    )
    return figure


@in_style
def sheet(images, columns, title, row_labels=(), column_labels=(), boxed=()):
    """Images in rows, as a figure with a title.

    Args:
        images: uint8 `(n, height, width, 3)`.
        columns: images in a row.
        row_labels, column_labels: text beside rows, above columns.
        boxed: indices of images to put a yellow box around.
    """
    gap, (height, width) = 3, images.shape[1:3]
    rows = -(-len(images) // columns)
    inches, side = columns * 0.95, 1.5 if row_labels else 0.15
    lines = max((len(name.splitlines()) for name in column_labels), default=0)
    head = 0.25 + 0.2 * len(title.splitlines()) + 0.2 * lines
    size = (side + inches + 0.15, rows * 0.95 + FOOT + head)
    figure = Figure(size)
    bottom, top = FOOT / size[1], 1 - head / size[1]
    axis = figure.add_axes((side / size[0], bottom, inches / size[0], top - bottom))
    axis.imshow(data_utils.tile(images, columns, gap), interpolation="nearest")
    axis.set_anchor("NW")
    axis.spines[:].set_visible(False)
    middle = gap + height / 2 + np.arange(rows) * (height + gap)
    axis.set_yticks(middle[: len(row_labels)], row_labels)
    middle = gap + width / 2 + np.arange(columns) * (width + gap)
    axis.set_xticks(middle[: len(column_labels)], column_labels)
    axis.xaxis.tick_top()
    axis.tick_params(length=0, pad=5)
    wide, tall = width + gap, height + gap
    for row, column in (divmod(k, columns) for k in boxed):
        corner = column * wide + gap / 2, row * tall + gap / 2
        axis.add_patch(Rectangle(corner, wide, tall, fill=False, color=YELLOW, lw=3))
    figure.suptitle(title, fontsize=11, y=1 - 0.08 / size[1], va="top")
    return figure


@in_style
def scatter(points, label, names, title):
    """Classes of points in the plane, one or two, their sizes in the legend.

    Args:
        points: float `(n, 2)`.
        label: `(n,)` of 0, and 1 if there are two.
        names: what they are called.
    """
    figure, axis = blank(6.4, 6)
    dots = {"s": 9, "alpha": 0.65, "linewidths": 0}
    for value, (name, color) in enumerate(zip(names, (RED, BLUE), strict=False)):
        members = label == value
        name = f"{name} (n = {members.sum():,})"
        axis.scatter(*points[members].T, color=color, label=name, **dots)
    axis.set(title=title, xlabel="t-SNE dimension 1", ylabel="t-SNE dimension 2")
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.11), "ncols": 2}
    axis.legend(frameon=False, markerscale=2, **below)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def blank(width, height, *grid):
    """(a figure of so many inches, its one axis or a grid of rows and columns)."""
    figure = Figure((width, height))
    return figure, figure.subplots(*grid)
