"""Differentiable augmentation (Zhao et al. 2020): colour and translation.

D sees only augmented images, so it cannot memorise 8,000 faces; gradients reach the
generator through the augmentation.
"""

from models.keras_setup import keras

ops = keras.ops
SHIFT = 8  # the largest translation at strength 1 is the side / SHIFT


def augment(images, strength, random):
    """Change brightness, saturation, contrast and position of each image at random.

    Args:
        images: float `(batch, height, width, 3)` in [-1, 1].
        strength: in [0, 1]; 0 changes nothing, 1 is that of the paper: brightness by
            up to 0.5, saturation times 0 to 2, contrast times 0.5 to 1.5, a shift by up
            to an eighth of the side, filled with zeros.
        random: `(draw of keras.random, *shape, **options)` -> `(batch, *shape)`.

    Returns:
        float32 images of the same shape.
    """
    x = ops.cast(images, "float32")

    def spread(most):
        return random(keras.random.uniform, 1, 1, 1, minval=-most, maxval=most)

    x = x + spread(0.5 * strength)
    grey = ops.mean(x, -1, keepdims=True)
    x = (x - grey) * (1.0 + spread(strength)) + grey
    mean = ops.mean(x, (1, 2, 3), keepdims=True)
    x = (x - mean) * (1.0 + spread(0.5 * strength)) + mean
    height, width = x.shape[1:3]
    rows = shifted(height, int(strength * height / SHIFT + 0.5), random)
    columns = shifted(width, int(strength * width / SHIFT + 0.5), random)
    x = ops.reshape(x, (-1, height, width * 3))
    x = ops.reshape(ops.matmul(rows, x), (-1, height, width, 3))
    return ops.matmul(columns[:, None], x)


def shifted(side, most, random):
    """Matrices `(batch, side, side)` that move rows by up to `most` positions."""
    if not most:
        return ops.eye(side)[None]
    places = random(keras.random.randint, 1, minval=-most, maxval=most + 1)
    # A position outside has no 1 in its row of the matrix, so zeros fill it.
    return ops.one_hot(ops.arange(side)[None] + places, side, dtype="float32")
