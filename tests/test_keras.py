"""Algorithms as Keras models: its own `fit`, callbacks, `predict`."""

import csv

import numpy as np
import pytest
import tiny

from cli import UserError
from models.keras_setup import BACKEND, keras, to_numpy
from train.model import model_of

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX has no fit")
NAMES = ("wgan_gp_d", "acgan_b", "vae_e", "rpgan_attributes")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (50, 16, 16, 3), "uint8")


def labels_of(recipe):
    """None where the recipe learns from none."""
    shapes = {"attribute": (50,), "attributes": (50, recipe.condition)}
    shape = shapes.get(recipe.traits.learns)
    return shape and np.random.default_rng(1).integers(0, 2, shape).astype("int32")


class Batches(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.rows = []

    def on_train_batch_end(self, batch, logs):
        self.rows.append(dict(logs))


@pytest.mark.parametrize("name", NAMES)
def test_fit_takes_arrays_and_its_history_holds_means_of_epochs(name, images, tmp_path):
    recipe = tiny.recipe(name)
    model, batches = model_of(recipe), Batches()
    size = 8 * recipe.d_steps  # 50 images: the last batch is a smaller one
    callbacks = [
        batches,
        keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
        keras.callbacks.TensorBoard(tmp_path),
        keras.callbacks.ModelCheckpoint(
            tmp_path / "w.weights.h5", save_weights_only=True
        ),
    ]
    fitted = {"batch_size": size, "epochs": 2, "verbose": 0, "callbacks": callbacks}
    history = model.fit(images, labels_of(recipe), **fitted).history
    steps = -(-len(images) // size)
    assert len(batches.rows) == 2 * steps
    for key, epochs in history.items():
        for k, value in enumerate(epochs):
            rows = [row[key] for row in batches.rows[k * steps : (k + 1) * steps]]
            assert value == pytest.approx(np.mean(rows), rel=1e-4, abs=1e-6), key
    with open(tmp_path / "log.csv") as file:
        assert len(list(csv.DictReader(file))) == 2
    assert list(tmp_path.rglob("events.out.tfevents.*"))
    again = model_of(recipe, seed=1)
    again.load_weights(tmp_path / "w.weights.h5")
    noise = np.ones((3, recipe.latent + recipe.condition), "float32")
    drawn = to_numpy(again(noise))
    assert drawn.shape == (3, 16, 16, 3)
    np.testing.assert_array_equal(drawn, to_numpy(model(noise)))
    np.testing.assert_allclose(model.predict(noise, verbose=0), drawn, atol=1e-5)


def test_fit_takes_a_tf_data_set_of_floats(images):
    import tensorflow as tf

    recipe = tiny.recipe("dcgan_c", batch_size=10)
    scaled = images.astype("float32") / 127.5 - 1
    sets = (images, scaled)
    losses = [
        model_of(recipe).fit(
            tf.data.Dataset.from_tensor_slices(x).batch(10), shuffle=False, verbose=0
        )
        for x in sets
    ]
    same = [h.history["d_loss"][0] for h in losses]
    assert same[0] == pytest.approx(same[1], rel=1e-4)


def test_optimizers_are_taken_by_role_and_no_other_is_there(images):
    model = model_of(tiny.recipe("dcgan_c"))
    slow = keras.optimizers.SGD(1e-30)
    model.compile(generator=slow)
    assert model.optimizers["generator"] is slow and model.optimizer is None
    before = [to_numpy(v) for v in model.networks["generator"].trainable_variables]
    model.fit(images, batch_size=25, verbose=0)
    for a, v in zip(before, model.networks["generator"].trainable_variables, strict=True):
        np.testing.assert_allclose(a, to_numpy(v), atol=1e-20)
    with pytest.raises(UserError, match="no role critic; roles: generator, disc"):
        model.compile(critic=slow)


def test_a_callback_that_sets_a_rate_is_refused(images):
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.1)
    with pytest.raises(ValueError, match="learning_rate"):
        model_of(tiny.recipe("dcgan_c")).fit(images, verbose=0, callbacks=[schedule])
