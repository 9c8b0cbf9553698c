"""The measurements of trained weights, in the file `metrics.jsonl` beside them.

README, report and figures read every number here; no other file stores one.
"""

import json
import time

from cli import UserError, locked, replacing


def measured(subject, name, metric):
    """Measure one metric, `metrics.registry.Metric`, of a `metrics.images.Subject`;
    returns a row of that name, plain JSON values for `append`. `Inapplicable` where the
    data or weights lack what it needs."""
    began = time.perf_counter()
    values = metric.measure(subject)
    seconds = time.perf_counter() - began
    card, real = subject.trained.card, subject.real
    files = {k: f["sha256"][:12] for k, f in card["files"].items() if "/" not in k}
    counts = {"n_real": len(real.images), "n_fake": subject.count}
    counts |= {k: values.pop(k) for k in counts if k in values}
    row = {
        "metric": name,
        "values": values,
        "recipe": subject.recipe.name,
        "data": real.data.resolve().name,
        "split": real.split_for(subject.trained),
        **counts,
        "pixel_range": metric.pixel_range,
        "steps": card["steps"],
        "weights": files,
        "date": time.strftime("%Y-%m-%d"),
        "seconds": seconds,
    }
    if metric.of_prior:
        row["prior"] = card["prior"]["sha256"][:12]
    if metric.judged:
        digest = judge_digest(real.judge.trained.card)
        row["attribute_network"] = real.accuracy | {"weights": digest}
    return row


def append(path, row):
    """Add one line to a file of JSON lines; who reads it never finds half a file."""
    try:
        with locked(path):
            before = path.read_text() if path.exists() else ""
            with replacing(path, "w") as file:
                file.write(before + json.dumps(row) + "\n")
    except OSError as error:
        raise UserError(f"{path}: cannot write there ({error.strerror})") from None


def newest(trained):
    """{metric: its newest row} of exactly these weights, on the test images of the data
    they were trained on. A row is left out if it came from another attribute network
    than the one beside these weights: distances in other features do not compare."""
    path, card = trained.folder / "metrics.jsonl", trained.card
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
    files = {role: entry["sha256"][:12] for role, entry in card["files"].items()}
    prior = card.get("prior", {}).get("sha256", "")[:12]
    judge = trained.folder.parent / "attributes" / "card.json"
    judge = judge_digest(json.loads(judge.read_text())) if judge.exists() else None
    same = {"weights": judge}  # of a row that no attribute network judged
    return {
        row["metric"]: row
        for row in rows
        if all(files.get(role) == value for role, value in row["weights"].items())
        and (row["data"], row["split"]) == (card["data"]["name"], "test")
        and row.get("prior", prior) == prior  # of what it draws
        and judge in (None, row.get("attribute_network", same).get("weights"))
    }


def judge_digest(card):
    """A digest that identifies the weights of an attribute network, from its card."""
    return card["files"]["classifier"]["sha256"][:12]
