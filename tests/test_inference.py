"""From trained weights to figures: the pipeline of a grader, end to end."""

import dataclasses
import functools
import gc
import json
import os
import shutil
import subprocess
import sys
import weakref

import numpy as np
import pytest
import tiny
from conftest import REPOSITORY, TILES, check_figure, refused, run_of, write_faces

import data_utils
from cli import UserError
from inference import infogan
from inference.__main__ import main
from inference.draw import weights_of
from inference.problems import ALL, PROBLEMS, STUDIES
from metrics import conditions, judge
from models import get_recipe, sampling
from models.keras_setup import to_numpy
from models.sampling import run_network
from models.trained import Trained, WeightsError, sha256
from train import backend, exporting

pytestmark = pytest.mark.usefixtures("tiny_networks")


@pytest.fixture(scope="module")
def trained(tiny_networks, faces_folder, tmp_path_factory):
    """Barely trained weights of every default recipe, exported from runs."""
    folder = tmp_path_factory.mktemp("trained")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(sampling, "BATCHES", (2, 4))
    monkeypatch.setattr(backend, "compiled", uncompiled)
    few = functools.partial(conditions.read_back, count=14)
    monkeypatch.setattr(conditions, "read_back", few)
    faces = data_utils.load_faces(faces_folder, size=tiny.SIZE)
    for name in ("attributes", *PROBLEMS.values(), *STUDIES["kl"]):
        recipe = get_recipe(name)
        if recipe.snapshots:  # two steps are an epoch of the 48 images
            recipe = dataclasses.replace(recipe, batch_size=24, snapshots=(1,))
        run_of(recipe, faces, folder / name).train(2)
        exporting.export(folder / name, faces_folder, folder / "weights")
        shutil.rmtree(folder / name)
    monkeypatch.undo()
    return folder / "weights"


def uncompiled(model, feed, most):
    """In place of `backend.compiled`: two steps are not worth compiling."""
    return lambda first, count: [
        {k: float(v) for k, v in model.train_step(feed(first)).items()}
    ], 1


@pytest.fixture
def mine(trained, tmp_path):
    """A copy of the weights, to be spoilt."""
    return shutil.copytree(trained, tmp_path / "weights")


# ------------------------------------------------------------ weights on disk


def cut_short(folder):
    os.truncate(folder / "decoder.weights.h5", 1000)


def foreign(folder):
    """Another network's weights, with their hash in the card."""
    path = folder / "decoder.weights.h5"
    shutil.copy(folder.parent / "dcgan_c" / "generator.weights.h5", path)
    card = json.loads((folder / "card.json").read_text())
    card["files"]["decoder"]["sha256"] = sha256(path)
    (folder / "card.json").write_text(json.dumps(card))


DAMAGES = {
    r"decoder.weights.h5: does not match the sha256": cut_short,
    "decoder.weights.h5: not weights of this decoder": foreign,
    "missing; git checkout restores": lambda f: (f / "decoder.weights.h5").unlink(),
    "not a card": lambda f: (f / "card.json").write_text("{}"),
    "another recipe or network": lambda f: shutil.copy(
        f.parent / "dcgan_c" / "card.json", f
    ),
    r"no trained weights; there are some for: .*dcgan_c": shutil.rmtree,
}


@pytest.mark.parametrize("saying", DAMAGES)
def test_damaged_and_foreign_weights_are_named(saying, mine):
    DAMAGES[saying](mine / "vae_c")
    for _ in range(2):  # a network that was not read is never handed out
        with pytest.raises(WeightsError, match=saying) as error:
            Trained("vae_c", mine).network("decoder")
        assert len(str(error.value)) < 400 and "\n" not in str(error.value)


# -------------------------------------------------------------------- numbers


def test_reconstruction_is_of_the_posterior_mean(trained, faces_folder, monkeypatch):
    """The same images whatever a part is, compiled or not."""
    faces = data_utils.load_faces(faces_folder, "test", tiny.SIZE)
    vae = Trained("vae_c", trained)
    codes = sampling.encode(vae, faces.images)
    outputs = sampling.reconstruct(vae, faces.images)
    pixels = data_utils.from_uint8(faces.images, (-1, 1))
    mean = to_numpy(vae.network("encoder")(pixels, training=False)[0])
    np.testing.assert_allclose(codes, mean, atol=1e-4)
    expected = to_numpy(vae.network("decoder")(mean, training=False))
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
    for part in (1, 5, 16):
        monkeypatch.setattr(sampling, "PART", part)
        parts = list(sampling.rebuilt(vae, codes))
        assert max(map(len, parts)) == part
        np.testing.assert_allclose(np.concatenate(parts), outputs, atol=1e-6)


