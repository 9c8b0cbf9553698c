"""The README's table of recipes, from the recipes and the cards.

`python -m report.table` prints it; `--write README.md` puts it between the
README's two marks.
"""

import argparse
import json
from pathlib import Path

from cli import UserError, replacing, run_cli
from metrics import collapse
from models import WEIGHTS
from models.recipes import RECIPES

MARKS = "<!-- recipes -->", "<!-- /recipes -->"


def obtained(trained):
    """The number that says most of trained weights, in words, with what it was
    measured on: of the card, the metrics or the history."""
    test = trained.card["test"]
    if "mse_minus1_1" in test:
        return (
            f"test MSE {test['mse_minus1_1']:.4f} in [-1, 1] "
            f"({test['mse_0_1']:.5f} in [0, 1], {test['n']:,} faces)"
        )
    if "agreement" in test:
        return (
            f"{test['agreement']:.1%} of {test['n']:,} images read as asked "
            f"({test['attribute']}; the reader is right on "
            f"{test['judge_accuracy_on_real']:.1%} of real test faces)"
        )
    if "mean_accuracy" in test:
        return (
            f"{test['mean_accuracy']:.1%} right on average, Smiling "
            f"{test['accuracy']['Smiling']:.1%} ({test['n']:,} test faces)"
        )
    if "accuracy" in test:
        return (
            f"own classifier reads {test['accuracy']:.1%} of {test['n']} images as "
            f"asked (chance {test['chance']:.1%})"
        )
    if trained.recipe.meter_every:
        end = trained.history()["diversity"].dropna().iloc[-1]
        said = "collapsed" if end < collapse.COLLAPSED else "not collapsed"
        return f"{said}: diversity {end:.2f} of the data's at the end"
    measured = metrics_of(trained)
    if "frechet_attribute_features" in measured:
        distance = measured["frechet_attribute_features"]
        best = distance["values"]["training_images"]["distance"]
        return (
            f"Frechet distance {distance['values']['distance']:.1f} in our attribute "
            f"network's features ({distance['n_fake']:,} images; real ones {best:.1f})"
        )
    return "see the figures"


def metrics_of(trained):
    """{metric: its newest result} of exactly these weights, on the test images of
    the data they were trained on."""
    path = trained.folder / "metrics.jsonl"
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    own = {role: entry["sha256"][:12] for role, entry in trained.card["files"].items()}
    data = trained.card["data"]["name"]
    return {
        row["metric"]: row
        for row in rows
        if all(own.get(role) == digest for role, digest in row["weights"].items())
        and (row["data"], row["split"]) == (data, "test")
    }


def table(root=WEIGHTS):
    """The table as markdown lines, one row a recipe."""
    from models.trained import Trained  # Keras, which may be missing

    lines = [
        "| recipe | report | what it is | reported | obtained here | trained |",
        "|---|---|---|---|---|---|",
    ]
    for recipe in RECIPES.values():
        result, how = "no weights yet", ""
        if (Path(root) / recipe.name / "card.json").exists():
            trained = Trained(recipe.name, root)
            card, result = trained.card, obtained(trained)
            how = (
                f"{card['steps']:,} steps of {card['recipe']['batch_size']}, "
                f"{card['epochs']:.0f} epochs of {card['data']['images']:,} images, "
                f"{card['training_hours']:.1f} h"
            )
        about, reported = recipe.about, recipe.reported or "-"
        lines.append(
            f"| `{recipe.name}` | {recipe.report} | {about} | {reported} | {result} "
            f"| {how} |"
        )
    return lines


def with_table(text, root=WEIGHTS):
    """A README's text with the table between its marks made anew."""
    start, end = MARKS
    before, found, rest = text.partition(start)
    _, also, after = rest.partition(end)
    if not (found and also):
        raise UserError(f"no {start} ... {end} to write the table between")
    return "\n".join([before + start, *table(root), end + after])


def main():
    parser = argparse.ArgumentParser(prog="python -m report.table", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="README")
    args = parser.parse_args()
    if args.write:
        text = with_table(args.write.read_text())
        with replacing(args.write, "w") as file:
            file.write(text)
    else:
        print("\n".join(table()))
    return 0


if __name__ == "__main__":
    run_cli(main)
