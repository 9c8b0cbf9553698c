"""The front door: what README and docs show works when it is done."""

import json
import re

import numpy as np
import pytest
from conftest import REPOSITORY

import models
from inference.problems import draw
from models import recipes
from models.keras_setup import BACKEND, to_numpy


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


@pytest.fixture
def my_gan(tmp_path, monkeypatch):
    """README's own GAN, added as README says: a file and a list's entry."""
    network, recipe = blocks("README.md", "python")
    (tmp_path / "my_gan.py").write_text(network)
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    made = eval(recipe, vars(recipes))
    monkeypatch.setitem(recipes.RECIPES, "my_gan", made)
    return made


def test_your_own_gan_trains_exports_and_draws(my_gan, faces_folder, tmp_path):
    from train.__main__ import main
    from train.export import export

    words = ["my_gan", "--data", str(faces_folder), "--run", str(tmp_path / "run")]
    assert main([*words, "--steps", "2", "--set", "batch_size=4"]) == 0
    assert main([*words, "--steps", "3", "--set", "batch_size=4"]) == 0  # resumes
    card = export(tmp_path / "run", faces_folder, tmp_path / "weights")
    assert card["steps"] == 3 and card["recipe"]["adversarial"] == "hinge"
    draw("gan", faces_folder, tmp_path / "out", tmp_path / "weights", "my_gan")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"fig2_2.jpg", "fig2_3.jpg", "fig2_4.jpg", "results.json"} <= names
    said = json.loads((tmp_path / "out" / "results.json").read_text())
    assert said["gan"]["realness_of_256"]["kind"] == "D's score"  # its D has no sigmoid


@pytest.mark.skipif(BACKEND != "tensorflow", reason="on JAX fit says that it is not")
def test_compile_and_fit_train_a_family(monkeypatch):
    (code,) = (b for b in blocks("docs/keras.md", "python") if "fit(" in b)
    monkeypatch.chdir(REPOSITORY)
    found = {}
    code = code.replace("epochs=2", "epochs=8, verbose=0")
    faster = '.replace({"vae.learning_rate": "1e-3"})'  # to see it learn in 16 steps
    exec(code.replace('("vae_e")', f'("vae_e"){faster}'), found)
    assert len(found["history"].history["loss"]) == 8
    images = found["faces"].images / np.float32(255)
    before = found["FAMILIES"]["vae"](found["recipe"], seed=0)
    errors = []
    for model in (before, found["model"]):
        mean, _ = model.networks["encoder"](images, training=False)
        drawn = to_numpy(model.networks["decoder"](mean, training=False))
        errors.append(np.square(drawn - images).mean())
    assert errors[1] < 0.99 * errors[0], errors
    assert int(np.asarray(found["model"].step)) == 8 * (len(found["faces"].images) // 100)
