"""`<out>/index.html`: what it shows of a folder of figures, what it says is missing."""

import re
from html.parser import HTMLParser

import pytest
from conftest import REPOSITORY
from PIL import Image

from inference import gallery, problems

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
    "realness_of_256": {"kind": "D's score", "least": -0.76765, "boxed": [3, 4]},
}
VAE = {"recipe": "vae_c", "weights": WEIGHTS, "data": "my faces", "tsne": {"n": 120}}
KL = {
    "weights": [WEIGHTS, WEIGHTS],
    "runs": {"x1": {"kl": 47.6, "units": 20}, "x0": {"kl": 2044.0, "units": 20}},
}


class Page(HTMLParser):
    """Texts and attributes of a page."""

    def __init__(self, path):
        super().__init__()
        self.text, self.tags = "", []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data + "\n"

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def out(tmp_path):
    for name, size in (("fig2_2", (300, 100)), ("fig2_3", (90, 80)), ("fig1_3", (9, 9))):
        Image.new("RGB", size).save(tmp_path / f"{name}.jpg")
    return tmp_path


def test_two_scripts_into_one_folder_give_one_page(out, tmp_path):
    for problem, entry in (("gan", GAN), ("vae", VAE)):
        problems.record_results(out / "results.json", problem, entry, tmp_path)
    page = Page(out / "index.html")
    images = {image["src"]: image for image in page.all("img")}
    assert list(images) == ["fig1_3.jpg", "fig2_2.jpg", "fig2_3.jpg"]
    assert images["fig1_3.jpg"]["alt"].startswith("Test images of my faces")
    assert images["fig2_2.jpg"]["width"] == "300"
    wide = [f["id"] for f in page.all("figure") if f.get("class") == "wide"]
    assert wide == ["fig2_2"]
    for said in ("D's score", "-0.7677", "3, 4", "120", "abc123", "<of a test>"):
        assert said in page.text
    assert "Not drawn of these weights: fig2_4." in page.text
    assert "there are no weights of infogan_b yet" in page.text
    assert page.all("script") == [] and page.all("link") == [
        {"rel": "icon", "href": "data:,"}
    ]


def test_what_was_not_asked_for_says_how_to_have_it():
    found = problems.missing({"gan": GAN}, problems.WEIGHTS)
    assert "gan" not in found
    assert "bash hw4_vae.sh" in found["vae"] and "bash hw_kl.sh" in found["kl"]


def test_runs_stand_side_by_side(out):
    gallery.write(out, {"kl": KL}, {})
    text = (out / "index.html").read_text()
    row = re.search(r"<tr><th scope='row'>kl</th>(.*?)</tr>", text)[1]
    assert row == "<td>47.6</td><td>2044</td>"
    assert text.count("abc123") == 2


def test_results_of_any_shape_make_a_page(out):
    strange = {"gan": {"kept": 1}, "mine": {"n": 2}, "report": "text", "old": {}}
    gallery.write(out, strange | {"vae": VAE | {"weights": "one line"}}, {})
    page = Page(out / "index.html")
    assert {"gan", "mine", "old", "vae"} <= {s.get("id") for s in page.all("section")}
    assert "one line" in page.text and "not recorded" in page.text


def test_every_figure_has_a_caption():
    said = {f for captions in gallery.CAPTIONS.values() for f in captions}
    drawn = set()
    for path in (REPOSITORY / "inference").glob("*.py"):
        if path.name != "gallery.py":
            drawn |= set(re.findall(r"\bfig\d_\d\b", path.read_text()))
    assert drawn <= said
    assert set(gallery.CAPTIONS) == set(gallery.TITLES)


def test_a_phone_shows_it_without_scrolling_sideways(browser, out):
    gallery.write(out, {"gan": GAN, "vae": VAE, "kl": KL}, {"infogan": "no weights"})
    browser.get((out / "index.html").as_uri())
    browser.set_window_size(500, 800)
    # Warnings may be of what another test did in this browser.
    assert [e for e in browser.get_log("browser") if e["level"] == "SEVERE"] == []
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    wide, window = browser.execute_script(script)
    assert wide <= window
    shown = "return [...document.images].every((i) => i.complete && i.naturalWidth > 0)"
    assert browser.execute_script(shown)


def test_numbers_of_each_category_are_a_table(out, tmp_path):
    read = [{"Smiling": 0.125, "Male": 0.5}, {"Smiling": 0.25, "Male": 0.75}]
    entry = {"recipe": "infogan_b", "weights": WEIGHTS, "categories": {"read": read}}
    problems.record_results(out / "results.json", "infogan", entry, tmp_path)
    page = Page(out / "index.html")
    cells = [cell for cell in page.text.splitlines() if cell]
    assert all(x in cells for x in ("read 0", "read 1", "Smiling", "0.125", "0.75"))
    assert "{'" not in page.text
