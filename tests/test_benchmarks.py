"""The benches run, and their PyTorch twins do what ours do."""

import json

import numpy as np
import pytest


def test_steps_are_compared_in_pairs(tmp_path, command):
    words = ("-m", "benchmarks", "--results", tmp_path, "steps", "--recipes", "vae_e")
    done = command(
        *words, "--batch", "2", "--pairs", "2", "--steps", "1", "--matmul", "64"
    )
    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / "steps.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert (row["a"], row["b"]) == ("ours float32", "ours bfloat16")
    low, high = row["ratio_range"]
    assert 0 < low <= row["ratio"] <= high and row["pairs"] == 2
    assert row["versions"]["keras"] and row["cores"] >= 1


def test_profile_accounts_for_the_step(tmp_path, command):
    words = ("-m", "benchmarks", "--results", tmp_path, "profile", "vae_e")
    done = command(*words, "--batch", "2", "--steps", "2")
    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "profile.jsonl").read_text())
    parts = row["operations"]
    assert parts["convolution, weights' gradient"] > 0 and parts["optimizer"] > 0
    assert abs(parts["between operations"]) < 0.5 * row["step_seconds"]
    assert sum(parts.values()) == pytest.approx(row["step_seconds"], abs=0.002)


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("encoder_1/conv2d/convolution:_FusedConv2D", "convolution, forward"),
        (
            "decoder_1/conv2d_transpose/conv_transpose:_MklNativeConv2DBackpropInput",
            "convolution, forward",
        ),
        (
            "gradient_tape/decoder_1/conv2d_transpose/conv_transpose/Conv2D:Conv2D",
            "convolution, images' gradient",
        ),
        (
            "gradient_tape/encoder/convolution/Conv2DBackpropFilter:Conv2DBackpropFilter",
            "convolution, weights' gradient",
        ),
        ("adam/ResourceApplyAdam:ResourceApplyAdam", "optimizer"),
    ],
)
def test_a_transposed_convolution_forward_is_forward(operation, kind):
    from benchmarks.profile import kind_of

    assert kind_of(operation) == kind


def test_precisions_are_trained_alike(tmp_path, faces_folder, command, fails):
    words = ("-m", "benchmarks", "--results", tmp_path, "precision")
    fails(*words, "dcgan_c", faces_folder, saying=["take a VAE"])
    more = ("--steps", "26", "--set", "batch_size=2")
    done = command(*words, "vae_e", faces_folder, *more)
    assert done.returncode == 0, done.stderr
    means = json.loads((tmp_path / "precision.jsonl").read_text())["means"]
    assert means["float32"] != means["bfloat16"]
    assert means["float32"] == pytest.approx(means["bfloat16"], rel=0.05)
    assert (tmp_path / "precision_vae_e.jpg").stat().st_size > 10_000


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
    race.figure(rows, tmp_path / "race.jpg")
    assert (tmp_path / "race.jpg").stat().st_size > 10_000
