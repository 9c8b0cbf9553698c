"""Drawing from a run that was not exported."""

import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import refused, small

from inference.__main__ import main
from models import batch_statistics, latents, sampling
from models.unexported import RunWeights
from train.run import Run


@pytest.fixture(scope="module")
def begun(faces, tmp_path_factory):
    """A VAE's run, saved before its first step, its averages a little moved."""
    folder = tmp_path_factory.mktemp("runs") / "vae"
    run = Run(small("vae_e"), faces, folder, 0, "float32")
    for variable in run.model.average["decoder"].variables:
        variable.assign(variable + 0.01)
    run.save()
    return run


def test_a_run_is_drawn_with_its_averages(begun, tmp_path, capsys):
    words = ["sample", "--run", begun.folder, "--seeds", "3,5", "--out", tmp_path]
    main([str(word) for word in words])
    assert "step 0" in capsys.readouterr().out
    for seed in (3, 5):
        expected = begun.draw(6)[seed]
        assert np.abs(iio.imread(tmp_path / f"seed_{seed:04d}.png") - expected).max() <= 1


def test_a_generator_is_drawn_as_its_export_would_be(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_statistics, "BATCHES", (2, 4))
    run = Run(small("dcgan_c"), faces, tmp_path / "run", 0, "float32")
    run.save()
    before = run.draw(2)
    drawn = sampling.draw(RunWeights(run.folder), [0, 1])
    assert np.abs(drawn.astype(int) - before).max() > 1
    batch_statistics.recompute_batch_norm(run.model.average["generator"], run.recipe)
    assert np.array_equal(drawn, run.draw(2))


def test_truncation_shrinks_the_noise_and_not_the_class():
    recipe = small("acgan_a")
    full, half = (latents(recipe, [1, 2], [1, 0], share) for share in (1.0, 0.5))
    assert np.allclose(half[:, :-1], full[:, :-1] / 2)
    assert np.array_equal(half[:, -1], [1, 0])


def test_a_walk_stays_where_all_noise_is_truncated():
    rows = sampling.walk(np.zeros((2, 3), "float32"), 4, sampling.spherical)
    assert np.array_equal(rows, np.zeros((5, 3)))


def test_what_no_run_can_do_is_one_line(begun, tmp_path):
    seeds = ["--seeds", "1", "--out", tmp_path / "out"]
    run = ["--run", begun.folder]
    refused(main, "sample", *seeds, saying=["--run"])
    refused(main, "sample", "vae_e", *run, *seeds, saying=["--run"])
    refused(main, "sample", "--run", tmp_path, *seeds, saying=["not a run"])
    share = ["--truncation", "-1"]
    refused(main, "sample", "vae_e", *seeds, *share, saying=["--truncation -1"])
    shutil.copy(begun.folder / "run.json", tmp_path)
    refused(main, "sample", "--run", tmp_path, *seeds, saying=["not there yet"])
    (tmp_path / "checkpoint.npz").write_bytes(b"cut")
    refused(main, "sample", "--run", tmp_path, *seeds, saying=["not a whole"])
