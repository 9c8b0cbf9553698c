"""Fréchet distance in the features of a network that was never trained.

The attribute network knows photographs of faces, and is no judge of drawn ones. These
features know no data: its layers with random weights, as Naeem et al. (2020) use them for
images unlike those of any trained network. Each feature is measured in standard
deviations of that of the real images.
"""

import functools

import numpy as np

from metrics.distance import frechet, frechet_with_error
from metrics.judge import pixels_of, pooled
from models import build
from models.recipes import get_recipe
from models.sampling import run_network


class RandomFeatures:
    """The space in which samples are compared with real images.

    Args:
        real: uint8 `(n, height, width, 3)`, n at least 2.
    """

    def __init__(self, real):
        self.recipe = get_recipe("attributes")
        self.network = untrained(self.recipe)
        self.mean, self.deviation = 0.0, 1.0
        raw = self.features(real)
        self.mean, self.deviation = raw.mean(0), raw.std(0) + 1e-12
        self.real = (raw - self.mean) / self.deviation

    def features(self, images):
        """uint8 `(n, height, width, 3)` -> float64 `(n, 256)`."""
        found = run_network(self.network, images, prepare=pixels_of(self.recipe))
        return (found.astype("float64") - self.mean) / self.deviation

    def distance(self, images):
        """Fréchet distance from samples, uint8, to the real images."""
        return frechet(self.real, self.features(images))


def measure(subject):
    """The distance of samples, and of other real images, with its error."""
    space, other = RandomFeatures(subject.real.images), subject.real.reference
    compare = functools.partial(frechet_with_error, space.real)
    found = None if other is None else compare(space.features(other))
    return compare(space.features(subject.samples)) | {"real_images": found}


def untrained(recipe):
    """The attribute network up to its features, kernels normal with variance
    2 / fan-in (He et al. 2015), from seed 0."""
    found = pooled(build(recipe, "classifier"))
    rng = np.random.default_rng(0)
    for layer in found.layers:
        for variable in layer.trainable_variables:
            if variable.ndim == 4:
                deviation = np.sqrt(2 / np.prod(variable.shape[:-1]))
                variable.assign(rng.normal(0, deviation, variable.shape))
    return found
