"""The README's table of recipes, from the recipes and the cards.

`python -m report.table` prints it; `--write README.md` puts it between the
README's two marks.
"""

import argparse
from pathlib import Path

from cli import UserError, replacing, run_cli
from metrics import record
from models import WEIGHTS
from models.recipes import RECIPES

MARKS = "<!-- recipes -->", "<!-- /recipes -->"


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
            card, result = trained.card, record.headline(trained)
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
