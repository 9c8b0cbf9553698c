"""Problem 3's figures: an ACGAN's curves, and pairs with its attribute on and off."""

import numpy as np

from inference.figures import BLUE, ORANGE, RED, panels, save, sheet
from metrics import record
from models import sampling
from train.model import algorithm_of


def draw(trained, faces, out):
    """Problem 3: fig3_2 curves, fig3_3 pairs with the attribute on and off."""
    recipe, foot = trained.recipe, trained.origin()
    history = trained.history()
    if "d_loss_real" not in history:
        apart = "classifier" in recipe.optimizers  # its loss is not part of D's then
        also = "" if apart else " (with classification)"
        parts = [("d_loss", f"discriminator{also}", BLUE)]
    else:
        parts = [
            ("d_loss_real", "on real images", BLUE),
            ("d_loss_fake", "on generated images", RED),
        ]
    parts.append(("g_loss", "generator (with classification)", ORANGE))
    unit = algorithm_of(recipe).unit
    both = [("real", "on real images", BLUE), ("fake", "on generated images", RED)]
    figure = panels(
        history,
        ("Losses, training", unit, parts),
        (
            f"Classifier loss ({recipe.attribute}), training",
            "cross entropy (nats)",
            [(f"c_loss_{k}", text, color) for k, text, color in both],
        ),
        (
            f"Classifier ({recipe.attribute}), training",
            "accuracy",
            [(f"c_accuracy_{k}", text, color) for k, text, color in both],
        ),
    )
    save(figure, out / "fig3_2.jpg", foot)

    seeds = list(range(10)) * 2
    images = sampling.draw(trained, seeds, np.repeat((1, 0), 10))
    measured = record.newest(trained).get("requested_attribute")
    rows = (recipe.attribute, f"not {recipe.attribute}")
    title = "10 pairs, the same noise in a column (seeds 0 to 9)"
    said, table = "agreement with the attribute network was not measured", []
    if measured:
        read, count = measured["values"], f"{measured['n_fake']:,}"
        right = f"{read['judge_accuracy_on_real']:.1%}"
        network = f"a network that is right on {right} of {read['judge_n_real']:,} real"
        said = (
            f"{read['agreement']:.1%} of {count} images read as requested (on "
            f"{read['agreement_on']:.1%}, off {read['agreement_off']:.1%}) by {network} "
            "test faces"
        )
        title += f"; {read['agreement']:.1%} of {count}\nimages read as requested by "
        title += f"{network} test faces"
        table = [
            [f"{recipe.attribute}, {count} images", "read as requested"],
            ["with it", f"{read['agreement_on']:.1%}"],
            ["without it", f"{read['agreement_off']:.1%}"],
            ["real test faces, as labelled", right],
        ]
    save(sheet(images, 10, title, rows), out / "fig3_3.jpg", foot)
    return {"requested_attribute": measured}, said, table
