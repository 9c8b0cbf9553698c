"""The attribute network: its training, and the random views of faces it sees.

A view is made in Keras ops with the random numbers of the step, so it is a function of
(seed, step). It keeps what the labels describe. A *damaged* view is also turned by
quarters and blurred; the network learns to tell by how much.
"""

import math

from models.keras_setup import keras
from train.losses import bce
from train.model import Algorithm, one_step

ops = keras.ops

UNLABELLED = 0.1  # weight of the losses that need no labels
MIXED = 0.3  # share of images that are blended with up to half of another
DAMAGED = 0.2  # share of images that are turned and blurred
BLUR = 4.0  # pixels, the largest sigma of a blur
MOVED = 0.75  # share of images that are moved; the rest keep their pixels
ANGLE, ZOOM, SHIFT = math.radians(8), 0.1, 0.06  # at most; SHIFT times the side
BRIGHTNESS, CONTRAST, TINT = 0.15, 0.2, 0.06  # at most, images in [-1, 1]
HOLE = 0.25  # side of the grey square that covers half of the images


class Classifier(Algorithm):
    """A binary cross entropy for each attribute, on random views of faces. Two more
    losses need no labels: how a damaged view was turned (Gidaris et al. 2018) and how
    much it was blurred."""

    averaged = ("classifier",)

    @one_step
    def train_step(self, x, y):
        seen = views(x, ops.cast(y, "float32"), self.random)
        return self.minimize("classifier", self.reading_loss, *seen)

    def reading_loss(self, x, y, damaged, turns, blur):
        # Each loss is a mean over one kind of view. It divides by the expected number
        # of these views, not by the actual one, so that the mean over several
        # processes is the mean over the whole batch.
        whole = (1.0 - damaged) / (1.0 - DAMAGED)
        damaged = damaged / DAMAGED
        answers = self.networks["classifier"](x, training=True)
        guess, turn, sharp = (ops.cast(a, "float32") for a in answers)
        on_labels = ops.mean(whole * ops.mean(ops.softplus(guess) - y * guess, -1))
        each = keras.losses.sparse_categorical_crossentropy(turns, turn, from_logits=True)
        on_turns = ops.mean(damaged * each)
        on_blur = bce(sharp[:, 0], blur)
        right = ops.mean(ops.cast(ops.equal(guess > 0, y > 0.5), "float32"), -1)
        return on_labels + UNLABELLED * (on_turns + on_blur), {
            "c_loss_real": on_labels,
            "c_accuracy_real": ops.mean(whole * right),
            "turn_loss": on_turns,
            "blur_loss": on_blur,
        }

    def call(self, images, training=False):
        """Scores of images in [-1, 1]: of each attribute, quarter turn, blur."""
        return self.average["classifier"](images, training=False)


def views(images, labels, random):
    """Views of real images.

    Args:
        images: float32 `(n, size, size, 3)` in [-1, 1].
        labels: float32 `(n, attributes)` of 0 and 1.
        random: `random(draw, *shape, **options)` calls `draw` of `keras.random` with
            the shape `(n, *shape)`.

    Returns:
        (images, labels, damaged float32 `(n,)` of 0 and 1, quarter turns int32 `(n,)`
        in 0 to 3, blur float32 `(n,)` in [0, 1], the square root of sigma / `BLUR`).
        Turns and blur are 0 if an image is not damaged.
    """

    def uniform(*shape, low=-1.0):
        return random(keras.random.uniform, *shape, minval=low, maxval=1.0)

    share = 0.5 * ops.maximum(uniform(1, low=1 - 1 / MIXED), 0.0)
    labels = mixed(labels, share)
    images = mixed(images, share[:, :, None, None])
    damaged = ops.cast(uniform(low=0.0) < DAMAGED, "float32")
    turns = random(keras.random.randint, minval=0, maxval=4) * ops.cast(damaged, "int32")
    blur = uniform(low=0.0) * damaged
    resampled = ops.cast(uniform(1, low=0.0) < MOVED, "float32")
    images = moved(images, turns, resampled * uniform(4))
    images = blurred(images, BLUR * ops.square(blur))
    images = coloured(images, uniform(5))
    images = covered(images, uniform(3, low=0.0))
    return images, labels, damaged, turns, blur


def mixed(x, share):
    """Blend each row with a share of another (Zhang et al. 2018): the first row with the
    last, and so on."""
    return (1 - share) * x + share * ops.flip(x, 0)


def moved(images, turns, amount):
    """Turn images by quarters, and by a small angle, zoom and shift.

    Args:
        turns: int32 `(n,)`.
        amount: float32 `(n, 4)` in [-1, 1]: angle, zoom, shift to the right, down.
    """
    size = images.shape[1]
    angle = ops.cast(turns, "float32") * (math.pi / 2) + ANGLE * amount[:, 0]
    scale = ops.exp(ZOOM * amount[:, 1])
    a, b = scale * ops.cos(angle), scale * ops.sin(angle)
    middle, zero = (size - 1) / 2, ops.zeros_like(a)
    x, y = middle + SHIFT * size * amount[:, 2], middle + SHIFT * size * amount[:, 3]
    # Output pixel (x, y) comes from input (a x - b y + c, b x + a y + d).
    transform = [a, -b, middle - a * x + b * y, b, a, middle - b * x - a * y, zero, zero]
    return ops.image.affine_transform(
        images, ops.stack(transform, 1), "bilinear", "nearest"
    )


def blurred(images, sigma):
    """Convolve with a Gaussian of `sigma` pixels, `(n,)`; 0 changes nothing."""
    place = ops.arange(images.shape[1], dtype="float32")
    square = ops.square(place[:, None] - place)
    width = ops.maximum(sigma, 0.05)[:, None, None]  # exp(-200) is 0 in float32
    weight = ops.exp(-square / (2 * ops.square(width)))
    weight = weight / ops.sum(weight, -1, keepdims=True)
    images = ops.einsum("nij,njkc->nikc", weight, images)
    return ops.einsum("nij,nkjc->nkic", weight, images)


def coloured(images, amount):
    """Change brightness, contrast and tint; amount `(n, 5)` in [-1, 1]."""
    amount = amount[:, None, None]
    mean = ops.mean(images, (1, 2, 3), keepdims=True)
    images = mean + (images - mean) * (1 + CONTRAST * amount[..., :1])
    images = images + BRIGHTNESS * amount[..., 1:2] + TINT * amount[..., 2:]
    return ops.clip(images, -1.0, 1.0)


def covered(images, where):
    """Cover half of the images by a grey square; where `(n, 3)` in [0, 1]: its centre
    from the top and from the left, and whether there is one."""
    size = images.shape[1]
    place = (ops.arange(size, dtype="float32") + 0.5) / size
    near = [ops.abs(place - where[:, k : k + 1]) < HOLE / 2 for k in (0, 1)]
    inside = ops.logical_and(near[0][:, :, None], near[1][:, None, :])
    inside = ops.logical_and(inside, where[:, 2, None, None] < 0.5)
    return ops.where(inside[..., None], 0.0, images)
