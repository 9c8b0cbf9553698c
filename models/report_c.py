"""Report C: the networks that the report prints as PyTorch modules.

The comment beside a row is the module's number in the report. Layers, parameter counts
and, for the same weights, outputs are the same. Images are channels last here, so
`Flatten` orders features by (row, column, channel), in PyTorch by (channel, row,
column): weights ported from PyTorch need the rows of the next layer permuted. Fresh
weights are drawn as in PyTorch (chosen: the report does not mention initialisation).
"""

from models.keras_setup import keras
from models.layers import BatchNorm, conv, conv_transpose, output, pytorch_init, stack

layers = keras.layers


def vae_encoder(latent=512, size=64):
    """Image `(size, size, 3)` in [-1, 1] -> [mean, log variance], `(latent,)` each."""

    def block(filters):
        # The report names the module LeakyReLUConv2d and prints ReLU inside.
        return [*conv(filters, 4, 2, pad=1, use_bias=False), BatchNorm(), layers.ReLU()]

    image = keras.Input((size, size, 3), name="image")
    rows = (block(filters) for filters in (32, 64, 128, 256))
    x = stack(image, *rows, layers.Flatten())  # (0) to (4)
    mean = output("linear", "mean")(layers.Dense(latent, name="muParametrize")(x))
    log_var = layers.Dense(latent, name="logvarParametrize")(x)
    log_var = output("linear", "log_var")(log_var)
    return pytorch_init(keras.Model(image, [mean, log_var], name="encoder"))


def vae_decoder(latent=512, size=64):
    """Code `(latent,)` -> image `(size, size, 3)` in [-1, 1]; the report's sides
    are 4-12-28-60-64."""

    def block(filters):
        up = conv_transpose(filters, 6, 2, "valid", use_bias=False)
        return [*up, BatchNorm(), layers.LeakyReLU(0.01)]

    code = keras.Input((latent,), name="code")
    side = (size - 32) // 8
    x = stack(
        code,
        layers.Dense(side * side * 256),  # (0) 4096
        layers.Reshape((side, side, 256)),  # (1) unFlatten
        block(128),  # (2)
        block(64),  # (3)
        block(32),  # (4)
        conv_transpose(3, 5, 1, "valid"),  # (5)
        output("tanh"),  # (6)
    )
    return pytorch_init(keras.Model(code, x, name="decoder"))


def dcgan_generator(latent=100, size=64, dropout=0.0):
    """Noise `(latent,)` -> image `(size, size, 3)` in [-1, 1].

    The report has 64; `size` and `dropout` before the last convolution are
    Report D's.
    """

    def block(filters, kernel, strides, padding):
        up = conv_transpose(filters, kernel, strides, padding, use_bias=False)
        return [*up, BatchNorm(), layers.LeakyReLU(0.1)]

    noise = keras.Input((latent,), name="noise")
    x = stack(
        noise,
        layers.Reshape((1, 1, latent)),
        block(512, size // 16, 1, "valid"),  # (0)-(2), 4x4
        block(256, 4, 2, "same"),  # (3)-(5), 8x8
        block(128, 4, 2, "same"),  # (6)-(8), 16x16
        block(64, 4, 2, "same"),  # (9)-(11), 32x32
        [layers.Dropout(dropout)] if dropout else [],
        conv_transpose(3, 4, 2, "same", use_bias=False),  # (12)
        output("tanh"),  # (13)
    )
    return pytorch_init(keras.Model(noise, x, name="generator"))


def dcgan_discriminator(size=64, dropout=0.0, critic=False, probabilities=False):
    """Image `(size, size, 3)` in [-1, 1] -> score or probability of being real `(1,)`.

    The report has 64; `dropout` before the last convolution is Report D's, and
    so is the `critic`: a score, not a probability, and no batch norm.
    """

    def block(filters):
        norm = [] if critic else [BatchNorm()]
        row = conv(filters, 4, 2, pad=1, use_bias=critic)
        return [*row, *norm, layers.LeakyReLU(0.2)]

    image = keras.Input((size, size, 3), name="image")
    x = stack(
        image,
        conv(64, 4, 2, pad=1, use_bias=critic),  # (0)
        layers.LeakyReLU(0.2),  # (1)
        block(128),  # (2)-(4)
        block(256),  # (5)-(7)
        block(512),  # (8)-(10)
        [layers.Dropout(dropout)] if dropout else [],
        conv(1, size // 16, 1, pad=0, use_bias=False),  # (11)
        layers.Flatten(),
        output("sigmoid", "real", probabilities and not critic),  # (12)
    )
    return pytorch_init(keras.Model(image, x, name="discriminator"))


def acgan_generator(latent=100, condition=1, size=64):
    """Noise and label `(latent + condition,)` -> image `(size, size, 3)` in [-1, 1]."""

    def block(filters, strides, padding, kernel=4):
        up = conv_transpose(filters, kernel, strides, padding, use_bias=False)
        return [*up, BatchNorm(), layers.ReLU()]

    noise = keras.Input((latent + condition,), name="noise_and_label")
    x = stack(
        noise,
        layers.Reshape((1, 1, latent + condition)),
        block(384, 1, "valid", size // 16),  # tconv1, 4x4
        block(192, 2, "same"),  # tconv2, 8x8
        block(96, 2, "same"),  # tconv3, 16x16
        block(48, 2, "same"),  # tconv4, 32x32
        conv_transpose(3, 4, 2, "same", use_bias=False),  # tconv5
        output("tanh"),
    )
    return pytorch_init(keras.Model(noise, x, name="generator"))


def acgan_discriminator(size=64, probabilities=False):
    """Image -> scores or probabilities [real `(1,)`, each class `(2,)`]."""

    def block(filters, strides, pad):
        down = conv(filters, 3, strides, pad, use_bias=False)
        return [*down, BatchNorm(), layers.LeakyReLU(0.2), layers.Dropout(0.5)]

    image = keras.Input((size, size, 3), name="image")
    x = stack(
        image,
        conv(16, 3, 2, pad=1, use_bias=False),  # conv1, 32x32
        layers.LeakyReLU(0.2),
        layers.Dropout(0.5),
        block(32, 1, 1),  # conv2
        block(64, 2, 1),  # conv3, 16x16
        block(128, 1, 0),  # conv4, 14x14
        block(256, 2, 0),  # conv5, 6x6
        block(512, 1, 0),  # conv6, 4x4
        layers.Flatten(),
    )
    real = layers.Dense(1, name="real_fc_dis")(x)
    real = output("sigmoid", "real", probabilities)(real)
    label = layers.Dense(2, name="label_fc_aux")(x)
    label = output("softmax", "label", probabilities)(label)
    return pytorch_init(keras.Model(image, [real, label], name="discriminator"))
