"""A generator that starts as a decoder of principal components."""

import json

import numpy as np
import pytest
import tiny
from conftest import write_faces

import data_utils
from cli import UserError
from models.keras_setup import to_numpy
from models.sampling import draw
from models.trained import Trained, ancestors
from train.export import export
from train.families import FAMILIES
from train.run import Run
from train.transfer import in_words, source_of, start_from
from train.warm_start import principal_codes, warm_start

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_codes_have_the_mean_and_covariance_of_the_noise(tiny_faces):
    images = tiny_faces.images / np.float32(255)
    codes, explained = principal_codes(images, 5)
    assert codes.shape == (48, 5) and codes.dtype == "float32"
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(codes.T), np.eye(5), atol=1e-3)
    assert 0.5 < explained < 1
    more, everything = principal_codes(images, 60)  # 48 images have 47 components
    assert more.shape == (48, 60) and np.isfinite(more).all()
    assert abs(more[:, 47:].std() - 1) < 0.1 and everything == pytest.approx(1, abs=1e-3)


def test_it_draws_images_from_their_codes_and_a_run_starts_from_it(tiny_faces, tmp_path):
    recipe = tiny.recipe("infogan_b")
    folder = tmp_path / "infogan_b"
    card = warm_start(recipe, tiny_faces, folder, epochs=30, rate=1e-2)
    assert card["steps"] == 60 and card["data"]["images"] == 48
    images = data_utils.from_uint8(tiny_faces.images, (-1.0, 1.0))
    one_for_all = np.square(images - images.mean(0)).mean()
    assert card["warm_start"]["loss"] < 0.7 * one_for_all
    model = FAMILIES[recipe.family](recipe, seed=1)
    said = start_from(model, source_of(folder, recipe))
    assert said["warm_start"] == card["warm_start"]
    assert "starts from a warm start of infogan_b (60 steps)" in in_words(said)
    assert not any(place.startswith("generator") for place in said["fresh"])


def test_a_folder_of_weights_may_have_any_name(tiny_faces, tmp_path):
    recipe = tiny.recipe("gan_b")
    warm_start(recipe, tiny_faces, tmp_path / "gan_b")
    (tmp_path / "gan_b").rename(tmp_path / "mine")
    assert Trained.of(tmp_path / "mine").recipe == recipe
    assert source_of(tmp_path / "mine", recipe).card["steps"] == 2
    assert draw(Trained.of(tmp_path / "mine"), range(3)).shape == (3, 16, 16, 3)


def test_one_image_and_an_error_that_is_no_number_are_refused(
    tiny_faces, tmp_path, fails
):
    recipe = tiny.recipe("gan_b")

    with pytest.raises(UserError, match="no longer a number"):
        warm_start(recipe, tiny_faces, tmp_path / "gan_b", epochs=3, rate=1e38)
    assert not list(tmp_path.iterdir())
    one = write_faces(tmp_path / "one", train=1)
    words = ["--data", one, "--weights", tmp_path / "weights"]
    fails("-m", "train.warm_start", "wgan_a", *words, saying=["one image"])


def test_what_has_no_warm_start(fails, faces_folder, tmp_path):
    words = ["--data", faces_folder, "--weights", tmp_path]
    fails("-m", "train.warm_start", "vae_c", *words, saying=["vae_c: no GAN"])
    (tmp_path / "gan_b").mkdir()
    fails("-m", "train.warm_start", "gan_b", *words, saying=[tmp_path / "gan_b: exists"])
    for rate in ("nan", "inf", "0"):
        saying = ["--epochs and --rate must be above 0"]
        fails("-m", "train.warm_start", "wgan_a", *words, "--rate", rate, saying=saying)
    words += ["--epochs", 0]
    fails("-m", "train.warm_start", "wgan_a", *words, saying=["--epochs and --rate"])


def test_the_same_recipe_on_the_same_images_counts_on(tmp_path, tiny_faces, faces_folder):
    """As if the run that was exported had gone on."""
    first = Run(tiny.recipe("wgan_a"), tiny_faces, tmp_path / "first", 0, "float32")
    first.train(2)
    card = export(tmp_path / "first", faces_folder, tmp_path / "weights")
    changed = tiny.recipe("wgan_a", flip=True)
    source, said = tmp_path / "weights" / "wgan_a", []
    here, elsewhere = card["hardware"], {"hardware": "1 x GPU", "precision": "bfloat16"}
    (source / "card.json").write_text(json.dumps(card | elsewhere))
    words = {"start": source, "report": said.append}
    run = Run(changed, tiny_faces, tmp_path / "second", 0, "float32", **words)
    assert run.step == int(to_numpy(run.model.step)) == 2
    assert run.images == card["images_seen"] and "counts on from step 2" in said
    run.train(3)
    again = Run(changed, tiny_faces, tmp_path / "second", 0, "float32", **words)
    assert again.step == 3
    more = export(tmp_path / "second", faces_folder, tmp_path / "more")
    assert (more["steps"], more["images_seen"]) == (3, 1.5 * card["images_seen"])
    assert more["training_hours"] >= card["training_hours"]
    assert ancestors(more) == [] and ancestors(card) == []
    (change,) = more["changes"]
    flip = {"setting": "flip", "before": False, "after": True}
    kind = {"setting": "precision", "before": "bfloat16", "after": "float32"}
    assert change == {"step": 2, "differences": [kind, flip]}
    assert more["hardware"] == f"1 x GPU; {here}"
    history = Trained("wgan_a", tmp_path / "more").history()
    assert history["step"].tolist() == [2, 3]
    # Killed before it saved anything, and begun again without a start.
    Run(changed, tiny_faces, tmp_path / "killed", 0, "float32", **words)
    run = Run(changed, tiny_faces, tmp_path / "killed", 0, "float32")
    assert run.step == 0 and run.identity["changes"] == []
    # Of other images it is another training.
    other = tiny_faces.first(20)
    run = Run(changed, other, tmp_path / "third", 0, "float32", **words)
    assert run.step == 0 and run.identity["from"]["counted"] is False
    # A card of an earlier version, without digests.
    card["data"].pop("digests")
    (source / "card.json").write_text(json.dumps(card))
    run = Run(changed, tiny_faces, tmp_path / "fourth", 0, "float32", **words)
    assert run.step == 0 and "card does not say of which images" in said[-1]
