"""The tables of recipes in README.md and docs/weights.md, from the recipes and the cards.

`python -m report.table --write README.md` writes README's between its two marks,
`<!-- recipes -->` and `<!-- /recipes -->`; docs/weights.md has `<!-- weights -->`.
"""

import argparse
from pathlib import Path

from cli import UserError, replacing, run_cli
from models.recipes import RECIPES, STAGES


def readme():
    """Every recipe: what the report had, what was obtained here."""
    from metrics.registry import obtained  # imports Keras, which takes seconds
    from models.trained import shipped

    yield "recipe", "report", "reported", "obtained", "trained"
    weights = shipped()
    for recipe in (r for n, r in RECIPES.items() if n not in STAGES):
        result, how = "no weights yet", ""
        if trained := weights.get(recipe.name):
            result = obtained(trained)
            images, hours = (trained.card[k] for k in ("images_seen", "training_hours"))
            took = f"{hours:.1f} h" if hours >= 0.1 else f"{60 * hours:.0f} min"
            how = f"{images:,} images, {took}"
        yield f"`{recipe.name}`", recipe.report, recipe.reported or "-", result, how


def runs():
    """Every run that ships: its length, hardware and number."""
    from metrics.registry import obtained
    from models.trained import shipped

    yield "`python -m train`", "ships", "images", "hours", "hardware", "early", "obtained"
    for name, trained in shipped().items():
        card, steps = trained.card, trained.recipe.steps
        ships = f"step {card['steps']:,} of {steps:,}, {card['precision']}"
        seen, hours = f"{card['images_seen']:,}", f"{card['training_hours']:.2f}"
        first, best = early(trained.history()), obtained(trained)
        yield f"`{name}`", ships, seen, hours, card["hardware"], first, best


def early(history):
    """What a run that was measured on the test images had come to after 20 minutes, or
    when it was first measured."""
    for column in ("test_mse", "test_frechet"):
        if column in history:
            rows = history[["seconds", column]].dropna()
            row = rows[rows["seconds"] <= max(1200, rows["seconds"].min())].iloc[-1]
            return f"{row[column]:.3g} at {row['seconds'] / 60:.0f} min"
    return "-"


TABLES = {"recipes": readme, "weights": runs}


def table(rows):
    """Rows, the first with the heads, as markdown lines."""
    heads, *rows = [f"| {' | '.join(row)} |" for row in rows]
    return [heads, "|---" * (heads.count(" | ") + 1) + "|", *rows]


def with_table(text):
    """A text with a new table between its marks.

    Raises:
        UserError: it has no marks.
    """
    for name, rows in TABLES.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if start in text and end in text:
            before, rest = text.split(start)
            after = rest.split(end)[1]
            return "\n".join([before + start, *table(rows()), end + after])
    raise UserError(f"no {start} ... {end} to write a table between")


def main():
    parser = argparse.ArgumentParser(prog="python -m report.table", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE")
    args = parser.parse_args()
    if args.write:
        text = with_table(args.write.read_text())
        with replacing(args.write, "w") as file:
            file.write(text)
    else:
        print("\n".join(table(readme())))
    return 0


if __name__ == "__main__":
    run_cli(main)
