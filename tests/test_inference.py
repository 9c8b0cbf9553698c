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
from conftest import REPOSITORY, refused, tiles, write_faces
from PIL import Image

import data_utils
from cli import UserError
from inference import infogan
from inference.__main__ import main
from inference.draw import weights_of
from inference.problems import ALL, PROBLEMS, STUDIES
from metrics import categories, judge, record
from metrics.reconstruction import reconstruction_error
from models import batch_statistics, build, get_recipe, latents, sampling
from models.keras_setup import to_numpy
from models.sampling import run_network
from models.trained import Trained, WeightsError, load, sha256
from train import backend, export
from train.run import Run

pytestmark = pytest.mark.usefixtures("tiny_networks")


@pytest.fixture(scope="module")
def trained(tiny_networks, faces_folder, tmp_path_factory):
    """Barely trained weights of every default recipe, exported from runs."""
    folder = tmp_path_factory.mktemp("trained")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(batch_statistics, "BATCHES", (2, 4))
    monkeypatch.setattr(backend, "compiled", uncompiled)
    few = functools.partial(categories.category_read_back, count=14)
    monkeypatch.setattr(categories, "category_read_back", few)
    faces = data_utils.load_faces(faces_folder, size=tiny.SIZE)
    for name in ("attributes", *PROBLEMS.values(), *STUDIES["kl"]):
        recipe = get_recipe(name)
        if recipe.snapshots:  # two steps are an epoch of the 48 images
            recipe = dataclasses.replace(recipe, batch_size=24, snapshots=(1,))
        run = Run(recipe, faces, folder / name, 0, "float32", report=lambda text: None)
        run.train(2)
        export.export(folder / name, faces_folder, folder / "weights")
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


def test_plain_keras_reads_the_files(trained):
    network = build(get_recipe("vae_c"), "decoder")
    network.load_weights(trained / "vae_c" / "decoder.weights.h5")
    z = latents(get_recipe("vae_c"), [0])
    ours = Trained("vae_c", trained).network("decoder")
    np.testing.assert_array_equal(to_numpy(network(z)), to_numpy(ours(z)))


def test_cards_say_what_the_weights_are(trained):
    for name in PROBLEMS.values():
        card = json.loads((trained / name / "card.json").read_text())
        assert card["recipe"]["name"] == name and card["recipe"]["batch_size"] == 2
        assert card["data"]["name"] == "drawn_faces" and card["data"]["images"] == 48
        assert card["steps"] == 2 and card["training_hours"] >= 0
        for role, entry in card["files"].items():
            path = trained / name / f"{role}.weights.h5"
            assert entry["sha256"] == sha256(path)
            assert entry["bytes"] == path.stat().st_size < export.LIMIT
            if "pixel" in entry["largest_change"]["of"]:
                assert entry["largest_change"]["by"] <= export.VISIBLE
    vae = record.newest(Trained("vae_c", trained))["reconstruction"]
    error = vae["values"]
    assert vae["n_real"] == 16 and vae["data"] == "drawn_faces"
    assert error["mse_minus1_1"] == pytest.approx(4 * error["mse_0_1"])


def test_damaged_and_foreign_weights_are_named(mine, trained):
    path = mine / "vae_c" / "decoder.weights.h5"
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(WeightsError, match=r"decoder.weights.h5: does not match the sha"):
        Trained("vae_c", mine).network("decoder")
    network = build(get_recipe("vae_c"), "decoder")
    with pytest.raises(WeightsError, match=r"decoder.weights.h5: not weights of this"):
        load(network, path)
    other = trained / "dcgan_c" / "generator.weights.h5"
    with pytest.raises(WeightsError, match="not weights of this decoder") as error:
        load(network, other)
    assert len(str(error.value)) < 400 and "\n" not in str(error.value)
    # Networks that are read start at zero: one that was not read is never handed out.
    shutil.copy(other, path)
    card = json.loads((mine / "vae_c" / "card.json").read_text())
    card["files"]["decoder"]["sha256"] = sha256(path)
    (mine / "vae_c" / "card.json").write_text(json.dumps(card))
    foreign = Trained("vae_c", mine)
    for _ in range(2):
        with pytest.raises(WeightsError, match="not weights of this decoder"):
            foreign.network("decoder")
    path.unlink()
    with pytest.raises(WeightsError, match="missing; restore it"):
        Trained("vae_c", mine).network("decoder")
    (mine / "vae_c" / "card.json").write_text("{}")
    with pytest.raises(WeightsError, match="not a card"):
        Trained("vae_c", mine)
    shutil.copy(trained / "dcgan_c" / "card.json", mine / "vae_c" / "card.json")
    with pytest.raises(WeightsError, match="another recipe or network"):
        Trained("vae_c", mine)
    with pytest.raises(WeightsError, match=r"there are some for: .*vae_c"):
        Trained("vae_b", mine)


