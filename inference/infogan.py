"""The bonus problem's figures: an InfoGAN's curves and categories."""

import numpy as np

from metrics import record
from models import sampling
from plot_utils import BLUE, GREEN, ORANGE, RED, panels, save, sheet
from train.losses import adversarial


def draw(trained, faces, out):
    """Bonus: fig4_2 curves, fig4_3 faces x categories, fig4_4 two mixed."""
    recipe, foot = trained.recipe, trained.origin()
    unit = "cross entropy (nats)"
    if recipe.adversarial != "bce":
        unit = f"{adversarial(recipe.adversarial).unit}; category: {unit}"
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
    names = [f"category {k}" for k in range(count)]
    title = f"5 random faces in each of the {count} categories"
    save(sheet(images, count, title, rows, names), out / "fig4_3.jpg", foot)

    share = np.linspace(0, 1, 7)
    first, second = np.eye(count)[:2]
    codes = (1 - share)[:, None] * first + share[:, None] * second
    images = sampling.draw(trained, np.repeat(np.arange(5), 7), np.tile(codes, (5, 1)))
    names = [f"{1 - s:.0%} / {s:.0%}" for s in share]
    title = "Category 0 / category 1 mixed in one code, in steps"
    save(sheet(images, 7, title, rows, names), out / "fig4_4.jpg", foot)

    measured = record.newest(trained).get("categories")
    said = "not measured how many categories its own classifier reads back"
    if measured:
        read = measured["values"]["own_classifier"]
        said = (
            f"its own classifier reads {read['accuracy']:.1%} of {read['n']} random "
            f"images as the category asked for (chance {read['chance']:.1%})"
        )
    print(f"{recipe.name}: {said}")
    return {"categories": measured}
