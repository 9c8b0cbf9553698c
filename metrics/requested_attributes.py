"""Whether a generator of many attributes at once draws each of them as requested."""

import numpy as np

from metrics import Inapplicable
from models import sampling

WAYS = {"": "agreement", "forced_": "forced", "real_": "judge_on_real"}


def measure(subject):
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
    of_real, of_samples = judge.read(faces.images), judge.read(subject.samples)
    shares = {f"{way}{end}": {} for way in WAYS for end in ("on", "off")}
    for name in (n for n in trained.attributes if n in judge.trusted):
        k, j = trained.attributes.index(name), judge.names.index(name)
        forced = rows.copy()
        forced[:, k] = half
        of_forced = judge.read(sampling.draw(trained, range(subject.count), forced))
        found = {"": (of_samples, rows[:, k] == 1), "forced_": (of_forced, half)}
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


def words(values):
    return f"{values['agreement']:.1%} as requested"


def details(values):
    forced, real = (values[key] for key in ("forced", "judge_on_real"))
    said = "" if real is None else f"; read right in real test faces {real:.1%}"
    lines = [f"mean of on and off; one attribute forced {forced:.1%}{said}"]
    ways = (("on, off", ""), ("forced", "forced_"), ("real", "real_"))
    for name in values["forced_on"]:
        cells = (
            f"{text} {values[f'{way}on'][name]:.1%}, {values[f'{way}off'][name]:.1%}"
            for text, way in ways
            if name in values[f"{way}on"]
        )
        lines.append(f"{name}: {'; '.join(cells)}")
    return lines
