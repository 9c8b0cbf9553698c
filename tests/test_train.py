"""Runs in folders: resuming, what they write, and what goes wrong."""

import contextlib
import dataclasses
import math
import os
import re
import signal

import numpy as np
import pytest
import tiny
from conftest import command, history, refused, run_of
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import data_utils
from cli import UserError
from models import RECIPES, RecipeError, build, get_recipe, parameters
from models.keras_setup import keras, to_numpy
from train import checkpoint
from train.__main__ import main, parse
from train.log import Log, tag
from train.run import NotANumber, RunError
from train.work import expected


def arrays(path):
    with np.load(path, allow_pickle=False) as file:
        return {k: file[k] for k in file.files}


@pytest.mark.parametrize(
    ("recipe", "number"),  # acgan_b: labels, three optimizers
    [("acgan_b", signal.SIGKILL), ("vae_c", signal.SIGTERM)],
)
def test_stopped_and_resumed_equals_uninterrupted(
    recipe, number, faces_folder, tmp_path, monkeypatch
):
    monkeypatch.setitem(RECIPES, recipe, tiny.recipe(recipe))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    words = [recipe, "--data", str(faces_folder), "--steps", "30"]
    words += ["--sample-every", "20", "--run"]
    grids = [10, 20, 25, 30]
    if number == signal.SIGKILL:
        done = command("tests/train_worker.py", *words, parts, PYTHONPATH=".")
        assert done.returncode == -9
        assert list(parts.glob(".*.tmp"))  # half of a checkpoint
        reached = 16
    else:
        with monkeypatch.context() as patch:
            patch.setattr("train.work.display", signalled(17, number))
            assert main([*words, str(parts)]) == 130
        reached = 17
        grids.insert(1, 17)  # where it was stopped
    assert arrays(parts / "checkpoint.npz")["x/step"] == reached
    assert main(["--run", str(parts)]) == 0  # it knows its recipe, data and steps
    assert parse(["--run", str(parts), "--epochs", "2"]).length == ("epochs", 2)
    assert main([*words, str(whole)]) == 0
    a, b = arrays(whole / "checkpoint.npz"), arrays(parts / "checkpoint.npz")
    assert a.keys() == b.keys() and a["x/step"] == 30
    for name in a.keys() - {"x/seconds", "x/identity"}:
        np.testing.assert_array_equal(a[name], b[name], name)
    assert history(whole) == history(parts)
    assert [int(row["step"]) for row in history(whole)] == [25, 30]
    assert not list(parts.glob(".*.tmp"))
    assert (parts / "samples.gif").stat().st_size > 1000
    assert sorted(int(p.stem) for p in (parts / "samples").iterdir()) == grids
    check_tensorboard(parts, grids)


def signalled(step, number):
    """In place of `train.work.display`: a signal in the middle of step `step`."""

    @contextlib.contextmanager
    def display(*words):
        yield lambda now, logs: now == step and os.kill(os.getpid(), number)

    return display


def check_tensorboard(run, grids):
    events = EventAccumulator(str(run), {"images": 0})
    events.Reload()
    rows = history(run)
    names = rows[0].keys() - {"step"}
    tags = events.Tags()["scalars"]
    assert {tag(name) for name in names} | {"speed/seconds"} <= set(tags)
    assert {t.partition("/")[0] for t in tags} >= {"loss", "rate", "speed"}
    (card,) = events.Tensors("run")  # what tells two runs apart
    (text,) = card.tensor_proto.string_val
    assert b"python -m train" in text and b"| setting | report |" in text
    for name in names:
        points = events.Scalars(tag(name))
        assert [p.step for p in points] == [int(r["step"]) for r in rows]
        for point, row in zip(points, rows, strict=True):
            assert point.value == pytest.approx(float(row[name]), rel=1e-4)
    assert [p.step for p in events.Images("samples")] == grids


def test_curves_drop_what_lies_after_the_step_that_a_run_goes_on_from(tmp_path):
    for start, values in ((0, (0.1, 0.2, 0.3)), (2, (0.9,)), (0, (0.7,))):
        log = Log(tmp_path, start)
        for step, value in enumerate(values, start + 1):
            log.scalars(step, {"loss": value})
        log.close()
        if start:
            losses = [(r["step"], r["loss"]) for r in history(tmp_path)]
            assert losses == [("1", "0.1"), ("2", "0.2"), ("3", "0.9")]
        with open(tmp_path / "history.csv", "a") as file:
            file.write("1")  # as a crash leaves it
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    (point,) = events.Scalars("loss/loss")
    assert point.step == 1 and point.value == pytest.approx(0.7)


