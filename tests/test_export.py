"""From a run to the weights that inference reads."""

import shutil

import numpy as np
import pytest
import tiny
from conftest import refused

from models import RECIPES, batch_statistics, build, latents
from models.keras_setup import keras, to_numpy
from models.layers import BatchNorm
from models.sampling import run_network
from models.trained import Trained, load, save
from train import export
from train.run import Run

ROLES = [(r, r.traits.draws or "classifier") for r in RECIPES.values()]
# One recipe for each function that builds what draws, or judges.
DISTINCT = {recipe.networks[role]: (recipe, role) for recipe, role in ROLES}


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "role"), DISTINCT.values(), ids=DISTINCT)
def test_a_network_does_the_same_once_it_is_saved_and_loaded(recipe, role, tmp_path):
    """Kernels rounded."""
    first, second = (build(recipe, role) for _ in range(2))
    path = tmp_path / f"{role}.weights.h5"
    save(first, path, 250)
    load(second, path)
    inputs = latents(recipe, [0, 1], [0, 1]) if recipe.traits.draws else None
    if inputs is None:
        inputs = np.linspace(-1, 1, 2 * 64 * 64 * 3, dtype="float32")
        inputs = inputs.reshape(2, 64, 64, 3)
    before, after = (run_network(network, inputs) for network in (first, second))
    if role == "classifier":
        before, after = before[0], after[0]
    np.testing.assert_allclose(after, before, atol=4 / 255)
    assert (after != 0).any()


def test_kernels_on_disk_are_as_near_as_their_levels(tmp_path):
    """And every reader of HDF5 gets float32 of them."""
    inputs = keras.Input((3, 3, 64))
    dense = keras.Sequential([inputs, keras.layers.Conv2D(64, 3)])
    kernel = np.random.default_rng(0).standard_normal((3, 3, 64, 64)).astype("float32")
    zero = np.zeros((3, 3, 64, 64), "float32")
    sizes = []
    for levels, change in ((25, 0.05), (2500, 0.0005), (0, 0)):
        for factor in (1e-4, 1, 1e4):
            dense.set_weights([factor * kernel, np.arange(64, dtype="float32") / 7])
            path = tmp_path / f"{levels}.weights.h5"
            save(dense, path, levels)
            before = dense.get_weights()
            dense.set_weights([zero, zero[0, 0, 0]])
            dense.load_weights(path)
            after = dense.get_weights()
            assert np.abs(after[0] - before[0]).max() <= change * factor * 5
            np.testing.assert_array_equal(after[1], before[1])
        sizes.append(path.stat().st_size)
    assert sizes == sorted(sizes)
    kernel[:, :, 0] *= 100  # an input of its own range does not make the others coarse
    dense.set_weights([kernel, zero[0, 0, 0]])
    save(dense, path)
    dense.load_weights(path)
    error = np.abs(dense.get_weights()[0] - kernel).max()
    assert error <= 6 * kernel.std() / 50 < np.abs(kernel).max() / 150
    dense.set_weights([zero, zero[0, 0, 0]])
    save(dense, path)  # no largest number to go by
    dense.load_weights(path)
    assert not np.any(dense.get_weights()[0])


