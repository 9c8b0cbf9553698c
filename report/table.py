"""The README's table of recipes, from the recipes and the cards.

`python -m report.table` prints it; `--write README.md` writes it between the README's two
marks.
"""

import argparse
from pathlib import Path

from cli import UserError, replacing, run_cli
from metrics.registry import obtained
from models import WEIGHTS
from models.recipes import RECIPES
from models.trained import Trained

MARKS = "<!-- recipes -->", "<!-- /recipes -->"


def table(root=WEIGHTS):
    """The table as markdown lines, one row a recipe."""
    heads = ("recipe", "report", "reported", "obtained", "trained")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for recipe in RECIPES.values():
        result, how = "no weights yet", ""
        if (Path(root) / recipe.name / "card.json").exists():
            trained = Trained(recipe.name, root)
            card, result = trained.card, obtained(trained)
            images, hours = card["images_seen"], card["training_hours"]
            took = f"{hours:.1f} h" if hours >= 0.1 else f"{60 * hours:.0f} min"
            several = card.get("several_runs")
            how = "several runs" if several else f"{images:,} images, {took}"
        cells = (f"`{recipe.name}`", recipe.report, recipe.reported or "-", result, how)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def with_table(text, root=WEIGHTS):
    """The text of a README with a new table between its marks."""
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
