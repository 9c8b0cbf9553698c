"""`<out>/index.html`: what it shows of a folder of figures, what it says is missing."""

import html
import re

import pytest
from conftest import REPOSITORY
from PIL import Image

from inference import acgan, draw, gallery, rpgan
from inference.problems import SCRIPTS
from models.trained import Trained

WEIGHTS = {
    "recipe": "wgan_a",
    "report": "A",
    "steps": 1250,
    "training": "wgan_a (Report A): 1,250 steps <of a test>",
    "sha256": {"generator": "abc123"},
}
GAN = {
    "recipe": "wgan_a",
    "weights": WEIGHTS,
    "said": "D's score: least <b>-0.77",
    "table": [["256 images", "D's score"], ["least", "-0.7677"]],
}
VAE = {"weights": WEIGHTS, "data": "my faces", "said": "test MSE 0.1", "table": []}
ACCURACY = {"n": 900, "data": "faces", "accuracy": {"Big_Lips": 0.777}}
ACCURACY["commoner_answer"] = {"Big_Lips": 0.6}
KL = {
    "weights": [WEIGHTS, WEIGHTS],
    "said": "test MSE of both",
    "table": [["", "KL x1", "KL x0"], ["KL divergence", "47.6", "2044.0"]],
    "runs": {"x1": {"read": {"attribute_network": ACCURACY}}, "x0": {"kl": 2044.0}},
}


@pytest.fixture
def out(tmp_path):
    for name, size in (("fig2_2", (300, 100)), ("fig2_3", (90, 80)), ("fig1_3", (9, 9))):
        Image.new("RGB", size).save(tmp_path / f"{name}.jpg")
    return tmp_path


def test_two_scripts_into_one_folder_give_one_page(out):
    for problem, entry in (("gan", GAN), ("vae", VAE)):
        draw.record_results(out, problem, entry)
    page = (out / "index.html").read_text()
    images = re.findall(r'<img src="(.*?)" width="(\d+)" .*?alt="(.*?)">', page)
    sizes = [("fig1_3.jpg", "9"), ("fig2_2.jpg", "300"), ("fig2_3.jpg", "90")]
    assert [image[:2] for image in images] == sizes
    assert images[0][2].startswith("Test images of my faces")
    text = html.unescape(page)
    for said in ("least <b>-0.77", "-0.7677", "test MSE 0.1", "<of a test>"):
        assert said in text
    assert "Not drawn with these weights: fig2_4." in page and "<b>-0.77" not in page
    assert "<script" not in page
    assert re.findall("<link.*?>", page) == ['<link rel="icon" href="data:,">']


def test_the_first_table_has_a_line_for_each_problem(out):
    gallery.write(out, {"gan": GAN})
    text = (out / "index.html").read_text()
    overview = re.search(r'<table class="overview">(.*?)</table>', text, re.DOTALL)[1]
    rows = re.findall(r"<tr>.*?</tr>", overview)[1:]
    assert len(rows) == len(SCRIPTS)
    for row, script in zip(rows, SCRIPTS.values(), strict=True):
        assert script.title in row and script.asks in row
        assert (script.command in row) == (script is not SCRIPTS["gan"])
    assert "#fig2_3" in rows[1] and "wgan_a (1,250 steps)" in rows[1]


def test_runs_stand_side_by_side_and_the_attribute_network_once(out):
    gallery.write(out, {"kl": KL})
    text = (out / "index.html").read_text()
    row = re.search(r"<tr><th scope='row'>KL divergence</th>(.*?)</tr>", text)[1]
    assert row == "<td>47.6</td><td>2044.0</td>"
    assert text.count("of a test") == 2 and text.count("Big Lips") == 1
    assert "<td>77.7%</td>" in text and "900 real faces" in text


def test_entries_of_another_version_are_left_out(out):
    strange = {"gan": {"kept": 1}, "mine": {"n": 2}, "kl": "text", "vae": VAE}
    gallery.write(out, strange)
    page = (out / "index.html").read_text()
    assert re.findall('<section id="(.*?)"', page) == ["vae"]


def test_every_figure_has_a_caption():
    drawn = set()
    for path in (REPOSITORY / "inference").glob("*.py"):
        if path.name != "problems.py":
            drawn |= set(re.findall(r"\bfig\d_\d\b", path.read_text()))
    assert drawn == {stem for script in SCRIPTS.values() for stem in script.captions}


def test_figures_of_other_weights_do_not_stay_and_noise_needs_no_data(
    tmp_path, monkeypatch
):
    for name in ("fig2_4", "fig1_2"):
        (tmp_path / f"{name}.jpg").write_bytes(b"before")
    monkeypatch.setattr("inference.gan.draw", lambda *a: ({}, "", []))
    draw.draw("gan", tmp_path / "no data", tmp_path)
    assert {p.name for p in tmp_path.glob("*.jpg")} == {"fig1_2.jpg"}


def test_losses_of_a_discriminator_that_classifies_say_so(tmp_path, monkeypatch):
    said = []
    for module in (acgan, rpgan):
        monkeypatch.setattr(module, "save", lambda *words: None)
        monkeypatch.setattr(module, "panels", lambda data, *charts: said.append(charts))
    acgan.draw(Trained("acgan_a"), None, tmp_path)
    rpgan.draw([Trained("rpgan"), Trained("rpgan_attributes")], None, tmp_path)
    for charts in said:
        labels = {label for _, _, curves in charts for _, label, *_ in curves}
        assert "discriminator (with classification)" in labels
        assert "generator (with classification)" in labels


def test_a_phone_shows_it_without_scrolling_sideways(browser, out):
    gallery.write(out, {"gan": GAN, "vae": VAE, "kl": KL})
    browser.get((out / "index.html").as_uri())
    browser.set_window_size(500, 800)
    # Warnings may be of what another test did in this browser.
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    wide, window = browser.execute_script(script)
    assert wide <= window
    found = "return [...document.images].every((i) => i.complete && i.naturalWidth > 0)"
    assert browser.execute_script(found)
    taller = "return document.getElementById('fig2_2').querySelector('img').height"
    assert browser.execute_script(taller) > 200  # it scrolls by itself, and can be read
