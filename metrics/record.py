"""What was measured of trained weights: `metrics.jsonl` beside them, the only place.

README, report and figures read a number here; nothing else keeps one.
"""

import contextlib
import json
import time

from cli import UserError, open_locked, replacing
from metrics import collapse


def measured(subject, name):
    """Measure one metric.

    Args:
        subject: a `metrics.sides.Subject`.
        name: a key of `metrics.registry.METRICS`.

    Returns:
        (row, text): plain JSON values for `append`, or None where the data lack
        what it takes; and the same in words.
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
    if metric.reads:
        result["attribute_network"] = real.accuracy
    return result


def append(path, result):
    """Add one line to a file of JSON lines; the file is whole at all times."""
    try:
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # no locks there
                stack.enter_context(open_locked(path))
            before = path.read_text() if path.exists() else ""
            with replacing(path, "w") as file:
                file.write(before + json.dumps(result) + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot write there ({error.strerror})") from None


def newest(trained):
    """{metric: its newest result} of exactly these weights, on the test images of
    the data they were trained on."""
    path = trained.folder / "metrics.jsonl"
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    # The same network may have been packed anew, which moves no pixel visibly.
    own = {
        role: (entry["sha256"][:12], entry.get("repacked_from"))
        for role, entry in trained.card["files"].items()
    }
    data = trained.card["data"]["name"]
    return {
        row["metric"]: row
        for row in rows
        if all(digest in own.get(role, ()) for role, digest in row["weights"].items())
        and (row["data"], row["split"]) == (data, "test")
    }


def headline(trained):
    """The number that says most of trained weights, in words, with what it was
    measured on."""
    meter = trained.history().filter(["diversity"]).dropna()
    if trained.recipe.report == "D" and len(meter):  # whose question is collapse
        end = meter["diversity"].iloc[-1]
        said = "collapsed" if end < collapse.COLLAPSED else "not collapsed"
        return f"{said}: diversity {end:.2f} of the data's at the end"
    found = newest(trained)
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
        f"{values['reader_accuracy_on_real']:.1%} of real test faces)"
    )


def _attribute_accuracy(values, row):
    return (
        f"{values['mean_accuracy']:.1%} right on average, Smiling "
        f"{values['accuracy']['Smiling']:.1%} ({row['n_real']:,} test faces)"
    )


def _categories(values, row):
    own = values["own_classifier"]
    return (
        f"own classifier reads {own['accuracy']:.1%} of {own['n']} images as "
        f"asked (chance {own['chance']:.1%})"
    )


def _frechet(values, row):
    best = values["training_images"]["distance"]
    return (
        f"Frechet distance {values['distance']:.1f} in our attribute "
        f"network's features ({row['n_fake']:,} images; real ones {best:.1f})"
    )


# The first that was measured is the headline.
HEADLINES = {
    "reconstruction": _reconstruction,
    "asked_attribute": _asked_attribute,
    "attribute_accuracy": _attribute_accuracy,
    "categories": _categories,
    "frechet_attribute_features": _frechet,
}
