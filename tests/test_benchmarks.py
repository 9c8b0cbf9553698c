"""The benchmarks run, and their PyTorch twins do what ours do."""

import json

import numpy as np
import pytest
from conftest import command

import benchmarks.__main__ as bench
from benchmarks import TWINS, steps

pytestmark = pytest.mark.slow


class Scripted:
    """A worker that knows what its steps take, in seconds."""

    about = {"torch_compiled": True}

    def __init__(self, module, *words):
        seconds = {"ours": [9, 0.2, 0.5, 0.4], "torch_twins": [9, 0.4, 0.5, 1.6]}
        self.seconds = iter(seconds[module])

    def time(self, steps):
        return next(self.seconds)


def test_steps_are_compared_in_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "Worker", Scripted)
    words = ["--results", str(tmp_path), "steps", "--recipes", "vae_c", "--batch", "2"]
    assert bench.main([*words, "--precisions", "float32", "--pairs", "3"]) == 0
    row = json.loads((tmp_path / "steps.jsonl").read_text())
    assert (row["torch_images_per_second"], row["images_per_second"]) == (4, 5)
    assert (row["ratio"], row["ratio_range"], row["pairs"]) == (2, [1, 4], 3)
    assert row["torch_compiled"] and row["versions"]["keras"] and row["cores"] >= 1


def test_real_workers_time_their_steps(tmp_path):
    pytest.importorskip("torch")
    words = ("-m", "benchmarks", "--results", tmp_path, "steps", "--recipes", "vae_c")
    words += ("--batch", "2", "--pairs", "2", "--steps", "1", "--precisions", "bfloat16")
    done = command(*words, TORCHDYNAMO_DISABLE="1")  # compiling takes a minute
    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "steps.jsonl").read_text())
    low, high = row["ratio_range"]
    assert 0 < low <= row["ratio"] <= high and row["pairs"] == 2
    faster = row.get("torch_seconds_compiled", np.inf) < row["torch_seconds_plain"]
    assert row["torch_compiled"] == faster


@pytest.mark.parametrize("name", TWINS)
def test_twins_step(name):
    torch = pytest.importorskip("torch")
    twins = pytest.importorskip("benchmarks.torch_twins")
    torch.manual_seed(0)
    step = twins.make_step(name, "float32", 4)
    images = torch.randint(256, (4, 64, 64, 3), dtype=torch.uint8)
    losses = [[float(x) for x in step(images)] for _ in range(12)]
    assert np.isfinite(losses).all() and len(np.unique(losses, axis=0)) == 12
    if name == "vae_c":  # a GAN's losses go up and down
        assert losses[-1] < losses[0]
