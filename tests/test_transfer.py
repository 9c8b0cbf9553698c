"""Starting from trained weights (`--from`)."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tiny
from conftest import refused, run_of

from cli import UserError
from models import RECIPES
from models.keras_setup import to_numpy
from models.trained import Trained, save, sha256
from train.__main__ import main
from train.model import model_of
from train.transfer import in_words, source_of, start_from

pytestmark = pytest.mark.usefixtures("tiny_networks")


def weights_of(name, root):
    """A folder of fresh weights of a recipe, and the model they are of."""
    recipe = tiny.recipe(name)
    model = model_of(recipe, seed=3)
    folder = root / name
    folder.mkdir()
    files = {}
    for role, network in model.networks.items():
        path = folder / f"{role}.weights.h5"
        save(network, path)
        files[role] = {"file": path.name, "sha256": sha256(path)}
    card = {"recipe": recipe.resolved(), "steps": 7, "epochs": 1.0, "files": files}
    card["data"] = {"name": "drawn"}
    (folder / "card.json").write_text(json.dumps(card))
    (folder / "history.csv").write_text("step\n7\n")
    return folder, model


def test_what_fits_is_taken_and_the_rest_starts_fresh(tmp_path):
    folder, before = weights_of("wgan_a", tmp_path)
    after = model_of(tiny.recipe("acgan_a"), seed=1)
    initial = {r: n.get_weights() for r, n in after.networks.items()}
    said = start_from(after, source_of(folder, after.recipe))
    fresh = {name.partition("/")[2] for name in said["fresh"]}
    taken = 0
    for role, network in after.networks.items():
        old = before.networks[role].weights
        for k, variable in enumerate(network.weights):
            expected = initial[role][k] if variable.path in fresh else to_numpy(old[k])
            np.testing.assert_array_equal(to_numpy(variable), expected)
            taken += variable.path not in fresh
    label, kernel = "label_head", after.networks["generator"].weights[0].path
    # A label joins the noise in the kernel.
    assert fresh == {f"{label}/kernel", f"{label}/bias", kernel}
    assert (said["recipe"], said["steps"], said["variables"]) == ("wgan_a", 7, taken)
    assert f"fresh: generator/{kernel}, discriminator/{label}/" in in_words(said)
    pairs = (after.networks["generator"], after.average["generator"])
    for v, a in zip(*(network.variables for network in pairs), strict=True):
        np.testing.assert_array_equal(to_numpy(v), to_numpy(a))


def test_a_first_stage_is_trained_in_the_run_which_then_starts_from_it(
    faces_folder, tmp_path, monkeypatch, capsys
):
    stage, recipe = tiny.recipe("decoder_b", steps=2), tiny.recipe("acgan_b", steps=2)
    monkeypatch.setitem(RECIPES, "decoder_b", stage)
    recipe = dataclasses.replace(recipe, start="decoder_b")
    monkeypatch.setitem(RECIPES, "acgan_b", recipe)
    words = ["acgan_b", "--data", str(faces_folder), "--run", str(tmp_path / "run")]
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").touch()
    refused(main, *words, saying=["not empty and not a run"])
    (tmp_path / "run" / "thesis.txt").unlink()
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "decoder_b starts, 2 steps" in said and "acgan_b starts, 2 steps" in said
    weights = Trained.of(tmp_path / "run" / "start" / "weights")
    assert weights.recipe.latent == recipe.latent + recipe.condition
    came_from = json.loads((tmp_path / "run" / "run.json").read_text())["from"]
    assert (came_from["recipe"], came_from["steps"]) == ("decoder_b", 2)
    assert not any(name.startswith("generator") for name in came_from["fresh"])
    assert list(came_from["sha256"]) == ["decoder"]
    assert main(words) == 0 and "all its 2 steps are done" in capsys.readouterr().out


def test_what_cannot_be_started_from(tmp_path, tiny_faces):
    def run(start):
        return run_of(tiny.recipe("acgan_a"), tiny_faces, tmp_path / "run", start=start)

    with pytest.raises(UserError, match="--from nowhere: no weights there"):
        run("nowhere")
    folder, _ = weights_of("attributes", tmp_path)
    with pytest.raises(UserError, match="it has no generator or discriminator"):
        run(folder)
    folder, _ = weights_of("wgan_a", tmp_path)
    (folder / "generator.weights.h5").write_bytes(b"")
    with pytest.raises(UserError, match="does not match the sha256"):
        run(folder)
    assert not (tmp_path / "run").exists()


def test_a_run_remembers_what_it_started_from(tmp_path, tiny_faces):
    folder, _ = weights_of("wgan_a", tmp_path)
    said = []

    def run(name, start):
        options = {"report": said.append, "start": start}
        return run_of(tiny.recipe("acgan_a"), tiny_faces, tmp_path / name, **options)

    run("with", folder).train(1)
    assert "starts from wgan_a (7 steps)" in said[0]
    resumed = run("with", folder)
    assert resumed.step == 1 and resumed.identity["from"]["recipe"] == "wgan_a"
    run("without", None).train(1)
    with pytest.raises(UserError, match="did not start from"):
        run("without", folder)
    (tmp_path / "more").mkdir()
    other, _ = weights_of("acgan_a", tmp_path / "more")
    with pytest.raises(UserError, match="did not start from"):
        run("with", other)
    shutil.rmtree(folder)
    assert run("with", folder).step == 1  # a run that goes on needs its start no more
