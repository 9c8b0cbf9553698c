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


REAL_SCORE, FAKE_SCORE = (2 * x[:, 0, 0, :1] + 0.3 for x in (REAL, FAKE))
PLAYERS = {  # recipe: (loss of D, loss of G), of the scores r of real, f of fake images
    "dcgan_c": lambda r, f: (binary(r, 0.9) + binary(f, 0.0), binary(f, 1.0)),
    "lsgan_d": lambda r, f: (
        0.5 * (np.square(r - 1).mean() + np.square(f).mean()),
        0.5 * np.square(f - 1).mean(),
    ),
    "wgan_a": lambda r, f: (f.mean() - r.mean(), -f.mean()),
    "wgan_gp_d": lambda r, f: (f.mean() - r.mean(), -f.mean()),
    "rpgan": lambda r, f: (softplus(f - r).mean(), softplus(r - f).mean()),
}


@pytest.mark.parametrize("name", PLAYERS)
def test_losses_of_an_unconditional_gan_are_its_papers(name):
    model = made(name)
    for setting in ("gradient_penalty", "r1", "r2"):  # penalties have tests of their own
        if setting in model.recipe.settings:
            setattr(model, setting, 0.0)
    of_d, of_g = PLAYERS[name](REAL_SCORE, FAKE_SCORE)
    loss, logs = model.d_loss(REAL, None)
    same(loss, of_d)
    same(logs["d_loss"], of_d)
    same(model.g_loss(REAL, None)[0], of_g)


def test_report_as_acgan_adds_both_classes_to_the_critics_loss():
    model = made("acgan_a", [1.5])
    c = np.array([0, 0, 1], "int32")
    model.conditional = lambda: (ops.convert_to_tensor(FAKE), c)
    of_fake = binary(1.5 * mean(FAKE), c[:, None])
    of_real = binary(1.5 * mean(REAL), LABEL[:, None])
    critic = FAKE_SCORE.mean() - REAL_SCORE.mean()
    same(model.d_loss(REAL, LABEL)[0], critic + WEIGHT * (of_real + of_fake))
    same(model.g_loss(REAL, LABEL)[0], WEIGHT * of_fake - FAKE_SCORE.mean())


def binary(logits, label):
    """Mean cross entropy of sigmoids."""
    return (softplus(logits) - label * logits).mean()


def categorical(logits, label):
    """Mean cross entropy of a softmax."""
    shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return -np.log(shares[np.arange(len(label)), label]).mean()


def same(found, expected):
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_acgan_counts_the_class_asked_for_in_g_and_both_classes_in_d():
    model = made("acgan_c", [1.5])
    condition = np.array([0, 0, 1], "int32")
    model.conditional = lambda: (ops.convert_to_tensor(FAKE), condition)
    class_of = lambda images: 1.5 * mean(images)  # noqa: E731
    of_fake = binary(class_of(FAKE), condition[:, None])
    same(model.g_loss(REAL, LABEL)[0], binary(score(FAKE), 1.0) + WEIGHT * of_fake)
    both = binary(class_of(REAL), LABEL[:, None]) + of_fake
    told_apart = binary(score(REAL), model.real_target) + binary(score(FAKE), 0.0)
    same(model.d_loss(REAL, LABEL)[0], told_apart + WEIGHT * both)


@pytest.mark.parametrize("name", ["infogan_b", "acgan_b"])
def test_three_optimizers_have_the_class_in_g_and_in_the_classifier_not_in_d(name):
    row = np.float32([0.5, -1.0, 2.0, 0.1, -0.4, 1.0, 0.7])
    infogan = name == "infogan_b"
    model = made(name, row if infogan else [1.5])
    condition = np.array([6, 0, 2] if infogan else [0, 0, 1], "int32")
    model.conditional = lambda: (ops.convert_to_tensor(FAKE), condition)
    if infogan:
        of_fake = categorical(mean(FAKE) * row, condition)
        of_classifier, found = of_fake, model.c_loss(REAL, None, (FAKE, condition))[0]
    else:
        of_fake = binary(1.5 * mean(FAKE), condition[:, None])
        of_classifier = of_fake + binary(1.5 * mean(REAL), LABEL[:, None])
        found = model.c_loss(REAL, LABEL, (FAKE, condition))[0]
    same(found, of_classifier)
    same(model.g_loss(REAL, LABEL)[0], binary(score(FAKE), 1.0) + WEIGHT * of_fake)
    same(
        model.d_loss(REAL, LABEL, (FAKE, condition))[0],
        binary(score(REAL), model.real_target) + binary(score(FAKE), 0.0),
    )


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
