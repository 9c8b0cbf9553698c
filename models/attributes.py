"""The attribute network: reads the attributes of a face (13 in the course's data), to
measure generators.

It is in no report. It is trained on the labels of real faces like any recipe, and every
number that depends on it is recorded with its accuracy on real test faces. Two more
heads need no labels: how far a face was turned, and how much it was blurred. They make
its features depend on orientation and sharpness.
"""

from models.keras_setup import keras
from models.layers import BatchNorm, conv, output, stack

layers = keras.layers


def classifier(size=64, condition=13, probabilities=False):
    """Image `(size, size, 3)` in [-1, 1] -> scores, or [probability of each attribute
    `(condition,)`, probability of each of four quarter turns `(4,)`, blur in [0, 1]
    `(1,)`]."""

    def block(filters):
        down = conv(filters, 3, 2, use_bias=False)
        same = conv(filters, 3, 1, use_bias=False)
        return [*down, BatchNorm(), layers.ReLU(), *same, BatchNorm(), layers.ReLU()]

    image = keras.Input((size, size, 3), name="image")
    x = stack(
        image,
        [*conv(32, 3, 2, use_bias=False), BatchNorm(), layers.ReLU()],
        *(block(filters) for filters in (64, 128, 256)),
        layers.GlobalAveragePooling2D(name="features"),
        layers.Dropout(0.3),
    )
    heads = (("sigmoid", "attributes", condition), ("softmax", "turn", 4))
    heads += (("sigmoid", "blur", 1),)
    ends = [
        output(kind, name, probabilities)(layers.Dense(units, name=f"{name}_logits")(x))
        for kind, name, units in heads
    ]
    return keras.Model(image, ends, name="classifier")
