"""Networks for images of 16x16, a few thousand numbers each, one for every role: what
tests train, export and draw with where the real networks are not the point.

`recipe(name)` is a recipe of the project with these in place of its own.
"""

import dataclasses
import sys

import numpy as np

from models import get_recipe
from models.keras_setup import keras
from models.layers import BatchNorm, conv, conv_transpose, output, stack

SIZE = 16
layers = keras.layers


def recipe(name, **changes):
    """A recipe with networks of this file, as its report has it otherwise; batches of 2
    unless told."""
    sys.modules["models.tiny"] = sys.modules[__name__]  # where `models.build` looks
    known = get_recipe(name)
    kinds = {"gan": "discriminator", "classifier": "classifier"}
    kind = kinds.get(known.family, f"{known.family}_discriminator")
    shades = "" if known.pixel_range == (-1.0, 1.0) else "_in_01"
    own = {
        "encoder": "tiny.encoder",
        "decoder": f"tiny.decoder{shades}",
        "generator": "tiny.generator",
        "discriminator": f"tiny.{kind}",
        "classifier": "tiny.classifier",
    }
    networks = {role: own[role] for role in known.networks}
    small = {"networks": networks, "image_size": SIZE, "batch_size": 2}
    small |= {"here": (), "evaluate_every": 0}
    return dataclasses.replace(known, **small | changes)


def _features(image):
    """Image `(16, 16, 3)` -> maps `(4, 4, 8)`."""
    return stack(
        image,
        conv(8, 3, 2, use_bias=False),
        BatchNorm(),
        layers.LeakyReLU(0.2),
        conv(8, 3, 2, use_bias=False),
        BatchNorm(),
        layers.LeakyReLU(0.2),
    )


def _draw(inputs, activation):
    return stack(
        inputs,
        layers.Dense(4 * 4 * 8, use_bias=False),
        layers.Reshape((4, 4, 8)),
        BatchNorm(),
        layers.ReLU(),
        conv_transpose(8, 4, 2, use_bias=False),
        BatchNorm(),
        layers.ReLU(),
        conv_transpose(3, 4, 2),
        output(activation),
    )


def encoder(latent):
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.Flatten()(_features(image))
    ends = [output("linear", n)(layers.Dense(latent)(x)) for n in ("mean", "log_var")]
    return keras.Model(image, ends, name="encoder")


def decoder(latent, activation="tanh"):
    code = keras.Input((latent,), name="code")
    return keras.Model(code, _draw(code, activation), name="decoder")


def decoder_in_01(latent):
    return decoder(latent, "sigmoid")


def generator(latent, condition=0):
    noise = keras.Input((latent + condition,), name="noise_and_label")
    return keras.Model(noise, _draw(noise, "tanh"), name="generator")


def _discriminator(probabilities, *heads):
    """Heads: (activation, name, units)."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.Dropout(0.3)(layers.Flatten()(_features(image)))
    ends = [
        output(kind, name, probabilities)(
            layers.Dense(units, use_bias=name != "match", name=f"{name}_head")(x)
        )
        for kind, name, units in heads
    ]
    return keras.Model(image, ends if len(ends) > 1 else ends[0], name="discriminator")


def discriminator(probabilities=False):
    return _discriminator(probabilities, ("sigmoid", "real", 1))


def acgan_discriminator(probabilities=False):
    return _discriminator(probabilities, ("sigmoid", "real", 1), ("sigmoid", "label", 1))


def infogan_discriminator(condition, probabilities=False):
    heads = ("sigmoid", "real", 1), ("softmax", "label", condition)
    return _discriminator(probabilities, *heads)


def attribute_gan_discriminator(condition, probabilities=False):
    heads = (("linear", "match", condition), ("sigmoid", "attributes", condition))
    return _discriminator(probabilities, ("sigmoid", "real", 1), *heads)


def classifier(condition, probabilities=False):
    image = keras.Input((SIZE, SIZE, 3), name="image")
    x = layers.GlobalAveragePooling2D(name="features")(_features(image))
    heads = (("sigmoid", "attributes", condition), ("softmax", "turn", 4))
    heads += (("sigmoid", "blur", 1),)
    ends = [
        output(kind, name, probabilities)(layers.Dense(units)(x))
        for kind, name, units in heads
    ]
    return keras.Model(image, ends, name="classifier")


def losses(name, **changes):
    """What one step logs where no random number has a say: G draws one image for every
    noise and label, D drops nothing. The same on every backend.

    Returns:
        {name: float}, two updates of D, then one of G.
    """
    from train.model import model_of

    calm = {"flip": False, "augment": 0.0, "image_noise": 0.0, "d_steps": 2}
    # Slowly: an update by a gradient that is rounding alone would be as large as others.
    calm["optimizers"] = {
        role: dataclasses.replace(optimizer, learning_rate=1e-7)
        for role, optimizer in get_recipe(name).optimizers.items()
    }
    tiny_recipe = recipe(name, **calm)
    settings = tiny_recipe.settings | changes
    model = model_of(dataclasses.replace(tiny_recipe, settings=settings), 0)
    rng = np.random.default_rng(0)
    for key, variable in model.state().items():
        if key.startswith("net/") and len(variable.shape) > 1:
            variable.assign(0.2 * rng.standard_normal(variable.shape))
    drawn = model.networks["generator"].weights[0]
    drawn.assign(np.zeros(drawn.shape))
    for layer in model.networks["discriminator"].layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
    images = rng.integers(0, 256, (2, 2, SIZE, SIZE, 3), "uint8")
    logs = model.train_step((images,))
    return {key: float(value) for key, value in logs.items()}