# -------------------------------------------------------------------- numbers


def test_reconstruction_error_in_both_ranges():
    images = np.full((300, 8, 8, 3), 255, "uint8")
    for pixel_range, white in (((-1.0, 1.0), 1.0), ((0.0, 1.0), 1.0)):
        low, high = pixel_range
        outputs = np.full(images.shape, white - 0.1 * (high - low), "float32")
        error = reconstruction_error(images, outputs, pixel_range)
        assert error["mse_0_1"] == pytest.approx(0.01, rel=1e-4)
        assert error["mse_minus1_1"] == pytest.approx(0.04, rel=1e-4)
        assert error["psnr_db"] == pytest.approx(20, rel=1e-4)
        assert error["n"] == 300
        parts = (outputs[k : k + 256] for k in (0, 256))
        assert reconstruction_error(images, parts, pixel_range) == error
    with pytest.raises(ValueError, match="256 outputs of 300"):
        reconstruction_error(images, iter([outputs[:256]]), pixel_range)


def test_reconstruction_is_of_the_posterior_mean(trained, faces_folder):
    faces = data_utils.load_faces(faces_folder, "test", tiny.SIZE)
    vae = Trained("vae_c", trained)
    codes, outputs = sampling.reconstruct(vae, faces.images)
    pixels = data_utils.from_uint8(faces.images, (-1, 1))
    mean = to_numpy(vae.network("encoder")(pixels, training=False)[0])
    np.testing.assert_allclose(codes, mean, atol=1e-4)
    expected = to_numpy(vae.network("decoder")(mean, training=False))
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
    error = reconstruction_error(faces.images, outputs, (-1.0, 1.0))
    assert error["mse_minus1_1"] == pytest.approx(
        ((pixels - outputs) ** 2).mean(), rel=1e-4
    )


def test_rebuilt_in_parts_is_rebuilt_at_once(trained, monkeypatch):
    """The same images and the same error, whatever a part is, compiled or not."""
    vae = Trained("vae_c", trained)
    codes = np.random.default_rng(0).normal(size=(70, vae.recipe.latent))
    codes = codes.astype("float32")
    at_once = sampling.decode(vae, codes)
    images = sampling.as_images(vae, at_once[::-1])
    for part in (1, 33, 64, 70):
        monkeypatch.setattr(sampling, "PART", part)
        parts = list(sampling.rebuilt(vae, codes))
        assert max(map(len, parts)) == part
        np.testing.assert_allclose(np.concatenate(parts), at_once, atol=1e-6)
        found, expected = (
            reconstruction_error(images, outputs, (-1.0, 1.0))["mse_0_1"]
            for outputs in (parts, at_once)
        )
        assert found == pytest.approx(expected, rel=1e-6)


def test_networks_go_with_their_weights(trained):
    """So that of several problems, only the networks of one are in memory."""
    vae = Trained("vae_c", trained)
    gone = weakref.ref(vae.network("decoder"))
    assert vae.network("decoder") is gone()
    del vae
    gc.collect()
    assert gone() is None


# -------------------------------------------------------------------- figures

