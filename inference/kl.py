"""Report E's figures: the effect of the weight of the KL term."""

import numpy as np

from cli import UserError
from data_utils import to_uint8
from inference.figures import blank, in_style, log_scale, panels, save, sheet
from inference.studies import COLORS, curves, merged, origins
from metrics import collapse, distance
from metrics.judge import Judge, attribute_network
from metrics.reconstruction import reconstruction_error
from models import sampling

PAIRS = 3  # of images in fig6_4
MOST = 2621  # test images, the course's number: time and memory grow by its square
ACTIVE = 0.01  # a unit is in use if its mean varies by more than this over images


def check(trained, faces):
    """Raises: UserError: weights that lack an epoch that the figures show, or no
    attribute network."""
    attribute_network(trained[0].folder.parent).check()
    for t in trained:
        if lacking := set(t.recipe.snapshots) - {*t.snapshots(), t.end()}:
            raise UserError(f"{t.folder}: nothing of epoch {min(lacking)}; train it on")


def draw(trained, faces, out):
    """Report E: fig6_1 negative ELBO and the loss that was minimised, fig6_2
    reconstructions by epoch, fig6_3 samples, fig6_4 interpolation, fig6_5 KL by
    latent unit."""
    faces = faces.first(MOST)
    runs = {f"KL x{t.recipe.settings['kl_weight']:g}": t for t in trained}
    foot, few = origins(runs), min(10, len(faces.images))
    charts = (
        ("Negative ELBO, training", "nats per image, constant omitted", "nelbo"),
        ("Squared error, training", "per channel, pixels in [0, 1]", "mse"),
        ("KL divergence, training", "nats per image", "kld"),
        ("The loss that was minimised", "nats per image, KL weighed", "loss"),
    )
    charts = [(title, unit, curves(column, runs)) for title, unit, column in charts]
    figure = panels(merged(runs), *charts)
    log_scale(figure.axes[2])  # three powers of ten between x0 and x100
    save(figure, out / "fig6_1.jpg", foot)

    def save_rows(name, title, rows):
        """A figure of test images and rows of others below: {label: uint8 images}."""
        rows = {"test images": faces.images[:few]} | rows
        images = np.concatenate([*rows.values()])
        save(sheet(images, few, title, [*rows]), out / name, foot)

    rebuilt = {
        f"{label}, epoch {epoch}": sampling.as_images(
            t, sampling.reconstruct(t, faces.images[:few], at=epoch)
        )
        for label, t in runs.items()
        for epoch in t.recipe.snapshots
    }
    title = "Reconstructions of test images (code = posterior mean) as training goes on"
    save_rows("fig6_2.jpg", title, rebuilt)

    samples = {
        f"{name}, {label}": sampling.draw(t, range(few), prior=prior)
        for prior, name in (("normal", "prior"), ("fitted", "fitted"))
        for label, t in runs.items()
        if prior == "normal" or "prior" in t.card
    }
    title = (
        f"Samples (seeds 0 to {few - 1}, one a column) from the prior N(0, I), and "
        "from a\nmixture fitted to the codes of the training images; above, test images"
    )
    save_rows("fig6_3.jpg", title, samples)

    images = []
    for k in range(PAIRS):
        pair = faces.images[[k % len(faces.images), (k + 5) % len(faces.images)]]
        for t in runs.values():
            codes = sampling.encode(t, pair)
            between = sampling.render(t, sampling.walk(codes, 9, sampling.linear))
            images += [pair[:1], between, pair[1:]]
    names = ["image A", *(f"{s:.0%}" for s in np.linspace(0, 1, 10)), "image B"]
    title = "From the code of one test image to another's, in 10 steps"
    rows = list(runs) * PAIRS
    figure = sheet(np.concatenate(images), 12, title, rows, names)
    save(figure, out / "fig6_4.jpg", foot)

    judge = Judge(attribute_network(trained[0].folder.parent))
    real = judge.features(faces.images)
    numbers = {label: numbers_of(t, faces, judge, real) for label, t in runs.items()}
    per_unit = {label: n.pop("kl_of_units") for label, n in numbers.items()}
    figure = unit_bars(per_unit, numbers, faces.how_many)
    save(figure, out / "fig6_5.jpg", foot)
    return numbers, *in_words(numbers, faces.how_many)


