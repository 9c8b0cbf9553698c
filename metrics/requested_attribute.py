"""Whether a generator draws one attribute as requested, and nothing else changes."""

import numpy as np

from models import sampling


def measure(subject):
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

    Smiling faces have high cheekbones more often, in the data and so in a generator
    that learned from it. If a second attribute has probability p among faces with the
    first one and q among faces without it, no pairing agrees more often than
    1 - |p - q|.
    """
    table = real.faces.attributes
    if table is None or attribute not in table:
        return None
    read = real.judge.read(real.images) > 0.5
    has = real.faces.label(attribute)[: len(read)] == 1
    if has.all() or not has.any():
        return None
    return 1 - np.abs(read[has].mean(0) - read[~has].mean(0))


def words(values):
    return f"{values['agreement']:.1%} as requested"


def details(values):
    name, kept = values["attribute"], values["kept"]
    ways = (("", kept), (" of different noise", values["kept_by_chance"]))
    lines = [
        f"{name} {values['agreement_on']:.1%}, not {name} {values['agreement_off']:.1%}",
        *(
            f"pairs{words} keep {np.mean([*shares.values()]):.1%} of other attributes"
            for words, shares in ways
        ),
    ]
    if most := values["kept_at_most"]:
        lines[-1] += f"; at most {np.mean([*most.values()]):.1%}"
    least = sorted(kept, key=kept.get)[:3]
    return [*lines, "kept least: " + ", ".join(f"{n} {kept[n]:.1%}" for n in least)]