TILES = {  # figures of images: columns, rows
    "fig1_3": (10, 2),
    "fig1_4": (8, 4),
    "fig1_6": (8, 4),
    "fig2_3": (8, 4),
    "fig2_4": (8, 4),
    "fig3_3": (10, 2),
    "fig4_3": (7, 5),
    "fig4_4": (7, 5),
    "fig5_1": (10, 5),
    "fig5_2": (8, 2),
    "fig5_3": (8, 2),
    "fig5_4": (10, 2),
    "fig5_5": (10, 8),
    "fig5_7": (8, 2),
    "fig6_2": (10, 4),
    "fig6_3": (10, 7),
    "fig6_4": (12, 3),
}
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
    """The whole of hw4.sh: data without train/, an output folder that is not there."""
    data = write_faces(tmp_path / "data")
    shutil.rmtree(data / "train")
    (data / "train.csv").unlink()
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
    assert (error["n"], error["code"], error["data"]) == (16, "posterior mean", "data")
    assert f"{error['mse_minus1_1']:.5f} in [-1, 1]" in said.out
    assert results["acgan"]["requested_attribute"] is None  # its judge cannot read yet
    assert "agreement with the attribute network was not measured" in said.out
    assert results["infogan"]["categories"]["values"]["own_classifier"]["n"] == 14
    real = results["gan"]["realness_of_256"]
    assert real["least"] <= real["median"] <= real["most"]  # of two steps
    assert real["kind"] == "D's probability of being real"
    assert len(set(real["boxed_seeds"])) == 8


def test_faces_without_a_csv_have_codes_of_one_colour(trained, faces_folder, tmp_path):
    data, out = tmp_path / "plain", tmp_path / "out"
    shutil.copytree(faces_folder / "test", data / "test")
    assert main(["vae", str(data), str(out), "--weights", str(trained)]) == 0
    check_figure(out / "fig1_5.jpg")
    results = json.loads((out / "results.json").read_text())
    assert results["vae"]["tsne"] == {"n": 16, "attribute": None}


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


def test_the_study_of_mode_collapse(faces_folder, tmp_path, monkeypatch):
    """On a run whose meter fell half-way: before and after are found and shown."""
    monkeypatch.setattr(batch_statistics, "BATCHES", (1, 4))
    images = faces_folder / "train"  # a plain folder, no CSV
    faces = data_utils.load_faces(images, "train", tiny.SIZE)
    for name in STUDIES["anime"]:
        recipe = dataclasses.replace(
            get_recipe(name), batch_size=4, d_steps=1, meter_every=25
        )
        some = {"dcgan_d": (1, 2, 4, 6), "wgan_gp_d": (2, 4)}
        recipe = dataclasses.replace(recipe, snapshots=some.get(name, ()))
        run = Run(recipe, faces, tmp_path / name, 0, "float32", report=lambda text: None)
        run.model.train_step = lambda data: {"d_loss": 0.5, "g_loss": 0.5}
        values = iter([0.9, 0.8, 0.2] if name == "dcgan_d" else [0.9] * 3)
        run._diversity = lambda values=values: next(values)
        run.train(75)
        export.export(tmp_path / name, faces_folder, tmp_path / "weights")
    kept = Trained("dcgan_d", tmp_path / "weights").snapshots()
    assert kept == [6]  # collapsed from step 75 on, which is epoch 6.25
    assert Trained("wgan_gp_d", tmp_path / "weights").snapshots() == [2, 4]
    other = Trained("lsgan_d", tmp_path / "weights")
    assert other.snapshots() == [] and list(other.card["files"]) == ["generator"]
    words = ["anime", str(images), str(tmp_path / "out")]
    assert main([*words, "--weights", str(tmp_path / "weights")]) == 0
    drawn = {p.stem for p in (tmp_path / "out").glob("*.jpg")}
    assert drawn == {f"fig5_{k}" for k in range(1, 8)}
    for path in (tmp_path / "out").glob("*.jpg"):
        check_figure(path)
    runs = json.loads((tmp_path / "out" / "results.json").read_text())["anime"]["runs"]
    assert list(runs) == list(STUDIES["anime"])
    assert runs["dcgan_d"]["collapsed_at_epoch"] == 6.25
    assert runs["wgan_gp_d"]["collapsed_at_epoch"] is None
    assert 0 <= runs["dcgan_d"]["diversity"] < 2 and runs["dcgan_d"]["n"] == 48


def check_figure(path, tiled=True):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(float)
    assert min(pixels.shape[:2]) > 300 and pixels.std() > 5
    if tiled and path.stem in TILES:
        assert tiles(pixels) == TILES[path.stem]


