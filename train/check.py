"""The networks of a VAE or GAN, tried once before training: a mistake in a user's network
is one line, not a traceback from inside a step."""

import numpy as np

from models import RecipeError


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
    _answer(model, "discriminator", images, heads, (1,))
    network = model.networks["discriminator"]
    layers = {x.name: x for x in network.layers}
    names = getattr(network, "output_names", None) or list(layers)[-1:]
    layer = next((layers.get(name) for name in names), None)  # None: an operation
    ends = getattr(getattr(layer, "activation", None), "__name__", "")
    if ends in ("sigmoid", "tanh"):
        raise RecipeError(
            f"{recipe.name}: discriminator ends in {ends}; losses take scores: end with "
            "Dense(1)"
        )


def _answer(model, role, inputs, count, shape):
    """Call a network, which must give `count` answers, the first of this shape."""
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
