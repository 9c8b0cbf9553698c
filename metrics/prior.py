"""Metrics of a VAE's samples from the density fitted to its codes."""

from models import sampling

MEASURED = (
    "frechet_attribute_features",
    "density_coverage",
    "collapse_meter",
    "nearest_training",
)


def fitted_prior(subject):
    """Other metrics of samples from `models.prior` in place of N(0, I), and the Frechet
    distance from reconstructions of the test images to these images, which is about the
    bound: no density of codes can be expected to draw much better."""
    from metrics.distance import frechet
    from metrics.registry import METRICS
    from metrics.sides import Subject

    if "prior" not in subject.trained.card:
        return None, "left out: no prior.npz; 'python -m train.prior' makes it"
    fitted = Subject(subject.trained, subject.real, prior="fitted")
    values, lines = {}, []
    for name in MEASURED:
        found, text = METRICS[name].measure(fitted)
        if found is not None:
            values[name] = found
            lines.append(f"{name}: {text}")
    real = subject.real
    _, rebuilt = sampling.reconstruct(subject.trained, real.images)
    rebuilt = sampling.as_images(subject.trained, rebuilt)
    values["frechet_of_reconstructions"] = frechet(
        real.features, real.reader.features(rebuilt)
    )
    lines.append(
        f"Frechet distance of reconstructions: {values['frechet_of_reconstructions']:.3f}"
    )
    return values, "; ".join(lines)