def test_an_attribute_of_choice_and_results_side_by_side(trained, faces_folder, tmp_path):
    words = ["vae", str(faces_folder), str(tmp_path), "--weights", str(trained)]
    (tmp_path / "results.json").write_text('{"gan": {"kept": 1}}')
    assert main([*words, "--attribute", "Male"]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["gan"] == {"kept": 1}
    assert results["vae"]["tsne"] == {"n": 16, "attribute": "Male"}


def test_two_categories_of_choice(trained, faces_folder, tmp_path, monkeypatch):
    drawn = []
    draw = sampling.draw

    def kept(trained, seeds, labels=None, **more):
        drawn.append(np.asarray(labels))
        return draw(trained, seeds, labels, **more)

    monkeypatch.setattr(sampling, "draw", kept)
    words = ["infogan", str(faces_folder), str(tmp_path), "--weights", str(trained)]
    main([*words, "--categories", "2,5"])
    codes = drawn[-1]
    np.testing.assert_allclose(codes[0], np.eye(7)[2])
    np.testing.assert_allclose(codes[3], (np.eye(7)[2] + np.eye(7)[5]) / 2)
    check_figure(tmp_path / "fig4_4.jpg")
    for given, saying in (("2,7", "has 0 to 6"), ("1,2,3", "give two"), ("a", "numbers")):
        refused(main, *words, "--categories", given, saying=[saying])


def test_a_category_is_named_by_what_differs_most():
    read = [{"Male": 0.9, "Smiling": 0.5}, {"Male": 0.3, "Smiling": 0.1}]
    read.append({"Male": 0.3, "Smiling": 0.6})
    assert infogan.meanings(read) == ["Male +0.60", "Smiling -0.45", "Male -0.30"]


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
    refused(main, *words, saying=["of_a_run", "is no recipe for vae figures"])


def test_mistakes_end_in_one_line_and_no_figure(
    mine, faces_folder, tmp_path, fails, monkeypatch
):
    monkeypatch.setattr(judge, "WEIGHTS", mine)
    out = tmp_path / "out"
    tail = ("--weights", mine)

    def wrong(*words, saying):
        refused(main, *words, *tail, saying=saying)

    vae = ("-m", "inference", "vae")
    fails(*vae, tmp_path / "none", out, saying=["none", "no such folder"])
    wrong("vae", faces_folder, out, "vae_z", saying=["vae_z", "vae_a, vae_b, vae_c"])
    wrong("vae", faces_folder, out, "dcgan_c", saying=["dcgan_c", "vae_a"])
    wrong("vae", faces_folder, out, "vae_b", saying=["vae_b", "no trained weights"])
    wrong("gan", faces_folder, out, "vae_c", saying=["'vae_c' is no recipe for gan"])
    beard = ("--attribute", "Beard")
    wrong("vae", faces_folder, out, *beard, saying=["Beard", "Smiling"])
    plain = write_faces(tmp_path / "plain", train=2, test=2)
    (plain / "test.csv").unlink()
    wrong("vae", plain, out, *beard, saying=["Beard", "test.csv"])
    one = write_faces(tmp_path / "one", train=1, test=1)
    for problem in ("vae", "hw4", "kl"):
        wrong(problem, one, out, saying=["one image"])
    (mine / "attributes").rename(mine / "away")
    wrong("kl", faces_folder, out, saying=["attributes: no trained weights"])
    (mine / "away").rename(mine / "attributes")
    os.truncate(mine / "vae_c" / "decoder.weights.h5", 1000)
    wrong("vae", faces_folder, out, saying=["decoder.weights.h5", "sha256"])
    (tmp_path / "file").write_text("")
    inside = tmp_path / "file" / "out"
    fails(*vae, faces_folder, inside, saying=["cannot write"])
    assert not list(out.glob("*"))


@pytest.mark.parametrize(
    "script", ["hw4", "hw_kl", "hw_anime", "hw_rpgan", *(f"hw4_{p}" for p in PROBLEMS)]
)
def test_wrong_arguments_get_the_usage(script):
    for words in ([], ["only-data"]):
        done = subprocess.run(
            ["bash", f"{script}.sh", *words],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert done.stderr.startswith(f"usage: bash {script}.sh")
    text = (REPOSITORY / f"{script}.sh").read_text()
    assert len(text.splitlines()) == 3
