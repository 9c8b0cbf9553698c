"""Problem 3's figures: an ACGAN's curves, and pairs with its attribute on and off."""

import numpy as np

from inference.figures import BLUE, ORANGE, pair, panels, save, sheet
from metrics import record
from models import sampling
from train.model import algorithm_of


def draw(trained, faces, out):
    """Problem 3: fig3_2 curves, fig3_3 pairs with the attribute on and off."""
    recipe, foot, history = trained.recipe, trained.origin(), trained.history()
    losses = pair("d_loss")
    if "d_loss_real" not in history:
        apart = "classifier" in recipe.optimizers  # its loss is not part of D's then
        name = "discriminator" if apart else "discriminator (with classification)"
        losses = [("d_loss", name, BLUE)]
    losses.append(("g_loss", "generator (with classification)", ORANGE))
    name = f"({recipe.attribute}), training"
    figure = panels(
        history,
        ("Losses, training", algorithm_of(recipe).unit, losses),
        (f"Classifier loss {name}", "cross entropy (nats)", pair("c_loss")),
        (f"Classifier {name}", "accuracy", pair("c_accuracy")),
    )
    save(figure, out / "fig3_2.jpg", foot)

    images = sampling.draw(trained, [*range(10)] * 2, np.repeat((1, 0), 10))
    measured = record.newest(trained).get("requested_attribute")
    title = "10 pairs, the same noise in a column (seeds 0 to 9)"
    said, table = "agreement with the attribute network was not measured", []
    if measured:
        read, count = measured["values"], f"{measured['n_fake']:,}"
        keys = "agreement", "agreement_on", "agreement_off", "judge_accuracy_on_real"
        share, on, off, right = (f"{read[key]:.1%}" for key in keys)
        share += f" of {count}"
        network = f"a network that is right on {right} of {read['judge_n_real']:,} real "
        network += "test faces"
        said = f"{share} images read as requested (on {on}, off {off}) by {network}"
        title += f"; {share}\nimages read as requested by {network}"
        table = [
            [f"{recipe.attribute}, {count} images", "read as requested"],
            ["with it", on],
            ["without it", off],
            ["real test faces, as labelled", right],
        ]
    rows = (recipe.attribute, f"not {recipe.attribute}")
    save(sheet(images, 10, title, rows), out / "fig3_3.jpg", foot)
    return {"requested_attribute": measured}, said, table
