"""Losses against their formulas, written out in numpy."""

import numpy as np
import pytest
from conftest import small

from models import keras_setup
from models.keras_setup import keras, to_numpy
from train import losses
from train.backend import gradients
from train.model import model_of

SIDE = 64


def given(name, real, fake, critic=None, **settings):
    """An algorithm that has these generated images, and this critic."""
    model = model_of(small(name, image_size=SIDE), seed=1)
    for key, value in settings.items():
        setattr(model, key, value)
    model.fake, model.seen, model.batch = lambda y: fake, lambda images: images, 2
    if critic:
        model.D = critic
    return model


def critic_of(weights):
    """The sum of image x weights: its slope is the weights everywhere."""
    flat = weights.reshape(-1, 1)
    return lambda x: keras.ops.matmul(keras.ops.reshape(x, (-1, len(flat))), flat)


def test_r1_and_r2_of_a_linear_critic_every_other_step():
    weights = np.full((SIDE, SIDE, 3), 0.1, "float32")
    images = np.random.default_rng(0).uniform(-1, 1, (2, SIDE, SIDE, 3)).astype("float32")
    settings = {"r1": 0.5, "r2": 2.0, "penalty_every": 2}
    model = given("rpgan", -images, images, critic_of(weights), **settings)
    half = 0.5 * np.square(weights).sum()
    for step, times in ((0, 2), (1, 0), (2, 2)):
        model.step.assign(step)
        loss, logs = model.d_loss(images, None)
        penalty = float(loss) - float(logs["d_loss"])
        assert penalty == pytest.approx(times * (0.5 + 2.0) * half, rel=1e-4, abs=1e-5)
        assert float(logs["r1"]) == pytest.approx(times * half, rel=1e-5)


def test_penalties_take_the_slope_where_the_papers_do():
    """A critic of |image|^2 / 2 has the image as its slope: WGAN-GP's is that of a point
    between the pair (Gulrajani et al. 2017), R1's of the real, R2's of the fake image."""
    real, fake = np.float32([0.03, 0.01]), np.float32([0.05, -0.02])
    share = np.float32([0.25, 0.5])

    def images(levels):
        return levels[:, None, None, None] * np.ones((1, SIDE, SIDE, 3), "float32")

    def critic(x):
        return 0.5 * keras.ops.sum(keras.ops.square(x), (1, 2, 3))[:, None]

    model = given("wgan_gp_d", None, images(fake), critic)
    model.random = lambda draw, *shape: share.reshape(2, *shape)
    numbers = SIDE * SIDE * 3
    between = np.abs(share * real + (1 - share) * fake) * np.sqrt(numbers)
    expected = np.square(between - 1).mean()
    found = model.d_loss(images(real), None)[1]["gradient_penalty"]
    assert float(found) == pytest.approx(expected, rel=1e-5)
    model = given("rpgan", None, images(fake), critic, penalty_every=1)
    logs = model.d_loss(images(real), None)[1]
    for name, levels in (("r1", real), ("r2", fake)):
        half = 0.5 * numbers * np.square(levels).mean()
        assert float(logs[name]) == pytest.approx(half, rel=1e-5)


def test_gradient_penalty_where_the_slope_is_zero_keeps_gradients_finite():
    images = np.zeros((2, SIDE, SIDE, 3), "float32")
    model = given("wgan_gp_d", images, images)
    variables = model.optimized["discriminator"]
    for v in variables:
        v.assign(np.zeros(v.shape))
    others = [v for v in model.state_variables if all(v is not own for own in variables)]
    logs, found = gradients(lambda: model.d_loss(images, None), variables, others)
    assert float(logs["gradient_penalty"]) == 1
    assert all(np.isfinite(to_numpy(g)).all() for g in found)


def test_gradient_penalty_is_float32_in_a_run_of_bfloat16():
    found = []
    rng = np.random.default_rng(0)
    real, fake = rng.uniform(-1, 1, (2, 2, SIDE, SIDE, 3)).astype("float32")
    for precision in ("float32", "bfloat16"):
        keras_setup.set_precision(precision)
        model = given("wgan_gp_d", real, fake)
        keras_setup.set_precision("float32")
        logs = model.d_loss(real, None)[1]
        assert model.networks["discriminator"].layers[1].compute_dtype == precision
        found += [float(logs["gradient_penalty"]), to_numpy(model.D(real))]
    assert found[0] == pytest.approx(found[2], rel=1e-6)
    assert (found[1] != found[3]).any()  # the rest did run in bfloat16


def test_label_accuracy_with_one_unit_and_with_several():
    scores = np.float32([[-3.0], [0.5], [2.0]])
    two = np.concatenate([np.zeros_like(scores), scores], 1)  # the same, as a softmax
    for answers in (scores, two):
        found = losses.label_accuracy(answers, np.array([1, 0, 1], "int32"))
        assert float(found) == pytest.approx(1 / 3)


def test_kl_divergence_is_a_sum_over_units_and_a_mean_over_images():
    mean = np.float32([[0.0, 0.0], [1.0, -2.0]])
    log_var = np.float32([[0.0, 0.0], [0.0, np.log(4.0)]])
    second = 0.5 * (1 + 1 - 1 - 0) + 0.5 * (4 + 4 - 1 - np.log(4.0))
    found = float(losses.kl_divergence(mean, log_var))
    assert found == pytest.approx(second / 2, rel=1e-5)
    assert float(losses.kl_divergence(mean[:1], log_var[:1])) == 0
