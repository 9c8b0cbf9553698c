"""What people do to a run folder: other data, two processes, a closed terminal."""

import contextlib
import csv
import dataclasses
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny
from conftest import REPOSITORY

import cli
import data_utils
from train import lock
from train.log import Log
from train.progress import Lines, display
from train.run import Run, RunError


@pytest.fixture(scope="module")
def faces(tiny_faces):
    return tiny_faces


def begin(faces, folder, recipe="vae_e", **options):
    options.setdefault("report", lambda line: None)
    return Run(tiny.recipe(recipe), faces, folder, 0, "float32", **options)


def fake(run):
    """Let a run take steps that cost nothing."""
    run.model.train_step = lambda data: {"loss": 0.5}
    return run


def steps(folder):
    with open(folder / "history.csv", newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


# ------------------------------------------------------------------ its data


def test_other_data_is_refused_and_says_what_differs(faces, tmp_path):
    begin(faces, tmp_path)
    table = faces.attributes
    reverse = slice(None, None, -1)
    other = {
        "names": {"names": faces.names[reverse]},
        "labels": {"attributes": 1 - table},
        "pixels": {"images": faces.images[reverse]},
        "labels and names and pixels": {
            "names": faces.names[reverse],
            "attributes": table[reverse],
            "images": faces.images[reverse],
        },
    }
    for what, changed in other.items():
        changed = dataclasses.replace(faces, **changed)
        with pytest.raises(RunError, match=f"data: other {what} than the run's"):
            begin(changed, tmp_path)


def test_the_same_data_in_another_folder_resumes(faces_folder, faces, tmp_path):
    begin(faces, tmp_path / "run")
    shutil.copytree(faces_folder, tmp_path / "renamed")
    again = data_utils.load_faces(tmp_path / "renamed", size=tiny.SIZE)
    assert begin(again, tmp_path / "run").identity["data"]["name"] == "renamed"


# ------------------------------------------------------------ two processes


@pytest.fixture
def another(tmp_path):
    """Another process that holds a folder's lock until it is told to end."""
    code = (
        "import pathlib, sys; from train import lock\n"
        "class Owner: pass\n"
        "owner = Owner(); lock.hold(pathlib.Path(sys.argv[1]), owner)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.communicate()


def test_a_folder_in_training_is_refused_with_the_process_and_machine(
    another, faces, tmp_path
):
    with pytest.raises(
        lock.Locked, match=f"process {another.pid} on .* has trained in it"
    ) as e:
        begin(faces, tmp_path)
    assert e.value.status == 2 and "\n" not in str(e.value)
    assert [p.name for p in tmp_path.glob("*.*")] == []  # nothing was written
    another.communicate()
    assert not (tmp_path / "lock").exists()
    begin(faces, tmp_path)


def test_the_lock_of_a_killed_process_does_not_lock(another, faces, tmp_path):
    another.kill()
    another.wait()
    assert (tmp_path / "lock").exists()
    run = begin(faces, tmp_path)
    assert json.loads((tmp_path / "lock").read_text())["process"] == os.getpid()
    begin(faces, tmp_path)  # of the same process
    del run


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_says_so_once(number, faces, tmp_path, monkeypatch):
    """Some of FUSE, of NFS and of others."""

    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    said = []
    begin(faces, tmp_path, report=said.append)
    assert len(said) == 1 and f"no lock here ({os.strerror(number)})" in said[0]
    assert not (tmp_path / "lock").exists()
    with cli.locked(tmp_path / "a.json"):  # nor does anything else need them
        (tmp_path / "a.json").touch()
    assert [p.name for p in tmp_path.glob(".*")] == []


# ------------------------------------------------------- stopped by a signal


def stopped_at(run, step, number=signal.SIGTERM):
    def progress(now, logs):
        if now == step:
            os.kill(os.getpid(), number)

    return run.train(60, sample_every=20, progress=progress)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1", "SIGXCPU"])
def test_a_warning_before_the_end_of_a_job_saves(name, faces, tmp_path):
    run = fake(begin(faces, tmp_path))
    assert stopped_at(run, 3, getattr(signal, name)) is False
    assert begin(faces, tmp_path).step == 3


def test_a_closed_terminal_saves_unless_nohup_has_the_signal_ignored(faces, tmp_path):
    before = signal.getsignal(signal.SIGHUP)
    run = fake(begin(faces, tmp_path))
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        assert stopped_at(run, 3, signal.SIGHUP) is True  # to the end
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        run = fake(begin(faces, tmp_path / "second"))
        assert stopped_at(run, 3, signal.SIGHUP) is False
    finally:
        signal.signal(signal.SIGHUP, before)
    assert begin(faces, tmp_path / "second").step == 3


def test_a_stop_between_two_rows_leaves_a_row_until_the_run_goes_on(faces, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def curves():
        events = EventAccumulator(str(tmp_path), {"images": 0})
        events.Reload()
        assert [p.step for p in events.Scalars("loss/loss")] == steps(tmp_path)
        return steps(tmp_path), [p.step for p in events.Images("samples")]

    assert not stopped_at(fake(begin(faces, tmp_path)), 40)
    assert curves() == ([25, 40], [10, 20, 25, 40])
    assert not stopped_at(fake(begin(faces, tmp_path)), 50)
    assert curves() == ([25, 50], [10, 20, 25, 40, 50])
    assert fake(begin(faces, tmp_path)).train(60, sample_every=20)
    assert curves() == ([25, 50, 60], [10, 20, 25, 40, 50, 60])


def test_export_has_the_curve_to_the_weights_last_step(faces, faces_folder, tmp_path):
    from train.exporting import write_history

    run = fake(begin(faces, tmp_path / "run"))
    run.train(60, checkpoint_seconds=1e9)  # as a killed one leaves it: rows beyond it
    kept = fake(begin(faces, tmp_path / "other"))
    assert not stopped_at(kept, 31)
    shutil.copy(tmp_path / "run" / "history.csv", tmp_path / "other" / "history.csv")
    extra = {k[2:]: v for k, v in np.load(kept.checkpoint).items() if k[0] == "x"}
    (tmp_path / "out").mkdir()
    write_history(tmp_path / "other", tmp_path / "out", 31, kept.model, extra)
    assert steps(tmp_path / "out") == [25, 31]
    assert "0.5" in (tmp_path / "out" / "history.csv").read_text().splitlines()[-1]


@pytest.mark.parametrize("where", ["checkpoint", "curve"])
def test_a_full_disk_ends_in_the_file_and_the_checkpoint_that_stands(
    where, faces, tmp_path, monkeypatch
):
    def full(*words, **options):
        raise OSError(28, "No space left on device")

    run = fake(begin(faces, tmp_path))
    run.train(5)
    if where == "checkpoint":
        monkeypatch.setattr(np, "savez", full)
        name = run.checkpoint
    else:
        monkeypatch.setattr(Log, "scalars", full)
        name = tmp_path
    said = f"{name}: No space left on device; the last good checkpoint stays in "
    with pytest.raises(RunError, match=said):
        fake(begin(faces, tmp_path)).train(30)
    monkeypatch.undo()
    assert begin(faces, tmp_path).step == 5


def test_curves_that_a_spreadsheet_saved_are_refused_in_a_line(faces, tmp_path):
    run = Run(tiny.recipe("vae_c"), faces, tmp_path / "run", 0, "float32")
    run.train(1)
    path = run.folder / "history.csv"
    rows = path.read_text().replace(",", ";")
    path.write_text("\ufeff" + rows, encoding="utf-8")
    with pytest.raises(cli.UserError, match="no column 'step'"):
        run.train(2)


def test_a_start_on_a_full_disk_can_be_repeated(faces, tmp_path, monkeypatch):
    mkdir = Path.mkdir

    def full(path, *words, **options):
        if path.name == "samples":
            raise OSError(28, "No space left on device", str(path))
        mkdir(path, *words, **options)

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="No space left on device"):
        begin(faces, tmp_path / "run")
    monkeypatch.undo()
    assert fake(begin(faces, tmp_path / "run")).train(1)


# ------------------------------------------------------------ without a terminal


def test_a_log_file_gets_a_line_a_minute_with_speed_and_time_to_go(capsys):
    now = iter([0, 20, 65, 70, 130])
    lines = Lines(10_000, images=16, clock=lambda: next(now))
    for step in (1, 21, 131, 141, 261):
        lines(step, "loss 0.5")
    assert capsys.readouterr().out.splitlines() == [
        "step 1 of 10,000: loss 0.5",
        "step 131 of 10,000: loss 0.5, 32 images/s, 1 h 22 min to go",
        "step 261 of 10,000: loss 0.5, 32 images/s, 1 h 21 min to go",
    ]


def test_lines_are_flushed_and_a_full_disk_does_not_end_the_run(monkeypatch):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    with contextlib.redirect_stdout(Full()) as out, display("r", 0, 9, 4) as progress:
        progress(1, {"loss": 0.5})
    assert out.getvalue() == "step 1 of 9: loss 0.5\n"
