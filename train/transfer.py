"""Start a run from trained weights instead of from noise (`--from`).

Networks are matched by role, layers by kind (or given name) and order, variables by
shape. If a layer has more inputs than before (a label is appended to the noise), its
old rows are kept and its new rows start at zero, so at first they change nothing; those
of categories that are found without labels start as steps in the noise. If it has fewer
(the noise alone), its last rows are dropped. What does not fit is reported.
"""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np

from cli import UserError
from models.keras_setup import to_numpy
from models.layers import flat
from models.recipes import RECIPES

STEP = 0.4  # of the noise's deviation 1: a category is seen, and the noise still more


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
    from models.trained import Trained

    folder = folder_of(name)
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


def same_start(recorded, name):
    """Whether a run started from these weights.

    Args:
        recorded: what `start_from` returned for the run, or None.
        name: as in `source_of`; where the weights are gone, what the run says counts.
    """
    if recorded is None:
        return False
    try:
        files = json.loads((folder_of(name) / "card.json").read_text())["files"]
    except (OSError, ValueError, KeyError):
        return True
    hashes = recorded["sha256"].items()
    return all(files.get(role, {}).get("sha256") == digest for role, digest in hashes)


def same_training(card, identity):
    """Whether a run that took over weights with this card goes on with their training:
    the same recipe, though its settings may differ, the same images, every network."""
    said = identity["from"]
    return (
        not (said["fresh"] or said["widened"] or said["narrowed"])
        and "images_seen" in card  # a warm start has seen none as a GAN
        and card["recipe"]["name"] == identity["recipe"]["name"]
        and card["data"].get("digests") == identity["data"]["digests"]
    )


def folder_of(name):
    from models import WEIGHTS

    return WEIGHTS / name if name in RECIPES else Path(name)


def start_from(model, trained):
    """Copy weights into a new model and into its averages.

    Args:
        model: a `train.engine.Family` that has not been trained.
        trained: what `source_of` found for its recipe.

    Returns:
        dict for the run's card: recipe, steps and sha256 of the source, and what its
        card says of a warm start and of its own start; how many variables were copied;
        which were widened, narrowed or start fresh ("role/layer/variable"); "counted",
        whether the run's own steps count those of the source.
    """
    roles = [r for r in model.networks if r in trained.card["files"]]
    taken, widened, narrowed, fresh = 0, [], [], []
    # Categories without labels can only be found where they change what is drawn.
    found = model.recipe.traits.asked == "category"
    for role, network in model.networks.items():
        old = by_place(trained.network(role)) if role in roles else {}
        for place, variable in by_place(network).items():
            value = old.get(place)
            fit = None
            if value is not None:
                axis = -1 if "transpose" in place else -2
                fit = fitted(to_numpy(value), variable.shape, found, axis)
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
        "from": trained.card.get("from"),
        "counted": False,
        "variables": taken,
        "widened": widened,
        "narrowed": narrowed,
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


def fitted(value, shape, found=False, axis=-2):
    """`value` in this shape, or None if it does not fit.

    If it has fewer inputs (the label follows the noise), rows of zeros are added; or, if
    categories have to be `found`, rows that move images as a step of `STEP` deviations
    of every number of the noise would, forth or back, each category its own. If it has
    more, its last rows are dropped.

    Args:
        value: array, the kernel of a layer.
        shape: of the new kernel.
        found: whether categories have to be found.
        axis: of the inputs: the one before the last, but the last in a transposed
            convolution.
    """
    if value.shape == tuple(shape):
        return value
    if value.ndim != len(shape) or value.ndim < 2:
        return None
    value = np.moveaxis(value, axis, 0)
    wanted = np.moveaxis(np.empty(shape, "int8"), axis, 0).shape
    if value.shape[1:] != wanted[1:]:
        return None
    before, more = len(value), max(0, wanted[0] - len(value))
    steps = np.random.default_rng(0).choice([-STEP, STEP], (more, before))
    rows = np.tensordot(steps if found else 0 * steps, value, 1).astype(value.dtype)
    return np.moveaxis(np.concatenate([value, rows])[: wanted[0]], 0, axis)


def in_words(said):
    """One line that says what `start_from` did."""
    kind = "a warm start of " if said["warm_start"] else ""
    line = f"starts from {kind}{said['recipe']} ({said['steps']:,} steps): "
    line += f"{said['variables']} variables taken"
    for name in ("widened", "narrowed", "fresh"):
        if said[name]:
            line += f"; {name}: {', '.join(said[name])}"
    return line
