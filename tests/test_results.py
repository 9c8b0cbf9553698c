"""What goes into `<out>` beside the figures, and which faces that takes."""

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from conftest import check_figure, run_of

import data_utils
from cli import UserError
from inference import anime, draw, gan
from inference.__main__ import main
from inference.problems import STUDIES
from metrics import collapse, record
from models import get_recipe, sampling
from models.trained import Trained
from train import exporting

pytestmark = pytest.mark.usefixtures("tiny_networks")


def test_threads_that_write_results_at_once_lose_nothing(tmp_path):
    path, lines = tmp_path / "results.json", tmp_path / "metrics.jsonl"

    def write(k):
        draw.record_results(tmp_path, f"problem {k}", {"n": k})
        record.append(lines, {"n": k})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(120)))
    assert len(json.loads(path.read_text())) == 120
    assert {json.loads(line)["n"] for line in lines.read_text().split("\n")[:-1]} == {
        *range(120)
    }


def test_the_study_of_mode_collapse(faces_folder, tmp_path, monkeypatch):
    """On a run whose meter fell half-way: before and after are found and shown."""
    monkeypatch.setattr(sampling, "BATCHES", (1, 4))
    images = faces_folder / "train"  # a plain folder, no CSV
    faces = data_utils.load_faces(images, "train", tiny.SIZE)
    for name in STUDIES["anime"]:
        kept = {"dcgan_collapse_d": (1, 2, 4, 6), "wgan_gp_few_d": (2, 4)}.get(name, ())
        more = {"batch_size": 4, "d_steps": 1, "meter_every": 25, "snapshots": kept}
        recipe = dataclasses.replace(get_recipe(name), **more)
        run = run_of(recipe, faces, tmp_path / name)
        run.model.train_step = lambda data: {"d_loss": 0.5, "g_loss": 0.5}
        values = iter([0.9, 0.8, 0.2] if "collapse" in name else [0.9] * 3)
        run._diversity = lambda values=values: next(values)
        run.train(75)
        exporting.export(tmp_path / name, faces_folder, tmp_path / "weights")
    kept = Trained("dcgan_collapse_d", tmp_path / "weights").snapshots()
    assert kept == [6]  # collapsed from step 75 on, which is epoch 6.25
    assert Trained("wgan_gp_few_d", tmp_path / "weights").snapshots() == [2, 4]
    other = Trained("lsgan_d", tmp_path / "weights")
    assert other.snapshots() == [] and list(other.card["files"]) == ["generator"]
    words = ["anime", str(images), str(tmp_path / "out")]
    assert main([*words, "--weights", str(tmp_path / "weights")]) == 0
    drawn = {p.stem for p in (tmp_path / "out").glob("*.jpg")}
    assert drawn == {f"fig5_{k}" for k in range(1, 7)}
    for path in (tmp_path / "out").glob("*.jpg"):
        check_figure(path)
    runs = json.loads((tmp_path / "out" / "results.json").read_text())["anime"]["runs"]
    assert list(runs) == list(anime.NAMES)
    assert runs["dcgan_collapse_d"]["collapsed_at_epoch"] == 6.25
    assert runs["wgan_gp_few_d"]["collapsed_at_epoch"] is None
    row = runs["dcgan_collapse_d"]
    assert 0 <= row["diversity"] < 2 and row["n"] == 48


def test_a_gan_with_the_collapse_meter_exports_what_its_figures_need(
    faces_folder, tiny_faces, tmp_path
):
    recipe = dataclasses.replace(get_recipe("dcgan_c"), meter_every=25)
    run_of(recipe, tiny_faces, tmp_path / "run").train(1)
    exporting.export(tmp_path / "run", faces_folder, tmp_path / "weights")
    gan.draw(Trained("dcgan_c", tmp_path / "weights"), None, tmp_path)
    names = {p.name for p in tmp_path.glob("*.jpg")}
    assert names == {"fig2_2.jpg", "fig2_3.jpg", "fig2_4.jpg"}


def weights_with(**columns):
    """What the study of collapse reads of `Trained`."""
    frame = pd.DataFrame({"step": [25, 50], "d_loss": [1.0, 1.0]} | columns)
    return SimpleNamespace(history=lambda: frame, epoch_of=lambda step: step / 50)


@pytest.mark.parametrize("meter", [{}, {"diversity": [np.nan, np.nan]}])
def test_the_study_of_collapse_draws_runs_without_the_meter(meter, tmp_path):
    weights, other = weights_with(**meter), weights_with(diversity=[0.9, 0.4])
    runs = dict.fromkeys(anime.NAMES, other) | {"dcgan_collapse_d": weights}
    assert collapse.step_of(weights.history()) is None
    assert collapse.step_of(other.history()) == 50
    assert len(anime.meter_curves(runs).axes) == 2
    path = tmp_path / "history.csv"
    weights.history().to_csv(path)
    kept = [tmp_path / "epoch_001", tmp_path / "epoch_002"]
    assert exporting.around_collapse(path, kept, 1 / 50) == kept


def test_results_that_are_none_are_written_anew(tmp_path):
    path = tmp_path / "results.json"
    for text in ("[]", "null", "{", '{"gan": {"weights": {"recipe": "x"}}}'):
        path.write_text(text)
        draw.record_results(tmp_path, "vae", {"n": 1})
        assert json.loads(path.read_text())["vae"] == {"n": 1}
        assert (tmp_path / "index.html").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [("index.html", "mine"), ("results.json", "[1]"), ("results.json", '{"mine": 1}')],
)
def test_a_page_or_numbers_of_something_else_are_kept(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=f"{name}: not written by this program; name"):
        draw.check_out(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == text
    for ours in ("{}", '{"gan": {}, "kl": {}}', '{"ga'):  # the last cut short
        (tmp_path / "results.json").write_text(ours)
        draw.check_out(tmp_path)
