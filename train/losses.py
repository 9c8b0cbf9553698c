"""Losses as pure functions of arrays; every one returns a scalar in float32.

`real` and `fake` are a discriminator's scores of real and generated images, `(batch,
1)`, before any sigmoid; higher is more real. `ADVERSARIAL` at the end is the list of
adversarial losses. To add one, write its two functions and a row there; a recipe then
names it: `adversarial="<name>"`.
"""

import dataclasses
from collections.abc import Callable

from models.keras_setup import keras
from models.recipe import RecipeError

ops = keras.ops


def bce(logits, target):
    """-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), t = target in [0, 1]."""
    return ops.mean(ops.softplus(logits) - target * logits)


def discriminator_bce(real, fake, real_target=1.0):
    """-log D(x) - log(1 - D(G(z))), D = sigmoid; a real_target below 1 is a soft
    label."""
    on_real, on_fake = bce(real, real_target), bce(fake, 0.0)
    return on_real + on_fake, {"d_loss_real": on_real, "d_loss_fake": on_fake}


def generator_bce(fake, real=None):
    """-log D(G(z)), because log(1 - D(G(z))) has almost no gradient early on."""
    return bce(fake, 1.0)


def critic_wasserstein(real, fake, real_target=1.0):
    """E f(G(z)) - E f(x); its negative estimates the Wasserstein distance."""
    on_real, on_fake = ops.mean(real), ops.mean(fake)
    return on_fake - on_real, {"score_real": on_real, "score_fake": on_fake}


def generator_wasserstein(fake, real=None):
    """-E f(G(z))."""
    return -ops.mean(fake)


def discriminator_least_squares(real, fake, real_target=1.0):
    """((D(x) - 1)^2 + D(G(z))^2) / 2."""
    on_real = 0.5 * ops.mean(ops.square(real - real_target))
    on_fake = 0.5 * ops.mean(ops.square(fake))
    return on_real + on_fake, {"d_loss_real": on_real, "d_loss_fake": on_fake}


def generator_least_squares(fake, real=None):
    """(D(G(z)) - 1)^2 / 2."""
    return 0.5 * ops.mean(ops.square(fake - 1.0))


def discriminator_hinge(real, fake, real_target=1.0):
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z)))."""
    on_real, on_fake = ops.mean(ops.relu(1.0 - real)), ops.mean(ops.relu(1.0 + fake))
    return on_real + on_fake, {"d_loss_real": on_real, "d_loss_fake": on_fake}


def discriminator_relativistic(real, fake, real_target=1.0):
    """softplus(D(G(z)) - D(x)): each x should score above the G(z) paired with it."""
    scores = {"score_real": ops.mean(real), "score_fake": ops.mean(fake)}
    return ops.mean(ops.softplus(fake - real)), scores


def generator_relativistic(fake, real=None):
    """softplus(D(x) - D(G(z)))."""
    return ops.mean(ops.softplus(real - fake))


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


def classification(logits, label):
    """Cross entropy: sigmoid for one unit, softmax for several.

    Args:
        logits: `(batch, 1)` or `(batch, classes)` float.
        label: `(batch,)` integers, the class of each image; or `(batch, attributes)`
            of 0 and 1, independent of each other, one a logit.
    """
    if len(label.shape) == 2:
        return bce(logits, ops.cast(label, "float32"))
    if logits.shape[-1] == 1:
        return bce(logits, ops.cast(label, "float32")[:, None])
    return ops.mean(
        keras.losses.sparse_categorical_crossentropy(label, logits, from_logits=True)
    )


def label_accuracy(logits, label):
    """Share of images whose most likely class is `label`, or share of attributes read
    correctly; shapes as in `classification`."""
    if len(label.shape) == 2:
        return ops.mean(ops.cast(ops.equal(logits > 0, label > 0), "float32"))
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


@dataclasses.dataclass(frozen=True)
class Adversarial:
    """A pair of losses.

    Attributes:
        d_loss: (real, fake, real_target) -> (loss, {name: part of it}).
        g_loss: (fake, real) -> loss; `real` is None unless `pairs`.
        unit: the unit of both, for the axis of a figure.
        threshold: D calls an image real if its score is above this; None: above the
            midpoint of the mean scores of real and generated images.
        pairs: whether G's loss needs scores of real images.
    """

    d_loss: Callable
    g_loss: Callable
    unit: str
    threshold: float | None = 0.0
    pairs: bool = False


ADVERSARIAL = {
    # Goodfellow et al. 2014
    "bce": Adversarial(discriminator_bce, generator_bce, "binary cross entropy (nats)"),
    # Arjovsky et al. 2017; a score has no natural zero
    "wasserstein": Adversarial(
        critic_wasserstein, generator_wasserstein, "Wasserstein score", threshold=None
    ),
    # Mao et al. 2017
    "least_squares": Adversarial(
        discriminator_least_squares,
        generator_least_squares,
        "squared error",
        threshold=0.5,
    ),
    # Lim and Ye 2017
    "hinge": Adversarial(discriminator_hinge, generator_wasserstein, "hinge loss"),
    # Jolicoeur-Martineau 2019; Huang et al. 2024
    "relativistic": Adversarial(
        discriminator_relativistic,
        generator_relativistic,
        "softplus of a pair's difference",
        threshold=None,
        pairs=True,
    ),
}


def adversarial(name):
    """The `Adversarial` called `name`.

    Raises:
        RecipeError: unknown; the message lists the known ones.
    """
    if name not in ADVERSARIAL:
        known = ", ".join(ADVERSARIAL)
        raise RecipeError(f"unknown adversarial loss '{name}'; known: {known}")
    return ADVERSARIAL[name]
