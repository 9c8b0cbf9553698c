"""Report B: two-branch generator, average-pooled discriminator, three heads.

A comment with kernel / filters / strides marks a row of the report's tables, in
their order. Rows without one are (chosen): the activations between them, leaky
ReLU 0.2, and the reshaping of noise. So is "same" padding.
"""

from functools import partial

from models import report_a
from models.keras_setup import keras
from models.layers import BatchNorm, conv, conv_transpose, output, stack

layers = keras.layers


def leaky():
    return layers.LeakyReLU(0.2)


# The report's picture of its VAE is lost; Report A's with half of the filters replaces
# it, with leaky ReLU and images in [-1, 1] (chosen).
vae_encoder = partial(report_a.vae_encoder, first=32)
vae_decoder = partial(report_a.vae_decoder, first=256, hidden=leaky, end="tanh")


def generator(latent=256, condition=0, size=64):
    """Noise (and label) `(latent + condition,)` -> image `(size, size, 3)` in [-1, 1].

    The first three rows of the report's table span both of its columns.
    """
    noise = keras.Input((latent + condition,), name="noise_and_label")
    return keras.Model(noise, _image(noise, size), name="generator")


def _image(noise, size):
    """The generator's table, from `(n,)` to an image `(size, size, 3)`."""
    side = size // 32
    start = stack(
        noise,
        layers.Reshape((1, 1, noise.shape[-1])),
        conv(side * side * 1024, 1, 1),  # 1x1 / 4096 / 1
        leaky(),
        layers.Reshape((side, side, 1024)),  # 2, 2, 1024
        conv_transpose(512, 4, 2),  # 4x4 / 512 / 2
    )
    left = stack(
        start,
        BatchNorm(),
        leaky(),
        conv_transpose(256, 4, 2),  # 4x4 / 256 / 2
        leaky(),
        conv_transpose(128, 9, 4),  # 9x9 / 128 / 4
        BatchNorm(),
    )
    right = stack(
        start,
        # Filters and stride are cut off in the table; the addition fixes both.
        conv_transpose(128, 16, 8),  # 16x16 / 128 / 8
        BatchNorm(),
    )
    return stack(
        layers.Add()([left, right]),
        leaky(),
        conv_transpose(64, 5, 2),  # 5x5 / 64 / 2
        leaky(),
        conv(3, 1, 1),  # 1x1 / 3 / 1
        output("tanh"),
    )


def _extractor(image):
    """The discriminator up to its dense layer of 256."""
    return stack(
        image,
        conv(256, 5, 2),  # 5x5 / 256 / 2
        leaky(),
        conv(128, 3, 1),  # 3x3 / 128 / 1
        leaky(),
        layers.AveragePooling2D(3, 2, "same"),  # 3x3 / - / 2
        conv(64, 3, 1),  # 3x3 / 64 / 1
        leaky(),
        conv(64, 3, 2),  # 3x3 / 64 / 2
        leaky(),
        layers.Flatten(),
        layers.Dense(256),
        leaky(),
    )


def _head(features, units, name, activation, probabilities):
    """Dense 64, then the answer."""
    return stack(
        features,
        layers.Dense(64, name=name + "_hidden"),
        leaky(),
        layers.Dense(units, name=name + "_head"),
        output(activation, name, probabilities),
    )


def discriminator(size=64, probabilities=False):
    """Image `(size, size, 3)` in [-1, 1] -> score or probability of being real `(1,)`."""
    image = keras.Input((size, size, 3), name="image")
    real = _head(_extractor(image), 1, "real", "sigmoid", probabilities)
    return keras.Model(image, real, name="discriminator")


def acgan_discriminator(size=64, probabilities=False):
    """Image -> scores or probabilities [real `(1,)`, the attribute `(1,)`]."""
    image = keras.Input((size, size, 3), name="image")
    features = _extractor(image)
    real = _head(features, 1, "real", "sigmoid", probabilities)
    label = _head(features, 1, "label", "sigmoid", probabilities)
    return keras.Model(image, [real, label], name="discriminator")


def infogan_discriminator(size=64, condition=7, probabilities=False):
    """Image -> scores or probabilities [real `(1,)`, each category `(condition,)`]."""
    image = keras.Input((size, size, 3), name="image")
    features = _extractor(image)
    real = _head(features, 1, "real", "sigmoid", probabilities)
    label = _head(features, condition, "label", "softmax", probabilities)
    return keras.Model(image, [real, label], name="discriminator")