def test_networks_go_with_their_weights(trained):
    """So that of several problems, only the networks of one are in memory."""
    vae = Trained("vae_c", trained)
    gone = weakref.ref(vae.network("decoder"))
    assert vae.network("decoder") is gone()
    del vae
    gc.collect()
    assert gone() is None


# -------------------------------------------------------------------- figures

CHARTS = ("fig1_2", "fig1_5", "fig2_2", "fig3_2", "fig4_2")


@pytest.mark.slow
def test_the_script_draws_from_anywhere(tmp_path):
    """README's first command, from another folder: with the weights that ship; and it
    says what has none."""
    data, out = REPOSITORY / "sample_data", tmp_path / "out"
    done = subprocess.run(
        ["bash", REPOSITORY / "hw4.sh", data, out],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ
        | {"PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stderr
    assert all("left out" in line for line in done.stderr.splitlines())
    results = json.loads((out / "results.json").read_text())
    assert {"vae", "gan", "acgan"} <= results.keys()
    assert results["gan"]["realness_of_256"]["kind"] == "D's probability of being real"
    for path in out.glob("*.jpg"):
        # Some faces of sample_data are as pale as the gaps between them.
        check_figure(path, tiled=path.stem != "fig1_3")


def test_every_figure_from_test_images_alone(trained, tmp_path, capsys):
    """The whole of hw4.sh: data without train/, some images without a row in the table,
    an output folder that is not there."""
    data = write_faces(tmp_path / "data")
    shutil.rmtree(data / "train")
    (data / "train.csv").unlink()
    rows = (data / "test.csv").read_text().splitlines()
    (data / "test.csv").write_text("\n".join(rows[:-3]))
    out = tmp_path / "deep" / "out"
    assert main(["hw4", str(data), str(out), "--weights", str(trained)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    drawn = {p.stem for p in out.glob("*.jpg")}
    assert drawn == {name for name in (*TILES, *CHARTS) if name < "fig5"}
    for path in out.glob("*.jpg"):
        check_figure(path)
    results = json.loads((out / "results.json").read_text())
    assert results.keys() == PROBLEMS.keys()
    error = results["vae"]["reconstruction"]
    assert (error["n"], error["code"], error["data"]) == (13, "posterior mean", "data")
    assert results["vae"]["images_without_row"] == 3
    assert f"{error['mse_minus1_1']:.5f} in [-1, 1]" in said.out
    assert "13 of 16 test images of data" in said.out
    assert results["acgan"]["requested_attribute"] is None  # its judge cannot read yet
    assert "agreement with the attribute network was not measured" in said.out
    assert results["infogan"]["categories"]["values"]["own_classifier"]["n"] == 14
    real = results["gan"]["realness_of_256"]
    assert real["least"] <= real["median"] <= real["most"]  # of two steps
    assert real["kind"] == "D's probability of being real"
    assert len(set(real["boxed_seeds"])) == 8


def test_the_study_of_the_kl_weight(trained, faces_folder, tmp_path, capsys):
    main(["kl", str(faces_folder), str(tmp_path), "--weights", str(trained)])
    said = capsys.readouterr()
    assert said.err == ""
    assert {p.stem for p in tmp_path.glob("*.jpg")} == {f"fig6_{k}" for k in range(1, 6)}
    for path in tmp_path.glob("*.jpg"):
        check_figure(path)
    runs = json.loads((tmp_path / "results.json").read_text())["kl"]["runs"]
    assert list(runs) == ["KL x1", "KL x0", "KL x100"]
    for label, numbers in runs.items():
        assert 0 <= numbers["active_units"] <= numbers["units"] == 20
        assert numbers["prior_to_data"]["n"] == numbers["reconstruction"]["n"] == 16
        assert f"{numbers['reconstruction']['mse_minus1_1']:.4f}" in said.out
        assert label in said.out
    vae = Trained("vae_e", trained)
    faces = data_utils.load_faces(faces_folder, "test", tiny.SIZE)
    mean, log_var = run_network(
        vae.network("encoder"), data_utils.from_uint8(faces.images, (0, 1))
    )
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(1).mean()
    assert runs["KL x1"]["kl_nats"] == pytest.approx(kl, rel=1e-4)
    epoch = vae.network("decoder", 1)
    for a, b in zip(epoch.weights, vae.network("decoder").weights, strict=True):
        np.testing.assert_allclose(to_numpy(a), to_numpy(b), atol=1e-3)


def test_an_attribute_and_two_categories_of_choice(
    trained, faces_folder, tmp_path, monkeypatch
):
    """Beside the results of another script."""
    drawn, draw = [], sampling.draw

    def kept(trained, seeds, labels=None, **more):
        drawn.append(np.asarray(labels))
        return draw(trained, seeds, labels, **more)

    monkeypatch.setattr(sampling, "draw", kept)
    words = [str(faces_folder), str(tmp_path), "--weights", str(trained)]
    assert main(["vae", *words, "--attribute", "Male"]) == 0
    assert main(["infogan", *words, "--categories", "2,5"]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["vae"]["tsne"] == {"n": 16, "attribute": "Male"}
    assert results["infogan"]["recipe"] == "infogan_b"
    codes = drawn[-1]
    np.testing.assert_allclose(codes[0], np.eye(7)[2])
    np.testing.assert_allclose(codes[3], (np.eye(7)[2] + np.eye(7)[5]) / 2)
    check_figure(tmp_path / "fig4_4.jpg")


def test_a_category_is_named_by_what_differs_most_and_no_two_alike():
    read = [{"Male": 0.9, "Smiling": 0.5}, {"Male": 0.3, "Smiling": 0.1}]
    read.append({"Male": 0.3, "Smiling": 0.6})
    assert infogan.meanings(read) == ["a man (+0.60)", "serious (-0.45)", ""]


def test_all_problems_means_those_with_weights(mine, tmp_path, capsys):
    found = weights_of(ALL, mine)
    assert {name: w.recipe.name for name, (w,) in found.items()} == PROBLEMS
    assert capsys.readouterr().err == ""
    shutil.rmtree(mine / "infogan_b")
    assert weights_of(ALL, mine).keys() == {"vae", "gan", "acgan"}
    assert "infogan: left out" in capsys.readouterr().err
    with pytest.raises(UserError, match="no trained weights of vae_c, dcgan_c"):
        weights_of(ALL, tmp_path / "nowhere")


def test_a_folder_with_weights_is_drawn_in_place_of_a_recipe(
    mine, faces_folder, tmp_path
):
    (mine / "dcgan_c").rename(tmp_path / "of_a_run")
    words = ["gan", str(faces_folder), str(tmp_path / "out"), str(tmp_path / "of_a_run")]
    assert main(words) == 0
    assert (tmp_path / "out" / "fig2_4.jpg").exists()
    words[0] = "vae"
    refused(main, *words, saying=["of_a_run", "is no recipe with vae figures"])


def without_csv(mine, data):
    (data / "test.csv").unlink()


def one_image(mine, data):
    for k in (1, 2, 3):
        (data / "test" / f"{k:05d}.png").unlink()
    rows = (data / "test.csv").read_text().splitlines()
    (data / "test.csv").write_text("\n".join(rows[:2]))


def damaged(mine, data):
    os.truncate(mine / "vae_c" / "decoder.weights.h5", 1000)


def no_judge(mine, data):
    shutil.rmtree(mine / "attributes")


MISTAKES = [  # words, what is said; what is spoilt before
    ("vae D O vae_z", "'vae_z' is no recipe with vae figures; there are: vae_c, vae_e"),
    ("vae D O dcgan_c", "'dcgan_c' is no recipe with vae"),
    ("vae D O vae_b", "vae_b: no trained weights"),
    ("vae D O --attribute Beard", "unknown attribute 'Beard'; "),
    ("vae D O --attribute Beard", "no CSV beside it, but 'Beard'", without_csv),
    ("vae D O", "one image", one_image),
    ("kl D O", "one image", one_image),
    ("kl D O", "attributes: no trained weights", no_judge),
    ("vae D O", "decoder.weights.h5: does not match the sha256", damaged),
    ("infogan D O --categories 2,7", "has 0 to 6"),
    ("infogan D O --categories 1,2,3", "give two"),
    ("infogan D O --categories a", "--categories 'a': give numbers"),
    ("vae none O", "none: no such folder"),
    ("vae D file/out", "cannot write there"),
]


@pytest.mark.parametrize(("words", "saying", "spoil"), [(*m, None)[:3] for m in MISTAKES])
def test_mistakes_end_in_one_line_and_no_figure(
    words, saying, spoil, mine, tmp_path, monkeypatch
):
    monkeypatch.setattr(judge, "WEIGHTS", mine)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    data = write_faces(tmp_path / "D", train=2, test=4)
    if spoil:
        spoil(mine, data)
    refused(main, *words.split(), "--weights", mine, saying=[saying])
    assert not list((tmp_path / "O").glob("*"))
