"""Start a run from trained weights instead of from noise (`--from`): fine-tuning.

Networks are matched by role, what draws with what draws, layers by kind and order, as
Keras does. What does not fit starts fresh, and is listed.
"""

import json
import warnings
from pathlib import Path

import numpy as np

from cli import UserError
from models import WEIGHTS
from models.keras_setup import to_numpy
from models.recipes import RECIPES
from models.trained import Trained, exported


def folder_of(name):
    """The folder of weights that `--from` names: a recipe's, or a folder's."""
    return WEIGHTS / name if name in RECIPES else exported(name) or Path(name)


def counterpart(role, recipe, source):
    """The role in the recipe `source` of what a network of `recipe` starts from."""
    return source.traits.draws if role == recipe.traits.draws else role


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
    roles = {counterpart(role, recipe, trained.recipe) for role in recipe.networks}
    if not roles & set(trained.card["files"]):
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
    files, used, taken, fresh = trained.card["files"], {}, 0, []
    for role, network in model.networks.items():
        source = counterpart(role, model.recipe, trained.recipe)
        initial = network.get_weights()
        network.set_weights([np.full_like(array, np.nan) for array in initial])
        if source in files:
            used[source] = files[source]["sha256"]
            with warnings.catch_warnings():  # Keras warns of what does not fit
                warnings.simplefilter("ignore", UserWarning)
                path = trained.folder / files[source]["file"]
                network.load_weights(path, skip_mismatch=True)
        for variable, array in zip(network.weights, initial, strict=True):
            if np.isnan(to_numpy(variable)).all():
                variable.assign(array)
                fresh.append(f"{role}/{variable.path}")
            else:
                taken += 1
    for role, network in model.average.items():
        network.set_weights(model.networks[role].get_weights())
    return {
        "recipe": trained.recipe.name,
        "steps": trained.card["steps"],
        "sha256": used,
        "variables": taken,
        "fresh": fresh,
    }


def in_words(said):
    """One line that says what `start_from` did."""
    line = f"starts from {said['recipe']} ({said['steps']:,} steps): "
    line += f"{said['variables']} variables taken"
    return line + (f"; fresh: {', '.join(said['fresh'])}" if said["fresh"] else "")
