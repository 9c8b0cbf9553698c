"""The networks of a recipe, tried once before training: a mistake in one of your own is
one line, not a traceback from inside a step."""

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
    recipe = model.recipe
    image = (2, recipe.image_size, recipe.image_size, 3)
    if role := recipe.traits.draws:
        noise = np.zeros((2, recipe.latent + recipe.condition), "float32")
        _same(recipe, role, "an image", _answers(model, role, noise)[0].shape, image)
    if not recipe.traits.adversarial:
        return
    images = np.random.default_rng(0).uniform(-1, 1, image).astype("float32")
    answers = _answers(model, "discriminator", images)
    heads = {None: 1, "attributes": 3}.get(recipe.traits.conditioned_on, 2)
    if len(answers) != heads:
        raise RecipeError(
            f"{recipe.name}: discriminator gives {len(answers)} answers; "
            f"{recipe.algorithm} takes {heads}"
        )
    _same(recipe, "discriminator", "a score", answers[0].shape, (2, 1))
    takes = inspect.signature(function_of(recipe, "discriminator")).parameters
    if "probabilities" in takes:  # as the networks here, which end in scores
        return
    # At large images a score leaves [-1, 1], a sigmoid does not.
    tried = [_answers(model, "discriminator", images * k)[0] for k in (1, 30, 1000)]
    if np.abs(tried).max() <= 1:
        raise RecipeError(
            f"{recipe.name}: discriminator answers within [-1, 1] whatever the "
            "image, like a sigmoid or tanh; losses take scores: end with Dense(1)"
        )


def _answers(model, role, inputs):
    try:
        found = model.networks[role](inputs, training=False)
    except Exception as error:  # whatever a network of the user's own raises
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RecipeError(
            f"{model.recipe.name}: {role} does not take {inputs.shape[1:]}: "
            f"{reason[:200]}"
        ) from None
    return [to_numpy(a) for a in (found if isinstance(found, (list, tuple)) else [found])]


def _same(recipe, role, what, found, wanted):
    if found != wanted:
        raise RecipeError(
            f"{recipe.name}: {role} gives {what} of shape {found[1:]}, {wanted[1:]} is "
            "needed"
        )
