"""Runs in folders: resuming, what they write, and what goes wrong."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import tiny
from conftest import REPOSITORY, refused

import data_utils
from models import RECIPES, build, get_recipe, latents, parameters
from models.keras_setup import to_numpy
from train import checkpoint
from train.__main__ import main
from train.log import Log, tag
from train.run import NotANumber, Run, RunError
from train.work import expected


def arrays(path):
    with np.load(path, allow_pickle=False) as file:
        return {k: file[k] for k in file.files}


def history(run):
    """Its rows without what a clock wrote."""
    clock = ("seconds", "images_per_second")
    with open(run / "history.csv", newline="") as file:
        return [
            {k: v for k, v in row.items() if k not in clock}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize(
    ("recipe", "number"),  # acgan_b: three optimizers
    [("vae_c", signal.SIGKILL), ("acgan_c", signal.SIGINT), ("acgan_b", signal.SIGTERM)],
)
def test_stopped_and_resumed_equals_uninterrupted(
    recipe, number, faces_folder, tmp_path, monkeypatch
):
    monkeypatch.setitem(RECIPES, recipe, tiny.recipe(recipe))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    words = [recipe, "--data", str(faces_folder), "--steps", "30"]
    words += ["--sample-every", "20", "--run"]
    if number == signal.SIGKILL:
        worker = [sys.executable, "tests/train_worker.py", *words, str(parts)]
        done = subprocess.run(
            [*worker, "--checkpoint-seconds", "0"],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": "."},
        )
        assert done.returncode == -9
        assert list(parts.glob(".*.tmp"))  # half of a checkpoint
        reached = 16
    else:
        with monkeypatch.context() as patch:
            patch.setattr(Run, "_record", signalled(17, number))
            assert main([*words, str(parts)]) == 130
        reached = 17
    assert arrays(parts / "checkpoint.npz")["x/step"] == reached
    assert main(["--run", str(parts)]) == 0  # it knows its recipe, data and steps
    assert main([*words, str(whole)]) == 0
    a, b = arrays(whole / "checkpoint.npz"), arrays(parts / "checkpoint.npz")
    assert a.keys() == b.keys() and a["x/step"] == 30
    for name in a:
        if name not in ("x/seconds", "x/pending"):
            np.testing.assert_array_equal(a[name], b[name], name)
    assert history(whole) == history(parts)
    assert [int(row["step"]) for row in history(whole)] == [25, 30]
    assert not list(parts.glob(".*.tmp"))
    assert (parts / "samples.gif").stat().st_size > 1000
    grids = [int(p.stem) for p in (parts / "samples").iterdir()]
    assert sorted(grids) == [10, 20, 25, 30]
    check_tensorboard(parts)


def signalled(step, number):
    """`Run._record` in a process that gets a signal in the middle of step `step`."""
    record = Run._record

    def _record(run, *words):
        record(run, *words)
        if run.step == step:
            os.kill(os.getpid(), number)

    return _record


def check_tensorboard(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), {"images": 0})
    events.Reload()
    with open(run / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    names = set(rows[0]) - {"step"}
    tags = events.Tags()["scalars"]
    assert {tag(name) for name in names} == set(tags) and len(names) == len(tags)
    assert {t.partition("/")[0] for t in tags} >= {"loss", "rate", "speed"}
    (card,) = events.Tensors("run")  # what tells two runs apart
    (text,) = card.tensor_proto.string_val
    assert b"python -m train" in text and b"| setting | report |" in text
    for name in names - {"seconds", "images_per_second"}:
        points = events.Scalars(tag(name))
        assert [p.step for p in points] == [int(r["step"]) for r in rows]
        for point, row in zip(points, rows, strict=True):
            assert point.value == pytest.approx(float(row[name]), rel=1e-4)
    assert [p.step for p in events.Images("samples")] == [10, 20, 25, 30]


def test_log_drops_what_lies_after_the_step_it_goes_on_from(tmp_path):
    log = Log(tmp_path, 0)
    for step in (1, 2, 3):
        log.scalars(step, {"loss": step / 10})
    log.close()
    with open(tmp_path / "history.csv", "a") as file:
        file.write("4")  # as a crash leaves it
    log = Log(tmp_path, 2)
    log.scalars(3, {"loss": 0.9})
    log.close()
    assert [(r["step"], r["loss"]) for r in history(tmp_path)] == [
        ("1", "0.1"),
        ("2", "0.2"),
        ("3", "0.9"),
    ]


def test_log_takes_columns_that_come_with_changed_settings(tmp_path):
    log = Log(tmp_path, 0)
    log.scalars(1, {"loss": 1.0})
    log.scalars(2, {"loss": 2.0, "diversity": 0.5})
    log.scalars(3, {"loss": 3.0})
    log.close()
    rows = [(r["step"], r["loss"], r["diversity"]) for r in history(tmp_path)]
    assert rows == [("1", "1", ""), ("2", "2", "0.5"), ("3", "3", "")]


def test_events_of_a_run_that_left_no_checkpoint_are_dropped(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for values in ((0.1, 0.2), (0.7,)):
        log = Log(tmp_path, 0)
        for step, value in enumerate(values, 1):
            log.scalars(step, {"loss": value})
        log.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    (point,) = events.Scalars("loss/loss")
    assert point.step == 1 and point.value == pytest.approx(0.7)
    assert [r["loss"] for r in history(tmp_path)] == ["0.7"]


@pytest.fixture(scope="module")
def faces(tiny_faces):
    return tiny_faces


@pytest.fixture
def run(faces, tmp_path):
    recipe, folder = tiny.recipe("vae_c"), tmp_path / "run"
    return Run(recipe, faces, folder, 0, "float32", report=lambda s: None)


def test_a_run_of_other_settings_is_refused_with_the_difference(run, faces):
    def again(recipe=run.recipe, seed=0, precision="float32", images=faces):
        Run(recipe, images, run.folder, seed, precision)

    again(dataclasses.replace(run.recipe, steps=7))  # a longer run goes on
    with pytest.raises(RunError, match="batch_size: the run has 2, this command has 3"):
        again(dataclasses.replace(run.recipe, batch_size=3))
    with pytest.raises(
        RunError, match=r"learning_rate: the run has 0\.0002, this command has 0\.1"
    ):
        again(run.recipe.replace({"vae.learning_rate": "0.1"}))
    with pytest.raises(RunError, match="seed: the run has 0, this command has 5"):
        again(seed=5)
    with pytest.raises(RunError, match="a run of vae_c, not of dcgan_c"):
        again(tiny.recipe("dcgan_c"))
    fewer = dataclasses.replace(faces, images=faces.images[:9])
    with pytest.raises(
        RunError, match=r"data\.images: the run has 48, this command has 9"
    ):
        again(images=fewer)


def test_a_folder_that_is_no_run_is_refused(faces, tmp_path):
    (tmp_path / "thesis.txt").write_text("do not overwrite")
    with pytest.raises(RunError, match="not empty and not a run"):
        Run(tiny.recipe("vae_c"), faces, tmp_path, 0, "float32")
    with pytest.raises(RunError, match="cannot write there"):
        Run(tiny.recipe("vae_c"), faces, tmp_path / "thesis.txt", 0, "float32")
    (tmp_path / "thesis.txt").unlink()
    for name in ("train.log", "._grid.png", ".DS_Store"):  # are nobody's run
        (tmp_path / name).write_text("")
    run = Run(tiny.recipe("vae_c"), faces, tmp_path, 0, "float32", report=lambda s: None)
    (tmp_path / "samples" / "._00000001.png").write_text("of another system")
    assert run.train(1) and (tmp_path / "samples.gif").exists()


def test_data_without_labels_is_refused_before_anything_is_written(faces, tmp_path):
    unlabelled = dataclasses.replace(faces, attributes=None)
    with pytest.raises(data_utils.DataError, match="no CSV beside it"):
        Run(tiny.recipe("acgan_c"), unlabelled, tmp_path / "run", 0, "float32")
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_cut_short_or_of_another_network(run, faces):
    run.save()
    whole = run.checkpoint.read_bytes()
    run.checkpoint.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(checkpoint.CheckpointError, match="not a whole checkpoint"):
        Run(run.recipe, faces, run.folder, 0, "float32")
    run.checkpoint.write_bytes(whole)
    other = {k: v for k, v in run.model.state().items() if "optimizer" not in k}
    with pytest.raises(checkpoint.CheckpointError, match="another network or optimizer"):
        checkpoint.restore(run.checkpoint, other)


def test_not_a_number_names_loss_and_step_and_keeps_the_checkpoint(run):
    run.train(2, checkpoint_seconds=1000)
    good = run.checkpoint.read_bytes()
    step = run.model.train_step
    run.model.train_step = lambda data: step(data) | {"mse": float("nan")}
    with pytest.raises(NotANumber, match="mse is nan at step 3; the last good") as error:
        run.train(5, checkpoint_seconds=0)
    assert error.value.status == 1
    assert run.checkpoint.read_bytes() == good
    kernel = run.model.networks["encoder"].trainable_variables[0]
    kernel.assign(to_numpy(kernel) * np.float32("inf"))
    with pytest.raises(NotANumber, match=r"net/encoder/000/kernel is not finite"):
        run.save()
    assert run.checkpoint.read_bytes() == good


def test_images_of_the_grid_come_from_fixed_latents(run):
    first = run.draw()
    assert first.shape == (32, tiny.SIZE, tiny.SIZE, 3) and first.dtype == np.uint8
    one = to_numpy(run.model(latents(run.recipe, [7])))
    np.testing.assert_allclose(
        first[7].astype(int), data_utils.to_uint8(one, (-1, 1))[0], atol=1
    )


def test_the_collapse_meter_is_a_curve_with_points_apart(faces, tmp_path):
    recipe = tiny.recipe("dcgan_d", meter_every=50)
    faces = faces.first(20)
    run = Run(recipe, faces, tmp_path, 0, "float32", report=lambda s: None)
    run.model.train_step = lambda data: {"d_loss": 0.5}
    decoder = run.model.average["generator"]
    decoder.set_weights([0 * w for w in decoder.get_weights()])  # one image for all
    run.train(75, sample_every=1000)
    found = [(r["step"], r["diversity"]) for r in history(tmp_path)]
    assert found == [("25", ""), ("50", "0"), ("75", "")]
    assert run.identity["data"]["images"] == 20
    with pytest.raises(RunError, match="one image"):
        Run(recipe, faces.first(1), tmp_path / "one", 0, "float32")
    assert not (tmp_path / "one").exists()
    with pytest.raises(data_utils.DataError, match="20 images, 21 requested"):
        faces.first(21)


def test_snapshots_are_the_drawing_networks_of_their_epochs(faces, tmp_path):
    recipe = tiny.recipe("vae_e", batch_size=12).replace({"snapshots": "1,2"})
    run = Run(recipe, faces, tmp_path, 0, "float32", report=lambda s: None)
    run.train(4)  # 48 images are 4 steps
    decoder = build(recipe, "decoder")
    decoder.load_weights(tmp_path / "snapshots" / "epoch_001" / "decoder.weights.h5")
    for a, b in zip(
        decoder.variables, run.model.average["decoder"].variables, strict=True
    ):
        np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
    run.train(8)
    kept = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.h5"))
    assert kept == [
        f"snapshots/epoch_00{k}/{role}.weights.h5"
        for k in (1, 2)
        for role in ("decoder", "encoder")
    ]


def test_command_line_diverging_run_ends_in_one_line(faces_folder, tmp_path, monkeypatch):
    monkeypatch.setitem(RECIPES, "vae_c", tiny.recipe("vae_c"))
    words = ("vae_c", "--data", faces_folder, "--run", tmp_path / "run", "--steps", 20)
    refused(
        *(main, *words, "--set", "vae.learning_rate=1e30"),
        status=1,
        saying=["step", "no checkpoint was written yet", "lower learning rate"],
    )
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seed"] == 0


def test_command_line_mistakes(faces_folder, tmp_path, fails):
    run = tmp_path / "run"
    common = ("--data", faces_folder, "--run", run)
    refused(main, "vae_z", *common, saying=["vae_z", "vae_c"])
    refused(main, "vae_c", *common, "--set", "batch=3", saying=["batch_size"])
    refused(main, "vae_c", *common, "--set", "batch", saying=["FIELD=VALUE"])
    refused(main, "vae_c", *common, "--steps", "0", saying=["--steps"])
    missing = ("--data", tmp_path / "none", "--run", run)
    fails("-m", "train", "vae_c", *missing, saying=[tmp_path / "none", "no such folder"])
    assert not run.exists()


def test_dry_run_writes_nothing(faces_folder, tmp_path, monkeypatch, capsys):
    recipe = tiny.recipe("acgan_c")
    monkeypatch.setitem(RECIPES, "acgan_c", recipe)
    run = tmp_path / "run"
    words = ["acgan_c", "--data", str(faces_folder), "--run", str(run), "--dry-run"]
    assert main(words) == 0
    said = capsys.readouterr().out
    count = parameters(build(recipe, "generator"))
    assert f"generator: {count:,} trainable parameters" in said
    assert "48 images" in said and f"{recipe.trained_here().steps} steps about" in said
    assert not run.exists()


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("vae_c", {}, True),
        ("vae_c", {"batch_size": "8"}, False),
        ("rpgan", {}, False),  # several runs
    ],
)
def test_a_start_says_what_its_settings_gave_only_where_one_run_ships(name, change, says):
    said = expected(get_recipe(name).trained_here().replace(change))
    assert said.startswith("a run with these settings ships: test MSE") == says
    assert bool(said) == says
