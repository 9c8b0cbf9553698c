"""What ships: the README's table, the weights, the sample data."""

import json

import pytest
from conftest import ATTRIBUTES, REPOSITORY

import data_utils
from inference.problems import PROBLEMS
from metrics.registry import METRICS
from models import FORMS
from models.recipe import LOG_EVERY
from models.trained import Trained
from report import table

CARDS = sorted(p.parent.name for p in (REPOSITORY / "weights").glob("*/card.json"))


def test_the_readme_shows_the_recipes_as_they_are():
    text = (REPOSITORY / "README.md").read_text()
    assert table.with_table(text) == text


def test_the_readme_is_one_page():
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    assert len(lines) <= 150
    start, end = (lines.index(mark) for mark in table.MARKS)
    cells = [c.strip() for row in lines[start:end] for c in row.split("|")]
    assert max(map(len, cells)) <= 40


def test_every_metric_is_explained():
    text = (REPOSITORY / "docs" / "metrics.md").read_text()
    assert [n for n in METRICS if f"| `{n}` |" not in text] == []


def test_there_are_weights_to_draw_and_to_measure_with():
    drawn = set(PROBLEMS.values())
    assert drawn | {"attributes"} <= set(CARDS)


@pytest.mark.parametrize("name", CARDS)
def test_shipped_weights_are_whole(name):
    trained = Trained(name)
    trained.check()
    card = json.loads((trained.folder / "card.json").read_text())
    for entry in card["files"].values():
        path = trained.folder / entry["file"]
        assert entry["bytes"] == path.stat().st_size <= 45 * 2**20
        assert entry["form"] in FORMS
        if "pixel" in entry["largest_change"]["of"]:
            half = entry["form"] == "float16"
            assert entry["largest_change"]["by"] <= (1 / 255 if half else 0.05)
    last = trained.history()["step"].iloc[-1]  # a run may stop between two rows
    assert 0 <= card["steps"] - last < LOG_EVERY


def test_sample_data_is_in_the_courses_layout_and_small():
    folder = REPOSITORY / "sample_data"
    for split, count in (("train", 240), ("test", 120)):
        faces = data_utils.load_faces(folder, split)
        assert faces.images.shape == (count, 64, 64, 3)
        assert list(faces.attributes.columns) == ATTRIBUTES
        assert 0.2 < faces.label("Smiling").mean() < 0.8
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert size <= 5 * 10**6
