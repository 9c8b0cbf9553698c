"""Report E: a small VAE with its KL term weighted 1, 0 and 100.

The report names only ReLU and a code of 20 or 50. Four stride-2 convolutions
32-64-64-128 with kernel 4, and their mirror image, are (chosen); without batch norm, so
that the three runs differ in the KL term only.
"""

from models.keras_setup import keras
from models.layers import conv, conv_transpose, output, stack

layers = keras.layers


def vae_encoder(latent=20, size=64):
    """Image `(size, size, 3)` in [0, 1] -> [mean, log variance], `(latent,)` each."""

    def block(filters):
        return [*conv(filters, 4, 2), layers.ReLU()]

    image = keras.Input((size, size, 3), name="image")
    x = stack(image, block(32), block(64), block(64), block(128), layers.Flatten())
    mean = output("linear", "mean")(layers.Dense(latent)(x))
    log_var = output("linear", "log_var")(layers.Dense(latent)(x))
    return keras.Model(image, [mean, log_var], name="encoder")


def vae_decoder(latent=20, size=64):
    """Code `(latent,)` -> image `(size, size, 3)` in [0, 1]."""

    def block(filters):
        return [*conv_transpose(filters, 4, 2), layers.ReLU()]

    code = keras.Input((latent,), name="code")
    side = size // 16
    x = stack(
        code,
        layers.Dense(side * side * 128),
        layers.ReLU(),
        layers.Reshape((side, side, 128)),
        block(64),
        block(64),
        block(32),
        conv_transpose(3, 4, 2),
        output("sigmoid"),
    )
    return keras.Model(code, x, name="decoder")
