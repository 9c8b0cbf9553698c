"""What ships: the README's table, the weights, the sample data."""

import json

import numpy as np
import pytest
from conftest import ATTRIBUTES, REPOSITORY

import data_utils
from cli import UserError
from metrics.registry import METRICS
from models import build
from models.__main__ import main as print_models
from models.keras_setup import to_numpy
from models.recipe import LOG_EVERY
from models.trained import Trained
from report import table
from train.exporting import VISIBLE

CARDS = sorted(p.parent.name for p in (REPOSITORY / "weights").glob("*/card.json"))


def test_the_readme_is_one_page_and_shows_the_recipes_as_they_are():
    text = (REPOSITORY / "README.md").read_text()
    assert table.with_table(text) == text
    assert "not measured yet" not in text  # of weights that ship
    lines = text.splitlines()
    start, end = lines.index("<!-- recipes -->"), lines.index("<!-- /recipes -->")
    cells = [c.strip() for row in lines[start:end] for c in row.split("|")]
    assert len(lines) <= 150 and max(map(len, cells)) <= 66


def test_docs_weights_lists_the_runs_as_they_are():
    text = (REPOSITORY / "docs" / "weights.md").read_text()
    assert table.with_table(text) == text
    with pytest.raises(UserError, match="to write a table between"):
        table.with_table("no marks")


def test_every_metric_is_explained():
    text = (REPOSITORY / "docs" / "metrics.md").read_text()
    assert [n for n in METRICS if f"| `{n}` |" not in text] == []


@pytest.mark.parametrize("name", CARDS)
def test_shipped_weights_are_whole(name):
    trained = Trained(name)
    trained.check()
    card = json.loads((trained.folder / "card.json").read_text())
    assert "inherit the terms" in card["terms"]  # CelebA: non-commercial research only
    assert ("CelebA" in card["terms"]) == (card["data"]["name"] == "hw4_data")
    for entry in card["files"].values():
        path = trained.folder / entry["file"]
        assert entry["bytes"] == path.stat().st_size <= 45 * 2**20
        if "rounding" in entry:
            assert entry["rounding"]["mean"] <= VISIBLE
        elif "pixel" in entry["largest_change"]["of"]:  # as exports were before
            assert entry["largest_change"]["by"] <= 0.05
    last = trained.history()["step"].iloc[-1]
    if card.get("checkpoint") == "best":  # the curve of the whole run shows that it was
        assert card["steps"] <= last
    else:  # a run may stop between two rows
        assert 0 <= card["steps"] - last < LOG_EVERY


@pytest.mark.slow
@pytest.mark.filterwarnings("error")  # Keras only warns where a file lacks weights
@pytest.mark.parametrize("name", CARDS)
def test_plain_keras_reads_all_weights_and_draws_the_same(name):
    trained = Trained(name)
    for path, entry in trained.card["files"].items():
        epoch, _, role = path.rpartition("/")
        ours = trained.network(role, int(epoch.removeprefix("epoch_")) if epoch else None)
        plain = build(trained.recipe, role, probabilities=True)
        plain.load_weights(trained.folder / entry["file"])
        inputs = np.random.default_rng(0).standard_normal((2, *plain.input.shape[1:]))
        pairs = zip(*(outputs(n, inputs) for n in (ours, plain)), strict=True)
        for a, b in pairs:
            assert np.abs(a - b).max() <= 1 / 255 and np.abs(a).max() > 0


def outputs(network, inputs):
    found = network(inputs.astype("float32"), training=False)
    found = found if isinstance(found, (list, tuple)) else [found]
    return [to_numpy(x) for x in found]


def test_the_lines_of_keras_that_are_printed_work(capsys):
    print_models(["vae_e"])
    lines = capsys.readouterr().out.partition("its weights, in Keras:\n")[2]
    assert len(lines.splitlines()) == 3
    made = {}
    exec(lines, made)
    ours = Trained("vae_e").network("decoder").get_weights()
    for a, b in zip(made["decoder"].get_weights(), ours, strict=True):
        np.testing.assert_array_equal(a, b)


def test_sample_data_is_in_the_courses_layout():
    for split, count in (("train", 240), ("test", 120)):
        faces = data_utils.load_faces(REPOSITORY / "sample_data", split)
        assert faces.images.shape == (count, 64, 64, 3)
        assert list(faces.attributes.columns) == ATTRIBUTES
        assert 0.2 < faces.label("Smiling").mean() < 0.8


@pytest.mark.parametrize(("folder", "most"), [("weights", 216), ("sample_data", 5)])
def test_what_every_clone_has_is_small(folder, most):
    paths = (REPOSITORY / folder).rglob("*")
    assert 0 < sum(p.stat().st_size for p in paths if p.is_file()) <= most * 2**20
