"""report.pdf: built of what lies beside the weights, and of nothing else."""

import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from conftest import refused
from PIL import Image

from models import WEIGHTS, build, get_recipe, parameters
from models.recipe import pair
from models.recipes import RECIPES, STAGES
from report import facts, redraw, seesaw, short_runs
from report.__main__ import compiled
from report.short_runs import STUDIES
from train.__main__ import main as train


def test_rows_of_a_layer_table_add_up_and_branches_keep_their_own():
    recipe = get_recipe("acgan_b")
    for role in recipe.networks:
        network = build(recipe, role, probabilities=True)
        table = facts.rows(network)
        assert sum(row["parameters"] for row in table) == parameters(network)
    assert [row["layer"] for row in table[-4:]] == [
        "Dense 64, LeakyReLU 0.2",
        "Dense 64, LeakyReLU 0.2",
        "Dense 1, sigmoid",
        "Dense 1, sigmoid",
    ]
    assert table[0]["shape"] == "32x32x256"


def test_same_facts_same_bytes_and_none_of_them_is_needed(tmp_path, monkeypatch):
    """And where each question is answered is there: typst refuses a lost place."""
    pytest.importorskip("typst")
    monkeypatch.setattr(facts, "networks", list)
    Image.new("RGB", (80, 40), "red").save(tmp_path / "fig1_2.jpg")
    found = facts.gather(WEIGHTS)
    assert found["recipes"].keys() == RECIPES.keys() - STAGES
    assert found["recipes"]["vae_c"]["end"]["mse"] > 0
    pdf = compiled(found, tmp_path)
    assert pdf == compiled(facts.gather(WEIGHTS), tmp_path) and pdf.startswith(b"%PDF")
    for name in ("RESULTS", "SHORT_RUNS"):
        monkeypatch.setattr(facts, name, tmp_path / "none.json")
    nothing = facts.gather(tmp_path)
    assert nothing["results"] == nothing["short_runs"] == {}
    assert all(r["obtained"] is None for r in nothing["recipes"].values())
    pages = re.search(rb"/Type/Pages/Count (\d+)", compiled(nothing, tmp_path))
    assert int(pages[1]) >= 3


def test_photographs_never_stand_in_the_report(tmp_path, monkeypatch):
    """Figures of a data folder's images are drawn of the stand-ins."""
    drawn = []
    figures = ("fig1_2", "fig1_3", "fig5_1", "fig5_2", "fig6_2", "fig6_3", "fig6_4")

    def draw(problem, data, out, recipe=None):
        drawn.append((problem, data.name))
        color = "green" if data.name == "sample_data" else "red"
        out.mkdir(parents=True, exist_ok=True)
        found = {name: {key: data.name} for name, key in redraw.REPORTED.items()}
        (out / "results.json").write_text(json.dumps(found))
        for name in redraw.SMALL.get(recipe, [None, *figures])[1:]:
            Image.new("RGB", (3000, 30), color).save(out / f"{name}.jpg")

    monkeypatch.setattr("inference.draw.draw", draw)
    monkeypatch.setattr(redraw, "draw_curves", lambda folder: None)
    monkeypatch.setattr(redraw, "draw_grids", lambda folder: None)
    monkeypatch.setattr(redraw, "bright_edges", lambda data: None)
    monkeypatch.setattr(redraw, "FIGURES", tmp_path / "figures")
    monkeypatch.setattr(redraw, "RESULTS", tmp_path / "results.json")
    redraw.main(["faces", "anime"])
    assert {p for p, data in drawn if data == "sample_data"} == {"hw4", "kl"}
    of_data = {}
    for path in (tmp_path / "figures").iterdir():
        with Image.open(path) as image:
            small = path.stem.partition("_fig")[0] in redraw.SMALL
            assert image.width == (800 if small else redraw.WIDTH)
            of_data[path.stem] = image.getpixel((5, 5))[0] > 128
    stand_ins = ("fig1_3", "fig6_2", "fig6_3", "fig6_4")
    small = [f"{n}_{stem}" for n, (_, *stems) in redraw.SMALL.items() for stem in stems]
    expected = {f: f not in stand_ins for f in (*figures, *small) if f != "fig5_1"}
    assert of_data == expected
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["anime"] == {"runs": "anime"}


