"""The figures the reports were graded on, one function a problem.

Each takes `Trained` weights, the test faces and an output folder, writes its
figures and returns the numbers that belong to them.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from data_utils import to_uint8
from metrics import record
from metrics.reconstruction import reconstruction_error
from models import sampling
from plot_utils import BLUE, GREEN, ORANGE, RED, panels, save, scatter, sheet
from train.losses import adversarial

RANGE = {(-1.0, 1.0): "[-1, 1]", (0.0, 1.0): "[0, 1]"}


def vae(trained, faces, out, attribute=None):
    """Problem 1: fig1_2 curves, fig1_3 reconstructions, fig1_4 samples from the
    prior, fig1_5 t-SNE of all test codes."""
    recipe, foot = trained.recipe, trained.origin()
    attribute = attribute or recipe.attribute
    label = faces.label(attribute)
    pixel = f"squared error per channel, pixels in {RANGE[recipe.pixel_range]}"
    figure = panels(
        trained.history(),
        ("KL divergence, training", "nats per image", [("kld", "KLD", BLUE)]),
        ("Reconstruction MSE, training", pixel, [("mse", "MSE", RED)]),
    )
    save(figure, out / "fig1_2.jpg", foot)

    codes = sampling.encode(trained, faces.images)
    with ThreadPoolExecutor(1) as pool:  # neither alone keeps two cores busy
        points = pool.submit(tsne, codes)
        outputs = sampling.decode(trained, codes)
    error = reconstruction_error(faces.images, outputs, recipe.pixel_range)
    error["data"] = str(faces.folder.parent.name)
    shown = np.concatenate(
        [faces.images[:10], to_uint8(outputs[:10], recipe.pixel_range)]
    )
    title = (
        f"MSE of all {error['n']:,} test images: {error['mse_minus1_1']:.4f} in [-1, 1], "
        f"{error['mse_0_1']:.5f} in [0, 1]"
    )
    columns = min(10, len(faces.images))
    figure = sheet(shown, columns, title, ("test images", "reconstructions"))
    save(figure, out / "fig1_3.jpg", foot)

    samples = sampling.draw(trained, range(32))
    title = "32 images from the prior; image k (row by row, from 0) from seed k"
    save(sheet(samples, 8, title), out / "fig1_4.jpg", foot)

    title = f"t-SNE of the codes (posterior means) of all {len(codes):,} test images"
    names = (f"not {attribute}", attribute)
    save(scatter(points.result(), label, names, title), out / "fig1_5.jpg", foot)
    print(
        f"{recipe.name}: test MSE {error['mse_minus1_1']:.5f} in [-1, 1], "
        f"{error['mse_0_1']:.6f} in [0, 1], PSNR {error['psnr_db']:.2f} dB, "
        f"all {error['n']:,} images of {faces.folder}, code = posterior mean"
    )
    return {"reconstruction": error, "tsne": {"n": len(codes), "attribute": attribute}}


def tsne(codes):
    """Codes `(n, latent)` -> points `(n, 2)`; the same codes, the same points."""
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(codes) - 1) / 3)
    # Of 2,621 codes of vae_c, the usual angle of 0.5 and 1,000 steps took half as long
    # again, to a KL of 2.850; these reach 2.873.
    mapper = TSNE(
        2,
        perplexity=perplexity,
        angle=0.8,
        max_iter=750,
        init="pca",
        random_state=0,
    )
    return mapper.fit_transform(codes)


def gan(trained, faces, out):
    """Problem 2: fig2_2 curves, fig2_3 samples, fig2_4 the failures boxed."""
    recipe, foot = trained.recipe, trained.origin()
    unit = adversarial(recipe.adversarial).unit
    figure = panels(
        trained.history(),
        (
            "Losses, training",
            unit,
            [("d_loss", "discriminator", BLUE), ("g_loss", "generator", ORANGE)],
        ),
        (
            "Discriminator, training",
            "accuracy",
            [
                ("d_accuracy_real", "on real images", BLUE),
                ("d_accuracy_fake", "on generated images", RED),
            ],
        ),
    )
    save(figure, out / "fig2_2.jpg", foot)

    many = sampling.draw(trained, range(256))
    title = "32 random images; image k (row by row, from 0) from seed k"
    save(sheet(many[:32], 8, title), out / "fig2_3.jpg", foot)

    scores = sampling.realness(trained, many)
    order = np.argsort(scores)
    worst = order[:8]
    shown = np.sort(np.concatenate([worst, order[-24:]]))
    boxed = np.flatnonzero(np.isin(shown, worst))
    title = (
        "Boxed: the 8 of 256 random images that the discriminator finds least real,\n"
        "among the 24 that it finds most real"
    )
    save(sheet(many[shown], 8, title, boxed=boxed), out / "fig2_4.jpg", foot)
    unbounded = adversarial(recipe.adversarial).middle is None
    kind = "D's score" if unbounded else "D's probability of being real"
    least, median, most = np.percentile(scores, (0, 50, 100))
    print(
        f"{recipe.name}: {kind} of 256 random images: least {least:.4f}, "
        f"median {median:.4f}, most {most:.4f}"
    )
    return {
        "realness_of_256": {
            "kind": kind,
            "least": float(least),
            "median": float(median),
            "most": float(most),
            "boxed_seeds": [int(k) for k in worst],
        }
    }


def acgan(trained, faces, out):
    """Problem 3: fig3_2 curves, fig3_3 pairs with the attribute on and off."""
    recipe, foot = trained.recipe, trained.origin()
    history = trained.history()
    if "d_loss_real" not in history:
        parts = [("d_loss", "discriminator", BLUE)]
    else:
        parts = [
            ("d_loss_real", "on real images", BLUE),
            ("d_loss_fake", "on generated images", RED),
        ]
    parts.append(("g_loss", "generator (with classification)", ORANGE))
    unit = adversarial(recipe.adversarial).unit
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
    measured = record.newest(trained).get("asked_attribute")
    rows = (recipe.attribute, f"not {recipe.attribute}")
    title = "10 pairs, the same noise in a column (seeds 0 to 9)"
    said = "not measured how many images are read as asked"
    if measured:
        read, count = measured["values"], measured["n_fake"]
        network = (
            f"a network that is right on {read['reader_accuracy_on_real']:.1%} "
            f"of {read['reader_n_real']:,} real test faces"
        )
        title += f"; {read['agreement']:.1%} of {count:,} images\n"
        title += f"are read as asked by {network}"
        said = (
            f"{read['agreement']:.1%} of {count:,} images read as asked (on "
            f"{read['agreement_on']:.1%}, off {read['agreement_off']:.1%}) by {network}"
        )
    save(sheet(images, 10, title, rows), out / "fig3_3.jpg", foot)
    print(f"{recipe.name}: {said}")
    return {"asked_attribute": measured}


def infogan(trained, faces, out):
    """Bonus: fig4_2 curves, fig4_3 faces x categories, fig4_4 two mixed."""
    recipe, foot = trained.recipe, trained.origin()
    figure = panels(
        trained.history(),
        (
            "Losses, training",
            "cross entropy (nats)",
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
