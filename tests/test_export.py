"""From a run to the weights that inference reads."""

import shutil

import numpy as np
import pytest
import tiny
from conftest import refused, run_of

import data_utils
from models import RECIPES, latents, sampling
from models.keras_setup import keras, to_numpy
from models.layers import BatchNorm
from models.trained import Trained, save
from train import export, exporting


def test_weights_on_disk_are_the_same_numbers_and_rounded_kernels_are_small(tmp_path):
    """And every reader of HDF5 gets float32 of them."""
    network = keras.Sequential([keras.Input((3, 3, 64)), keras.layers.Conv2D(64, 3)])
    kernel = np.random.default_rng(0).standard_normal((3, 3, 64, 64)).astype("float32")
    bias = np.arange(64, dtype="float32") / 7
    path, sizes = tmp_path / "a.weights.h5", []
    kernels = [np.round(kernel / 10, decimals) for decimals in (0, 1, 2, 3, 4, 9)]
    clipped = np.round(np.clip(kernel / 100, -0.01, 0.01), 2)  # all within a step of 0
    for rounded in (*kernels, clipped, 0 * kernel):
        network.set_weights([rounded, bias])
        save(network, path)
        network.set_weights([np.ones_like(kernel), 0 * bias])
        network.load_weights(path)
        found = network.get_weights()
        np.testing.assert_allclose(found[0], rounded, atol=1e-7)
        np.testing.assert_array_equal(found[1], bias)
        sizes.append(path.stat().st_size)
    assert sizes[:6] == sorted(sizes[:6]) and sizes[1] < sizes[5] / 4


def test_export_on_the_command_line(
    tiny_faces, faces_folder, tmp_path, monkeypatch, capsys
):
    run, root = tmp_path / "run", tmp_path / "weights"
    words = ["--run", str(run), "--data", str(faces_folder)]
    refused(export.main, *words, saying=[run, "train it first"])
    run.mkdir()
    (run / "run.json").write_text("{}")
    refused(export.main, *words, saying=["not there yet"])
    (run / "checkpoint.npz").write_bytes(b"cut")
    refused(export.main, *words, saying=["not a whole checkpoint"])
    for text in ("{}", "[1]", '{"recipe": {"name": "vae_e", "later": 1}}'):
        np.savez(run / "checkpoint.npz", **{"x/step": 1, "x/identity": text})
        said = [run / "checkpoint.npz", "not of this version"]
        refused(export.main, *words, saying=said)
    shutil.rmtree(run)
    recipe = tiny.recipe("vae_e")
    monkeypatch.setitem(RECIPES, "vae_e", recipe)
    run_of(recipe, tiny_faces, run).train(1)
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
    refused(export.main, *words, saying=[f"{root / 'vae_e'}: has weights", "--replace"])
    left = root / ".vae_e.export"  # of one that was killed
    (left / "made").mkdir(parents=True)
    capsys.readouterr()
    assert export.main([*words, "--replace"]) == 0
    assert f"{root / 'vae_e'}: vae_e after 1 steps" in capsys.readouterr().out
    assert not left.exists()
    files = Trained("vae_e", root).card["files"].values()
    assert all(0 < entry["rounding"]["mean"] <= exporting.VISIBLE for entry in files)


def test_an_export_goes_beside_its_run_and_says_how_to_draw(
    tiny_faces, faces_folder, tmp_path, monkeypatch, capsys
):
    recipe = tiny.recipe("dcgan_c")
    monkeypatch.setitem(RECIPES, "dcgan_c", recipe)
    run = tmp_path / "run"
    trained = run_of(recipe, tiny_faces, run)
    trained.train(1)
    for _ in range(2):  # again, over its own weights
        assert export.main(["--run", str(run), "--data", str(faces_folder)]) == 0
    said = capsys.readouterr().out
    assert f"bash hw4_gan.sh {faces_folder} <out> {run}" in said
    weights = Trained.of(run / "weights")
    assert weights.card["steps"] == 1
    images = data_utils.from_uint8(tiny_faces.images, recipe.pixel_range)
    scores = sampling.run_network(trained.model.networks["discriminator"], images)
    found = sampling.run_network(weights.network("discriminator"), images)
    assert scores.std() > 1e-3  # of D, also as it is on disk
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-scores)), atol=np.ptp(scores) / 50)


class Nested(keras.layers.Layer):
    """As students write them: layers inside a layer."""

    def __init__(self, layer):
        super().__init__()
        self.parts = [layer]

    def build(self, shape):
        self.parts[0].build(shape)

    def call(self, x, training=False):
        return self.parts[0](x, training=training)


@pytest.mark.parametrize("kind", [BatchNorm, keras.layers.BatchNormalization])
def test_statistics_of_a_frozen_average_are_those_of_what_it_draws(kind, monkeypatch):
    """Only they change; of Keras' own layer, too, which a user's network may have, and
    wherever in the network they are."""
    monkeypatch.setattr(sampling, "BATCHES", (3, 8))
    recipe, norm = tiny.recipe("dcgan_c"), kind()
    noise = keras.Input((recipe.latent,))
    generator = keras.Model(noise, keras.Sequential([Nested(norm)])(noise))
    generator.trainable = False
    norm.moving_mean.assign(norm.moving_mean + 7)
    norm.moving_variance.assign(norm.moving_variance * 50)
    kept = norm.momentum, to_numpy(norm.gamma)
    sampling.recompute_batch_norm(generator, recipe)
    x = latents(recipe, range(10**9, 10**9 + 24)).reshape(3, 8, -1)
    mean, variance = to_numpy(norm.moving_mean), to_numpy(norm.moving_variance)
    np.testing.assert_allclose(mean, x.mean((0, 1)), atol=1e-4)
    unbiased = x.var(1, ddof=1 if kind is BatchNorm else 0).mean(0)
    np.testing.assert_allclose(variance, unbiased, rtol=1e-3)
    assert not norm.trainable and norm.momentum == kept[0]
    np.testing.assert_array_equal(to_numpy(norm.gamma), kept[1])
    generator(x[0], training=True)  # frozen: as Keras' layer has it
    np.testing.assert_array_equal(to_numpy(norm.moving_mean), mean)