def spread(path):
    with Image.open(path) as image:
        return np.asarray(image).std()


def test_curves_and_grids_are_drawn_of_the_runs_that_ship(tmp_path):
    redraw.draw_curves(tmp_path)
    redraw.draw_grids(tmp_path)
    for name in ("first_hour", "first_grids"):
        assert spread(tmp_path / f"{name}.jpg") > 5


def test_losses_that_take_turns_are_told_from_losses_that_do_not():
    steps = np.arange(40)
    real = np.where(steps % 2, 0.7, 0.5)
    turns = seesaw.in_numbers(pd.DataFrame({"real": real, "fake": 1.2 - real}))
    apart = seesaw.in_numbers(pd.DataFrame({"real": real, "fake": real - 0.1 - steps}))
    assert (turns["flips"], apart["flips"]) == (39, 0)
    assert turns["autocorrelation"] < -0.9 < 0.9 < apart["autocorrelation"]
    assert (turns["above"], apart["above"]) == (0.5, 1)


def test_losses_that_move_against_each_other_correlate_below_0():
    rows = {"score_real": [0, 0, 0, 0], "score_fake": [1, 2, 1, 3]}
    rows |= {"c_loss_real": [3, 1, 2, 0], "c_loss_fake": [2, 4, 2, 6]}
    trained = SimpleNamespace(history=lambda: pd.DataFrame(rows))
    found = facts.swing(trained)
    assert found["real"] < -0.5 and found["fake"] == pytest.approx(1)


def test_a_run_that_was_measured_has_its_best_and_its_last_value():
    rows = {"step": [25, 50, 75], "test_frechet": [9.0, 4.0, 5.0]}
    found = facts.evaluated(pd.DataFrame(rows))
    assert found["best"] == {"step": 50, "distance": 4}
    assert found["last"] == {"step": 75, "distance": 5} and found["every"] == 25


@pytest.mark.parametrize("name", STUDIES)
def test_runs_of_a_study_see_as_many_images_and_none_is_another(name):
    recipes = []
    for label in STUDIES[name][2]:
        words = short_runs.training(name, label, "data", "run")
        settings = dict(map(pair, words[words.index("--set") + 1 :]))
        recipes.append(get_recipe(STUDIES[name][0]).replace(settings))
    seen = [r.steps * r.images_a_step for r in recipes]
    assert max(seen) - min(seen) < max(r.images_a_step for r in recipes)
    assert len({json.dumps(r.resolved()) for r in recipes}) == len(recipes)
    assert [*json.loads(short_runs.RESULTS.read_text())[name]] == [*STUDIES[name][2]]


def test_a_study_trains_measures_and_keeps_what_its_table_and_sheet_need(
    faces_folder, tmp_path, monkeypatch
):
    monkeypatch.setitem(RECIPES, "vae_e", tiny.recipe("vae_e"))
    study = ("vae_e", "steps=2 snapshots=", {"a, b": "", "c": "ema=0.5"})
    monkeypatch.setattr(short_runs, "STUDIES", {"tiny": study})
    monkeypatch.setattr(short_runs, "FIGURES", tmp_path)
    monkeypatch.setattr(short_runs, "RESULTS", tmp_path / "short_runs.json")

    def run(words):
        assert words[:3] == [sys.executable, "-m", "train"]
        return SimpleNamespace(returncode=train(words[3:]))

    monkeypatch.setattr(short_runs.subprocess, "run", run)
    words = ["--data", str(faces_folder), "--runs", str(tmp_path / "runs")]
    for _ in range(2):  # the second time everything is there already
        assert short_runs.main(words) == 0
    found = json.loads((tmp_path / "short_runs.json").read_text())["tiny"]
    one = found["a, b"]
    assert [*found] == ["a, b", "c"] and (one["steps"], one["batch"]) == (2, 2)
    assert one["distance"] > 0 and one["mse"] > 0 and one["diversity"] >= 0
    assert spread(tmp_path / "short_tiny.jpg") > 5
    refused(short_runs.main, "codes", *words, saying=["'codes'; known: tiny"])
