"""A recent generator, in no report: what the same data and cores give with it.

A compact network. Upsampling and 3x3 convolutions replace transposed 4x4 kernels;
skip-layer excitation lets low resolutions weight the channels of high ones (FastGAN,
Liu et al. 2021); D has no batch norm and sees the standard deviation within its batch
(Karras et al. 2018). The loss is R3GAN's (Huang et al. 2024), see `train.gans`.
"""

from models.keras_setup import keras
from models.layers import BatchNorm, MinibatchStd, UpConv, conv, output, stack

layers = keras.layers
WIDTH = 32  # channels at full resolution


def he():
    """He's normal initialisation for leaky ReLU 0.2."""
    return keras.initializers.VarianceScaling(2 / 1.04, "fan_in", "untruncated_normal")


def leaky():
    return layers.LeakyReLU(0.2)


def generator(latent=128, condition=0, size=64, width=WIDTH):
    """Noise (and attributes) `(latent + condition,)` -> image `(size, size, 3)` in
    [-1, 1]."""

    def up(filters):
        return [UpConv(filters, he()), BatchNorm(), leaky()]

    def excite(x, filters):
        """Factors in (0, 1) of `filters` channels, `(1, 1, filters)`, from a map."""
        side = x.shape[1]  # becomes 4, by tiles or by a sliding window
        pool = (side - 3, 1) if side % 4 else (side // 4, None)
        return stack(
            x,
            layers.AveragePooling2D(*pool),
            conv(filters, 4, 1, pad=0, kernel_initializer=he()),
            leaky(),
            conv(filters, 1, 1, kernel_initializer=he()),
            layers.Activation("sigmoid"),
        )

    noise = keras.Input((latent + condition,), name="noise_and_label")
    side = size // 16
    start = stack(
        noise,
        layers.Dense(side * side * 8 * width, kernel_initializer=he()),
        layers.Reshape((side, side, 8 * width)),
        BatchNorm(),
        leaky(),
    )
    twice = stack(start, up(8 * width))  # 8x8
    x = stack(twice, up(4 * width), up(2 * width))  # 32x32
    x = layers.Multiply()([x, excite(start, 2 * width)])
    x = stack(x, up(width))  # 64x64
    x = layers.Multiply()([x, excite(twice, width)])
    x = stack(x, conv(3, 3, 1, kernel_initializer=he()), output("tanh"))
    return keras.Model(noise, x, name="generator")


def _features(image, width):
    """Image -> `(8 * width,)`."""

    def down(filters):
        return [*conv(filters, 4, 2, kernel_initializer=he()), leaky()]

    return stack(
        image,
        *(down(k * width) for k in (2, 4, 8, 8)),  # 32x32 to 4x4
        MinibatchStd(),
        conv(8 * width, 3, 1, kernel_initializer=he()),
        leaky(),
        layers.Flatten(),
        layers.Dense(8 * width, kernel_initializer=he()),
        leaky(),
    )


def discriminator(size=64, width=WIDTH):
    """Image `(size, size, 3)` in [-1, 1] -> score `(1,)`."""
    image = keras.Input((size, size, 3), name="image")
    score = layers.Dense(1, kernel_initializer=he())(_features(image, width))
    return keras.Model(image, output("linear", "score")(score), name="discriminator")


def attribute_discriminator(size=64, condition=13, width=WIDTH, probabilities=False):
    """Image -> [score `(1,)`, how well each attribute matches `(condition,)`, score or
    probability of each attribute `(condition,)`]."""
    image = keras.Input((size, size, 3), name="image")
    x = _features(image, width)
    score = layers.Dense(1, kernel_initializer=he())(x)
    match = layers.Dense(condition, use_bias=False, name="match_head")(x)
    match = layers.Rescaling((8 * width) ** -0.5, dtype="float32")(match)
    read = layers.Dense(condition, name="label_head")(x)
    score, match = output("linear", "score")(score), output("linear", "match")(match)
    label = output("sigmoid", "label", probabilities)(read)
    return keras.Model(image, [score, match, label], name="discriminator")
