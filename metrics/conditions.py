"""Whether a generator draws what was requested: an attribute, several, or a category."""

import numpy as np
import pandas as pd
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from metrics import Inapplicable, collapse
from models import sampling

# --------------------------------------------------------------- one attribute


def one_attribute(subject):
    """How often the attribute network reads the attribute that was requested, and which
    other attributes stay the same.

    Two images of a pair have the same noise; one should have the attribute, the other
    not. `kept` is the share of pairs in which another attribute is read the same in
    both, `kept_by_chance` the same share for pairs with different noise, `kept_at_most`
    the largest share that is possible if both classes look like the data.
    """
    trained, real, wanted = subject.trained, subject.real, subject.requested
    attribute, judge = trained.recipe.attribute, real.judge
    if attribute not in judge.trusted:
        raise Inapplicable(
            f"the attribute network reads '{attribute}' no better than a constant "
            f"answer would, or not at all; it reads {', '.join(judge.trusted)}"
        )
    agrees = (subject.read[:, judge.names.index(attribute)] > 0.5) == wanted
    known, seeds = judge.recorded_accuracy, range(subject.count // 2)
    on, off = (
        judge.read(sampling.draw(trained, seeds, np.full(len(seeds), label))) > 0.5
        for label in (1, 0)
    )
    rest = [k for k, n in enumerate(judge.names) if n in {*judge.trusted} - {attribute}]

    def by_name(shares):
        return {judge.names[k]: float(shares[k]) for k in rest}

    most = keepable(real, attribute)
    return {
        "n_real": 0,
        "attribute": attribute,
        "agreement": float(agrees.mean()),
        "agreement_on": float(agrees[wanted == 1].mean()),
        "agreement_off": float(agrees[wanted == 0].mean()),
        "judge_accuracy_on_real": known["accuracy"][attribute],
        "judge_commoner_answer": known["commoner_answer"][attribute],
        "judge_n_real": known["n"],
        "pairs": len(seeds),
        "kept": by_name((on == off).mean(0)),
        "kept_by_chance": by_name((on == np.roll(off, 1, axis=0)).mean(0)),
        "kept_at_most": None if most is None else by_name(most),
    }


def keepable(real, attribute):
    """The largest possible share of pairs that agree, of each attribute, read from real
    faces; None if the faces have no label of `attribute`.

    If another attribute has probability p among faces with the first one and q among
    faces without it, no pairing agrees more often than 1 - |p - q|.
    """
    table = real.faces.attributes
    if table is None or attribute not in table:
        return None
    read = real.judge.read(real.images) > 0.5
    has = real.faces.label(attribute)[: len(read)] == 1
    if has.all() or not has.any():
        return None
    return 1 - np.abs(read[has].mean(0) - read[~has].mean(0))


# ----------------------------------------------------------- several attributes

WAYS = {"": "agreement", "forced_": "forced", "real_": "judge_on_real"}


def several_attributes(subject):
    """How often each of many attributes is read as it was requested.

    `on` and `off`: among images for which all attributes of a training image were
    requested, those with and those without the attribute. `real_on` and `real_off` are
    the same of real test faces: agreement on generated faces cannot be trusted beyond it.

    `forced_on` and `forced_off`: half of the images should have the attribute and half
    not, whatever their other attributes, those of training images, go with. So some
    requests are met by no training image, two colours of hair for instance.
    """
    trained, judge, faces = subject.trained, subject.real.judge, subject.real.faces
    rows, half = subject.requested, np.arange(subject.count) % 2 == 1
    labelled = () if faces.attributes is None else faces.attributes.columns
    of_real = judge.read(faces.images) if len(labelled) else None
    shares = {f"{way}{end}": {} for way in WAYS for end in ("on", "off")}
    for name in (n for n in trained.attributes if n in judge.trusted):
        k, j = trained.attributes.index(name), judge.names.index(name)
        forced = rows.copy()
        forced[:, k] = half
        of_forced = judge.read(sampling.draw(trained, range(subject.count), forced))
        found = {"": (subject.read, rows[:, k] == 1), "forced_": (of_forced, half)}
        if name in labelled:
            found["real_"] = of_real, faces.label(name) == 1
        for way, (read, wanted) in found.items():
            if 0 < wanted.sum() < len(wanted):
                yes = read[:, j] > 0.5
                shares[f"{way}on"][name] = float(yes[wanted].mean())
                shares[f"{way}off"][name] = float(1 - yes[~wanted].mean())
    both = {w: [*shares[f"{w}on"].values(), *shares[f"{w}off"].values()] for w in WAYS}
    if not both[""]:
        raise Inapplicable("no attribute that some samples should have and some not")
    means = {WAYS[w]: float(np.mean(x)) if x else None for w, x in both.items()}
    return {"n_real": 0} | means | shares


# ------------------------------------------------------------------- a category


def category(subject):
    """How well the categories of an InfoGAN can be told apart, and what each looks like.

    Two classifiers tell them apart: the generator's partner, which learned together with
    it, and a linear discriminant that is tested on images it was not fitted to. The
    discriminant sees either the features of the attribute network, which describe the
    face, or 8x8 pixels, which also show light and background.
    """
    requested, judge = subject.requested, subject.real.judge
    pixels = collapse.shrink(subject.samples, 8)
    read = subject.read[:, [judge.names.index(name) for name in judge.trusted]]
    return {
        "n_real": 0,
        "own_classifier": read_back(subject.trained),
        "apart_by_features": told_apart(subject.features, requested),
        "apart_by_pixels": told_apart(pixels.reshape(len(pixels), -1), requested),
        "chance": 1 / subject.recipe.condition,
        "read": profile(read, requested, judge.trusted),
        "brightness": profile(pixels.mean((1, 2)), requested, ("red", "green", "blue")),
    }


def read_back(trained, count=350):
    """How often an InfoGAN's classifier reads the category that was requested: n,
    accuracy."""
    requested = np.arange(count) % trained.recipe.condition
    images = sampling.draw(trained, range(1000, 1000 + count), requested)
    read = sampling.judged(trained, images)[1].argmax(1)
    return {"n": count, "accuracy": float((read == requested).mean())}


def told_apart(features, requested):
    """Cross-validated accuracy of a linear discriminant (shrunk covariance, five folds)
    of features `(n, d)`; None if a category has fewer than 4 images."""
    least = np.bincount(requested).min()
    if least < 4:
        return None
    folds = StratifiedKFold(min(5, least), shuffle=True, random_state=0)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    guessed = cross_val_predict(model, features.astype("float64"), requested, cv=folds)
    return float((guessed == requested).mean())


def profile(values, requested, names):
    """Means of `values` `(n, names)` by category: [{name: mean}]."""
    found = pd.DataFrame(values, columns=names).groupby(requested).mean()
    return found.to_dict("records")
