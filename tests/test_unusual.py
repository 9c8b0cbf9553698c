"""Unusual but legal use, from the data to the weights."""

import shutil

import numpy as np
import pytest
import tiny
from conftest import run_of, write_faces

import data_utils
from cli import UserError
from inference import draw as figures
from inference import kl, vae
from inference.figures import scatter
from metrics.judge import Judge
from models.sampling import draw
from models.trained import Trained
from train import export, exporting
from train.__main__ import main as train

pytestmark = pytest.mark.usefixtures("tiny_networks")


def exported(name, faces, faces_folder, tmp_path, steps, **changes):
    """`Trained` weights of a run of so many steps in `<tmp_path>/run`."""
    run_of(tiny.recipe(name, **changes), faces, tmp_path / "run").train(steps)
    exporting.export(tmp_path / "run", faces_folder, tmp_path / "weights")
    return Trained(name, tmp_path / "weights")


def test_codes_of_other_images_have_another_density(
    tiny_faces, faces_folder, tmp_path, capsys
):
    run_of(tiny.recipe("vae_e"), tiny_faces, tmp_path / "run").train(1)
    unlike = write_faces(tmp_path / "unlike", train=60, seed=1)
    few = write_faces(tmp_path / "few", train=20, seed=1)
    words = ["--run", str(tmp_path / "run")]
    saying = "not the images of drawn_faces that vae_e was trained on"
    for data in (unlike, few):
        assert export.main([*words, "--data", str(data)]) == 0
        said = capsys.readouterr().err
        assert "exported without prior.npz" in said and saying in said
        weights = Trained.of(tmp_path / "run" / "weights")
        assert "prior" not in weights.card and draw(weights, [0]).shape == (1, 16, 16, 3)
    for data in (faces_folder, faces_folder / "train"):  # the second has no table
        assert export.main([*words, "--data", str(data)]) == 0
        assert Trained.of(tmp_path / "run" / "weights").card["prior"]["images"] == 48


def test_snapshots_of_several_attributes_at_once(tiny_faces, faces_folder, tmp_path):
    recipe = {"snapshots": (1,), "batch_size": 24, "condition": 13}
    weights = exported(
        "rpgan_attributes", tiny_faces, faces_folder, tmp_path, 3, **recipe
    )
    assert weights.snapshots() == [1]
    assert draw(weights, range(3), at=1).shape == (3, 16, 16, 3)
    (tmp_path / "run" / "labels.csv").unlink()  # of a run that was copied without
    with pytest.raises(UserError, match=r"run/labels\.csv: missing; .* resuming"):
        exporting.export(tmp_path / "run", faces_folder)


def test_an_epoch_that_ends_between_two_steps(tiny_faces, faces_folder, tmp_path):
    """48 images in batches of 13: the snapshot of epoch 2 is of step 7, 1.9 epochs."""
    recipe = {"snapshots": (1, 2), "batch_size": 13}
    weights = exported("vae_e", tiny_faces, faces_folder, tmp_path, 7, **recipe)
    assert weights.card["epochs"] == 1.9
    assert weights.snapshots() == [1] and weights.end() == 2
    assert weights.network("decoder", at=2) is weights.network("decoder")


def test_the_attribute_network_reads_as_many_as_there_are(tmp_path):
    folder = write_faces(tmp_path / "five")
    for name in ("train.csv", "test.csv"):
        lines = (folder / name).read_text().splitlines()
        lines = [",".join(line.split(",")[:6]) for line in lines]
        (folder / name).write_text("\n".join(lines) + "\n")
    words = ["attributes", "--data", str(folder), "--run", str(tmp_path / "run")]
    assert train([*words, "--steps", "1", "--set", "batch_size=4"]) == 0
    exporting.export(tmp_path / "run", folder, tmp_path / "weights")
    judge = Judge(Trained("attributes", tmp_path / "weights"))
    faces = data_utils.load_faces(folder, "test", 16)
    assert judge.names == list(faces.attributes.columns) and len(judge.names) == 5
    assert judge.read(faces.images).shape == (16, 5)


def test_a_study_of_images_that_repeat_is_refused(faces_folder, tmp_path):
    """Before the first figure; see the meter of diversity."""
    for k, path in enumerate(sorted((faces_folder / "train").glob("*.png"))[:4]):
        for copy in "ab":
            shutil.copy(path, tmp_path / f"{k}{copy}.png")
    with pytest.raises(UserError, match="is there twice"):
        figures.faces_of("anime", tmp_path, 16)


def test_weights_that_lack_an_epoch_say_how_to_get_it(
    tiny_faces, faces_folder, tmp_path, monkeypatch
):
    settings = {"snapshots": (1, 2), "batch_size": 24}
    weights = exported("vae_e", tiny_faces, faces_folder, tmp_path, 2, **settings)
    monkeypatch.setattr(kl, "attribute_network", lambda root: weights)
    with pytest.raises(UserError, match=r"nothing of epoch 2; train it on$"):
        kl.check([weights], None)


@pytest.mark.parametrize("table", [None, "image_name,Hat"])
def test_codes_without_a_label_have_one_colour(table, faces_folder, tmp_path):
    shutil.copytree(faces_folder / "test", tmp_path / "plain" / "test")
    if table:
        names = sorted(p.name for p in (tmp_path / "plain" / "test").iterdir())
        rows = [table, *(f"{name},1" for name in names)]
        (tmp_path / "plain" / "test.csv").write_text("\n".join(rows) + "\n")
    faces = data_utils.load_faces(tmp_path / "plain", "test", 16)
    names, label = vae.coloured(tiny.recipe("vae_c"), faces)
    with pytest.raises(UserError, match="'Beard'"):
        vae.coloured(tiny.recipe("vae_c"), faces, "Beard")
    figure = scatter(np.zeros((16, 2)), label, names, "codes")
    (text,) = figure.axes[0].get_legend().get_texts()
    assert text.get_text() == "not labelled (n = 16)"
