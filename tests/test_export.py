"""From a run to the weights that inference reads."""

import os
import shutil
import socket
import subprocess

import numpy as np
import pytest
import tiny
from conftest import refused

from models import RECIPES, build, get_recipe, latents, sampling
from models.keras_setup import keras, to_numpy
from models.layers import BatchNorm
from models.trained import Trained, load, save
from train import export, exporting
from train.run import Run


@pytest.mark.slow
def test_every_drawing_network_does_the_same_in_a_fresh_process(tmp_path, command):
    """save -> load, kernels rounded."""
    before = {}
    for name, recipe in distinct().items():
        role = drawing_role(recipe)
        network = build(recipe, role)
        path = tmp_path / f"{name}.weights.h5"
        save(network, path, 250)
        assert path.stat().st_size < exporting.LIMIT
        before[name] = first_answer(network, recipe, role)
    script = "\n".join(
        [
            "import sys; sys.path.insert(0, 'tests')",
            "import numpy as np",
            "from test_export import load_all",
            f"np.savez({str(tmp_path / 'after.npz')!r}, **load_all({str(tmp_path)!r}))",
        ]
    )
    done = command("-c", script)
    assert done.returncode == 0, done.stderr
    after = np.load(tmp_path / "after.npz")
    for name, images in before.items():
        np.testing.assert_allclose(after[name], images, atol=4 / 255, err_msg=name)
        assert (after[name] != 0).any()


def distinct():
    """Recipes, one for each function that builds what draws: the last."""
    last = {r.networks[drawing_role(r)]: r for r in RECIPES.values()}
    return {recipe.name: recipe for recipe in last.values()}


def drawing_role(recipe):
    return recipe.traits.draws or "classifier"


def inputs_of(recipe, role):
    if role == "classifier":
        return np.linspace(-1, 1, 2 * 64 * 64 * 3, dtype="float32").reshape(2, 64, 64, 3)
    return latents(recipe, [0, 1], [0, 1])


def first_answer(network, recipe, role):
    answers = network(inputs_of(recipe, role))
    return to_numpy(answers[0] if isinstance(answers, list) else answers)


def load_all(folder):
    out = {}
    for name, recipe in distinct().items():
        role = drawing_role(recipe)
        network = build(recipe, role)
        load(network, os.path.join(folder, f"{name}.weights.h5"))
        out[name] = first_answer(network, recipe, role)
    return out


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
    tiny_faces, faces_folder, tmp_path, fails, monkeypatch, capsys
):
    run, root = tmp_path / "run", tmp_path / "weights"
    words = ["--run", str(run), "--data", str(faces_folder)]
    fails("-m", "train.export", *words, saying=[run, "train it first"])
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
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = root / f".export-{socket.gethostname()}-{dead.pid}-x"  # of one that was killed
    left.mkdir()
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
def test_statistics_of_a_frozen_average_are_recomputed(kind, monkeypatch):
    """Of Keras' own layer, too, which a network of one's own may have."""
    monkeypatch.setattr(sampling, "BATCHES", (3, 8))
    recipe = tiny.recipe("dcgan_c")
    noise = keras.Input((recipe.latent,))
    generator = keras.Model(noise, kind()(noise))
    generator.trainable = False
    sampling.recompute_batch_norm(generator, recipe)
    x = latents(recipe, range(10**9, 10**9 + 24))
    (norm,) = [layer for layer in generator.layers if isinstance(layer, kind)]
    np.testing.assert_allclose(to_numpy(norm.moving_mean), x.mean(0), atol=1e-4)
    assert not norm.trainable
    before = to_numpy(norm.moving_mean)
    generator(x, training=True)  # frozen: as Keras' layer has it
    np.testing.assert_array_equal(to_numpy(norm.moving_mean), before)


def test_standing_statistics_are_those_of_what_the_generator_draws(monkeypatch):
    """Only statistics change, and the first layer's are those of its inputs."""
    monkeypatch.setattr(sampling, "BATCHES", (3, 8))
    recipe = get_recipe("acgan_c")
    generator = build(recipe, "generator")
    norms = [x for x in generator.layers if isinstance(x, BatchNorm)]
    for norm in norms:
        norm.moving_mean.assign(norm.moving_mean + 7)
        norm.moving_variance.assign(norm.moving_variance * 50)
    before = [to_numpy(v) for v in generator.trainable_variables]
    sampling.recompute_batch_norm(generator, recipe)
    for old, new in zip(before, generator.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, to_numpy(new))
    assert {norm.momentum for norm in norms} == {0.9}
    noise = latents(recipe, range(10**9, 10**9 + 24), np.arange(24) % 2)
    into = keras.Model(generator.input, norms[0].input)
    x = to_numpy(into(noise)).reshape(3, -1, norms[0].moving_mean.shape[0])
    np.testing.assert_allclose(
        to_numpy(norms[0].moving_mean), x.mean(1).mean(0), atol=1e-4
    )
    np.testing.assert_allclose(
        to_numpy(norms[0].moving_variance), x.var(1, ddof=1).mean(0), rtol=1e-3
    )
