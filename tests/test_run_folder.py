"""What people do to a run folder: other data, two processes, a closed terminal."""

import contextlib
import dataclasses
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import tiny
from conftest import REPOSITORY, history, run_of

import cli
import data_utils
from models import RecipeError
from train.exporting import write_history
from train.log import Log
from train.progress import Lines, display
from train.run import RunError


@pytest.fixture(scope="module")
def faces(tiny_faces):
    return tiny_faces


def begin(faces, folder, recipe="vae_e", **options):
    return run_of(tiny.recipe(recipe), faces, folder, **options)


def fake(run):
    """Let a run take steps that cost nothing."""
    run.model.train_step = lambda data: {"loss": 0.5}
    return run


# ------------------------------------------------------------------ its data


def test_other_data_is_refused_and_says_what_differs(faces_folder, faces, tmp_path):
    begin(faces, tmp_path / "run")
    names, table, images = faces.names[::-1], faces.attributes, faces.images[::-1]
    other = {
        "names": {"names": names},
        "labels": {"attributes": 1 - table},
        "pixels": {"images": images},
        "labels and names and pixels": {
            "names": names,
            "attributes": table[::-1],
            "images": images,
        },
    }
    for what, changed in other.items():
        changed = dataclasses.replace(faces, **changed)
        with pytest.raises(RunError, match=f"data: other {what} than the run's"):
            begin(changed, tmp_path / "run")
    shutil.copytree(faces_folder, tmp_path / "renamed")  # the same data elsewhere
    again = data_utils.load_faces(tmp_path / "renamed", size=tiny.SIZE)
    assert begin(again, tmp_path / "run").identity["data"]["name"] == "renamed"


# ------------------------------------------------------------ two processes


def test_a_folder_in_training_is_refused_until_that_process_ends(faces, tmp_path):
    code = (
        "import pathlib, sys; from train import folder\n"
        "lock = folder._lock(pathlib.Path(sys.argv[1]), print)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    another = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert another.stdout.readline() == "held\n"
    with pytest.raises(RunError, match=f"process {another.pid} on .*, since 20") as e:
        begin(faces, tmp_path)
    assert e.value.status == 2 and "\n" not in str(e.value)
    assert [p.name for p in tmp_path.iterdir()] == [".lock"]  # nothing was written
    another.kill()
    another.communicate()
    run = begin(faces, tmp_path)
    begin(faces, tmp_path)  # in the same process
    del run


def test_a_file_system_without_locks_says_so_once(faces, tmp_path, monkeypatch):
    """Some of FUSE, of NFS and of others."""

    def flock(file, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", flock)
    said = []
    begin(faces, tmp_path / "run", report=said.append)
    assert len(said) == 1 and f"no lock here ({os.strerror(errno.ENOLCK)})" in said[0]
    with cli.locked(tmp_path / "a.json"):  # nor does anything else need them
        (tmp_path / "a.json").touch()
    assert [p.name for p in tmp_path.glob(".*")] == []


# ------------------------------------------------------- stopped by a signal


def stopped_at(run, step, number=signal.SIGTERM):
    def progress(now, logs):
        if now == step:
            os.kill(os.getpid(), number)

    return run.train(60, sample_every=20, progress=progress)


@pytest.mark.parametrize("name", ["SIGINT", "SIGUSR1", "SIGHUP"])
def test_ctrl_c_and_warnings_before_the_end_of_a_job_save(name, faces, tmp_path):
    before = signal.signal(number := getattr(signal, name), signal.SIG_DFL)
    try:
        assert stopped_at(fake(begin(faces, tmp_path)), 3, number) is False
        assert begin(faces, tmp_path).step == 3
        signal.signal(number, signal.SIG_IGN)  # as nohup does
        assert stopped_at(fake(begin(faces, tmp_path)), 7, number) is True
    finally:
        signal.signal(number, before)


def test_export_has_the_curve_to_the_weights_last_step(faces, tmp_path):
    run = fake(begin(faces, tmp_path / "run"))
    run.train(60, checkpoint_seconds=1e9)  # as a killed one leaves it: rows beyond it
    kept = fake(begin(faces, tmp_path / "other"))
    assert not stopped_at(kept, 31)
    shutil.copy(tmp_path / "run" / "history.csv", tmp_path / "other" / "history.csv")
    extra = {k[2:]: v for k, v in np.load(kept.checkpoint).items() if k[0] == "x"}
    (tmp_path / "out").mkdir()
    write_history(kept.checkpoint, tmp_path / "out", 31, kept.model, extra)
    rows = [(row["step"], row["loss"]) for row in history(tmp_path / "out")]
    assert rows == [("25", "0.5"), ("31", "0.5")]


@pytest.mark.parametrize("where", ["checkpoint", "curve"])
def test_a_full_disk_ends_in_the_file_and_the_checkpoint_that_stays(
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
    run = fake(begin(faces, tmp_path))
    run.train(1)
    path = run.folder / "history.csv"
    rows = path.read_text().replace(",", ";")
    path.write_text(rows)
    with pytest.raises(cli.UserError, match="no column 'step'"):
        run.train(2)


def test_a_start_that_fails_can_be_repeated(faces, tmp_path, monkeypatch):
    """As when a student's network has a mistake, which is then mended."""
    with monkeypatch.context() as patch:
        patch.delattr(tiny, "generator")
        with pytest.raises(RecipeError, match="generator' of the generator"):
            begin(faces, tmp_path, "dcgan_c")
    (tmp_path / ".run.json.1.tmp").write_text("{")  # of a process that was killed
    run = begin(faces, tmp_path, "dcgan_c")
    assert json.loads((tmp_path / "run.json").read_text()) == run.identity
    assert run.train(1) and not list(tmp_path.glob(".*.tmp"))


def test_a_run_folder_of_another_version_is_refused(faces, tmp_path):
    identity = begin(faces, tmp_path).identity
    for change in ({"changes": []}, {"hardware": 3}):
        (tmp_path / "run.json").write_text(json.dumps(identity | change))
        with pytest.raises(RunError, match=r"run\.json: not of this version"):
            begin(faces, tmp_path)


def test_progress_is_told_of_each_step_of_one_call(faces, tmp_path, monkeypatch):
    """An accelerator takes several steps in one call."""
    run, told = begin(faces, tmp_path), []
    rows = [{"loss": float(k)} for k in range(3)]
    monkeypatch.setattr("train.backend.compiled", lambda *a: (lambda *b: rows, 3))
    run.train(6, progress=lambda step, logs: told.append((step, logs["loss"])))
    assert told == [(k + 1, k % 3) for k in range(6)]


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


def test_lines_are_flushed_and_a_full_disk_does_not_end_the_run():
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    with contextlib.redirect_stdout(Full()) as out, display("r", 0, 9, 4) as progress:
        progress(1, {"loss": 0.5})
    assert out.getvalue() == "step 1 of 9: loss 0.5\n"
