"""Whether a generator shows the condition it is given, and changes nothing else."""

import numpy as np

from metrics import collapse
from metrics.reader import Reader
from models import sampling


def asked_attribute(subject):
    """How often the attribute network reads the attribute that was asked for, and which
    other attributes stay the same.

    Two images of a pair have the same noise; one is asked to have the attribute, the
    other not to. `kept` is the share of pairs in which another attribute is read the
    same in both, `kept_by_chance` the same share for pairs with different noise,
    `kept_at_most` the largest share that is possible if both classes look like the data.
    """
    trained, real = subject.trained, subject.real
    attribute = trained.recipe.attribute
    values = real.reader.agreement(attribute, subject.asked, subject.read)
    values |= {"n_real": 0, "n_fake": values.pop("n")}
    seeds = range(subject.count // 2)
    on, off = (
        real.reader.read(sampling.draw(trained, seeds, np.full(len(seeds), label))) > 0.5
        for label in (1, 0)
    )
    names, others = real.reader.names, set(real.reader.trusted) - {attribute}
    values["pairs"] = len(seeds)
    values["kept"] = kept(on, off, names, others)
    strangers = np.roll(off, 1, axis=0)
    values["kept_by_chance"] = kept(on, strangers, names, others)
    values["kept_at_most"] = keepable(real, attribute, others)
    mean, chance = (np.mean([*values[k].values()]) for k in ("kept", "kept_by_chance"))
    least = sorted(values["kept"], key=values["kept"].get)[:3]
    most = values["kept_at_most"]
    limit = f", at most {np.mean([*most.values()]):.1%}" if most else ""
    text = (
        f"{values['agreement']:.1%} read as asked ({values['attribute']} "
        f"{values['agreement_on']:.1%}, not {values['agreement_off']:.1%}); a pair keeps "
        f"{mean:.1%} of the other attributes (different noise {chance:.1%}{limit}), "
        "least " + ", ".join(f"{name} {values['kept'][name]:.1%}" for name in least)
    )
    return values, text


def asked_attributes(subject):
    """How often each of many attributes is read as it was asked for.

    `on` and `off`: among images that are asked for all attributes of a training image,
    those with and those without the attribute. `real_on` and `real_off` are the same of
    real test faces: agreement on generated faces cannot be trusted beyond it.

    `forced_on` and `forced_off`: half of the images are asked to have the attribute and
    half not to, whatever their other attributes, those of training images, go with. So
    some are asked for what no training image shows, two colours of hair for instance.
    """
    trained, reader, faces = subject.trained, subject.real.reader, subject.real.faces
    rows, half = subject.asked, np.arange(subject.count) % 2 == 1
    real, fake = (reader.read(x) > 0.5 for x in (faces.images, subject.samples))
    found = {"": ({}, {}), "forced_": ({}, {}), "real_": ({}, {})}

    def note(way, name, read, asked):
        """The shares of images asked to have the attribute, and not to, read so."""
        if 0 < asked.sum() < len(asked):
            read, (on, off) = read[:, reader.names.index(name)], found[way]
            on[name], off[name] = (
                float(read[asked].mean()),
                float(1 - read[~asked].mean()),
            )

    for name in (n for n in trained.attributes if n in reader.trusted):
        own, forced = trained.attributes.index(name), rows.copy()
        note("", name, fake, rows[:, own] == 1)
        forced[:, own] = half
        images = sampling.draw(trained, range(subject.count), forced)
        note("forced_", name, reader.read(images) > 0.5, half)
        if faces.attributes is not None and name in faces.attributes:
            note("real_", name, real, faces.label(name) == 1)
    means = [
        float(np.mean([*on.values(), *off.values()])) if on else None
        for on, off in found.values()
    ]
    values = {"n_real": 0} | dict(
        zip(("agreement", "forced", "reader_on_real"), means, strict=True)
    )
    for way, pair in found.items():
        values |= {f"{way}{end}": x for end, x in zip(("on", "off"), pair, strict=True)}
    agreed, forced, on_real = (
        "not known" if mean is None else f"{mean:.1%}" for mean in means
    )
    lines = [
        f"{agreed} read as asked, mean of on and off over attributes (one attribute "
        f"forced {forced}, real test faces {on_real})"
    ]
    for name in found["forced_"][0]:
        said = (
            f"{what} {on[name]:.1%}, {off[name]:.1%}"
            for what, (on, off) in zip(
                ("on, off", "forced", "real"), found.values(), strict=True
            )
            if name in on
        )
        lines.append(f"  {name}: {'; '.join(said)}")
    return values, "\n".join(lines)


def kept(on, off, names, others):
    """{name: share of pairs that agree} for the attributes in `others`.

    Args:
        on, off: bool `(pairs, attributes)`.
        names: the names of all attributes.
    """
    agree = (on == off).mean(0)
    return {n: float(a) for n, a in zip(names, agree, strict=True) if n in others}


def keepable(real, attribute, others):
    """{name: largest possible share of pairs that agree}, read from real faces; None if
    the faces have no label of `attribute`.

    Smiling faces have high cheekbones more often, in the data and so in a generator
    that learned from it. If a second attribute has probability p among faces with the
    first one and q among faces without it, no pairing agrees more often than
    1 - |p - q|.
    """
    table = real.faces.attributes
    if table is None or attribute not in table:
        return None
    read = real.reader.read(real.images) > 0.5
    shown = real.faces.label(attribute)[: len(read)] == 1
    if shown.all() or not shown.any():
        return None
    most = 1 - np.abs(read[shown].mean(0) - read[~shown].mean(0))
    pairs = zip(real.reader.names, most, strict=True)
    return {n: float(m) for n, m in pairs if n in others}


def categories(subject):
    """How well the categories of an InfoGAN can be told apart, and what each one shows.

    Two classifiers tell them apart: the generator's own one, which learned together
    with it, and a linear discriminant that is tested on images it was not fitted to.
    The discriminant sees either the features of the attribute network, which describe
    the face, or 8x8 pixels, which also show light and background.
    """
    asked, read = subject.asked, subject.read
    pixels = collapse.shrink(subject.samples, 8)
    names, trusted = subject.real.reader.names, subject.real.reader.trusted
    read = read[:, [names.index(name) for name in trusted]]
    values = {
        "n_real": 0,
        "own_classifier": category_read_back(subject.trained),
        "apart_by_features": told_apart(subject.features, asked),
        "apart_by_pixels": told_apart(pixels.reshape(len(pixels), -1), asked),
        "chance": 1 / subject.recipe.condition,
        "read": profile(read, asked, trusted),
        "brightness": profile(pixels.mean((1, 2)), asked, ("red", "green", "blue")),
    }
    own = values["own_classifier"]
    lines = [f"own classifier {own['accuracy']:.1%} of {own['n']}"]
    if values["apart_by_features"] is not None:
        lines[0] += (
            f"; told apart by features {values['apart_by_features']:.1%}, by 8x8 pixels "
            f"{values['apart_by_pixels']:.1%} (chance {values['chance']:.1%})"
        )
    middle = read.mean(0)
    for k, means in enumerate(values["read"]):
        off = np.array([means[name] for name in trusted]) - middle
        most = np.argsort(-np.abs(off))[:4]
        words = ", ".join(f"{trusted[j]} {off[j]:+.2f}" for j in most)
        light = np.mean([*values["brightness"][k].values()])
        lines.append(f"  category {k}: {words}; brightness {light:.2f}")
    return values, "\n".join(lines)


def category_read_back(trained, count=350):
    """How often an InfoGAN's own classifier reads the category that was asked for.

    Returns:
        dict: n, accuracy.
    """
    asked = np.arange(count) % trained.recipe.condition
    images = sampling.draw(trained, range(1000, 1000 + count), asked)
    read = sampling.judged(trained, images)[1].argmax(1)
    return {"n": count, "accuracy": float((read == asked).mean())}


def told_apart(features, asked):
    """Cross-validated accuracy of a linear discriminant (shrunk covariance, five folds);
    None if a category has fewer than 4 images.

    Args:
        features: `(n, d)`.
        asked: int `(n,)`, the category.
    """
    if np.bincount(asked).min() < 4:
        return None
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = min(5, np.bincount(asked).min())
    folds = StratifiedKFold(folds, shuffle=True, random_state=0)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    guessed = cross_val_predict(model, features.astype("float64"), asked, cv=folds)
    return float((guessed == asked).mean())


def profile(values, asked, names):
    """Means of `values` `(n, names)` by category: [{name: mean}]."""
    means = [values[asked == k].mean(0) for k in range(asked.max() + 1)]
    return [{n: float(v) for n, v in zip(names, row, strict=True)} for row in means]


def attribute_accuracy(subject):
    """Accuracy of the attribute network on all labelled test faces, by attribute, and
    that of always giving the more common answer."""
    faces = subject.real.faces
    if faces.attributes is None:
        return None, "left out: no labels to compare with"
    values = Reader(subject.trained).accuracy(faces)
    values |= {"n_real": values.pop("n"), "n_fake": 0}
    baseline = np.mean([*values["commoner_answer"].values()])
    text = (
        f"{values['mean_accuracy']:.1%} of {values['n_real']:,} faces on average "
        f"(a constant answer {baseline:.1%}); "
        + ", ".join(
            f"{name} {right:.1%} ({values['commoner_answer'][name]:.1%})"
            for name, right in values["accuracy"].items()
        )
    )
    return values, text