@pytest.fixture(scope="module")
def faces(tiny_faces):
    return tiny_faces


@pytest.fixture
def run(faces, tmp_path):
    return run_of(tiny.recipe("vae_c"), faces, tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"batch_size": "3"}, "batch_size: the run has 2, this command has 3"),
        ({"vae.learning_rate": "0.1"}, "learning_rate: the run has 0.0002, this"),
        ({"seed": 5}, "seed: the run has 0, this command has 5"),
        ({"recipe": "dcgan_c"}, "name: the run has vae_c, this command has dcgan_c;"),
        ({"images": 9}, "data.images: the run has 48, this command has 9"),
    ],
)
def test_a_run_of_other_settings_is_refused_with_the_difference(
    changes, saying, run, faces
):
    seed, faces = changes.pop("seed", 0), faces.first(changes.pop("images", 48))
    recipe = tiny.recipe(changes.pop("recipe", "vae_c")).replace(changes)
    with pytest.raises(RunError, match=re.escape(saying)):
        run_of(recipe, faces, run.folder, seed)


def test_a_folder_that_is_no_run_is_refused(faces, tmp_path):
    (tmp_path / "thesis.txt").write_text("do not overwrite")
    with pytest.raises(RunError, match="not empty and not a run"):
        run_of(tiny.recipe("vae_c"), faces, tmp_path)
    with pytest.raises(UserError, match=r"cannot write there \(a file, not"):
        run_of(tiny.recipe("vae_c"), faces, tmp_path / "thesis.txt")
    (tmp_path / "thesis.txt").unlink()
    for name in ("train.log", "._grid.png", ".DS_Store"):  # are nobody's run
        (tmp_path / name).write_text("")
    run = run_of(tiny.recipe("vae_c"), faces, tmp_path)
    for name in ("._00000001.png", "best.png"):  # of another system, of a user
        (tmp_path / "samples" / name).write_text("")
    assert run.train(1) and (tmp_path / "samples.gif").exists()


def test_a_critic_may_have_scores_of_any_size(faces, tmp_path, monkeypatch):
    """Layer normalization makes them the same however strong the image is."""

    def discriminator():
        image = keras.Input((tiny.SIZE, tiny.SIZE, 3))
        x = keras.layers.LayerNormalization()(keras.layers.Flatten()(image))
        small = keras.initializers.RandomUniform(-0.01, 0.01)
        return keras.Model(image, 2 * keras.layers.Dense(1, kernel_initializer=small)(x))

    monkeypatch.setattr(tiny, "discriminator", discriminator)
    assert run_of(tiny.recipe("dcgan_c"), faces, tmp_path).step == 0


def mine(units=1, activation=None, channels=3):
    """A user's networks: how D ends, and what G draws."""

    def discriminator():
        end = keras.layers.Dense(units, activation)
        image = keras.Input((tiny.SIZE, tiny.SIZE, 3))
        return keras.Model(image, end(keras.layers.Flatten()(image)))

    def generator(latent):
        noise, shape = keras.Input((latent,)), (tiny.SIZE, tiny.SIZE, channels)
        x = keras.layers.Dense(math.prod(shape))(noise)
        return keras.Model(noise, keras.layers.Reshape(shape)(x))

    return {"generator": generator, "discriminator": discriminator}


