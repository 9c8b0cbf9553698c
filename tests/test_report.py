"""report.pdf: built of what lies beside the weights, and of nothing else."""

import dataclasses
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from metrics import record
from models import WEIGHTS, build, get_recipe
from models.describe import parameters
from models.recipes import RECIPES
from report import facts, redraw
from report.__main__ import compiled


def test_rows_of_a_layer_table_add_up_and_branches_keep_their_own():
    recipe = get_recipe("acgan_b")
    for role in recipe.networks:
        network = build(recipe, role)
        table = facts.rows(network)
        assert sum(row["parameters"] for row in table) == parameters(network)
    assert [row["layer"] for row in table[-4:]] == [
        "Dense 64, LeakyReLU 0.2",
        "Dense 64, LeakyReLU 0.2",
        "Dense 1, sigmoid",
        "Dense 1, sigmoid",
    ]
    assert table[0]["shape"] == "32x32x256"


def test_departures_say_what_a_run_began_with_and_what_changed():
    recipe = get_recipe("dcgan_c")
    begun = recipe.replace({"batch_size": "16", "steps": "7"})
    now = begun.replace({"discriminator.learning_rate": "0.0002", "flip": "true"})
    rate = "optimizers.discriminator.learning_rate"
    differences = [
        {"setting": rate, "before": 5e-05, "after": 0.0002},
        {"setting": "flip", "before": False, "after": True},
    ]
    card = {
        "recipe": now.resolved(),
        "changes": [{"step": 1200, "differences": differences}],
    }
    assert facts.departures(recipe, card) == [
        "batch size 16 instead of 128",
        "from step 1,200 on discriminator.learning rate 0.0002",
        "from step 1,200 on flip True",
    ]
    card = {"recipe": recipe.resolved(), "changes": []}
    assert facts.departures(recipe, card) == []


def test_only_metrics_of_these_very_weights_count(tmp_path):
    @dataclasses.dataclass
    class Weights:
        folder = tmp_path
        card = {
            "files": {"generator": {"sha256": "a" * 64}},
            "data": {"name": "faces"},
        }

    def row(digest, value, data="faces", split="test"):
        result = {"metric": "swd", "values": value, "data": data, "split": split}
        return json.dumps(result | {"weights": {"generator": digest * 12}})

    assert record.newest(Weights()) == {}
    lines = [row("a", 1), row("a", 2), row("b", 3), row("a", 4, "drawn")]
    lines.append(row("a", 5, split="train"))
    (tmp_path / "metrics.jsonl").write_text("\n".join(lines) + "\n")
    assert record.newest(Weights())["swd"]["values"] == 2


def test_same_facts_same_bytes_and_none_of_them_is_needed(tmp_path, monkeypatch):
    typst = pytest.importorskip("typst")
    monkeypatch.setattr(facts, "networks", list)
    Image.new("RGB", (80, 40), "red").save(tmp_path / "fig1_2.jpg")
    found = facts.gather(WEIGHTS)
    assert found["recipes"].keys() == RECIPES.keys()
    assert found["recipes"]["vae_c"]["end"]["mse"] > 0
    pdf = compiled(typst, found, tmp_path)
    assert pdf == compiled(typst, facts.gather(WEIGHTS), tmp_path)
    assert pdf.startswith(b"%PDF")
    none = tmp_path / "none.json"
    nothing = facts.gather(tmp_path, none, none)
    assert nothing["results"] == nothing["short_runs"] == {}
    assert all(r["obtained"] is None for r in nothing["recipes"].values())
    assert pages(compiled(typst, nothing, tmp_path)) >= 3


def pages(pdf):
    return int(re.search(rb"/Type/Pages/Count (\d+)", pdf)[1])


def test_photographs_never_stand_in_the_report(tmp_path, monkeypatch):
    """What shows a data folder's images is drawn of the stand-ins."""
    drawn = []

    def draw(problem, data, out):
        drawn.append((problem, data.name))
        color = "green" if data.name == "sample_data" else "red"
        out.mkdir(exist_ok=True)
        (out / "results.json").write_text(json.dumps({problem: data.name}))
        for name in (
            "fig1_2",
            "fig1_3",
            "fig5_1",
            "fig5_2",
            "fig6_2",
            "fig6_3",
            "fig6_4",
        ):
            Image.new("RGB", (3000, 30), color).save(out / f"{name}.jpg")

    monkeypatch.setattr(redraw, "draw", draw)
    monkeypatch.setattr(redraw, "ready", lambda problem: True)
    monkeypatch.setattr(redraw, "draw_by_epoch", lambda *args: None)
    monkeypatch.setattr(redraw, "FIGURES", tmp_path / "figures")
    monkeypatch.setattr(redraw, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr("sys.argv", ["redraw", "faces", "anime"])
    redraw.main()
    assert {p for p, data in drawn if data == "sample_data"} == {"hw4", "kl"}
    colors = {}
    for path in (tmp_path / "figures").iterdir():
        with Image.open(path) as image:
            assert image.width == redraw.WIDTH
            colors[path.stem] = image.getpixel((5, 5))[0] > 128
    assert colors == {
        "fig1_2": True,
        "fig1_3": False,
        "fig5_2": True,
        "fig6_2": False,
        "fig6_3": False,
        "fig6_4": False,
    }
    assert json.loads((tmp_path / "results.json").read_text()) == {"anime": "anime"}


def test_distance_by_epoch_is_drawn_of_a_run_that_was_evaluated(tmp_path, capsys):
    folder = tmp_path / "dcgan_c"
    shutil.copytree(WEIGHTS / "dcgan_c", folder)
    history = folder / "history.csv"
    history.write_text("step,d_loss\n25,1.4\n50,1.3\n")
    path = tmp_path / "epochs.jpg"
    redraw.draw_by_epoch("dcgan_c", path, tmp_path)
    assert "left out, dcgan_c was trained without" in capsys.readouterr().out
    assert not path.exists()
    history.write_text("step,test_frechet\n25,40\n50,30\n75,20\n")
    redraw.draw_by_epoch("dcgan_c", path, tmp_path)
    with Image.open(path) as image:
        assert np.asarray(image).std() > 5


def test_every_question_is_answered_where_it_says():
    from inference import anime, gan, kl, vae
    from report import FOLDER
    from report.questions import NOT_DRAWN_HERE, QUESTIONS

    text = (FOLDER / "report.typ").read_text()
    drawn = "".join(module.draw.__doc__ for module in (anime, gan, kl, vae))
    for report, number, _, places in QUESTIONS:
        assert places, (report, number)
        for place in places:
            if place.startswith("@"):
                assert f"<{place[1:]}>" in text, (report, number, place)
            elif place in NOT_DRAWN_HERE:
                assert place in drawn
            else:
                assert f'"{place}"' in text, (report, number, place)
    assert {q[0] for q in QUESTIONS} == set("ABCDE")
