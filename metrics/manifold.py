"""Precision and recall of samples (Kynkaanniemi et al. 2019).

A set's manifold is the union of balls around its points, each as large as the
distance to the point's third neighbour. Precision is the share of samples on the
data's manifold (quality), recall the share of data on the samples' (coverage).
"""

import numpy as np
from scipy.spatial.distance import cdist

NEIGHBOUR = 3


def precision_recall(subject):
    """Precision and recall in the features of the attribute network."""
    values = subject.against_data(shares, features=True)
    words = "precision {precision:.3f}, recall {recall:.3f}".format_map
    return values, subject.in_words(values, words)


def shares(real, fake, k=NEIGHBOUR):
    """Precision and recall of features `(n, d)` and `(m, d)`, n and m above k."""
    across = cdist(real, fake)
    precision = (across <= _radii(real, k)[:, None]).any(0).mean()
    recall = (across <= _radii(fake, k)).any(1).mean()
    return {"precision": float(precision), "recall": float(recall), "k": k}


def _radii(points, k):
    """Distance of each point to its k-th neighbour."""
    return np.partition(cdist(points, points), k, axis=1)[:, k]  # place 0 is itself
