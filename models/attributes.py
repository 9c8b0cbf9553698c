"""The attribute network: reads 13 attributes off a face, to measure generators.

Of no report. It is trained on the labels of real faces like any recipe, and
every number that rests on it comes with its accuracy on real test faces.
"""

from models.keras_setup import keras
from models.layers import BatchNorm, conv, output, stack

layers = keras.layers


def classifier(size=64, attributes=13):
    """Image `(size, size, 3)` in [-1, 1] -> probability of each attribute
    `(attributes,)`."""

    def block(filters):
        half = conv(filters, 3, 1, use_bias=False)
        down = conv(filters, 3, 2, use_bias=False)
        return [*half, BatchNorm(), layers.ReLU(), *down, BatchNorm(), layers.ReLU()]

    image = keras.Input((size, size, 3), name="image")
    x = stack(
        image,
        conv(32, 3, 2, use_bias=False),
        BatchNorm(),
        layers.ReLU(),
        block(64),
        block(128),
        block(256),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.3),
        layers.Dense(attributes),
        output("sigmoid", "attributes"),
    )
    return keras.Model(image, x, name="classifier")
