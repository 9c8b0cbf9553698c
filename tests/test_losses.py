"""Losses against their formulas, written out in numpy."""

import numpy as np
import pytest
from conftest import small

from models import keras_setup
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
    assert float(losses.discriminator_bce(real, fake)) == pytest.approx(
        expected, rel=1e-5
    )
    soft = -(0.9 * np.log(d_real) + 0.1 * np.log(1 - d_real)).mean()
    expected = soft - np.log(1 - d_fake).mean()
    found = float(losses.discriminator_bce(real, fake, 0.9))
    assert found == pytest.approx(expected, rel=1e-5)
    expected = -np.log(d_fake).mean()
    assert float(losses.generator_bce(fake)) == pytest.approx(expected, rel=1e-5)


def test_bce_of_large_logits_is_finite():
    assert float(losses.generator_bce(np.float32([[-200.0]]))) == pytest.approx(200)
    assert float(losses.bce(np.float32([[200.0]]), 1.0)) == pytest.approx(0)


def test_wasserstein():
    real, fake = np.float32([[1.0], [3.0]]), np.float32([[0.0], [-2.0]])
    assert float(losses.critic_wasserstein(real, fake)) == -3.0
    assert float(losses.generator_wasserstein(fake)) == 1.0


def critic_of(weights):
    """A GAN whose critic is the sum of image x weights: its slope is the weights
    everywhere."""
    model = FAMILIES["gan"](small("wgan_gp_d", image_size=32), seed=1)
    model.judge = linear = keras.Sequential(
        [
            keras.Input(weights.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(1, use_bias=False),
        ]
    )
    linear.layers[-1].kernel.assign(weights.reshape(-1, 1))
    model.touched = [*model.touched, *linear.variables]
    return model


@pytest.mark.parametrize(("norm", "penalty"), [(1.0, 0.0), (3.0, 4.0), (0.0, 1.0)])
def test_gradient_penalty_of_a_linear_critic(norm, penalty):
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((32, 32, 3)).astype("float32")
    model = critic_of(weights * np.float32(norm / np.sqrt(np.square(weights).sum())))
    real, fake = rng.uniform(-1, 1, (2, 2, 32, 32, 3)).astype("float32")
    found = float(model.gradient_penalty(real, fake))
    assert found == pytest.approx(penalty, abs=1e-5)


def test_gradient_penalty_where_the_slope_is_zero_keeps_gradients_finite():
    model = critic_of(np.zeros((32, 32, 3), "float32"))
    kernel = model.judge.trainable_variables
    images = np.zeros((2, 32, 32, 3), "float32")

    def loss():
        penalty = model.gradient_penalty(images, images)
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
        found.append(float(model.gradient_penalty(real, fake)))
        answers = to_numpy(model.judge(real, training=True))
        assert model.judge.layers[1].compute_dtype == precision
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
