"""Problem 1's figures: a VAE's curves, reconstructions, samples and codes."""

import numpy as np
from sklearn.manifold import TSNE

from inference.figures import BLUE, RED, panels, save, scatter, sheet
from metrics.reconstruction import reconstruction_error
from models import sampling


def check(trained, faces, attribute=None):
    """Raises: DataError: the faces lack the attribute that colours fig1_5."""
    coloured(trained.recipe, faces, attribute)


def coloured(recipe, faces, attribute=None):
    """(names of the classes that colour fig1_5, the class of each face): those of
    `attribute` if given, else of the recipe's attribute; one class where the faces lack
    that one.

    Raises:
        DataError: the faces lack the one given.
    """
    table = faces.attributes
    if not attribute and (table is None or recipe.attribute not in table):
        return ("not labelled",), np.zeros(len(faces.images), int)
    attribute = attribute or recipe.attribute
    return (f"not {attribute}", attribute), faces.label(attribute)


def tsne(codes):
    """Codes `(n, latent)` -> points `(n, 2)`; the same codes, the same points."""
    if not np.ptp(codes, axis=0).any():  # scikit-learn would crash
        return np.zeros((len(codes), 2), "float32")
    # Of 2,621 codes of vae_c, the usual angle of 0.5 and 1,000 steps reach a KL of 2.890
    # in 19.2 s of processor time, and keep 12.7 % of each code's 30 nearest among the
    # point's; these 2.899 in 7.0 s, and 12.3 %. Trustworthiness 0.696 and 0.692.
    how = {"angle": 0.8, "max_iter": 450, "init": "pca", "random_state": 0}
    return TSNE(2, perplexity=min(30.0, (len(codes) - 1) / 3), **how).fit_transform(codes)


def draw(trained, faces, out, attribute=None):
    """Problem 1: fig1_2 curves, fig1_3 reconstructions, fig1_4 samples from the prior,
    fig1_5 t-SNE of all test codes, fig1_6 samples from the density fitted to the codes.
    """
    recipe, foot, many = trained.recipe, trained.origin(), faces.how_many
    low, high = recipe.pixel_range
    pixel = f"squared error, pixels in [{low:g}, {high:g}]"
    figure = panels(
        trained.history(),
        ("KL divergence, training", "nats per image", [("kld", "KLD", BLUE)]),
        ("Reconstruction MSE, training", pixel, [("mse", "MSE", RED)]),
    )
    save(figure, out / "fig1_2.jpg", foot)

    codes = sampling.encode(trained, faces.images)
    outputs = sampling.rebuilt(trained, codes)
    error = reconstruction_error(faces.images, outputs, recipe.pixel_range)
    error["data"] = faces.folder.parent.name
    wide, narrow = error["mse_minus1_1"], error["mse_0_1"]
    images = np.concatenate([faces.images[:10], sampling.render(trained, codes[:10])])
    title = f"MSE of {many} test images: {wide:.4f} in [-1, 1], {narrow:.5f} in [0, 1]"
    rows = "test images", "reconstructions"
    save(sheet(images, len(images) // 2, title, rows), out / "fig1_3.jpg", foot)

    title = "32 images from the prior N(0, I); image k (row by row, from 0) from seed k"
    if "prior" in trained.card:
        title += "\nfig1_6 has samples of a density fitted to the codes of faces"
        fitted = (
            "32 images from a mixture of Gaussians fitted to the codes of the "
            f"{trained.card['prior']['images']:,}\n"
            "training images; the same seeds in the same places as in fig1_4"
        )
        images = sampling.draw(trained, range(32), prior="fitted")
        save(sheet(images, 8, fitted), out / "fig1_6.jpg", foot)
    save(sheet(sampling.draw(trained, range(32)), 8, title), out / "fig1_4.jpg", foot)

    title = f"t-SNE of the codes (posterior means) of {many} test images"
    names, label = coloured(recipe, faces, attribute)
    save(scatter(tsne(codes), label, names, title), out / "fig1_5.jpg", foot)
    psnr = f"{error['psnr_db']:.2f} dB"
    data = f"{many} test images of {error['data']}"
    said = f"test MSE {wide:.5f} in [-1, 1], {narrow:.6f} in [0, 1], PSNR {psnr}; "
    said += f"{data}, code = posterior mean"
    chosen = names[1] if len(names) > 1 else None
    table = [
        ["", data],
        ["test MSE in [-1, 1]", f"{wide:.5f}"],
        ["test MSE in [0, 1]", f"{narrow:.6f}"],
        ["PSNR (peak 1, of the mean squared error)", psnr],
        ["codes in the t-SNE, coloured by", f"{len(codes):,}, {chosen or 'nothing'}"],
    ]
    numbers = {"reconstruction": error, "tsne": {"n": len(codes), "attribute": chosen}}
    return numbers, said, table
