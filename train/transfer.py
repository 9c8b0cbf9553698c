"""Start a run from trained weights instead of from noise (`--from`): fine-tuning.

Networks are matched by role, layers by kind (or given name) and order. A variable of
equal shape is copied; any other starts fresh, and is listed.
"""

import json
import re
from collections import Counter
from pathlib import Path

from cli import UserError
from models import WEIGHTS
from models.keras_setup import to_numpy
from models.layers import flat
from models.recipes import RECIPES
from models.trained import Trained, exported


def folder_of(name):
    """The folder of weights that `--from` names: a recipe's, or a folder's."""
    return WEIGHTS / name if name in RECIPES else exported(name) or Path(name)


def source_of(name, recipe):
    """The `Trained` weights that a run of `recipe` starts from, checked before it writes
    anything.

    Args:
        name: a recipe's name, or a folder of weights with `card.json`.
        recipe: the `Recipe` to be trained.

    Raises:
        UserError: no such weights, damaged weights, or no network in common.
    """
    folder = folder_of(name)
    if not (folder / "card.json").exists():
        raise UserError(
            f"--from {name}: no weights there; give a recipe that has some, or a "
            "run that train.export has exported"
        )
    trained = Trained.of(folder)
    trained.check()
    if not set(recipe.networks) & set(trained.card["files"]):
        raise UserError(f"--from {name}: it has no {' or '.join(recipe.networks)}")
    return trained


def same_start(recorded, name):
    """Whether a run, of which `start_from` returned `recorded` or that has None, started
    from these weights; where they are gone, what the run says counts."""
    card = folder_of(name) / "card.json"
    if recorded is None or not card.exists():
        return recorded is not None
    files = json.loads(card.read_text())["files"]
    found = {role: files.get(role, {}).get("sha256") for role in recorded["sha256"]}
    return found == recorded["sha256"]


def start_from(model, trained):
    """Copy weights into a new model and into its averages.

    Args:
        model: a `train.model.Algorithm` that has not been trained.
        trained: what `source_of` found for its recipe.

    Returns:
        dict for the run's card: recipe, steps and sha256 of the source; how many
        variables were copied; which start fresh ("role/layer/variable").
    """
    files, taken, fresh = trained.card["files"], 0, []
    for role, network in model.networks.items():
        old = by_place(trained.network(role)) if role in files else {}
        for place, variable in by_place(network).items():
            if place in old and old[place].shape == variable.shape:
                variable.assign(to_numpy(old[place]))
                taken += 1
            else:
                fresh.append(f"{role}/{place}")
    for role, network in model.average.items():
        network.set_weights(model.networks[role].get_weights())
    return {
        "recipe": trained.recipe.name,
        "steps": trained.card["steps"],
        "sha256": {r: files[r]["sha256"] for r in model.networks if r in files},
        "variables": taken,
        "fresh": fresh,
    }


def by_place(network):
    """{"conv2d 2/kernel": variable}: layers by kind and by order within that kind."""
    seen, found = Counter(), {}
    for layer in flat(network):
        kind = re.sub(r"_\d+$", "", layer.name)  # Keras numbers default names
        place = f"{kind} {seen[kind]}"
        seen[kind] += 1
        held = {id(v) for part in flat(layer) for v in part.variables}
        found |= {
            f"{place}/{v.name}": v
            for v in layer.variables
            if id(v) not in held and "seed_generator" not in v.path
        }
    return found


def in_words(said):
    """One line that says what `start_from` did."""
    line = f"starts from {said['recipe']} ({said['steps']:,} steps): "
    line += f"{said['variables']} variables taken"
    return line + (f"; fresh: {', '.join(said['fresh'])}" if said["fresh"] else "")
