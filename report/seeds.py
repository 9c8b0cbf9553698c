"""Whether a collapse hangs on the seed: the collapse meter of runs that differ in it.

`python -m report.seeds <run> ...` reads run folders of recipes that log the meter, or
folders of weights, and writes `report/seeds.json`, {recipe: [a row for each run]}: its
seed, the epoch of its collapse or null, its diversity at the end.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

from cli import UserError, replacing, run_cli
from metrics import collapse
from report import FOLDER

RESULTS = FOLDER / "seeds.json"


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m report.seeds", description=__doc__)
    parser.add_argument(
        "runs", nargs="+", type=Path, help="run folders, at their end, or weights"
    )
    found = {}
    for run in parser.parse_args(words).runs:
        name, row = outcome(run)
        found.setdefault(name, []).append(row)
    with replacing(RESULTS, "w") as file:
        file.write(json.dumps(found, indent=1) + "\n")
    print(f"{RESULTS}: {', '.join(f'{len(rows)} of {n}' for n, rows in found.items())}")
    return 0


def outcome(run):
    """(recipe's name, {seed, collapsed_at_epoch, diversity}) of a run or of weights.

    Raises:
        UserError: no run, or one without the meter.
    """
    try:
        card = run / "card.json"
        about = json.loads((card if card.exists() else run / "run.json").read_text())
        history = pd.read_csv(run / "history.csv")
        diversity = float(history["diversity"].dropna().iloc[-1])
    except (OSError, ValueError, LookupError):
        raise UserError(f"{run}: no run that logs the collapse meter") from None
    recipe = about["recipe"]
    step = recipe["batch_size"] * recipe["d_steps"] / about["data"]["images"]
    at = collapse.step_of(history)
    row = {"seed": about["seed"], "collapsed_at_epoch": at and round(at * step, 3)}
    return recipe["name"], row | {"diversity": diversity}


if __name__ == "__main__":
    run_cli(main)
