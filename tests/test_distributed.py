"""Several processes on this machine, as they would be on several."""

import importlib.util
import json
import os
import socket
import subprocess
import sys

import distributed_worker
import numpy as np
import pytest
import tiny
from conftest import REPOSITORY, history

from cli import UserError
from models.keras_setup import BACKEND, to_numpy
from train.feed import Feed
from train.job import ALONE, Job, join
from train.model import model_of

STEPS, DIES = 6, 4
needs_jax = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed"
)
engines = pytest.mark.parametrize(
    ("engine", "family"),
    [
        pytest.param("tensorflow", "vae", marks=pytest.mark.slow),
        pytest.param("jax", "acgan", marks=[needs_jax, pytest.mark.slow]),
    ],
)


@pytest.fixture(scope="module", autouse=True)
def compile_fast(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", "--xla_backend_optimization_level=0")
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.mktemp("jax")))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


def environment(engine, count):
    """What each process of a job finds in its environment."""
    with (
        socket.create_server(("localhost", 0)) as a,
        socket.create_server(("localhost", 0)) as b,
    ):
        addresses = [f"localhost:{s.getsockname()[1]}" for s in (a, b)]
    common = {"KERAS_BACKEND": engine, "PYTHONPATH": "."}
    if count == 1:
        return [common]
    if engine == "jax":
        common |= {"JAX_COORDINATOR_ADDRESS": addresses[0], "JAX_NUM_PROCESSES": "2"}
        return [common | {"JAX_PROCESS_ID": str(k)} for k in (0, 1)]
    task = [{"type": "worker", "index": k} for k in (0, 1)]
    cluster = {"worker": addresses}
    return [
        common | {"TF_CONFIG": json.dumps({"cluster": cluster, "task": t})} for t in task
    ]


def job(engine, *words, count=2):
    """Run `python words...` in `count` processes; [(status, stderr)]."""
    processes = [
        subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=REPOSITORY,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for environment in environment(engine, count)
    ]
    try:
        # Far above what a slow machine needs: what runs on then, hangs.
        errors = [p.communicate(timeout=1200)[1] for p in processes]
    finally:
        for p in processes:
            p.kill()
    return [(p.returncode, e) for p, e in zip(processes, errors, strict=True)]


def arrays(run):
    with np.load(run / "checkpoint.npz", allow_pickle=False) as file:
        return {k: file[k] for k in file.files if k not in ("x/seconds", "x/identity")}


def losses(run):
    return [{k: float(v) for k, v in row.items()} for row in history(run)]


@engines
def test_a_job_equals_one_process_and_goes_on_after_a_kill(
    engine, family, faces_folder, tmp_path
):
    words = ("tests/distributed_worker.py", family, faces_folder)
    survivor, killed = job(engine, *words, tmp_path / "two", STEPS, DIES)
    assert killed[0] == -9
    assert survivor[0] == 1, survivor[1]
    assert "error: a process of the job failed" in survivor[1]
    whole, parts = tmp_path / "two" / "whole", tmp_path / "two" / "parts"
    assert DIES - 1 <= arrays(parts)["x/step"] <= DIES  # then it ended
    # At its end it asks for what must be refused in one line each: two seeds in one job.
    for status, error in job(engine, *words, tmp_path / "two", STEPS):
        (line,) = [x for x in error.splitlines() if x.startswith("error: ")]
        assert status == 2 and "Traceback" not in error, error
        assert "differ in: settings" in line
    assert not (tmp_path / "two" / "differs").exists()
    a, b = arrays(whole), arrays(parts)
    assert a.keys() == b.keys() and a["x/step"] == STEPS
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], name)
    assert losses(whole) == losses(parts)

    words = (family, str(faces_folder), str(tmp_path / "one"), str(STEPS))
    if engine == BACKEND:
        assert distributed_worker.main(words, ALONE) == 0
    else:
        ((status, error),) = job(engine, "tests/distributed_worker.py", *words, count=1)
        assert status == 0, error
    alone = tmp_path / "one" / "whole"
    for ours, theirs in zip(losses(whole), losses(alone), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    for name, value in arrays(alone).items():
        if "optimizer" not in name and value.dtype.kind == "f":
            np.testing.assert_allclose(a[name], value, atol=1e-4, err_msg=name)
    grids = [sorted(p.name for p in (r / "samples").iterdir()) for r in (alone, whole)]
    assert grids[0] == grids[1]


def test_replicas_draw_noise_and_dropout_of_their_own():
    def numbers(job):
        model = model_of(distributed_worker.recipe_of("acgan"), 1, job)
        model.begin()
        return [to_numpy(state).tolist() for state in model.seeds]

    second = Job()
    second.replica = 1
    for first, other in zip(numbers(ALONE), numbers(second), strict=True):
        assert first != other


def test_a_batch_that_does_not_divide_is_refused(tiny_faces):
    two = Job()
    two.parts = 2
    with pytest.raises(UserError, match="batch_size=3 does not divide into 2"):
        Feed(tiny.recipe("vae_c", batch_size=3), tiny_faces, 0, two)


def test_an_environment_that_makes_no_sense(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{")
    with pytest.raises(UserError, match="TF_CONFIG: cannot join the job"):
        join()
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["localhost:1"]}}')
    assert join() is ALONE  # one process is no job
