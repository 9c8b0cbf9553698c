"""Losses against their formulas, written out in numpy."""

import dataclasses

import numpy as np
import pytest
from conftest import small

from models import RecipeError, keras_setup
from models.keras_setup import keras, to_numpy
from train import losses
from train.backend import gradients
from train.families import FAMILIES

LOGITS = np.array([[-3.0], [0.5], [2.0]], "float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_discriminator_and_generator_bce():
    real, fake = LOGITS, LOGITS[::-1] * 0.5
    d_real, d_fake = sigmoid(real), sigmoid(fake)
    expected = -np.log(d_real).mean() - np.log(1 - d_fake).mean()
    found, parts = losses.discriminator_bce(real, fake)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(sum(parts.values())) == pytest.approx(expected, rel=1e-5)
    soft = -(0.9 * np.log(d_real) + 0.1 * np.log(1 - d_real)).mean()
    expected = soft - np.log(1 - d_fake).mean()
    found = losses.discriminator_bce(real, fake, 0.9)[0]
    assert float(found) == pytest.approx(expected, rel=1e-5)
    expected = -np.log(d_fake).mean()
    assert float(losses.generator_bce(fake)) == pytest.approx(expected, rel=1e-5)


def test_bce_of_large_logits_is_finite():
    assert float(losses.generator_bce(np.float32([[-200.0]]))) == pytest.approx(200)
    assert float(losses.bce(np.float32([[200.0]]), 1.0)) == pytest.approx(0)


def test_wasserstein():
    real, fake = np.float32([[1.0], [3.0]]), np.float32([[0.0], [-2.0]])
    assert float(losses.critic_wasserstein(real, fake)[0]) == -3.0
    assert float(losses.generator_wasserstein(fake)) == 1.0


def test_least_squares_hinge_and_relativistic():
    real, fake = np.float32([[1.5], [0.5]]), np.float32([[0.5], [-2.0]])
    pairs = {name: losses.adversarial(name) for name in losses.ADVERSARIAL}
    d = {name: float(pair.d_loss(real, fake)[0]) for name, pair in pairs.items()}
    g = {name: float(pair.g_loss(fake, real)) for name, pair in pairs.items()}
    assert d["least_squares"] == (0.25 + 0.25) / 4 + (0.25 + 4) / 4
    assert g["least_squares"] == (0.25 + 9) / 4
    assert d["hinge"] == (0 + 0.5) / 2 + (1.5 + 0) / 2 and g["hinge"] == 0.75
    softplus = np.log1p(np.exp([[-1.0], [-2.5]])).mean()
    assert d["relativistic"] == pytest.approx(softplus, rel=1e-5)
    softplus = np.log1p(np.exp([[1.0], [2.5]])).mean()
    assert g["relativistic"] == pytest.approx(softplus, rel=1e-5)
    with pytest.raises(RecipeError, match="unknown adversarial loss 'x'; known: bce, w"):
        losses.adversarial("x")


def critic_of(weights):
    """A GAN whose critic is the sum of image x weights: its slope is the weights
    everywhere."""
    model = FAMILIES["gan"](small("wgan_gp_d", image_size=32), seed=1)
    model.logits = linear = keras.Sequential(
        [
            keras.Input(weights.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(1, use_bias=False),
        ]
    )
    linear.layers[-1].kernel.assign(weights.reshape(-1, 1))
    model.touched = [*model.touched, *linear.variables]
    return model


def penalty_of(model, real, fake):
    return model.gradient_penalties(real, fake, model.score)[1]["gradient_penalty"]


def test_r1_and_r2_of_a_linear_critic_every_other_step():
    weights = np.full((32, 32, 3), 0.1, "float32")
    model = critic_of(weights)
    model.recipe = dataclasses.replace(
        model.recipe, gradient_penalty=0.0, r1=0.5, r2=2.0, penalty_every=2
    )
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    half = 0.5 * np.square(weights).sum()
    for step, times in ((0, 2), (1, 0), (2, 2)):
        model.step.assign(step)
        total, logs = model.gradient_penalties(images, -images, model.score)
        assert float(total) == pytest.approx(times * (0.5 + 2.0) * half, rel=1e-5)
        assert float(logs["r1"]) == pytest.approx(times * half, rel=1e-5)


def test_penalties_take_the_slope_where_the_papers_do():
    """A critic of |image|^2 / 2 has the image as its slope: WGAN-GP's is that of a point
    between the pair (Gulrajani et al. 2017), R1's of the real, R2's of the fake image."""
    model = FAMILIES["gan"](small("wgan_gp_d", image_size=32), seed=1)
    model.recipe = dataclasses.replace(model.recipe, r1=1.0, r2=1.0, penalty_every=1)
    real, fake = np.float32([0.03, 0.01]), np.float32([0.05, -0.02])
    share = np.float32([0.25, 0.5])
    model.random = lambda draw, *shape: share.reshape(2, *shape)

    def images(levels):
        return levels[:, None, None, None] * np.ones((1, 32, 32, 3), "float32")

    def critic(x):
        return 0.5 * keras.ops.sum(keras.ops.square(x), (1, 2, 3))[:, None]

    logs = model.gradient_penalties(images(real), images(fake), critic)[1]
    numbers = 32 * 32 * 3
    between = np.abs(share * real + (1 - share) * fake) * np.sqrt(numbers)
    expected = np.square(between - 1).mean()
    assert float(logs["gradient_penalty"]) == pytest.approx(expected, rel=1e-5)
    for name, levels in (("r1", real), ("r2", fake)):
        half = 0.5 * numbers * np.square(levels).mean()
        assert float(logs[name]) == pytest.approx(half, rel=1e-5)


@pytest.mark.parametrize(("norm", "penalty"), [(1.0, 0.0), (3.0, 4.0), (0.0, 1.0)])
def test_gradient_penalty_of_a_linear_critic(norm, penalty):
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((32, 32, 3)).astype("float32")
    model = critic_of(weights * np.float32(norm / np.sqrt(np.square(weights).sum())))
    real, fake = rng.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
    found = float(penalty_of(model, real, fake))
    assert found == pytest.approx(penalty, abs=1e-5)


def test_gradient_penalty_where_the_slope_is_zero_keeps_gradients_finite():
    model = critic_of(np.zeros((32, 32, 3), "float32"))
    kernel = model.logits.trainable_variables
    images = np.zeros((2, 32, 32, 3), "float32")

    def loss():
        penalty = penalty_of(model, images, images)
        return penalty, {"penalty": penalty}

    logs, (gradient,) = gradients(loss, kernel, model.touched[:-1])
    assert float(logs["penalty"]) == 1 and not to_numpy(gradient).any()


def test_gradient_penalty_is_float32_in_a_run_of_bfloat16():
    found = []
    rng = np.random.default_rng(0)
    real, fake = rng.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
    for precision in ("float32", "bfloat16"):
        keras_setup.set_precision(precision)
        model = FAMILIES["gan"](small("wgan_gp_d", image_size=32), seed=1)
        keras_setup.set_precision("float32")
        found.append(float(penalty_of(model, real, fake)))
        answers = to_numpy(model.logits(real, training=True))
        assert model.logits.layers[1].compute_dtype == precision
        found.append(answers)
    assert found[0] == pytest.approx(found[2], rel=1e-6)
    assert (found[1] != found[3]).any()  # the rest did run in bfloat16


def test_classification_with_one_unit_and_with_several():
    label = np.array([1, 0, 1], "int32")
    p = sigmoid(LOGITS[:, 0])
    expected = -np.log(np.where(label == 1, p, 1 - p)).mean()
    assert float(losses.classification(LOGITS, label)) == pytest.approx(
        expected, rel=1e-5
    )
    assert float(losses.label_accuracy(LOGITS, label)) == pytest.approx(1 / 3)
    two = np.concatenate([np.zeros_like(LOGITS), LOGITS], 1)  # the same, as a softmax
    assert float(losses.classification(two, label)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.label_accuracy(two, label)) == pytest.approx(1 / 3)


def test_kl_divergence_is_a_sum_over_units_and_a_mean_over_images():
    mean = np.float32([[0.0, 0.0], [1.0, -2.0]])
    log_var = np.float32([[0.0, 0.0], [0.0, np.log(4.0)]])
    second = 0.5 * (1 + 1 - 1 - 0) + 0.5 * (4 + 4 - 1 - np.log(4.0))
    found = float(losses.kl_divergence(mean, log_var))
    assert found == pytest.approx(second / 2, rel=1e-5)
    assert float(losses.kl_divergence(mean[:1], log_var[:1])) == 0


def test_mse_is_per_channel():
    images = np.zeros((2, 4, 4, 3), "float32")
    assert float(losses.mse(images, images + 0.5)) == 0.25
