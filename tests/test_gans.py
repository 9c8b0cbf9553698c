"""What every player of every algorithm minimizes, recomputed in numpy from a
discriminator whose answers are known."""

import dataclasses

import numpy as np
import pytest
import tiny

from models.keras_setup import keras, to_numpy
from train.model import model_of

ops = keras.ops
WEIGHT = 3.0  # of the classification
REAL = np.float32([0.2, -0.7, 0.5])[:, None, None, None] * np.ones((1, 16, 16, 3), "f4")
FAKE = -1.5 * REAL + 0.1  # no number of it is one of `REAL`
LABEL = np.array([1, 0, 1], "int32")


def mean(images):
    return to_numpy(images)[:, 0, 0, :1]


def score(images):
    return 2 * mean(images) + 0.3


def softplus(x):
    return np.log1p(np.exp(x))


def made(name, classes=None, more=(), **changes):
    """An algorithm whose D answers the score and `classes`, one row, times the mean."""
    recipe = tiny.recipe(name, batch_size=3, **changes)
    if "classify" in recipe.settings:
        settings = recipe.settings | {"classify": WEIGHT}
        recipe = dataclasses.replace(recipe, settings=settings)
    model = model_of(recipe, seed=1)
    rows = [] if classes is None else [np.float32([row]) for row in (classes, *more)]

    def answers(images):
        level = images[:, 0, 0, :1]
        score = 2 * level + 0.3
        return [score, *(ops.matmul(level, row) for row in rows)] if rows else score

    model.D, model.seen = answers, lambda images: images
    model.G = lambda noise: ops.convert_to_tensor(FAKE)
    model.batch = 3
    return model


def binary(logits, label):
    """Mean cross entropy of sigmoids."""
    return (softplus(logits) - label * logits).mean()


def categorical(logits, label):
    """Mean cross entropy of a softmax."""
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return -np.log(shares[np.arange(len(label)), label]).mean()


def same(found, expected):
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


# The losses of D and of G, of the scores r of real and f of fake images.
CRITIC = (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean())
CROSS_ENTROPY = (
    lambda r, f: binary(r, 0.9) + binary(f, 0.0),
    lambda r, f: binary(f, 1.0),
)
PLAYERS = {
    "dcgan_c": CROSS_ENTROPY,
    "lsgan_d": (
        lambda r, f: 0.5 * (np.square(r - 1).mean() + np.square(f).mean()),
        lambda r, f: 0.5 * np.square(f - 1).mean(),
    ),
    "wgan_a": CRITIC,
    "wgan_gp_d": CRITIC,
    "rpgan": (lambda r, f: softplus(f - r).mean(), lambda r, f: softplus(r - f).mean()),
}


@pytest.mark.parametrize("name", PLAYERS)
def test_losses_of_an_unconditional_gan_are_its_papers(name):
    model = made(name)
    for setting in ("gradient_penalty", "r1", "r2"):  # penalties have tests of their own
        if setting in model.recipe.settings:
            setattr(model, setting, 0.0)
    of_d, of_g = (loss(score(REAL), score(FAKE)) for loss in PLAYERS[name])
    loss, logs = model.d_loss(REAL, None)
    same(loss, of_d)
    same(logs["d_loss"], of_d)
    same(model.g_loss(REAL, None)[0], of_g)


CLASSIFYING = {  # losses without the class; who minimises that of real images
    "acgan_a": (CRITIC, "D"),
    "acgan_c": (CROSS_ENTROPY, "D"),
    "acgan_b": (CROSS_ENTROPY, "classifier"),
    "infogan_b": (CROSS_ENTROPY, None),
}


@pytest.mark.parametrize("name", CLASSIFYING)
def test_g_minimises_the_requested_class_and_d_or_a_classifier_both(name):
    (of_d, of_g), reads_real = CLASSIFYING[name]
    of_d, of_g = of_d(score(REAL), score(FAKE)), of_g(score(REAL), score(FAKE))
    if name == "infogan_b":
        row = np.float32([0.5, -1.0, 2.0, 0.1, -0.4, 1.0, 0.7])
        condition, of_real = np.array([6, 0, 2], "int32"), 0.0
        of_fake = categorical(mean(FAKE) * row, condition)
    else:
        row, condition = [1.5], np.array([0, 0, 1], "int32")
        of_fake = binary(1.5 * mean(FAKE), condition[:, None])
        of_real = binary(1.5 * mean(REAL), LABEL[:, None])
    model = made(name, row)
    if "real_target" in model.recipe.settings:
        model.real_target = 0.9
    fake = ops.convert_to_tensor(FAKE)
    model.conditional = lambda: (fake, condition)
    same(model.g_loss(REAL, LABEL)[0], of_g + WEIGHT * of_fake)
    if reads_real == "D":
        same(model.d_loss(REAL, LABEL)[0], of_d + WEIGHT * (of_real + of_fake))
    else:
        same(model.d_loss(REAL, LABEL, (fake, condition))[0], of_d)
        found = model.c_loss(REAL, LABEL, (fake, condition))[0]
        same(found, of_real + of_fake)


def test_attribute_gan_scores_images_together_with_attributes():
    """Projection: an attribute's number counts for an image that should have it, against
    one that should not; relativistic pairs; G is condition for, and read as, the same."""
    match, read = np.float32([0.5, -0.2]), np.float32([1.0, 0.8])
    label = np.array([[1, 0], [0, 0], [1, 1]], "int32")
    model = made("rpgan_attributes", match, [read], condition=2)
    model.r1 = model.r2 = 0.0
    given = []
    model.G = lambda noise: given.append(noise[:, -2:]) or FAKE
    signs = 2.0 * label - 1

    def together(images):
        return score(images) + (mean(images) * match * signs).sum(-1, keepdims=True)

    margin = together(FAKE) - together(REAL)
    of_fake, of_real = (binary(mean(x) * read, label) for x in (FAKE, REAL))
    same(model.g_loss(REAL, label)[0], softplus(-margin).mean() + WEIGHT * of_fake)
    same(model.d_loss(REAL, label)[0], softplus(margin).mean() + WEIGHT * of_real)
    for condition in given:
        np.testing.assert_array_equal(to_numpy(condition), label)
