"""Losses as pure functions of arrays; every one returns a scalar in float32.

Names: `real` and `fake` are a discriminator's logits on real and generated
images, `(batch, 1)`; sigmoid(logit) is the probability of being real.
"""

from models.keras_setup import keras

ops = keras.ops


def bce(logits, target):
    """-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), t = target in [0, 1]."""
    return ops.mean(ops.softplus(logits) - target * logits)


def discriminator_bce(real, fake, real_target=1.0):
    """-log D(x) - log(1 - D(G(z))); a real_target below 1 is a soft label."""
    return bce(real, real_target) + bce(fake, 0.0)


def generator_bce(fake):
    """-log D(G(z)): maximised, where log(1 - D(G(z))) has no gradient early on."""
    return bce(fake, 1.0)


def critic_wasserstein(real, fake):
    """E f(G(z)) - E f(x), whose negative estimates the Wasserstein distance."""
    return ops.mean(fake) - ops.mean(real)


def generator_wasserstein(fake):
    """-E f(G(z))."""
    return -ops.mean(fake)


def slope_penalty(gradients):
    """mean((|g| - 1)^2) over the batch, `gradients` being `(batch, ...)`.

    Where a gradient is 0 its norm is taken as constant: the square root's own
    derivative there is infinite, and one such image would make all weights NaN.
    """
    square = ops.sum(ops.square(gradients), range(1, len(gradients.shape)))
    flat = square == 0.0
    norm = ops.where(flat, 0.0, ops.sqrt(ops.where(flat, 1.0, square)))
    return ops.mean(ops.square(norm - 1.0))


def classification(logits, label):
    """Cross entropy: sigmoid for one unit, softmax for several.

    Args:
        logits: `(batch, 1)` or `(batch, classes)` float.
        label: `(batch,)` integers, the class of each image.
    """
    if logits.shape[-1] == 1:
        return bce(logits, ops.cast(label, "float32")[:, None])
    return ops.mean(
        keras.losses.sparse_categorical_crossentropy(label, logits, from_logits=True)
    )


def label_accuracy(logits, label):
    """Share of images whose most likely class is `label`; shapes as above."""
    if logits.shape[-1] == 1:
        guess = ops.cast(logits[:, 0] > 0, "int32")
    else:
        guess = ops.cast(ops.argmax(logits, -1), "int32")
    return ops.mean(ops.cast(ops.equal(guess, ops.cast(label, "int32")), "float32"))


def mse(images, reconstructions):
    """Mean squared error over images, pixels and channels, pixel range squared."""
    return ops.mean(ops.square(images - reconstructions))


def kl_divergence(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, 1)) in nats: summed over the code, mean
    over the batch. Both arguments are `(batch, latent)`."""
    per_unit = 0.5 * (ops.exp(log_var) + ops.square(mean) - 1.0 - log_var)
    return ops.mean(ops.sum(per_unit, -1))
