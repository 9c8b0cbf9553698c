"""The measurements of trained weights, in the file `metrics.jsonl` beside them.

README, report and figures read every number here; no other file stores one.
"""

import json
import time

from cli import UserError, locked, replacing
from metrics import collapse


def measured(subject, name):
    """Measure one metric.

    Args:
        subject: a `metrics.sides.Subject`.
        name: a key of `metrics.registry.METRICS`.

    Returns:
        (row, text): plain JSON values for `append`, or None if the data lack what the
        metric needs; and the same in words.
    """
    from metrics.registry import METRICS

    metric, began = METRICS[name], time.perf_counter()
    values, text = metric.measure(subject)
    seconds = time.perf_counter() - began
    if values is None:
        return None, text
    return row(name, metric, values, subject) | {"seconds": seconds}, text


def row(name, metric, values, subject):
    """One result, as plain JSON values."""
    card, real, recipe = subject.trained.card, subject.real, subject.recipe
    counts = {"n_real": len(real.images), "n_fake": subject.count}
    result = {
        "metric": name,
        "values": {k: v for k, v in values.items() if k not in counts},
        "recipe": recipe.name,
        "data": real.data.resolve().name,
        "split": real.split,
        **{k: values.get(k, n) for k, n in counts.items()},
        "pixel_range": metric.pixel_range,
        "steps": card["steps"],
        "weights": {
            role: entry["sha256"][:12]
            for role, entry in card["files"].items()
            if "/" not in role
        },
        "date": time.strftime("%Y-%m-%d"),
    }
    if metric.of_prior:
        result["prior"] = card["prior"]["sha256"][:12]
    if metric.reads:
        result["attribute_network"] = real.accuracy | {
            "weights": reader_digest(real.reader.trained.card)
        }
    return result


def append(path, result):
    """Add one line to a file of JSON lines; a reader never finds half a file."""
    try:
        with locked(path):
            before = path.read_text() if path.exists() else ""
            with replacing(path, "w") as file:
                file.write(before + json.dumps(result) + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot write there ({error.strerror})") from None


def newest(trained):
    """{metric: its newest result} of exactly these weights, on the test images of the
    data they were trained on. A result is left out if it came from another attribute
    network than the one beside these weights: distances in other features do not
    compare."""
    path = trained.folder / "metrics.jsonl"
    if not path.exists():
        return {}
    try:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        _ = [row[key] for row in rows for key in ("metric", "weights", "data", "split")]
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{path}: a line is damaged; restore it with git checkout, or remove it and "
            "measure anew with 'python -m metrics'"
        ) from None
    # The file of a network may have been packed anew, which moves no pixel visibly.
    own = {
        role: (entry["sha256"][:12], entry.get("repacked_from"))
        for role, entry in trained.card["files"].items()
    }
    data = trained.card["data"]["name"]
    prior = trained.card.get("prior", {}).get("sha256", "")[:12]
    return {
        row["metric"]: row
        for row in rows
        if all(digest in own.get(role, ()) for role, digest in row["weights"].items())
        and (row["data"], row["split"]) == (data, "test")
        and row.get("prior", prior) == prior  # earlier lines lack it
        and _read_by(trained.folder.parent, row.get("attribute_network"))
    }


def _read_by(root, network):
    """Whether `network`, what a row says of its attribute network, names the one in
    `root`; true if either is missing."""
    card = root / "attributes" / "card.json"
    if network is None or not card.exists():
        return True
    return network.get("weights") == reader_digest(json.loads(card.read_text()))


def reader_digest(card):
    """A digest that identifies the weights of an attribute network, from its card."""
    return card["files"]["classifier"]["sha256"][:12]


def headline(trained):
    """The most telling number of trained weights, in words, and what it was measured
    on."""
    found = newest(trained)
    if trained.recipe.report == "D" and "collapse_meter" in found:  # what it studies
        end = found["collapse_meter"]["values"]["diversity"]
        said = "collapsed" if end < collapse.COLLAPSED else "not collapsed"
        return f"{said}: diversity {end:.2f} of the data's at the end"
    for name, words in HEADLINES.items():
        if name in found:
            return words(found[name]["values"], found[name])
    return "not measured yet"


def _reconstruction(values, row):
    return (
        f"test MSE {values['mse_minus1_1']:.4f} in [-1, 1] "
        f"({values['mse_0_1']:.5f} in [0, 1], {row['n_real']:,} faces)"
    )


def _asked_attribute(values, row):
    return (
        f"{values['agreement']:.1%} of {row['n_fake']:,} images read as asked "
        f"({values['attribute']}; the reader is right on "
        f"{values['reader_accuracy_on_real']:.1%} of real test faces, a constant "
        f"answer on {values['reader_commoner_answer']:.1%})"
    )


def _attribute_accuracy(values, row):
    return (
        f"{values['mean_accuracy']:.1%} right on average, a constant "
        f"answer {_mean(values['commoner_answer']):.1%} ({row['n_real']:,} test faces)"
    )


def _mean(values):
    return sum(values.values()) / len(values)


def _categories(values, row):
    own = values["own_classifier"]
    return (
        f"own classifier reads {own['accuracy']:.1%} of {own['n']} images as "
        f"asked (chance {values['chance']:.1%})"
    )


def _frechet(values, row):
    real = values["real_images"]
    best = f"; real ones {real['distance']:.1f}" if real else ""
    return (
        f"Frechet distance {values['distance']:.1f} ± {values['standard_error']:.1f} in "
        f"our attribute network's features ({row['n_fake']:,} images{best})"
    )


# The first of these that was measured is the headline.
HEADLINES = {
    "reconstruction": _reconstruction,
    "asked_attribute": _asked_attribute,
    "attribute_accuracy": _attribute_accuracy,
    "categories": _categories,
    "frechet_attribute_features": _frechet,
}
