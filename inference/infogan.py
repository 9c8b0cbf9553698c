"""The bonus problem's figures: an InfoGAN's curves and categories."""

from textwrap import fill

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from cli import UserError
from inference import options
from inference.figures import BLUE, GREEN, ORANGE, pair, panels, save, sheet
from metrics import record
from models import sampling
from train.model import algorithm_of

MIXED = "0,1"  # categories of fig4_4


def check(trained, faces, categories=MIXED):
    """Raises: UserError: not two of its categories."""
    found = options.numbers(categories, "--categories")
    last = trained.recipe.condition - 1
    if len(found) != 2 or max(found) > last:
        known = f"{trained.recipe.name} has 0 to {last}"
        raise UserError(f"--categories {categories}: give two, such as 0,1; {known}")


def draw(trained, faces, out, categories=MIXED):
    """Bonus: fig4_2 curves, fig4_3 faces x categories, fig4_4 two of them mixed."""
    recipe, foot, count = trained.recipe, trained.origin(), trained.recipe.condition
    unit = "cross entropy (nats)"
    if "cross entropy" not in (of_d := algorithm_of(recipe).unit):
        unit = f"{of_d}; category: {unit}"
    losses = [
        ("d_loss", "discriminator", BLUE),
        ("g_loss", "generator (with category)", ORANGE),
        ("c_loss_fake", "category classifier", GREEN),
    ]
    read_back = [("c_accuracy_fake", "on generated images", GREEN)]
    figure = panels(
        trained.history(),
        ("Losses, training", unit, losses),
        ("Discriminator, training", "accuracy", pair("d_accuracy")),
        ("Category read back from the image, training", "accuracy", read_back),
    )
    save(figure, out / "fig4_2.jpg", foot)

    seeds = np.repeat(np.arange(5), count)
    images = sampling.draw(trained, seeds, np.tile(np.arange(count), 5))
    rows = [f"seed {k}" for k in range(5)]
    measured = record.newest(trained).get("categories")
    meant = meanings(measured["values"]["read"]) if measured else [""] * count
    names = [f"category {k}\n{fill(words, 11)}" for k, words in enumerate(meant)]
    title = f"5 random faces in each of the {count} categories"
    save(sheet(images, count, title, rows, names), out / "fig4_3.jpg", foot)

    mixed, share = options.numbers(categories), np.linspace(0, 1, 7)
    codes = np.outer(1 - share, np.eye(count)[mixed[0]])
    codes += np.outer(share, np.eye(count)[mixed[1]])
    images = sampling.draw(trained, np.repeat(np.arange(5), 7), np.tile(codes, (5, 1)))
    names = [f"{1 - s:.0%} / {s:.0%}" for s in share]
    first, second = (f"category {k}" + f" ({meant[k]})" * bool(meant[k]) for k in mixed)
    title = f"From {first}\nto {second}, mixed in one code"
    save(sheet(images, 7, title, rows, names), out / "fig4_4.jpg", foot)

    if not measured:
        said = "agreement of its classifier was not measured"
        return {"categories": None}, said, []
    found = measured["values"]
    read = found["own_classifier"]
    said = (
        f"its own classifier reads {read['accuracy']:.1%} of {read['n']} random images "
        f"as the category requested (chance {found['chance']:.1%})"
    )
    table = [["share of images read as", *(f"category {k}" for k in range(count))]]
    for name in found["read"][0]:
        shares = [f"{category[name]:.0%}" for category in found["read"]]
        table.append([name.replace("_", " "), *shares])
    return {"categories": measured}, said, table


IN_WORDS = {  # read more often, less often; other attributes as they are called
    "Male": ("a man", "a woman"),
    "Smiling": ("smiling", "serious"),
    "Mouth_Slightly_Open": ("open mouth", "closed mouth"),
    "Wearing_Lipstick": ("lipstick", "no lipstick"),
}


def meanings(read):
    """A name for each category, no two alike: the attributes that set the categories
    apart most from the mean of their rest, each attribute for one category.

    Args:
        read: for each category {attribute: share of its images}.

    Returns:
        for each "a man (+0.45)", and how much more or less often it was read; "" where
        the network reads too few attributes better than a constant.
    """
    table, words = pd.DataFrame(read), [""] * len(read)
    off = table - (table.sum() - table) / (len(table) - 1)
    for k, column in zip(*linear_sum_assignment(-off.abs()), strict=True):
        name, value = off.columns[column], off.iloc[k, column]
        plain = name.replace("_", " ").lower()
        more, less = IN_WORDS.get(name, (plain, f"no {plain}"))
        words[k] = f"{more if value > 0 else less} ({value:+.2f})"
    return words
