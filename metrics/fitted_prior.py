"""Metrics of a VAE's samples from the density fitted to its codes (`models.prior`)."""

import contextlib

from metrics import Inapplicable, collapse, distance, neighbours
from metrics.images import Subject
from models import sampling


def measure(subject):
    """Other metrics of samples from the fitted density in place of N(0, I), and the
    Frechet distance from reconstructions of the test images to these images, which is
    about the bound: no density of codes can be expected to draw much better."""
    trained, real = subject.trained, subject.real
    if "prior" not in trained.card:
        raise Inapplicable("no prior.npz; an export with the training images makes it")
    fitted = Subject(trained, real, prior="fitted")
    values = {
        "frechet_attribute_features": distance.measure_frechet(fitted),
        "collapse_meter": collapse.measure(fitted),
        "nearest_training": None,
    }
    with contextlib.suppress(Inapplicable):  # the data may have no training images
        values["nearest_training"] = neighbours.measure(fitted)
    _, rebuilt = sampling.reconstruct(trained, real.images)
    features = real.judge.features(sampling.as_images(trained, rebuilt))
    values["frechet_of_reconstructions"] = distance.frechet(real.features, features)
    return values
