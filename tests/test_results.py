"""What goes into `<out>` beside the figures, and which faces that takes."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from cli import UserError
from inference import acgan, anime, draw, gan, rpgan, vae
from inference.problems import STUDIES
from metrics import record
from models import build, get_recipe
from models.trained import LEVELS, Trained, load, save
from train import export
from train.run import Run


def test_processes_that_write_results_at_once_lose_nothing(tmp_path):
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


class Weights:
    """What figures read of `Trained`, of networks that are as they were built."""

    def __init__(self, name, history):
        self.recipe = get_recipe(name)
        self.folder = None
        self._history = pd.DataFrame(history)
        self.card = {"epochs": 1.0, "steps": 50, "files": {}}
        self.card["data"] = {"images": 50 * self.recipe.batch_size * self.recipe.d_steps}
        self.card["recipe"] = self.recipe.resolved()
        self.networks = {}

    def network(self, role, at=None):
        if role not in self.networks:
            self.networks[role] = build(self.recipe, role)
        return self.networks[role]

    def history(self):
        return self._history

    def epoch_of(self, step):
        return np.asarray(step) / 50

    def origin(self):
        return "weights of a test"


def test_a_short_table_shows_in_the_title_and_in_results(faces, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(
        vae, "sheet", lambda images, columns, title, *a: titles.append(title)
    )
    monkeypatch.setattr(vae, "scatter", lambda *words: titles.append(words[-1]))
    monkeypatch.setattr(vae, "save", lambda *words: None)
    weights = Weights("vae_e", {"step": [25, 50], "kld": [1.0, 2.0], "mse": [1.0, 0.5]})
    few = faces.first(5)
    for hidden, said in ((0, "all 5 test images"), (43, "5 of 48 test images")):
        few.without_row, few.left_out, titles[:] = hidden, 0, []
        with vae.begin(weights, few) as begun:
            numbers, sentence, table = vae.draw(weights, few, tmp_path, begun)
        assert all(said in text for text in (titles[0], titles[-1], sentence))
        assert said in table[0][1]
        found = draw.entry("vae", [weights], tmp_path, few, numbers, sentence, table)
        assert found["images_without_row"] == hidden


@pytest.mark.parametrize("problem", ["gan", "acgan", "infogan"])
def test_what_draws_from_noise_asks_for_no_faces(problem, tmp_path, monkeypatch):
    drawn = []

    def drawing(trained, faces, out):
        drawn.append(faces)
        return {}, "", []

    monkeypatch.setattr(f"inference.{problem}.draw", drawing)
    draw.draw(problem, tmp_path / "no data", tmp_path / "out")
    assert drawn == [None]


def test_weights_on_disk_need_no_temporary_folder(tmp_path, monkeypatch):
    network = build(get_recipe("vae_e"), "decoder")
    for levels in LEVELS:
        save(network, tmp_path / "d.weights.h5", levels)
        monkeypatch.setattr("tempfile.mkdtemp", lambda *a: pytest.fail("temporary"))
        monkeypatch.setattr("tempfile.TemporaryFile", lambda *a: pytest.fail("temporary"))
        copy = build(get_recipe("vae_e"), "decoder")
        load(copy, tmp_path / "d.weights.h5")
        monkeypatch.undo()
        for a, b in zip(network.get_weights(), copy.get_weights(), strict=True):
            assert np.abs(a - b).max() <= np.abs(a).max() / 10


def test_a_gan_with_the_collapse_meter_exports_what_its_figures_need(
    faces_folder, faces, tmp_path
):
    from models.trained import Trained

    recipe = get_recipe("dcgan_c").replace({"meter_every": "25", "batch_size": "2"})
    run = Run(recipe, faces, tmp_path / "run", 0, "float32", report=lambda line: None)
    run.train(1)
    export.export(tmp_path / "run", faces_folder, tmp_path / "weights")
    (tmp_path / "out").mkdir()
    gan.draw(Trained("dcgan_c", tmp_path / "weights"), None, tmp_path / "out")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"fig2_2.jpg", "fig2_3.jpg", "fig2_4.jpg"}


@pytest.mark.parametrize("meter", [{}, {"diversity": [np.nan, np.nan]}])
def test_the_study_of_collapse_draws_runs_without_the_meter(meter, tmp_path):
    weights = Weights("dcgan_d", {"step": [25, 50], "d_loss": [1.0, 1.0]} | meter)
    other = Weights("wgan_gp_d", {"step": [25, 50], "diversity": [0.9, 0.4]})
    runs = dict.fromkeys(STUDIES["anime"], other) | {"dcgan_d": weights}
    assert anime.moment_of_collapse(weights) is None
    assert anime.moment_of_collapse(other) == 1.0
    assert len(anime.meter_curves(runs, 8).axes) == 2
    path = tmp_path / "history.csv"
    weights.history().to_csv(path)
    kept = [tmp_path / "epoch_001", tmp_path / "epoch_002"]
    assert export.around_collapse(path, kept, weights.card) == kept


def test_results_that_are_none_are_written_anew(tmp_path):
    path = tmp_path / "results.json"
    for text in ("[]", "null", "{", '{"gan": {"weights": {"recipe": "x"}}}'):
        path.write_text(text)
        draw.record_results(tmp_path, "vae", {"n": 1})
        assert json.loads(path.read_text())["vae"] == {"n": 1}
        assert (tmp_path / "index.html").exists()


def test_figures_of_other_weights_do_not_stay(tmp_path, monkeypatch):
    for name in ("fig2_4", "fig1_2"):
        (tmp_path / f"{name}.jpg").write_bytes(b"before")
    monkeypatch.setattr("inference.gan.draw", lambda *a: ({}, "", []))
    draw.draw("gan", tmp_path, tmp_path)
    assert {p.name for p in tmp_path.glob("*.jpg")} == {"fig1_2.jpg"}


@pytest.mark.parametrize(
    ("name", "text"),
    [("index.html", "mine"), ("results.json", "[1]"), ("results.json", '{"mine": 1}')],
)
def test_a_page_or_numbers_of_something_else_are_kept(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=f"{name}: not written by this program; name"):
        draw.draw("gan", tmp_path, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == text
    for ours in ("{}", '{"gan": {}, "kl": {}}', '{"ga'):  # the last cut short
        (tmp_path / "results.json").write_text(ours)
        draw.check_out(tmp_path)


def test_losses_of_a_discriminator_that_classifies_say_so(tmp_path, monkeypatch):
    for name, module in (("acgan_a", acgan), ("rpgan_attributes", rpgan)):
        said = []
        monkeypatch.setattr(module, "save", lambda *words: None)
        monkeypatch.setattr(module, "panels", lambda data, *c, to=said: to.extend(c))
        module.draw(Trained(name) if module is acgan else [Trained(name)], None, tmp_path)
        labels = {label for _, _, curves in said for _, label, *_ in curves}
        assert "discriminator (with classification)" in labels
        assert "generator (with classification)" in labels
