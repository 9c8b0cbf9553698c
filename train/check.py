"""The networks of a VAE or GAN, tried once before training: a mistake in a user's network
is one line, not a traceback from inside a step."""

import inspect

import numpy as np

from models import RecipeError, function_of
from models.keras_setup import to_numpy


def check(model):
    """Call the networks of a `train.model.Algorithm` and compare shapes.

    Raises:
        RecipeError: a network that cannot be called, shapes that do not fit together,
            or a discriminator that ends in probabilities, where losses take scores.
    """
    recipe, traits = model.recipe, model.recipe.traits
    image = (recipe.image_size, recipe.image_size, 3)
    if traits.draws:
        noise = np.zeros((2, recipe.latent + recipe.condition), "float32")
        _answer(model, traits.draws, noise, 1, image)
    images = np.random.default_rng(0).uniform(-1, 1, (2, *image)).astype("float32")
    if traits.rebuilds:
        _answer(model, "encoder", images, 2, (recipe.latent,))
    if not traits.adversarial:
        return
    heads = {None: 1, "attributes": 3}.get(traits.conditioned_on, 2)
    # At large images a score leaves [-1, 1], a sigmoid does not.
    scores = [
        _answer(model, "discriminator", images * k, heads, (1,)) for k in (1, 30, 1000)
    ]
    takes = inspect.signature(function_of(recipe, "discriminator")).parameters
    # Networks that take `probabilities` end in scores without it.
    if "probabilities" not in takes and np.abs(scores).max() <= 1:
        raise RecipeError(
            f"{recipe.name}: discriminator answers within [-1, 1] whatever the "
            "image, like a sigmoid or tanh; losses take scores: end with Dense(1)"
        )


def _answer(model, role, inputs, count, shape):
    """The first of the `count` answers of a network, which must be of this shape."""
    name = model.recipe.name
    try:
        found = model.networks[role](inputs, training=False)
    except Exception as error:  # whatever a user's network raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RecipeError(
            f"{name}: {role} does not take {inputs.shape[1:]}: {reason[:200]}"
        ) from None
    answers = list(found) if isinstance(found, (list, tuple)) else [found]
    first = tuple(answers[0].shape[1:])
    if (len(answers), first) != (count, shape):
        raise RecipeError(
            f"{name}: {role} gives {len(answers)} answers, the first of shape {first}; "
            f"{model.recipe.algorithm} takes {count}, the first of shape {shape}"
        )
    return to_numpy(answers[0])
