"""Helpers for figures that compare several runs."""

from plot_utils import BLUE, GREEN, ORANGE, RED

COLORS = (BLUE, RED, GREEN, ORANGE, "#9467bd", "#8c564b")


def by_epoch(runs):
    """The histories of {label: Trained} in one frame by `epoch`; its columns are called
    "<column> <label>"."""
    import pandas as pd

    merged = None
    for label, trained in runs.items():
        history = trained.history()
        epoch = trained.epoch_of(history["step"])
        frame = history.add_suffix(f" {label}").assign(epoch=epoch)
        both = {"on": "epoch", "how": "outer"}
        merged = frame if merged is None else pd.merge(merged, frame, **both)
    return merged.sort_values("epoch")


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
