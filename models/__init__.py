"""Networks of the reports, and the recipes that train them."""

import cli  # noqa: F401 - first of all: it says what is not installed

# isort: split
import importlib
import inspect
import math
from pathlib import Path

import numpy as np

from models.recipe import Optimizer, Recipe, RecipeError
from models.recipes import RECIPES, get_recipe

__all__ = ["RECIPES", "WEIGHTS", "Optimizer", "Recipe", "RecipeError", "build"]
__all__ += ["default_conditions", "describe", "function_of", "get_recipe", "latents"]
__all__ += ["parameters"]

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"  # <recipe>/card.json ...


def build(recipe, role, probabilities=False):
    """Build one network of a recipe, with fresh weights.

    Args:
        recipe: a `Recipe`.
        role: a key of `recipe.networks`, such as "generator".
        probabilities: whether a discriminator or classifier ends in its table's sigmoid
            or softmax, as figures take it, or in scores, as losses do.

    Returns:
        The named `keras.Model`.

    Raises:
        RecipeError: no such function under models/.
    """
    function = function_of(recipe, role)
    sizes = {
        "probabilities": probabilities,
        "size": recipe.image_size,
        "latent": recipe.latent,
        "condition": recipe.condition,
    }
    takes = inspect.signature(function).parameters
    network = function(**{name: size for name, size in sizes.items() if name in takes})
    if not network.built:  # a Sequential or a subclass without an Input
        noise, side = recipe.latent + recipe.condition, recipe.image_size
        shape = (1, noise) if role == recipe.traits.draws else (1, side, side, 3)
        network(np.zeros(shape))
    return network


def function_of(recipe, role):
    """The function that builds a network of a recipe.

    Raises:
        RecipeError: there is none of that name under models/.
    """
    module, _, name = recipe.networks[role].partition(".")
    try:
        return getattr(importlib.import_module("models." + module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise RecipeError(
            f"{recipe.name}: network '{recipe.networks[role]}' of the {role}: {error}"
        ) from None


def parameters(network):
    """Number of trainable parameters of a network or layer."""
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def describe(layer):
    """A layer as a row of a table: kind, kernel, filters, strides, padding."""
    config = layer.get_config()
    # BlockConvTranspose is the same layer, computed in another way.
    words = [type(layer).__name__.replace("BlockConvTranspose", "Conv2DTranspose")]
    if "kernel_size" in config:
        rows, columns = config["kernel_size"]
        words.append(
            f"{rows}x{columns} / {config.get('filters', '-')} / {config['strides'][0]}"
        )
        words.append(config["padding"])
    for key in ("units", "negative_slope", "rate"):
        if config.get(key):
            words.append(str(config[key]))
    if "pool_size" in config:
        words.append(f"{config['pool_size'][0]}x{config['pool_size'][1]}")
        words.append(f"/ {config['strides'][0]}")
    if config.get("activation", "linear") != "linear":
        words.append(config["activation"])
    return " ".join(words)


def default_conditions(recipe, seeds, table=None):
    """The condition of image k by default, a function of seed k.

    Args:
        recipe: a `Recipe`.
        seeds: integers, one an image.
        table: for a recipe of several attributes at once, the attributes of training
            images: int `(rows, condition)` of 0 and 1.

    Returns:
        int `(n,)`, the classes in turn; or `(n, condition)`, the rows in turn.
    """
    seeds = np.asarray(seeds, "int64")
    if recipe.traits.conditioned_on == "attributes":
        return table[seeds % len(table)]
    return seeds % max(2, recipe.condition)


def latents(recipe, seeds, labels=None, truncation=1.0):
    """Noise for the network that draws; row k depends on seed k only.

    Args:
        recipe: a `Recipe`.
        seeds: integers, one an image.
        labels: for a conditional recipe, the class of each image, or `(n, condition)`
            values to append unchanged (a mix of classes).
        truncation: a factor of the noise; below 1 images are nearer to the image of
            zero noise, so they are more alike and less often broken.

    Returns:
        float32 `(n, latent + condition)`, before the condition normal, or uniform in
        [0, 1) where the recipe has it so; normal also where training had no noise.
    """
    uniform = recipe.noise == "uniform"
    draws = [np.random.default_rng(int(s)) for s in seeds]
    noise = [(d.random if uniform else d.standard_normal)(recipe.latent) for d in draws]
    noise = np.asarray(noise, "float32").reshape(-1, recipe.latent)
    noise *= np.float32(truncation)
    if not recipe.condition:
        return noise
    labels = np.asarray(labels)
    if labels.ndim == 1:
        one = recipe.condition == 1
        labels = labels[:, None] if one else np.eye(recipe.condition)[labels]
    return np.concatenate([noise, labels.astype("float32")], 1)
