"""What is random in a step: noise, augmentation, the attribute network's views."""

import numpy as np
import pytest
import tiny
from conftest import small
from scipy.ndimage import gaussian_filter

import data_utils
from models import latents
from models.keras_setup import keras, to_numpy
from train import classifier
from train.augment import augment, shifted
from train.backend import input_gradient
from train.model import model_of

ops = keras.ops
RANGE = (-1.0, 1.0)

# ---------------------------------------------------------------------- noise


def test_uniform_noise_is_in_0_to_1():
    drawn = latents(tiny.recipe("wgan_a", noise="uniform", latent=500), range(20))
    assert drawn.min() >= 0 and drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)


def test_an_autoencoder_is_trained_without_noise():
    errors = {}
    for noise in ("normal", "none"):
        recipe = tiny.recipe("vae_c").replace({"noise": noise, "kl_weight": "0"})
        model = model_of(recipe, 0)
        images = np.random.default_rng(0).integers(0, 256, (1, 2, 16, 16, 3), "uint8")
        pixels = model.pixels(images[0])
        code = model.networks["encoder"](pixels, training=True)[0]
        rebuilt = model.networks["decoder"](code, training=True)
        expected = float(((to_numpy(rebuilt) - to_numpy(pixels)) ** 2).mean())
        errors[noise] = float(model.train_step((images,))["mse"]), expected
    assert errors["none"][0] == pytest.approx(errors["none"][1], rel=1e-4)
    assert errors["normal"][0] != pytest.approx(errors["normal"][1], rel=1e-4)


@pytest.mark.parametrize(("pixel_range", "deviation"), [((-1, 1), 0.1), ((0, 1), 0.05)])
def test_noise_on_what_d_sees_is_a_share_of_the_pixel_range(pixel_range, deviation):
    model = model_of(tiny.recipe("wgan_a", image_noise=0.1, pixel_range=pixel_range), 0)
    model.batch = 64
    images = np.zeros((64, 16, 16, 3), "float32")
    assert to_numpy(model.seen(images)).std() == pytest.approx(deviation, rel=0.02)


# --------------------------------------------------------------- augmentation


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


# ---------------------------------------------------------------------- views


def test_quarter_turns_move_pixels_and_change_none(faces):
    images = data_utils.from_uint8(faces.images[:4], RANGE)
    turned = to_numpy(classifier.moved(images, ops.arange(4), ops.zeros((4, 4))))
    for k in range(4):
        np.testing.assert_allclose(turned[k], np.rot90(images[k], k), atol=2e-4)


def test_blur_is_a_gaussian_and_none_is_none(faces):
    images = data_utils.from_uint8(faces.images[:3], RANGE)
    sigma = np.array([0.0, 1.5, 4.0], "float32")
    blurred = to_numpy(classifier.blurred(images, sigma))
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
        return [to_numpy(x) for x in classifier.views(images, labels, model.random)]

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
