"""What the categories of an InfoGAN are, and how well they can be told apart."""

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from metrics import collapse
from models import sampling


def measure(subject):
    """How well the categories can be told apart, and what each one looks like.

    Two classifiers tell them apart: the generator's partner, which learned together with
    it, and a linear discriminant that is tested on images it was not fitted to. The
    discriminant sees either the features of the attribute network, which describe the
    face, or 8x8 pixels, which also show light and background.
    """
    requested, read, judge = subject.requested, subject.read, subject.real.judge
    pixels = collapse.shrink(subject.samples, 8)
    read = read[:, [judge.names.index(name) for name in judge.trusted]]
    return {
        "n_real": 0,
        "own_classifier": category_read_back(subject.trained),
        "apart_by_features": told_apart(subject.features, requested),
        "apart_by_pixels": told_apart(pixels.reshape(len(pixels), -1), requested),
        "chance": 1 / subject.recipe.condition,
        "read": profile(read, requested, judge.trusted),
        "brightness": profile(pixels.mean((1, 2)), requested, ("red", "green", "blue")),
    }


def category_read_back(trained, count=350):
    """How often an InfoGAN's classifier reads the category that was requested.

    Returns:
        dict: n, accuracy.
    """
    requested = np.arange(count) % trained.recipe.condition
    images = sampling.draw(trained, range(1000, 1000 + count), requested)
    read = sampling.judged(trained, images)[1].argmax(1)
    return {"n": count, "accuracy": float((read == requested).mean())}


def told_apart(features, category):
    """Cross-validated accuracy of a linear discriminant (shrunk covariance, five folds);
    None if a category has fewer than 4 images.

    Args:
        features: `(n, d)`.
        category: int `(n,)`.
    """
    if np.bincount(category).min() < 4:
        return None
    folds = min(5, np.bincount(category).min())
    folds = StratifiedKFold(folds, shuffle=True, random_state=0)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    guessed = cross_val_predict(model, features.astype("float64"), category, cv=folds)
    return float((guessed == category).mean())


def profile(values, category, names):
    """Means of `values` `(n, names)` by category: [{name: mean}]."""
    means = [values[category == k].mean(0) for k in range(category.max() + 1)]
    return [{n: float(v) for n, v in zip(names, row, strict=True)} for row in means]
