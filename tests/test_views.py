"""Random views of faces, on which the attribute network learns."""

import numpy as np
from conftest import small
from scipy.ndimage import gaussian_filter

import data_utils
from models.keras_setup import keras, to_numpy
from train import views
from train.model import model_of

ops = keras.ops
RANGE = (-1.0, 1.0)


def test_quarter_turns_move_pixels_and_change_none(faces):
    images = data_utils.from_uint8(faces.images[:4], RANGE)
    turned = to_numpy(views.moved(images, ops.arange(4), ops.zeros((4, 4))))
    for k in range(4):
        np.testing.assert_allclose(turned[k], np.rot90(images[k], k), atol=2e-4)


def test_blur_is_a_gaussian_and_none_is_none(faces):
    images = data_utils.from_uint8(faces.images[:3], RANGE)
    sigma = np.array([0.0, 1.5, 4.0], "float32")
    blurred = to_numpy(views.blurred(images, sigma))
    np.testing.assert_array_equal(blurred[0], images[0])
    inside = slice(16, 48)
    for k in (1, 2):
        expected = gaussian_filter(images[k], (sigma[k], sigma[k], 0), truncate=6)
        difference = (blurred[k] - expected)[inside, inside]
        np.testing.assert_allclose(difference, 0, atol=0.01)


def test_views_are_a_function_of_seed_and_step(faces):
    """Of every kind there are some, whatever is not damaged stays upright and sharp,
    and labels are mixed with the images."""
    recipe = small("attributes", batch_size=48)
    images = data_utils.from_uint8(faces.images, RANGE)
    labels = np.stack([faces.label(n) for n in faces.attributes], 1).astype("float32")

    def made(seed, step):
        model = model_of(recipe, seed)
        model.step.assign(step)
        model.batch = 48
        model.begin()
        return [to_numpy(x) for x in views.views(images, labels, model.random)]

    first, again, later = made(0, 3), made(0, 3), made(0, 4)
    for a, b, c in zip(first, again, later, strict=True):
        np.testing.assert_array_equal(a, b)
        assert (a != c).any()
    seen, mixed, damaged, turns, blur = first
    assert 2 < damaged.sum() < 24 and set(damaged) == {0, 1}
    assert (turns[damaged == 0] == 0).all() and (blur[damaged == 0] == 0).all()
    assert len(set(turns[damaged == 1])) > 1 and (blur[damaged == 1] > 0).all()
    assert np.abs(seen).max() <= 1
    pure = (mixed == labels).all(1)
    assert 24 < pure.sum() < 48
    shares = np.abs(mixed - labels).max(1)[~pure]
    assert (shares <= 0.5).all() and (shares > 0).all()