@pytest.mark.parametrize(
    ("name", "faces_of", "networks", "saying"),
    [
        ("acgan_c", "unlabelled", None, "no CSV beside it"),
        ("dcgan_d", "repeated", None, "is there twice"),
        ("dcgan_d", "one", None, "one image"),
        (
            "dcgan_c",
            "all",
            mine(channels=1),
            r"first of shape \(16, 16, 1\)",
        ),
        ("dcgan_c", "all", mine(units=2), r"first of shape \(2,\); gans"),
        ("dcgan_c", "all", mine(activation="sigmoid"), r"take scores: end with Dense\(1"),
        ("vae_c", "all", {"encoder": tiny.discriminator}, "encoder gives 1 answers"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_a_run_is_begun(
    name, faces_of, networks, saying, faces, tmp_path, monkeypatch
):
    images = faces.images
    changes = {
        "unlabelled": {"attributes": None},
        "repeated": {"images": np.concatenate([images[:24]] * 2)},
        "one": {"images": images[:1]},
        "all": {},
    }
    for role, function in (networks or {}).items():
        monkeypatch.setattr(tiny, role, function)
    with pytest.raises((data_utils.DataError, RunError, RecipeError), match=saying):
        run_of(
            tiny.recipe(name),
            dataclasses.replace(faces, **changes[faces_of]),
            tmp_path / "run",
        )
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_checkpoint_cut_short_or_of_another_network(run, faces):
    run.save()
    whole = run.checkpoint.read_bytes()
    run.checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(checkpoint.CheckpointError, match="not a whole checkpoint"):
        run_of(run.recipe, faces, run.folder)
    place = whole.index(b"PK\x01\x02") + 10  # how the first array is compressed
    run.checkpoint.write_bytes(whole[:place] + b"c" + whole[place + 1 :])
    with pytest.raises(checkpoint.CheckpointError, match="not a whole checkpoint"):
        run_of(run.recipe, faces, run.folder)
    run.checkpoint.write_bytes(whole)
    other = {k: v for k, v in run.model.state().items() if "optimizer" not in k}
    with pytest.raises(checkpoint.CheckpointError, match="another network or optimizer"):
        checkpoint.restore(run.checkpoint, other)


def test_not_a_number_names_loss_and_step_and_keeps_the_checkpoint(run):
    step = run.model.train_step
    run.model.train_step = lambda data: step(data) | {"mse": float("nan")}
    with pytest.raises(NotANumber, match="mse is nan at step 1; no checkpoint was"):
        run.train(1)
    run.model.train_step = lambda data: {"mse": 0.5}
    run.step = 0
    run.train(2)
    good = run.checkpoint.read_bytes()
    kernel = run.model.networks["encoder"].trainable_variables[0]
    kernel.assign(to_numpy(kernel) * np.float32("inf"))
    saying = r"net/encoder/000/kernel is not finite .*; the last good .*; try a lower"
    with pytest.raises(NotANumber, match=saying) as error:
        run.save()
    assert error.value.status == 1
    assert run.checkpoint.read_bytes() == good


def test_the_collapse_meter_is_a_curve_with_points_apart(faces, tmp_path):
    run = run_of(tiny.recipe("dcgan_d", meter_every=50), faces.first(20), tmp_path)
    run.model.train_step = lambda data: {"d_loss": 0.5}
    generator = run.model.average["generator"]
    generator.set_weights([0 * w for w in generator.get_weights()])  # one image for all
    run.train(75, sample_every=1000)
    found = [(r["step"], r["diversity"]) for r in history(tmp_path)]
    assert found == [("25", ""), ("50", "0"), ("75", "")]
    assert run.identity["data"]["images"] == 20


def test_snapshots_are_the_averaged_networks_of_their_epochs(faces, tmp_path):
    recipe = tiny.recipe("vae_e", batch_size=12).replace({"snapshots": "1,2"})
    run = run_of(recipe, faces, tmp_path)
    run.train(4)  # 48 images are 4 steps
    decoder = build(recipe, "decoder")
    decoder.load_weights(tmp_path / "snapshots" / "epoch_001" / "decoder.weights.h5")
    average = run.model.average["decoder"].variables
    for a, b in zip(decoder.variables, average, strict=True):
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
    run.train(8)
    kept = {p.relative_to(tmp_path / "snapshots") for p in tmp_path.rglob("*.h5")}
    roles = ("decoder", "encoder")
    names = [f"epoch_00{k}/{role}.weights.h5" for k in (1, 2) for role in roles]
    assert sorted(map(str, kept)) == names


@pytest.mark.parametrize(
    ("words", "saying"),
    [
        (["vae_c", "--set", "batch"], ["FIELD=VALUE"]),
        (["vae_c", "--steps", "0"], ["--steps"]),
    ],
)
def test_command_line_mistakes(words, saying, faces_folder, tmp_path):
    common = ("--data", faces_folder, "--run", tmp_path / "run")
    refused(main, *common, *words, saying=saying)
    assert not (tmp_path / "run").exists()


def test_dry_run_writes_nothing(faces_folder, tmp_path, monkeypatch, capsys):
    recipe = tiny.recipe("acgan_c")
    monkeypatch.setitem(RECIPES, "acgan_c", recipe)
    run = tmp_path / "run"
    words = ["acgan_c", "--data", str(faces_folder), "--run", str(run), "--dry-run"]
    assert main([*words, "--set", "epochs=2", "--steps", "7"]) == 0  # the last word
    said = capsys.readouterr().out
    count = parameters(build(recipe, "generator"))
    assert f"generator: {count:,} trainable parameters" in said
    assert "48 images" in said and "7 steps about" in said
    assert not run.exists()


def test_a_start_says_what_its_settings_gave():
    recipe = get_recipe("vae_c").trained_here()
    assert expected(recipe).startswith("a run with these settings ships: test MSE")
    assert not expected(recipe.replace({"batch_size": "8"}))
