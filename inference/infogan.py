"""The bonus problem's figures: an InfoGAN's curves and categories."""

from textwrap import fill

import numpy as np

from cli import UserError
from metrics import record
from models import sampling
from plot_utils import BLUE, GREEN, ORANGE, RED, panels, save, sheet
from train.model import algorithm_of


def draw(trained, faces, out, categories=(0, 1)):
    """Bonus: fig4_2 curves, fig4_3 faces x categories, fig4_4 two of them mixed.

    Raises:
        UserError: no such category.
    """
    if max(categories) >= trained.recipe.condition:
        raise UserError(
            f"--categories: {trained.recipe.name} has 0 to {trained.recipe.condition - 1}"
        )
    recipe, foot = trained.recipe, trained.origin()
    unit = "cross entropy (nats)"
    if "cross entropy" not in (of_d := algorithm_of(recipe).unit):
        unit = f"{of_d}; category: {unit}"
    figure = panels(
        trained.history(),
        (
            "Losses, training",
            unit,
            [
                ("d_loss", "discriminator", BLUE),
                ("g_loss", "generator (with category)", ORANGE),
                ("c_loss_fake", "category classifier", GREEN),
            ],
        ),
        (
            "Discriminator, training",
            "accuracy",
            [
                ("d_accuracy_real", "on real images", BLUE),
                ("d_accuracy_fake", "on generated images", RED),
            ],
        ),
        (
            "Category read back from the image, training",
            "accuracy",
            [("c_accuracy_fake", "on generated images", GREEN)],
        ),
    )
    save(figure, out / "fig4_2.jpg", foot)

    count = recipe.condition
    seeds = np.repeat(np.arange(5), count)
    images = sampling.draw(trained, seeds, np.tile(np.arange(count), 5))
    rows = [f"seed {k}" for k in range(5)]
    measured = record.newest(trained).get("categories")
    meant = meanings(measured["values"]["read"]) if measured else [""] * count
    names = [f"category {k}\n{fill(words, 11)}" for k, words in enumerate(meant)]
    title = f"5 random faces in each of the {count} categories"
    save(sheet(images, count, title, rows, names), out / "fig4_3.jpg", foot)

    share = np.linspace(0, 1, 7)
    first, second = np.eye(count)[[*categories]]
    codes = (1 - share)[:, None] * first + share[:, None] * second
    images = sampling.draw(trained, np.repeat(np.arange(5), 7), np.tile(codes, (5, 1)))
    names = [f"{1 - s:.0%} / {s:.0%}" for s in share]
    title = "Category {} / category {} mixed in one code, in steps".format(*categories)
    save(sheet(images, 7, title, rows, names), out / "fig4_4.jpg", foot)

    said = "not measured how many categories its own classifier reads back"
    if measured:
        read, chance = (measured["values"][k] for k in ("own_classifier", "chance"))
        said = (
            f"its own classifier reads {read['accuracy']:.1%} of {read['n']} random "
            f"images as the category asked for (chance {chance:.1%})"
        )
    print(f"{recipe.name}: {said}")
    return {"categories": measured}


def meanings(read):
    """What the images of each category have more or less often than those of the
    others, as the attribute network reads them.

    Args:
        read: for each category {attribute: share of its images}.

    Returns:
        for each "Male +0.45", the attribute that differs most from the mean of the
        other categories; "" where the network reads none better than a constant.
    """
    if not read[0]:
        return [""] * len(read)
    words = []
    for k, own in enumerate(read):
        others = read[:k] + read[k + 1 :]
        off = {n: v - np.mean([other[n] for other in others]) for n, v in own.items()}
        name = max(off, key=lambda n: abs(off[n]))
        words.append(f"{name.replace('_', ' ')} {off[name]:+.2f}")
    return words
