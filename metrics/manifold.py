"""Density and coverage of samples (Naeem et al. 2020).

Each real image has a ball, as large as the distance to its fifth neighbour among
the real images. Density is how many balls a sample lies in, relative to what real
images would have: it rises where samples crowd at what is most common, above 1 even.
Coverage is the share of real images in whose ball a sample lies: it falls with
every way to be unlike the data, repetition before all, and never rises above 1.

They stand in place of precision and recall (Kynkaanniemi et al. 2019), whose
samples need only one ball, and one outlier among the data has a large one.
"""

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOUR = 5


def density_coverage(subject):
    """Density and coverage in the features of the attribute network."""
    values = subject.against_data(shares, features=True)
    words = "density {density:.3f}, coverage {coverage:.3f}".format_map
    return values, subject.in_words(values, words)


def shares(real, fake, k=NEIGHBOUR):
    """Density and coverage of features `(n, d)` and `(m, d)`, n above k.

    For as many samples of the data's own distribution the expected density is 1 and
    the expected coverage 1 - (n - 1)...(n - k) / ((2 n - 1)...(2 n - k)), 0.97 for k = 5.
    """
    radii = np.partition(cdist(real, real), k, axis=1)[:, k]  # place 0 is itself
    inside = cdist(real, fake) < radii[:, None]
    return {
        "density": float(inside.sum() / (k * len(fake))),
        "coverage": float(inside.any(1).mean()),
        "k": k,
    }