def test_export_on_the_command_line(
    tiny_faces, faces_folder, tmp_path, monkeypatch, capsys
):
    run, root = tmp_path / "run", tmp_path / "weights"
    words = ["--run", str(run), "--data", str(faces_folder)]
    refused(export.main, *words, saying=[run, "train it first"])
    run.mkdir()
    for text in ("{}", "[1]", '{"recipe": {"name": "vae_e", "later": 1}}'):
        np.savez(run / "checkpoint.npz", **{"x/step": 1, "x/identity": text})
        said = [run / "checkpoint.npz", "not of this version"]
        refused(export.main, *words, saying=said)
    shutil.rmtree(run)
    refused(export.main, *words, "--levels", -1, saying=["--levels -1: 0 or more"])
    recipe = tiny.recipe("vae_e")
    monkeypatch.setitem(RECIPES, "vae_e", recipe)
    Run(recipe, tiny_faces, run, 0, "float32", report=lambda text: None).train(1)
    rows = (run / "history.csv").read_text().splitlines()
    later = ["25" + rows[1].removeprefix("1")]  # as a crash leaves what it lost
    (run / "history.csv").write_text("\n".join(rows + later) + "\n")
    (run / "snapshots" / "epoch_050").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    mistake = ["--weights", tmp_path / "file"]
    refused(export.main, *words, *mistake, saying=[f"{tmp_path / 'file'}: cannot write"])
    run.rename(tmp_path / "vae_e")  # weights would take the place of their run
    mistake = ["--run", tmp_path / "vae_e", "--data", faces_folder, "--weights", tmp_path]
    refused(export.main, *mistake, saying=[f"{tmp_path / 'vae_e'}: not weights"])
    (tmp_path / "vae_e").rename(run)
    words += ["--weights", str(root)]
    assert export.main(words) == 0
    assert {p.name for p in (root / "vae_e").iterdir()} == {
        "card.json",
        "history.csv",
        "encoder.weights.h5",
        "decoder.weights.h5",
        "prior.npz",
        "metrics.jsonl",
    }
    assert [p.name for p in root.iterdir()] == ["vae_e"]
    assert Trained("vae_e", root).history()["step"].tolist() == [1]
    refused(export.main, *words, saying=[f"{root / 'vae_e'}: has weights", "--replace"])
    left = root / ".vae_e.export"  # of one that was killed
    (left / "made").mkdir(parents=True)
    capsys.readouterr()
    assert export.main([*words, "--levels", "60", "--replace"]) == 0
    assert f"{root / 'vae_e'}: vae_e after 1 steps" in capsys.readouterr().out
    assert not left.exists()
    files = Trained("vae_e", root).card["files"].values()
    assert {entry["levels"] for entry in files} == {60}
    assert all(0 < entry["largest_change"]["by"] < 0.1 for entry in files)


def test_an_export_goes_beside_its_run_and_says_how_to_draw(
    tiny_faces, faces_folder, tmp_path, monkeypatch, capsys
):
    recipe = tiny.recipe("dcgan_c")
    monkeypatch.setitem(RECIPES, "dcgan_c", recipe)
    run = tmp_path / "run"
    Run(recipe, tiny_faces, run, 0, "float32", report=lambda text: None).train(1)
    for _ in range(2):  # again, over its own weights
        assert export.main(["--run", str(run), "--data", str(faces_folder)]) == 0
    said = capsys.readouterr().out
    assert f"bash hw4_gan.sh {faces_folder} <out> {run}" in said
    assert Trained.of(run / "weights").card["steps"] == 1


@pytest.mark.parametrize("kind", [BatchNorm, keras.layers.BatchNormalization])
def test_statistics_of_a_frozen_average_are_those_of_what_it_draws(kind, monkeypatch):
    """Only they change; of Keras' own layer, too, which a user's network may have."""
    monkeypatch.setattr(batch_statistics, "BATCHES", (3, 8))
    recipe = tiny.recipe("dcgan_c")
    noise = keras.Input((recipe.latent,))
    generator = keras.Model(noise, kind()(noise))
    generator.trainable = False
    norm = generator.layers[1]
    norm.moving_mean.assign(norm.moving_mean + 7)
    norm.moving_variance.assign(norm.moving_variance * 50)
    kept = norm.momentum, to_numpy(norm.gamma)
    batch_statistics.recompute_batch_norm(generator, recipe)
    x = latents(recipe, range(10**9, 10**9 + 24)).reshape(3, 8, -1)
    mean, variance = to_numpy(norm.moving_mean), to_numpy(norm.moving_variance)
    np.testing.assert_allclose(mean, x.mean((0, 1)), atol=1e-4)
    unbiased = x.var(1, ddof=1 if kind is BatchNorm else 0).mean(0)
    np.testing.assert_allclose(variance, unbiased, rtol=1e-3)
    assert not norm.trainable and norm.momentum == kept[0]
    np.testing.assert_array_equal(to_numpy(norm.gamma), kept[1])
    generator(x[0], training=True)  # frozen: as Keras' layer has it
    np.testing.assert_array_equal(to_numpy(norm.moving_mean), mean)
