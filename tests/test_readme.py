"""The front door: what README and docs show works when it is done."""

import dataclasses
import json
import re

import numpy as np
import pytest
from conftest import REPOSITORY

import models
import train
from inference.draw import draw
from models import recipes
from models.keras_setup import BACKEND
from train.__main__ import main
from train.exporting import export


def blocks(name, language):
    """The code blocks of a page."""
    text = (REPOSITORY / name).read_text()
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_both_languages_have_the_same_commands():
    def commands(name):
        text = (REPOSITORY / name).read_text()
        lines = "".join(blocks(name, "bash")).splitlines()
        return (
            [line.partition("#")[0].rstrip() for line in lines],
            re.findall(r"^\| (`bash [^|]*`) \|", text, re.MULTILINE),
            re.findall(r"!\[.*?\]\((.*?)\)", text)[:1],
        )

    assert commands("README.zh-TW.md") == commands("README.md")
    assert all(commands("README.md"))


def test_links_lead_somewhere():
    pages = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
    assert len(pages) > 5
    for page in pages:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)]+)\)", text):
            if "://" not in link:
                assert (page.parent / link.partition("#")[0]).exists(), (page, link)


@pytest.fixture(params=["gans.GAN", "hinge.HingeGAN"])
def my_gan(request, tmp_path, monkeypatch):
    """README's GAN, added as README says: a file and a list's entry; and its loss."""
    network, recipe = blocks("README.md", "python")
    (loss,) = blocks("docs/training.md", "python")
    for package, name, text in ((models, "my_gan", network), (train, "hinge", loss)):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    made = eval(recipe, vars(recipes))
    if request.param != made.algorithm:
        made = dataclasses.replace(made, algorithm=request.param, settings={})
    monkeypatch.setitem(recipes.RECIPES, "my_gan", made)
    return made


def test_a_new_loss_is_fifteen_lines():
    (text,) = blocks("docs/training.md", "python")
    code = [line for line in text[text.index("\nclass") :].splitlines() if line.strip()]
    assert 5 < len(code) <= 15


def test_a_new_gan_trains_exports_and_draws(my_gan, faces_folder, tmp_path):
    words = ["my_gan", "--data", str(faces_folder), "--run", str(tmp_path / "run")]
    assert main([*words, "--steps", "2", "--set", "batch_size=4"]) == 0
    assert main([*words, "--steps", "3", "--set", "batch_size=4"]) == 0  # resumes
    card = export(tmp_path / "run", faces_folder, tmp_path / "weights").card
    assert card["steps"] == 3 and card["recipe"]["algorithm"] == my_gan.algorithm
    draw("gan", faces_folder, tmp_path / "out", tmp_path / "weights", "my_gan")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"fig2_2.jpg", "fig2_3.jpg", "fig2_4.jpg", "results.json"} <= names
    said = json.loads((tmp_path / "out" / "results.json").read_text())
    assert said["gan"]["realness_of_256"]["kind"] == "D's score"  # its D has no sigmoid


@pytest.mark.skipif(BACKEND != "tensorflow", reason="on JAX fit says that it is not")
def test_fit_as_docs_show_it(monkeypatch):
    (code,) = (b for b in blocks("docs/keras.md", "python") if "fit(" in b)
    monkeypatch.chdir(REPOSITORY)
    found = {}
    code = code.replace("epochs=2", "epochs=2, verbose=0")
    exec(code.replace("fit(faces", "fit(faces[:32]"), found)
    assert set(found["history"].history) >= {"d_loss", "g_loss"}
    assert found["images"].shape == (8, 64, 64, 3)
    assert int(np.asarray(found["model"].step)) == 2 * 2
