"""Report A: a VAE in [0, 1], a Wasserstein DCGAN, and its ACGAN.

The report describes these networks in words: four convolutions from 64
filters doubling to 512, batch norm and leaky ReLU. Kernel 5x5, stride 2 and
leaky slope 0.2 are (chosen).
"""

from models.keras_setup import keras
from models.layers import BatchNorm, conv, conv_transpose, output, stack

layers = keras.layers


def _down(filters):
    return [*conv(filters, 5, 2, use_bias=False), BatchNorm(), layers.LeakyReLU(0.2)]


def _up(filters, activation):
    return [*conv_transpose(filters, 5, 2, use_bias=False), BatchNorm(), activation]


def vae_encoder(latent=512, size=64, first=64):
    """Image `(size, size, 3)` in [0, 1] -> [mean, log variance], `(latent,)` each."""
    image = keras.Input((size, size, 3), name="image")
    rows = (_down(first * k) for k in (1, 2, 4, 8))
    x = stack(image, *rows, layers.Flatten())
    mean = output("linear", "mean")(layers.Dense(latent, name="z_mean")(x))
    log_var = output("linear", "log_var")(layers.Dense(latent, name="z_log_sigma_sq")(x))
    return keras.Model(image, [mean, log_var], name="encoder")


def vae_decoder(latent=512, size=64, first=512, hidden=layers.ReLU, end="sigmoid"):
    """Code `(latent,)` -> image `(size, size, 3)` in [0, 1]."""
    code = keras.Input((latent,), name="code")
    side = size // 16
    x = stack(
        code,
        layers.Dense(side * side * first),
        layers.Reshape((side, side, first)),
        _up(first // 2, hidden()),
        _up(first // 4, hidden()),
        _up(first // 8, hidden()),
        conv_transpose(3, 5, 2),
        output(end),
    )
    return keras.Model(code, x, name="decoder")


def generator(latent=100, condition=0, size=64):
    """Noise (and label) `(latent + condition,)` -> image in [-1, 1]."""
    noise = keras.Input((latent + condition,), name="noise_and_label")
    side = size // 16
    x = stack(
        noise,
        layers.Dense(side * side * 512, use_bias=False),
        layers.Reshape((side, side, 512)),
        BatchNorm(),
        layers.LeakyReLU(0.2),
        _up(256, layers.LeakyReLU(0.2)),
        _up(128, layers.LeakyReLU(0.2)),
        _up(64, layers.LeakyReLU(0.2)),
        conv_transpose(3, 5, 2),
        output("tanh"),
    )
    return keras.Model(noise, x, name="generator")


def _features(image):
    return stack(image, _down(64), _down(128), _down(256), _down(512), layers.Flatten())


def critic(size=64):
    """Image `(size, size, 3)` in [-1, 1] -> Wasserstein score `(1,)`, no sigmoid."""
    image = keras.Input((size, size, 3), name="image")
    score = output("linear", "score")(layers.Dense(1)(_features(image)))
    return keras.Model(image, score, name="discriminator")


def acgan_critic(size=64, probabilities=False):
    """Image -> [Wasserstein score `(1,)`, score or probability of the attribute]."""
    image = keras.Input((size, size, 3), name="image")
    features = _features(image)
    score = output("linear", "score")(layers.Dense(1)(features))
    # Not clipped with the critic: weights below 0.01 make no confident classifier.
    label = layers.Dense(1, name="label_head")(features)
    label = output("sigmoid", "label", probabilities)(label)
    return keras.Model(image, [score, label], name="discriminator")