def numbers_of(trained, faces, judge, real):
    """The numbers of one run on all test faces, whose features by `judge` are `real`:
    reconstruction error, saturation (`saturation`) of the reconstructions and of the
    faces, KL in nats per image and by unit (sorted), units in use, and distances from as
    many samples of each prior to the faces."""
    mean, log_var = sampling.posterior(trained, faces.images)
    outputs, pixel_range = sampling.decode(trained, mean), trained.recipe.pixel_range
    units = 0.5 * (np.exp(log_var) + np.square(mean) - 1 - log_var).mean(0)
    few = min(collapse.SAMPLES, len(faces.images))

    def to_data(prior):
        samples = sampling.draw(trained, range(len(faces.images)), prior=prior)
        fake = judge.features(samples)
        kernel = distance.kernel(real, fake)
        return {
            "n": len(samples),
            "frechet_attribute_features": distance.frechet(real, fake),
            "kernel_attribute_features": kernel["distance"],
            "kernel_standard_error": kernel["standard_error"],
            "diversity": collapse.diversity(samples[:few], faces.images[:few]),
            "saturation": saturation(samples),
        }

    return {
        "reconstruction": reconstruction_error(faces.images, outputs, pixel_range),
        "saturation": saturation(to_uint8(outputs, pixel_range)),
        "saturation_of_data": saturation(faces.images),
        "kl_nats": float(units.sum()),
        "kl_of_units": np.sort(units)[::-1],
        "active_units": int((mean.var(0) > ACTIVE).sum()),
        "units": int(mean.shape[1]),
        "prior_to_data": to_data("normal"),
        "fitted_to_data": to_data("fitted") if "prior" in trained.card else None,
    }


def saturation(images):
    """How deep the colours of uint8 images are: the largest less the smallest channel of
    a pixel, a mean over all, in [0, 1]."""
    return float((images.max(-1) / 255 - images.min(-1) / 255).mean())


@in_style
def unit_bars(per_unit, numbers, count):
    """The KL of each latent unit on a logarithmic axis, sorted, one line a run."""
    figure, axis = blank(7.5, 4.6)
    for (label, units), color in zip(per_unit.items(), COLORS, strict=False):
        used = f"{numbers[label]['active_units']} of {len(units)} units active"
        order = np.arange(1, len(units) + 1)
        heights = np.maximum(units, 1e-5)
        axis.plot(order, heights, "o-", ms=4, color=color, label=f"{label}: {used}")
    axis.set(
        title=f"KL divergence of each latent unit, {count} test images",
        xlabel="latent unit, in the order of its KL",
        ylabel="nats per image (below 1e-5 drawn there)",
    )
    log_scale(axis)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.25)
    axis.legend(frameon=False)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    return figure


ROWS = {  # of the table: words, and how a number is written
    "test MSE in [-1, 1]": "{reconstruction[mse_minus1_1]:.4f}",
    "test MSE in [0, 1]": "{reconstruction[mse_0_1]:.5f}",
    "KL divergence, nats per image": "{kl_nats:.1f}",
    "saturation, test images": "{saturation_of_data:.3f}",
    "saturation, reconstructions": "{saturation:.3f}",
    "active units of the code": "{active_units} of {units}",
}
DISTANCES = {
    "Fréchet distance": "{frechet_attribute_features:.1f}",
    "kernel distance": "{kernel_attribute_features:.3f} ± {kernel_standard_error:.3f}",
    "diversity (data 1)": "{diversity:.2f}",
    "saturation": "{saturation:.3f}",
}


def in_words(numbers, count):
    """(the MSE of each run in a sentence, a table of all numbers)."""
    runs = numbers.values()
    table = [[f"{count} test images, as many samples", *numbers]]
    table += [[words, *(form.format(**n) for n in runs)] for words, form in ROWS.items()]
    for key, density in (("prior_to_data", "N(0, I)"), ("fitted_to_data", "mixture")):
        if all(n[key] for n in runs):
            for words, form in DISTANCES.items():
                cells = [form.format(**n[key]) for n in runs]
                table.append([f"{words}, samples of {density}", *cells])
    errors = ", ".join(map(" ".join, zip(numbers, table[1][1:], strict=True)))
    return f"test MSE in [-1, 1]: {errors}", table
