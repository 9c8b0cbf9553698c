"""Losses as pure functions of arrays; every one returns a scalar in float32. Those of one
paper alone stand in its class, in `train.gans`."""

from models.keras_setup import keras

ops = keras.ops


def bce(scores, target):
    """-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), t = target in [0, 1]."""
    return ops.mean(ops.softplus(scores) - target * scores)


def gradient_penalty(gradients):
    """mean((|g| - 1)^2) over the batch, `gradients` being `(batch, ...)`.

    The norm of a gradient of 0 is treated as a constant: the derivative of the square
    root is infinite there, and one such image would make all weights NaN.
    """
    square = ops.sum(ops.square(gradients), range(1, len(gradients.shape)))
    flat = square == 0.0
    norm = ops.where(flat, 0.0, ops.sqrt(ops.where(flat, 1.0, square)))
    return ops.mean(ops.square(norm - 1.0))


def squared_gradient(gradients):
    """E |g|^2 / 2 over a batch of `gradients`, `(batch, ...)` (Mescheder et al. 2018)."""
    return 0.5 * ops.mean(ops.sum(ops.square(gradients), range(1, len(gradients.shape))))


def classification(scores, label):
    """Cross entropy: sigmoid for one unit, softmax for several.

    Args:
        scores: `(batch, 1)` or `(batch, classes)` float.
        label: `(batch,)` integers, the class of each image; or `(batch, attributes)`
            of 0 and 1, independent of each other, one a score.
    """
    if of_classes(scores, label):
        cross_entropy = keras.losses.sparse_categorical_crossentropy
        return ops.mean(cross_entropy(label, scores, from_logits=True))
    return bce(scores, ops.cast(ops.reshape(label, (-1, scores.shape[-1])), "float32"))


def label_accuracy(scores, label):
    """Share of images whose most likely class is `label`, or share of attributes read
    correctly; shapes as in `classification`."""
    if of_classes(scores, label):
        right = ops.argmax(scores, -1) == ops.cast(label, "int32")
    else:
        right = ops.equal(scores > 0, ops.reshape(label, (-1, scores.shape[-1])) > 0)
    return ops.mean(ops.cast(right, "float32"))


def of_classes(scores, label):
    """Whether a label is one of several classes, not yes or no."""
    return len(label.shape) == 1 and scores.shape[-1] > 1


def kl_divergence(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, 1)) in nats: summed over the code, mean
    over the batch. Both arguments are `(batch, latent)`."""
    per_unit = 0.5 * (ops.exp(log_var) + ops.square(mean) - 1.0 - log_var)
    return ops.mean(ops.sum(per_unit, -1))
