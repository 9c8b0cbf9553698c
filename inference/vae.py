"""Problem 1's figures: a VAE's curves, reconstructions, samples and codes."""

import itertools

import numpy as np

from data_utils import to_uint8
from inference.figures import BLUE, RED, panels, save, scatter, sheet
from inference.tsne import Embedding
from metrics.reconstruction import reconstruction_error
from models import sampling

RANGE = {(-1.0, 1.0): "[-1, 1]", (0.0, 1.0): "[0, 1]"}


def check(trained, faces, attribute=None):
    """Raises: DataError: the faces lack the attribute that colours fig1_5."""
    coloured(trained.recipe, faces, attribute)


def coloured(recipe, faces, attribute=None):
    """The attribute that colours fig1_5: `attribute` if given, else the recipe's; None
    where the faces lack that one.

    Raises:
        DataError: the faces lack the one given.
    """
    if attribute:
        faces.label(attribute)
        return attribute
    known = () if faces.attributes is None else faces.attributes.columns
    return recipe.attribute if recipe.attribute in known else None


def begin(trained, faces):
    """Encode the test images; their t-SNE is calculated in the background."""
    return Embedding(sampling.encode(trained, faces.images))


def draw(trained, faces, out, begun, attribute=None):
    """Problem 1: fig1_2 curves, fig1_3 reconstructions, fig1_4 samples from the prior,
    fig1_5 t-SNE of all test codes, fig1_6 samples from the density fitted to the
    codes. `begun` is what `begin` returned."""
    recipe, foot = trained.recipe, trained.origin()
    attribute = coloured(recipe, faces, attribute)
    names, label = ("not labelled",), np.zeros(len(faces.images), int)
    if attribute:
        names, label = (f"not {attribute}", attribute), faces.label(attribute)
    pixel = f"squared error per channel, pixels in {RANGE[recipe.pixel_range]}"
    figure = panels(
        trained.history(),
        ("KL divergence, training", "nats per image", [("kld", "KLD", BLUE)]),
        ("Reconstruction MSE, training", pixel, [("mse", "MSE", RED)]),
    )
    save(figure, out / "fig1_2.jpg", foot)

    parts = sampling.rebuilt(trained, begun.codes)
    first = next(parts)
    parts = itertools.chain([first], parts)
    error = reconstruction_error(faces.images, parts, recipe.pixel_range)
    error["data"] = str(faces.folder.parent.name)
    rows = np.concatenate([faces.images[:10], to_uint8(first[:10], recipe.pixel_range)])
    title = (
        f"MSE of {faces.how_many} test images: {error['mse_minus1_1']:.4f} in [-1, 1], "
        f"{error['mse_0_1']:.5f} in [0, 1]"
    )
    columns = min(10, len(faces.images))
    figure = sheet(rows, columns, title, ("test images", "reconstructions"))
    save(figure, out / "fig1_3.jpg", foot)

    title = "32 images from the prior N(0, I); image k (row by row, from 0) from seed k"
    if "prior" in trained.card:
        weight = recipe.settings["kl_weight"]
        title += (
            f"\nAt a KL weight of {weight:g}, codes of faces do not fill this prior;\n"
            "fig1_6 shows samples of a density fitted to them"
        )
        many = trained.card["prior"]["images"]
        fitted = (
            f"32 images from a mixture of Gaussians fitted to the codes of the {many:,}\n"
            "training images; the same seeds in the same places as in fig1_4"
        )
        images = sampling.draw(trained, range(32), prior="fitted")
        save(sheet(images, 8, fitted), out / "fig1_6.jpg", foot)
    images = sampling.draw(trained, range(32))
    save(sheet(images, 8, title), out / "fig1_4.jpg", foot)

    title = f"t-SNE of the codes (posterior means) of {faces.how_many} test images"
    save(scatter(begun.result(), label, names, title), out / "fig1_5.jpg", foot)
    count = len(begun.codes)
    said = (
        f"test MSE {error['mse_minus1_1']:.5f} in [-1, 1], {error['mse_0_1']:.6f} in "
        f"[0, 1], PSNR {error['psnr_db']:.2f} dB; {faces.how_many} test images "
        f"of {error['data']}, code = posterior mean"
    )
    table = [
        ["", f"{faces.how_many} test images of {error['data']}"],
        ["test MSE in [-1, 1]", f"{error['mse_minus1_1']:.5f}"],
        ["test MSE in [0, 1]", f"{error['mse_0_1']:.6f}"],
        ["PSNR (peak 1, of the mean squared error)", f"{error['psnr_db']:.2f} dB"],
        ["codes in the t-SNE, coloured by", f"{count:,}, {attribute or 'nothing'}"],
    ]
    return (
        {
            "reconstruction": error,
            "tsne": {"n": count, "attribute": attribute},
        },
        said,
        table,
    )
