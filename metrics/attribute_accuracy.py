"""How well the attribute network reads faces."""

import numpy as np

from metrics import Inapplicable
from metrics.judge import Judge


def measure(subject):
    """Accuracy of the attribute network on all labelled test faces, by attribute, and
    that of always giving the more common answer."""
    faces = subject.real.faces
    if faces.attributes is None:
        raise Inapplicable("no labels to compare with")
    values = Judge(subject.trained).accuracy(faces)
    return values | {"n_real": values.pop("n"), "n_fake": 0}


def words(values):
    constant = np.mean([*values["commoner_answer"].values()])
    return f"{values['mean_accuracy']:.1%} right, a constant answer {constant:.1%}"


def details(values):
    constant = values["commoner_answer"]
    return [
        f"{name:22}{right:.1%} (a constant answer {constant[name]:.1%})"
        for name, right in values["accuracy"].items()
    ]
