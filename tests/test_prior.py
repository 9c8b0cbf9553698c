"""The density fitted to a VAE's codes."""

import json
import shutil

import numpy as np
import pytest

import data_utils
from cli import UserError
from models import WEIGHTS, latents, sampling
from models.prior import EACH, RIDGE, Fitted
from models.trained import Trained
from train.exporting import fit_prior
from train.feed import digests


def kept(means, log_vars, folder):
    """The density fitted to codes, written and read."""
    Fitted.of_codes(means, log_vars).save(folder / "prior.npz")
    return Fitted.load(folder / "prior.npz")


def test_a_known_gaussian_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    mixing, mean = rng.standard_normal((3, 3)), np.array([1.0, -2.0, 0.5])
    means = rng.standard_normal((20_000, 3)) @ mixing.T + mean
    variances = np.array([0.5, 1.0, 2.0])
    fitted = kept(means, np.log(np.broadcast_to(variances, means.shape)), tmp_path)
    np.testing.assert_allclose(fitted.mean, mean, atol=0.05)
    expected = mixing @ mixing.T + np.diag(variances)
    np.testing.assert_allclose(fitted.factor @ fitted.factor.T, expected, atol=0.1)
    codes = fitted.codes(rng.standard_normal((100_000, 3)).astype("float32"))
    assert codes.dtype == np.float32
    wider = 1 + RIDGE  # each of the components
    np.testing.assert_allclose(np.cov(codes.T), wider * expected, atol=0.25)


def test_a_known_mixture_comes_back(tmp_path):
    rng = np.random.default_rng(0)
    first = rng.random(4000) < 0.3
    means = rng.standard_normal((4000, 6)) * 0.1
    means[:, 0] = np.where(first, -4.0, 4.0)
    means[:, 1] *= np.where(first, 20, 1)
    fitted = kept(means, np.full(means.shape, -6.0), tmp_path)
    noise = rng.standard_normal((4000, 6)).astype("float32")
    codes = fitted.codes(noise)
    left = codes[:, 0] < 0
    assert 0.25 < left.mean() < 0.35
    assert (np.abs(codes[:, 0]) > 1).mean() > 0.97  # one Gaussian: 0.8
    assert codes[left, 1].std() > 2.5 * codes[~left, 1].std()
    shorter = fitted.codes(0.5 * noise)
    assert ((shorter[:, 0] < 0) == left).mean() > 0.99
    one = Fitted.of_codes(means[: 2 * EACH - 1], np.full((2 * EACH - 1, 6), -6.0))
    assert (np.abs(one.codes(noise)[:, 0]) > 1).mean() < 0.9


def test_fewer_codes_than_units_still_draw():
    fitted = Fitted.of_codes(np.eye(2, 8), np.full((2, 8), -60.0))
    codes = fitted.codes(np.random.default_rng(0).standard_normal((5, 8)))
    assert np.isfinite(codes).all()


def test_samples_of_both_priors_share_their_seeds():
    vae = Trained("vae_c")
    plain = sampling.draw(vae, [3, 8])
    fitted = sampling.draw(vae, [3, 8], prior="fitted")
    assert (plain != fitted).any()
    codes = vae.prior.codes(latents(vae.recipe, [3, 8]))
    alone = sampling.draw(vae, [8], prior="fitted")
    for images, again in ((fitted, sampling.render(vae, codes)), (fitted[1:], alone)):
        np.testing.assert_allclose(images.astype(int), again.astype(int), atol=1)


def test_a_density_that_is_not_there_or_was_changed(tmp_path):
    shutil.copytree(WEIGHTS / "vae_c", tmp_path / "vae_c")
    (tmp_path / "vae_c" / "prior.npz").write_bytes(b"x")
    with pytest.raises(UserError, match="does not match the sha256"):
        Trained("vae_c", tmp_path).check()
    path = tmp_path / "vae_c" / "card.json"
    card = json.loads(path.read_text())
    del card["prior"]
    path.write_text(json.dumps(card))
    with pytest.raises(UserError, match="export the run with its training"):
        _ = Trained("vae_c", tmp_path).prior


def test_a_density_is_fitted_to_the_codes_of_the_training_images(faces_folder, tmp_path):
    vae = Trained("vae_e")
    vae.card["data"]["images"] = 40
    faces = data_utils.load_faces(faces_folder, "train", 64).first(40)
    vae.card["data"]["digests"] = digests(faces)
    entry = fit_prior(vae, faces_folder, tmp_path)
    codes = Fitted.of_codes(*sampling.posterior(vae, faces.images))
    np.testing.assert_array_equal(Fitted.load(tmp_path / "prior.npz").mean, codes.mean)
    assert entry["images"] == 40 and entry["file"] == "prior.npz"
