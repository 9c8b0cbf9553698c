"""The benches run, and their PyTorch twins do what ours do."""

import json

import numpy as np
import pytest

import benchmarks.__main__ as bench
from cli import UserError


class Scripted:
    """A side of a comparison that knows what its steps take, in seconds."""

    def __init__(self, side, name, precision, size):
        seconds = {"float32": [9, 0.2, 0.5, 0.4], "bfloat16": [9, 0.1, 0.1, 0.1]}
        self.seconds = iter(seconds[precision] if side == "ours" else [9, 0.5])

    def time(self, steps):
        return next(self.seconds)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def test_steps_are_compared_in_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "Side", Scripted)
    words = ["--results", str(tmp_path), "steps", "--recipes", "vae_e", "--batch", "2"]
    assert bench.main([*words, "--pairs", "3", "--matmul", "1000"]) == 0
    (line,) = (tmp_path / "steps.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert (row["a"], row["b"]) == ("ours float32", "ours bfloat16")
    assert (row["a_images_per_second"], row["b_images_per_second"]) == (5, 20)
    assert (row["ratio"], row["ratio_range"], row["pairs"]) == (4, [2, 5], 3)
    assert row["matmul"] == {"side": 1000, "tflops": 0.004}
    assert row["b_share_of_matmul"] == round(row["flops_per_image"] * 20 / 4e9, 3)
    assert row["versions"]["keras"] and row["cores"] >= 1


@pytest.mark.slow
def test_real_workers_time_their_steps(tmp_path, command):
    words = ("-m", "benchmarks", "--results", tmp_path, "steps", "--recipes", "vae_e")
    done = command(
        *words, "--batch", "2", "--pairs", "2", "--steps", "1", "--matmul", "64"
    )
    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "steps.jsonl").read_text())
    low, high = row["ratio_range"]
    assert 0 < low <= row["ratio"] <= high and row["pairs"] == 2


def test_a_worker_times_steps():
    with bench.Side("ours", "vae_e", "bfloat16", 2) as side:
        assert side.time(2) > 0 and side.time(1) > 0


@pytest.mark.parametrize("name", ["dcgan_c", "vae_c", "rpgan"])
def test_twins_step(name):
    pytest.importorskip("torch")
    import torch

    from benchmarks.torch_twins import make_step

    torch.manual_seed(0)
    step = make_step(name, "float32", 4)
    images = torch.randint(256, (4, 64, 64, 3), dtype=torch.uint8)
    losses = [[float(x) for x in step(images)] for _ in range(12)]
    assert np.isfinite(losses).all() and len(np.unique(losses, axis=0)) == 12
    if name == "vae_c":  # a GAN's losses go up and down
        assert losses[-1] < losses[0]


def test_a_race_measures_at_equal_processor_time(faces_folder, tmp_path, monkeypatch):
    from types import SimpleNamespace

    from benchmarks import race

    steps = []

    def made(recipe, faces, precision):
        samples = np.random.default_rng(0).integers(0, 256, (32, 64, 64, 3), "uint8")
        return lambda k: steps.append(k) or sum(range(10**6)), lambda: samples

    monkeypatch.setattr(race, "ours", made)
    args = SimpleNamespace(
        data=faces_folder, sides=["rpgan"], batch=2, precision="float32"
    )
    rows = list(race.sides(SimpleNamespace(**vars(args), minutes=0.02, every=0.01)))
    assert [row["side"] for row in rows] == ["ours rpgan"] * 2
    assert rows[0]["core_minutes"] < rows[1]["core_minutes"]
    assert rows[1]["images"] == 2 * len(steps) and rows[0]["standard_error"] > 0
    race.figure([row | {"cpu": "any"} for row in rows], tmp_path / "race.jpg")
    assert (tmp_path / "race.jpg").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("sides", "every", "saying"),
    [
        (["rpgan", "rpgann"], 1, "rpgann"),
        (["acgan_c"], 1, "without labels"),
        (["torch:wgan_a"], 1, "there are twins of dcgan_c"),
        (["jax:rpgan"], 1, "torch:<recipe>"),
        (["rpgan"], 3, "--every 3"),
    ],
)
def test_a_side_that_cannot_race_is_refused_at_once(sides, every, saying):
    from types import SimpleNamespace

    from benchmarks import race

    args = SimpleNamespace(data="none", sides=sides, minutes=2, every=every, batch=None)
    with pytest.raises(UserError, match=saying):
        next(race.sides(args))
