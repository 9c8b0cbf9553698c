"""Start a run from trained weights instead of from noise (`--from`).

Networks are matched by role, layers by kind (or given name) and order, variables by
shape. If a layer has more inputs than before (a label is appended to the noise), its
old rows are kept and its new rows start at zero, so at first they change nothing; those
of categories that are found without labels start as in a new network. If it has fewer
(the noise alone), its last rows are dropped. What does not fit is reported.
"""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from cli import UserError
from models.keras_setup import to_numpy
from models.recipes import RECIPES


def source_of(name, recipe):
    """The weights that a run of `recipe` starts from, checked before it writes anything.

    Args:
        name: a recipe's name, or a folder of weights with `card.json`.
        recipe: the `Recipe` to be trained.

    Returns:
        `Trained` weights.

    Raises:
        UserError: no such weights, damaged weights, or no network in common.
    """
    from models import WEIGHTS
    from models.trained import Trained

    folder = WEIGHTS / name if name in RECIPES else Path(name)
    if not (folder / "card.json").exists():
        raise UserError(
            f"--from {name}: no weights there; give a recipe that has some, or a "
            "folder with card.json, as train.export makes it"
        )
    trained = Trained.of(folder)
    roles = [role for role in recipe.networks if role in trained.card["files"]]
    if not roles:
        raise UserError(f"--from {name}: it has no {' or '.join(recipe.networks)}")
    for role in roles:
        trained.network(role)
    return trained


def start_from(model, trained):
    """Copy weights into a new model and into its averages.

    Args:
        model: a `train.engine.Family` that has not been trained.
        trained: what `source_of` found for its recipe.

    Returns:
        dict for the run's card: recipe, steps and sha256 of the source, and what its
        card says of a warm start; how many variables were copied; which were widened,
        narrowed or start fresh ("role/layer/variable").
    """
    roles = [r for r in model.networks if r in trained.card["files"]]
    taken, widened, narrowed, fresh = 0, [], [], []
    # Categories without labels are found because they already change images a little.
    found = model.recipe.traits.asked == "category"
    for role, network in model.networks.items():
        old = by_place(trained.network(role)) if role in roles else {}
        for place, variable in by_place(network).items():
            value = old.get(place)
            new = to_numpy(variable) if found else None
            fit = None if value is None else fitted(to_numpy(value), variable.shape, new)
            if fit is None:
                fresh.append(f"{role}/{place}")
                continue
            variable.assign(fit)
            taken += 1
            if fit.shape != tuple(value.shape):
                changed = widened if fit.size > np.prod(value.shape) else narrowed
                changed.append(f"{role}/{place}")
    for role, network in model.average.items():
        network.set_weights(model.networks[role].get_weights())
    return {
        "recipe": trained.recipe.name,
        "steps": trained.card["steps"],
        "sha256": {r: trained.card["files"][r]["sha256"] for r in roles},
        "warm_start": trained.card.get("warm_start"),
        "variables": taken,
        "widened": widened,
        "narrowed": narrowed,
        "fresh": fresh,
    }


def by_place(network):
    """{"conv2d 2/kernel": variable}: layers by kind and by order within that kind."""
    seen, found = Counter(), {}
    for layer in network.layers:
        kind = re.sub(r"_\d+$", "", layer.name)  # Keras numbers default names
        place = f"{kind} {seen[kind]}"
        seen[kind] += 1
        found |= {
            f"{place}/{v.name}": v
            for v in layer.variables
            if "seed_generator" not in v.path
        }
    return found


def fitted(value, shape, new=None):
    """`value` in this shape, with the last rows of `new`, or rows of zeros, added if it
    has fewer inputs (the axis before the last; the label follows the noise), and its
    last rows dropped if it has more; None if it does not fit."""
    if value.shape == tuple(shape):
        return value
    if value.ndim != len(shape) or value.ndim < 2:
        return None
    if value.shape[:-2] + value.shape[-1:] != (*shape[:-2], shape[-1]):
        return None
    whole = np.zeros(shape, value.dtype) if new is None else new.copy()
    rows = min(value.shape[-2], shape[-2])
    whole[..., :rows, :] = value[..., :rows, :]
    return whole


def in_words(said):
    """One line that says what `start_from` did."""
    kind = "a warm start of " if said["warm_start"] else ""
    line = f"starts from {kind}{said['recipe']} ({said['steps']:,} steps): "
    line += f"{said['variables']} variables taken"
    for name in ("widened", "narrowed", "fresh"):
        if said[name]:
            line += f"; {name}: {', '.join(said[name])}"
    return line
