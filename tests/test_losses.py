"""Losses against their formulas, written out in numpy."""

import numpy as np
import pytest

from train import losses

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
