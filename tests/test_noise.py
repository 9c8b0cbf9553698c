"""`noise` of a recipe: what a network draws from, and what a VAE adds to its codes."""

import numpy as np
import pytest
import tiny

from cli import UserError
from models import latents
from models.keras_setup import to_numpy
from train.model import model_of


def test_uniform_noise_is_in_0_to_1():
    drawn = latents(tiny.recipe("wgan_a", noise="uniform", latent=500), range(20))
    assert drawn.min() >= 0 and drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("name", "noise", "saying"),
    [
        ("vae_c", "rand", "'noise' must be one of normal, uniform"),
        ("vae_c", "uniform", "the KL term is that of normal noise"),
        ("wgan_a", "none", "'noise' cannot be none in a recipe of gan"),
    ],
)
def test_noise_that_does_not_fit_is_refused(name, noise, saying):
    with pytest.raises(UserError, match=saying):
        tiny.recipe(name).replace({"noise": noise})


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
