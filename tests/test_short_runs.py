"""The short runs behind the report's remarks: what they vary, train and keep."""

import dataclasses
import json

import numpy as np
import pytest
import tiny
from PIL import Image

from cli import UserError
from models import latents
from models.keras_setup import to_numpy
from report import short_runs
from report.short_runs import STUDIES, Study, images_a_step
from train.model import model_of


@pytest.mark.parametrize("name", STUDIES)
def test_runs_of_a_study_see_as_many_images_and_none_is_another(name):
    study = STUDIES[name]
    recipes = {label: study.recipe_of(label) for label in study.runs}
    seen = [study.images // images_a_step(r) * images_a_step(r) for r in recipes.values()]
    assert max(seen) - min(seen) < max(map(images_a_step, recipes.values()))
    assert len({json.dumps(r.resolved()) for r in recipes.values()}) == len(recipes)
    assert set(study.fixed) <= set(study.runs)


def test_a_study_trains_measures_and_keeps_what_its_table_and_figures_need(
    faces_folder, tmp_path, monkeypatch
):
    small = tiny.recipe("infogan_b")
    monkeypatch.setattr(short_runs, "get_recipe", lambda name: small)
    monkeypatch.setattr(short_runs, "STEPS", 3)
    monkeypatch.setattr(short_runs, "COUNT", 28)
    monkeypatch.setattr(short_runs, "FIGURES", tmp_path)
    monkeypatch.setattr(short_runs, "RESULTS", tmp_path / "short_runs.json")
    study = Study(
        "infogan_b",
        images=10,
        runs={"as it is": {}, "no noise": {"image_noise": "0"}},
        losses=("d_loss_real", "d_loss_fake"),
    )
    monkeypatch.setitem(STUDIES, "tiny", study)
    for _ in range(2):  # the second time everything is there already
        numbers, samples = short_runs.train(study, faces_folder, tmp_path / "runs")
        short_runs.keep("tiny", numbers, samples)
    found = json.loads((tmp_path / "short_runs.json").read_text())["tiny"]
    assert found.keys() == study.runs.keys()
    one = found["as it is"]
    assert (one["steps"], one["batch"], one["images_seen"]) == (5, 2, 10)
    assert len(one["losses"]["d_loss_real"]) == 3
    assert one["metrics"]["frechet_attribute_features"]["distance"] > 0
    assert one["metrics"]["categories"]["own_classifier"]["n"] == 350
    assert samples["as it is"].shape == (short_runs.SHOWN, tiny.SIZE, tiny.SIZE, 3)
    for name in ("short_tiny.jpg", "short_tiny_steps.jpg"):
        with Image.open(tmp_path / name) as image:
            assert np.asarray(image).std() > 5


def test_rand_for_randn():
    recipe = dataclasses.replace(tiny.recipe("vae_c"), noise="uniform", latent=500)
    drawn = latents(recipe, range(20))
    assert drawn.min() >= 0 and drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)
    with pytest.raises(UserError, match="'noise' is one of normal, uniform"):
        recipe.replace({"noise": "rand"})
    with pytest.raises(UserError, match="'noise' cannot be none in a recipe of gan"):
        tiny.recipe("wgan_a").replace({"noise": "none"})


def test_an_autoencoder_is_trained_without_noise():
    steps = {}
    for noise in ("normal", "none"):
        recipe = dataclasses.replace(tiny.recipe("vae_c"), noise=noise, kl_weight=0.0)
        model = model_of(recipe)
        images = np.random.default_rng(0).integers(0, 256, (1, 2, 16, 16, 3), "uint8")
        pixels = model.pixels(images[0])
        code = model.networks["encoder"](pixels, training=True)[0]
        rebuilt = model.networks["decoder"](code, training=True)
        expected = float(((to_numpy(rebuilt) - to_numpy(pixels)) ** 2).mean())
        steps[noise] = float(model.train_step({"images": images})["mse"]), expected
    assert steps["none"][0] == pytest.approx(steps["none"][1], rel=1e-4)
    assert steps["normal"][0] != pytest.approx(steps["normal"][1], rel=1e-4)


def test_an_unknown_study_is_refused(monkeypatch):
    monkeypatch.setattr(
        "sys.argv", ["short_runs", "codes", "--data", "d", "--runs", "runs"]
    )
    with pytest.raises(UserError, match="unknown study 'codes'; known: code, "):
        short_runs.main()


def test_a_study_without_its_start_is_left_out(tmp_path, monkeypatch, capsys):
    trained = []
    monkeypatch.setattr(short_runs, "WEIGHTS", tmp_path)
    monkeypatch.setattr(short_runs, "train", lambda study, *rest: ({}, trained.append))
    monkeypatch.setattr(short_runs, "keep", lambda name, *rest: trained.append(name))
    monkeypatch.setattr("sys.argv", ["short_runs", "--data", "d", "--runs", "runs"])
    short_runs.main()
    assert trained == [name for name, study in STUDIES.items() if not study.start]
    assert "embedding: left out, it starts from gan_b" in capsys.readouterr().out
