"""Whether a generator draws attributes as they were requested, and changes no other."""

import numpy as np

from metrics import Inapplicable
from models import sampling

WAYS = {"": "agreement", "forced_": "forced", "real_": "judge_on_real"}


def measure_one(subject):
    """How often the attribute network reads the attribute that was requested, and which
    other attributes stay the same.

    Two images of a pair have the same noise; one should have the attribute, the other
    not. `kept` is the share of pairs in which another attribute is read the same in
    both, `kept_by_chance` the same share for pairs with different noise, `kept_at_most`
    the largest share that is possible if both classes look like the data.
    """
    trained, real = subject.trained, subject.real
    attribute, judge = trained.recipe.attribute, real.judge
    values = judge.agreement(attribute, subject.requested, subject.read)
    seeds = range(subject.count // 2)
    on, off = (
        judge.read(sampling.draw(trained, seeds, np.full(len(seeds), label))) > 0.5
        for label in (1, 0)
    )
    rest = [k for k, n in enumerate(judge.names) if n in {*judge.trusted} - {attribute}]

    def by_name(shares):
        return {judge.names[k]: float(shares[k]) for k in rest}

    most = keepable(real, attribute)
    return values | {
        "n_real": 0,
        "n_fake": values.pop("n"),
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


def measure_many(subject):
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
    of_real = judge.read(faces.images)
    shares = {f"{way}{end}": {} for way in WAYS for end in ("on", "off")}
    for name in (n for n in trained.attributes if n in judge.trusted):
        k, j = trained.attributes.index(name), judge.names.index(name)
        forced = rows.copy()
        forced[:, k] = half
        of_forced = judge.read(sampling.draw(trained, range(subject.count), forced))
        found = {"": (subject.read, rows[:, k] == 1), "forced_": (of_forced, half)}
        if faces.attributes is not None and name in faces.attributes:
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
