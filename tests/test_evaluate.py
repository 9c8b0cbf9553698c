"""The best checkpoint by a measure on test faces: that measure, what is kept, when
a run ends."""

import shutil

import numpy as np
import pytest
import tiny
from conftest import refused, run_of

from cli import UserError
from metrics import judge, record
from metrics.distance import frechet
from metrics.images import Real, Subject
from models import RECIPES, WEIGHTS, build, get_recipe, sampling
from models.keras_setup import keras, set_precision, to_numpy
from models.trained import Trained
from train import evaluate, exporting
from train.__main__ import main
from train.checkpoint import of_run
from train.evaluate import Evaluation
from train.exporting import export
from train.run import Run


@pytest.fixture
def faces(tiny_faces, monkeypatch):
    """What these recipes are trained on here, with networks of tests/tiny.py."""
    for name in ("vae_e", "acgan_c"):
        monkeypatch.setitem(RECIPES, name, tiny.recipe(name, evaluate_every=25))
    return tiny_faces


@pytest.mark.parametrize("name", ["vae_e", "acgan_c"])
def test_the_value_is_that_of_the_weights_exported(
    name, faces, faces_folder, tmp_path, monkeypatch
):
    """And the run goes on with the averages and the precision that it had."""
    monkeypatch.setattr(sampling, "BATCHES", (2, 8))
    monkeypatch.setattr(exporting, "VISIBLE", 0.0)  # no rounding
    set_precision("bfloat16")
    try:
        run = Run(get_recipe(name), faces, tmp_path / "run", 0, "bfloat16")
        evaluation = Evaluation(run.recipe, faces_folder, WEIGHTS)
        run.evaluation = evaluation
        run.train(25)
        average = [to_numpy(v) for n in run.model.average.values() for v in n.variables]
        value = evaluation(run.model.average)
        after = [to_numpy(v) for n in run.model.average.values() for v in n.variables]
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        set_precision("float32")
    for a, b in zip(average, after, strict=True):
        np.testing.assert_array_equal(a, b)
    root = tmp_path / "weights"
    card = export(run.folder, faces_folder, root).card
    assert (card["steps"], card["checkpoint"]) == (25, "best")
    history = Trained(name, root).history()
    assert history[evaluation.name].tolist() == [value]
    if name == "vae_e":
        measured = record.newest(Trained(name, root))["reconstruction"]["values"]
        assert value == pytest.approx(measured["mse_minus1_1"], rel=1e-4)
    else:
        real = Real(faces_folder, tiny.SIZE, 1000, WEIGHTS)
        features = Subject(Trained(name, root), real).features
        assert value == pytest.approx(frechet(real.features, features), rel=1e-3)


class Scripted:
    """An evaluation whose values are known."""

    name = "test_mse"

    def __init__(self, values):
        self.values = iter(values)

    def __call__(self, average):
        return next(self.values)


def begin(faces, folder, values):
    """A run of `vae_e` whose evaluations have these values, every 25 steps."""
    recipe = tiny.recipe("vae_e", evaluate_every=25)
    run = run_of(recipe, faces, folder)
    run.model.train_step = lambda data: {"loss": keras.ops.convert_to_tensor(0.5)}
    run.evaluation = Scripted(values)
    return run


def test_the_best_is_kept_whole_and_exported(faces, faces_folder, tmp_path):
    """Through a stop, and values that get worse."""
    folder, root = tmp_path / "run", tmp_path / "weights"
    begin(faces, folder, [3.0, 1.0]).train(50)
    kept = (folder / "best.npz").read_bytes()
    later = begin(faces, folder, [2.0, 1.5])
    later.train(100)
    assert later.best_value == 1.0 and (folder / "best.npz").read_bytes() == kept
    for last, said in ((False, (50, "best")), (True, (100, "last"))):
        card = export(folder, faces_folder, root, last=last, replace=last).card
        assert (card["steps"], card["checkpoint"]) == said
    assert Trained("vae_e", root).history()["step"].max() == 100


def test_a_run_whose_checkpoint_is_lost_goes_on_from_the_best(faces, tmp_path):
    run = begin(faces, tmp_path, [3.0, 2.0])
    run.train(60)
    assert of_run(tmp_path)[0] == run.best
    run.checkpoint.unlink()
    assert begin(faces, tmp_path, []).step == 50


def test_mistakes_come_before_anything_is_written(faces_folder, tmp_path, monkeypatch):
    run, plain = tmp_path / "run", tmp_path / "plain"
    shutil.copytree(faces_folder / "train", plain)
    refused(main, "vae_a", "--data", plain, "--run", run, saying=["no test/"])
    monkeypatch.setattr(evaluate, "COUNT", 16)  # the last ones
    refused(main, "vae_a", "--data", plain, "--run", run, saying=["--set images="])
    assert not run.exists()
    Evaluation(get_recipe("acgan_c"), faces_folder, tmp_path)  # the repository's judge
    monkeypatch.setattr(judge, "WEIGHTS", tmp_path)
    with pytest.raises(UserError, match="no trained weights"):
        Evaluation(get_recipe("acgan_c"), faces_folder, tmp_path)


def test_a_plain_folder_is_measured_on_the_images_that_training_leaves_out(
    faces_folder, tiny_networks, tmp_path, monkeypatch
):
    """In features of random weights, which no photographs taught."""
    shutil.copytree(faces_folder / "train", tmp_path / "plain")
    count = len(list((tmp_path / "plain").glob("*.png")))
    monkeypatch.setattr(evaluate, "COUNT", 16)
    recipe = tiny.recipe("dcgan_d", images=count - 16)
    found = Evaluation(recipe, tmp_path / "plain", WEIGHTS)
    generator = build(recipe, "generator")
    assert found({"generator": generator}) == found({"generator": generator}) > 0
    with pytest.raises(UserError, match="no test/"):
        Evaluation(tiny.recipe("dcgan_d"), tmp_path / "plain", WEIGHTS)
