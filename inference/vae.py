"""Problem 1's figures: a VAE's curves, reconstructions, samples and codes."""

import itertools

import numpy as np

from data_utils import to_uint8
from inference.options import coloured
from metrics.reconstruction import reconstruction_error
from models import sampling
from plot_utils import BLUE, RED, panels, save, scatter, sheet

RANGE = {(-1.0, 1.0): "[-1, 1]", (0.0, 1.0): "[0, 1]"}


def begin(trained, faces, embedding):
    """Encode the test images and let `embedding`, an `inference.tsne.Embedding`, begin.

    Returns:
        (codes float32 `(n, latent)`, embedding).
    """
    codes = sampling.encode(trained, faces.images)
    embedding.begin(codes)
    return codes, embedding


def draw(trained, faces, out, begun, attribute=None):
    """Problem 1: fig1_2 curves, fig1_3 reconstructions, fig1_4 samples from the prior,
    fig1_5 t-SNE of all test codes, fig1_6 samples from the density fitted to the
    codes. `begun` is what `begin` returned."""
    codes, embedding = begun
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

    parts = sampling.rebuilt(trained, codes)
    first = next(parts)
    parts = itertools.chain([first], parts)
    error = reconstruction_error(faces.images, parts, recipe.pixel_range)
    error["data"] = str(faces.folder.parent.name)
    error["images_without_row"] = faces.without_row
    shown = np.concatenate([faces.images[:10], to_uint8(first[:10], recipe.pixel_range)])
    title = (
        f"MSE of {faces.how_many} test images: {error['mse_minus1_1']:.4f} in [-1, 1], "
        f"{error['mse_0_1']:.5f} in [0, 1]"
    )
    columns = min(10, len(faces.images))
    figure = sheet(shown, columns, title, ("test images", "reconstructions"))
    save(figure, out / "fig1_3.jpg", foot)

    samples = sampling.draw(trained, range(32))
    title = "32 images from the prior; image k (row by row, from 0) from seed k"
    save(sheet(samples, 8, title), out / "fig1_4.jpg", foot)

    if "prior" in trained.card:
        samples = sampling.draw(trained, range(32), prior="fitted")
        title = (
            "32 images from a mixture of Gaussians fitted to the codes of the "
            f"{trained.card['prior']['images']:,} training images;\n"
            "the same seeds in the same places as in fig1_4"
        )
        save(sheet(samples, 8, title), out / "fig1_6.jpg", foot)

    title = f"t-SNE of the codes (posterior means) of {faces.how_many} test images"
    save(scatter(embedding.result(), label, names, title), out / "fig1_5.jpg", foot)
    print(
        f"{recipe.name}: test MSE {error['mse_minus1_1']:.5f} in [-1, 1], "
        f"{error['mse_0_1']:.6f} in [0, 1], PSNR {error['psnr_db']:.2f} dB, "
        f"{faces.how_many} images of {faces.folder}, code = posterior mean"
    )
    return {"reconstruction": error, "tsne": {"n": len(codes), "attribute": attribute}}
