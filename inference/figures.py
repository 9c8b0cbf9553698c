"""What every figure is drawn with: charts, sheets of images, a foot that says whose.

Figures have matplotlib's own defaults and `STYLE`, whatever the user has set; that is
left as it is.
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
    """Let texts show letters that the usual font lacks: in another font installed here
    that has them, else by their code, as in "\\u9854"."""
    lacking = {c for text in figure.findobj(Text) for c in text.get_text()}
    lacking -= usual_letters()
    if not lacking:
        return
    families = ["DejaVu Sans"]
    for font in sorted(font_manager.fontManager.ttflist, key=lambda font: font.fname):
        if font.name.startswith("Last Resort"):  # a box for every letter
            continue
        try:
            letters = set(map(chr, font_manager.get_font(font.fname).get_charmap()))
        except (OSError, RuntimeError):  # of pictures, or gone
            continue
        if lacking & letters:
            families.append(font.name)
            lacking -= letters
    codes = {c: c.encode("ascii", "backslashreplace").decode() for c in lacking}
    codes = str.maketrans(codes)
    for axis in [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]:
        labels = [label.get_text() for label in axis.get_majorticklabels()]
        spelled = [label.translate(codes) for label in labels]
        if spelled != labels:  # an axis sets its labels anew
            axis.set_ticks(axis.get_majorticklocs(), spelled)
    for text in figure.findobj(Text):
        text.set_text(text.get_text().translate(codes))
        text.set_fontfamily(families)


@functools.cache
def usual_letters():
    """What every text here may have: the letters of the font that comes along."""
    usual = font_manager.findfont("DejaVu Sans")
    return {*map(chr, font_manager.get_font(usual).get_charmap()), "\n"}


def log_scale(axis):
    """A logarithmic y axis, with plain numbers at its ticks."""
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter("{x:,g}")
    axis.yaxis.set_minor_formatter("")


def curve(axis, history, column, label, color, x="step"):
    """One curve over steps or epochs: raw in light, smoothed above it."""
    rows = history[[x, column]].dropna()
    if rows.empty:  # as of a meter that the run was too short for
        return
    steps, values = rows[x], rows[column]
    window = max(1, len(values) // 25)
    mean = values.rolling(window, center=True, min_periods=1).mean()
    axis.plot(steps, values, color=color, alpha=0.25, linewidth=0.8)
    axis.plot(steps, mean, color=color, linewidth=1.8, label=label)


@in_style
def panels(history, *charts, x="step"):
    """A row of charts against the training step, or the epoch.

    Args:
        history: frame with a column `step`, or `epoch`; or a list, one a chart.
        charts: (title, unit of the y axis, [(column, label, color), ...]);
            columns that the history lacks are left out, and a chart without any.
        x: "step" or "epoch"; or a list, one a chart.

    Returns:
        the figure.
    """
    histories = history if isinstance(history, list) else [history] * len(charts)
    places = x if isinstance(x, list) else [x] * len(charts)
    drawn = [
        (frame, place, chart)
        for frame, place, chart in zip(histories, places, charts, strict=True)
        if any(column in frame for column, *_ in chart[2])
    ]
    figure, count = Figure((5.2 * len(drawn), 4.2)), len(drawn)
    axes = figure.subplots(1, count, squeeze=False)[0]
    for axis, (frame, place, (title, unit, curves)) in zip(axes, drawn, strict=True):
        for column, label, color in curves:
            if column in frame:
                curve(axis, frame, column, label, color, place)
        xlabel = "training step" if place == "step" else place
        axis.set(title=title, xlabel=xlabel, ylabel=unit)
        axis.grid(alpha=0.25)
        axis.legend(frameon=False, fontsize=9)
        if "accuracy" in unit:
            axis.set_ylim(-0.03, 1.03)
    # In inches, so that no text has to be measured: `tight_layout` draws them all once.
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=0.8 / width,
        right=1 - 0.25 / width,
        wspace=0.95 / (width / count - 1),
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
    for k in boxed:
        row, column = divmod(k, columns)
        corner = column * (width + gap) + gap / 2, row * (height + gap) + gap / 2
        axis.add_patch(
            Rectangle(corner, width + gap, height + gap, fill=False, color=YELLOW, lw=3)
        )
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
    for value, color in zip(range(len(names)), (RED, BLUE), strict=False):
        members = label == value
        axis.scatter(
            *points[members].T,
            s=9,
            alpha=0.65,
            linewidths=0,
            color=color,
            label=f"{names[value]} (n = {members.sum():,})",
        )
    axis.set(title=title, xlabel="t-SNE dimension 1", ylabel="t-SNE dimension 2")
    axis.legend(frameon=False, loc="upper right", markerscale=2)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


def blank(width, height):
    """(a figure of so many inches, its one axis)."""
    figure = Figure((width, height))
    return figure, figure.subplots()
