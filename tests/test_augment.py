"""Differentiable augmentation."""

import numpy as np

from models.keras_setup import keras, to_numpy
from train.augment import augment
from train.backend import input_gradient


def randomness(seed):
    source = keras.random.SeedGenerator(seed)
    return lambda draw, *shape, **options: draw((4, *shape), seed=source, **options)


def images():
    return np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)).astype("float32")


def test_strength_zero_changes_nothing():
    found = to_numpy(augment(images(), 0.0, randomness(0)))
    np.testing.assert_allclose(found, images(), atol=1e-6)


def test_each_image_is_changed_by_itself_and_alike_for_a_seed():
    one, again, other = (
        to_numpy(augment(images(), 1.0, randomness(seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    same = np.repeat(images()[:1], 4, 0)
    changed = to_numpy(augment(same, 1.0, randomness(1)))
    assert all((changed[k] != changed[0]).any() for k in (1, 2, 3))


def test_translation_moves_zeros_in_and_nothing_else():
    from train.augment import shifted

    random = randomness(3)
    moved = [to_numpy(shifted(8, 2, random)) for _ in range(20)]
    places = {int(np.argmax(m[3]) - 3) for batch in moved for m in batch}
    assert places == {-2, -1, 0, 1, 2}
    for matrix in moved[0]:
        assert set(matrix.ravel()) <= {0.0, 1.0} and matrix.sum(1).max() == 1


def test_gradients_reach_every_pixel_that_stays():
    def loss(x):
        return keras.ops.sum(augment(x, 1.0, randomness(1)), (1, 2, 3))[:, None]

    gradient = to_numpy(input_gradient(loss, keras.ops.convert_to_tensor(images()), []))
    assert (np.abs(gradient[:, 4:-4, 4:-4]) > 1e-3).all()
