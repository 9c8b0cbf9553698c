"""Density and coverage of samples (Naeem et al. 2020).

Each real image has a ball with the distance to its fifth nearest real image as its
radius. Density is the mean number of balls that a sample lies in, relative to the
number for real images; it rises, even above 1, if samples crowd at what is most common.
Coverage is the share of balls that hold a sample; it is 1 at most and falls with every
difference from the data, most of all with repetition.

They replace precision and recall (Kynkaanniemi et al. 2019). There a sample counts if it
lies in one ball, and one outlier among the data has a large ball.
"""

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOUR = 5


def measure(subject):
    """Density and coverage in the features of the attribute network."""
    return subject.against_data(shares, features=True)


def words(values):
    return "density {density:.2f}, coverage {coverage:.2f}".format_map(values)


def shares(real, fake, k=NEIGHBOUR):
    """Density and coverage of features `(n, d)` and `(m, d)`, n above k.

    If the samples are n more images of the data, the expected density is 1 and the
    expected coverage 1 - (n - 1)...(n - k) / ((2 n - 1)...(2 n - k)): 0.97 for k = 5.
    """
    # The nearest of all is the image itself.
    radii = np.partition(cdist(real, real), k, axis=1)[:, k]
    inside = cdist(real, fake) < radii[:, None]
    return {
        "density": float(inside.sum() / (k * len(fake))),
        "coverage": float(inside.any(1).mean()),
        "k": k,
    }
