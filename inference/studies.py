"""Helpers for figures that compare several runs."""

from functools import reduce

import pandas as pd

from inference.figures import BLUE, GREEN, ORANGE, RED

COLORS = (BLUE, RED, GREEN, ORANGE, "#9467bd", "#8c564b")


def curves(column, runs):
    """The curves of a column of `merged(runs)`, one a run, for `panels`."""
    colored = zip(runs, COLORS, strict=False)
    return [(f"{column} {label}", label, color) for label, color in colored]


def merged(runs, x="epoch"):
    """The histories of {label: Trained} in one frame by "epoch" or "step"; its other
    columns are called "<column> <label>"."""
    frames = []
    for label, trained in runs.items():
        history = trained.history()
        place = {"step": history["step"], "epoch": trained.epoch_of(history["step"])}
        frames.append(history.add_suffix(f" {label}").assign(**{x: place[x]}))
    return reduce(lambda a, b: pd.merge(a, b, on=x, how="outer"), frames).sort_values(x)


def origins(runs):
    """The foot of a figure of several runs."""
    cards = [trained.card for trained in runs.values()]
    data = cards[0]["data"]
    steps = " / ".join(dict.fromkeys(f"{card['steps']:,}" for card in cards))
    batch = " / ".join(str(b) for b in sorted({c["recipe"]["batch_size"] for c in cards}))
    names = ", ".join(trained.recipe.name for trained in runs.values())
    return (
        f"{names}: {steps} steps, batch {batch}, {data['images']:,} training images "
        f"of {data['name']}"
    )
