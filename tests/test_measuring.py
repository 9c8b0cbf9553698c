"""Metrics of recipes: what is drawn for them, read of them, and the command."""

import dataclasses
import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, refused, write_faces
from PIL import Image

import data_utils
from cli import UserError
from metrics import Inapplicable, conditions, judge, neighbours, record
from metrics.__main__ import main
from metrics.distance import kernel
from metrics.images import Real, Subject
from metrics.judge import Judge
from metrics.registry import METRICS, obtained
from models import RECIPES, get_recipe, sampling
from models.trained import Trained

ATTRIBUTE_NAMES = ["Smiling", "of noise", "always", "follows", "distrusted"]


def drawn(trained, seeds, labels, prior="normal"):
    """Images that carry their seed and their label in a pixel."""
    images = np.zeros((len(seeds), 8, 8, 3), "uint8")
    images[:, 0, 0, 0], images[:, 0, 0, 1] = list(seeds), labels
    return images


def read(images):
    seed, label = images[:, 0, 0, 0].astype(int), images[:, 0, 0, 1].astype(int)
    smiles = np.where(seed % 10 == 0, 0, label)  # every tenth never smiles
    columns = [smiles, seed // 2 % 2, np.ones(len(seed)), label, seed // 4 % 2]
    return np.stack(columns, 1).astype("float32")


def test_what_a_pair_keeps(monkeypatch):
    monkeypatch.setattr(sampling, "draw", drawn)
    commoner = dict.fromkeys(ATTRIBUTE_NAMES, 0.5) | {"distrusted": 0.9}
    judge = Judge(SimpleNamespace(attributes=ATTRIBUTE_NAMES))
    right = dict.fromkeys(ATTRIBUTE_NAMES, 0.9)
    judge.recorded_accuracy = {"accuracy": right, "commoner_answer": commoner, "n": 10}
    judge.read = read
    recipe = get_recipe("acgan_c")
    trained = SimpleNamespace(recipe=recipe, folder=None)
    smiling = np.arange(40) % 2  # of real faces; three quarters of them "follow"
    faces = data_utils.Faces(None, pd.DataFrame({"Smiling": smiling}), [], None)
    images = drawn(None, range(40), smiling * (np.arange(40) >= 10))
    smile = np.arange(200) % 2
    subject = SimpleNamespace(
        trained=trained,
        real=SimpleNamespace(judge=judge, faces=faces, images=images),
        count=200,
        requested=smile,
        read=read(drawn(trained, range(200), smile)),
    )
    values = conditions.one_attribute(subject)
    # half of the seeds should smile, all of them odd: none is a tenth
    assert values["agreement"] == values["agreement_on"] == 1
    assert values["kept"] == {"of noise": 1, "always": 1, "follows": 0}
    assert values["kept_by_chance"] == {"of noise": 0.5, "always": 1, "follows": 0}
    assert values["kept_at_most"] == {"of noise": 1, "always": 1, "follows": 0.25}
    assert (values["n_real"], values["pairs"]) == (0, 100)
    text = METRICS["requested_attribute"].text(values)
    assert text.startswith("100.0% as requested") and "distrusted" not in text
    assert "kept_at_most: of noise 1, always 1, follows 0.25" in text
    faces.attributes = None
    assert conditions.one_attribute(subject)["kept_at_most"] is None
    trained.recipe = dataclasses.replace(recipe, attribute="distrusted")
    with pytest.raises(Inapplicable, match=r"'distrusted' no better.* reads Smiling, of"):
        conditions.one_attribute(subject)


def test_categories_that_differ_and_that_do_not(monkeypatch):
    rng = np.random.default_rng(0)
    category = np.arange(350) % 7
    same = rng.standard_normal((350, 5))
    apart = same + 8 * np.eye(7, 5)[category]
    assert 0.6 < conditions.told_apart(apart, category) < 0.9  # the last two are alike
    half = {"n": 7, "accuracy": 0.5}
    monkeypatch.setattr(conditions, "read_back", lambda trained: half)
    images = np.zeros((350, 16, 16, 3), "uint8")
    images[:, ..., 0] = (30 * category)[:, None, None]  # redder and redder
    images += rng.integers(0, 2, images.shape, "uint8")
    names = ["Smiling", "distrusted", "of noise"]
    judge = SimpleNamespace(names=names, trusted=[names[0], names[2]])
    subject = SimpleNamespace(
        requested=category,
        read=np.stack([category == 2, category % 2, category > 4], 1).astype(float),
        features=same,
        samples=images,
        trained=None,
        recipe=get_recipe("infogan_b"),
        real=SimpleNamespace(judge=judge),
    )
    values = conditions.category(subject)
    text = METRICS["categories"].text(values)
    assert values["apart_by_features"] < 0.3 and values["apart_by_pixels"] == 1
    assert [c["Smiling"] for c in values["read"]] == [0, 0, 1, 0, 0, 0, 0]
    red = [c["red"] * 255 for c in values["brightness"]]
    assert red == pytest.approx([30 * k + 0.5 for k in range(7)], abs=0.2)
    assert "2: Smiling 1, of noise 0" in text and "distrusted" not in text


SAMPLE_DATA = str(REPOSITORY / "sample_data")


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_line_of_json_a_metric(tmp_path, capsys):
    words = ["acgan_c", "--data", SAMPLE_DATA, "--samples", "20", "--out", str(tmp_path)]
    main(words)
    main([*words, "--metrics", "density_coverage"])
    results, recipe = rows(tmp_path / "metrics.jsonl"), get_recipe("acgan_c")
    names = [name for name, metric in METRICS.items() if metric.about(recipe)]
    assert [r["metric"] for r in results] == [*names, "density_coverage"]
    assert results[names.index("density_coverage")]["values"] == results[-1]["values"]
    card = json.loads((REPOSITORY / "weights/attributes/card.json").read_text())
    said = capsys.readouterr().out
    for r in results:
        assert (r["recipe"], r["data"], r["split"]) == ("acgan_c", "sample_data", "test")
        assert r["n_fake"] == 20 and r["n_real"] in (0, 20)
        assert r["seconds"] >= 0 and r["steps"] > 0 and r["pixel_range"]
        assert set(r["weights"]) == {"generator"}
        network = r.get("attribute_network")
        assert (network is not None) == METRICS[r["metric"]].judged
        if network:
            assert network["data"] == "sample_data/test"
            assert card["files"]["classifier"]["sha256"].startswith(network["weights"])
        assert f"  {r['metric']}: " in said
    assert (tmp_path / "neighbours_acgan_c.jpg").exists()
    assert not (REPOSITORY / "weights" / "acgan_c" / "neighbours_acgan_c.jpg").exists()


def copy_weights(name, root):
    """Weights without what was measured of them."""
    ignored = shutil.ignore_patterns("metrics.jsonl")
    shutil.copytree(REPOSITORY / "weights" / name, root / name, ignore=ignored)


def test_only_rows_of_these_very_weights_density_data_and_judge_count(tmp_path):
    for name in ("vae_e", "attributes"):
        copy_weights(name, tmp_path)
    trained = Trained("vae_e", tmp_path)
    network = json.loads((tmp_path / "attributes" / "card.json").read_text())
    files = {role: f["sha256"][:12] for role, f in trained.card["files"].items()}
    row = {"data": trained.card["data"]["name"], "split": "test", "weights": files}
    theirs = {"weights": network["files"]["classifier"]["sha256"][:12]}
    assert record.newest(trained) == {}
    for name, more in (
        ("collapse_meter", {"values": 1}),
        ("collapse_meter", {"values": 2}),
        ("collapse_meter", {"values": 3, "weights": {"generator": "b" * 12}}),
        ("collapse_meter", {"values": 4, "data": "drawn"}),
        ("collapse_meter", {"values": 5, "split": "train"}),
        ("fitted_prior", {"values": 6, "prior": trained.card["prior"]["sha256"][:12]}),
        ("fitted_prior", {"values": 7, "prior": "another"}),
        ("requested_attribute", {"attribute_network": theirs}),
        ("collapse_meter", {"attribute_network": {"weights": "another"}}),
        ("frechet_attribute_features", {"attribute_network": {"n": 1000}}),
    ):
        record.append(trained.folder / "metrics.jsonl", row | {"metric": name} | more)
    found = record.newest(trained)
    assert [*found] == ["collapse_meter", "fitted_prior", "requested_attribute"]
    assert (found["collapse_meter"]["values"], found["fitted_prior"]["values"]) == (2, 6)
    assert found["requested_attribute"]["attribute_network"] == theirs


def test_damaged_records_are_said(tmp_path):
    copy_weights("acgan_c", tmp_path)
    trained = Trained("acgan_c", tmp_path)
    for text in (
        "<<<<<<< HEAD\n",
        '{"metric": "collapse_meter"',
        "[1]",
        '{"metric": "collapse_meter"}',
    ):
        (trained.folder / "metrics.jsonl").write_text(text)
        with pytest.raises(UserError, match=r"metrics\.jsonl: a line is damaged"):
            record.newest(trained)


def test_all_measures_those_of_the_folders_size_beside_their_weights(tmp_path, capsys):
    for name in ("vae_c", "dcgan_c", "attributes"):
        copy_weights(name, tmp_path)
    card = Trained("dcgan_c", tmp_path).card
    card["recipe"]["image_size"] = 96
    (tmp_path / "dcgan_c" / "card.json").write_text(json.dumps(card))
    wanted = ["reconstruction", "collapse_meter", "attribute_accuracy"]
    words = ["--all", "--data", SAMPLE_DATA, "--weights", str(tmp_path), "--samples"]
    main([*words, "16", "--metrics", *wanted])
    said = "dcgan_c: left out, its images are 96x96, not 64x64"
    assert said in capsys.readouterr().out.splitlines()
    found = [
        (row["metric"], row["n_real"], row["n_fake"])
        for name in ("vae_c", "attributes")
        for row in rows(tmp_path / name / "metrics.jsonl")
    ]
    assert found[:2] == [(wanted[0], 120, 120), (wanted[1], 16, 16)]
    assert found[2:] == [(wanted[2], 120, 0)]


def test_real_images_in_place_of_samples(tmp_path):
    """Real images as samples: every metric finds what it finds of them."""
    side = Real(SAMPLE_DATA, 64, 60, REPOSITORY / "weights")
    card = {"data": {"images": 100}}
    weights = SimpleNamespace(recipe=get_recipe("dcgan_c"), folder=None, card=card)
    subject = Subject(weights, side)
    subject.samples = side.reference
    assert len(side.images) == len(side.reference) == 60 < len(side.training) == 240
    for name in ("kernel_attribute_features", "density_coverage"):
        values = METRICS[name].measure(subject)
        floor = values.pop("real_images")
        assert values == floor
    assert neighbours.measure(subject)["ratio"] < 1e-6
    # and of a plain folder, whose last images are compared with
    plain = Real(f"{SAMPLE_DATA}/test", 64, 50, REPOSITORY / "weights")
    whole = data_utils.load_faces(f"{SAMPLE_DATA}/test").images
    for found in (plain.images, plain.faces.images):
        np.testing.assert_array_equal(found, whole[70:])
    np.testing.assert_array_equal(plain.training, whole[:70])
    for name in ("train", "train.csv"):  # with labels
        (tmp_path / name).symlink_to(f"{SAMPLE_DATA}/{name}")
    labelled = Real(tmp_path, 64, 50, REPOSITORY / "weights").faces
    table = data_utils.load_faces(tmp_path).attributes
    pd.testing.assert_frame_equal(labelled.attributes, table[-50:])
    assert [plain.unseen_by(n) for n in (70, 71)] == [True, False]
    assert plain.split_for(weights) == "train"
    with pytest.raises(Inapplicable, match="none are unseen"):
        neighbours.measure(SimpleNamespace(real=plain, trained=weights))
    assert plain.accuracy["data"] == "hw4_data/test" and plain.accuracy["n"] == 1000
    with pytest.raises(Inapplicable, match="no labels"):
        judge.measure(SimpleNamespace(real=plain))
    with pytest.raises(UserError, match=r"15 images; metrics need 16 or more"):
        Real(SAMPLE_DATA, 64, 15, REPOSITORY / "weights")


def test_the_floor_is_of_faces_that_the_judge_was_not_trained_on():
    side = Real(SAMPLE_DATA, 64, 60, REPOSITORY / "weights")
    np.testing.assert_array_equal(side.reference, side.training[-60:])
    known = side.judge.trained.card["data"]
    known |= {"name": "sample_data", "images": 181}
    assert side.floor(kernel) is None
    known["images"] = 180
    side = Real(SAMPLE_DATA, 64, 60, REPOSITORY / "weights")
    side.judge.trained.card["data"] |= known
    assert side.features_of_reference.shape == (60, 256)


def test_what_does_not_apply_is_said_and_the_rest_counts(tmp_path, capsys):
    """Test images that come twice have no diversity, and training images there are
    none."""
    data, out = write_faces(tmp_path / "twice", train=1, test=16), tmp_path / "out"
    for path in sorted((data / "test").glob("*.png")):
        shutil.copy(path, path.with_name(f"copy_of_{path.name}"))
    shutil.rmtree(data / "train")
    (data / "test.csv").unlink()
    wanted = ["collapse_meter", "nearest_training", "density_coverage"]
    words = ["dcgan_c", "--data", str(data), "--out", str(out), "--metrics", *wanted]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "collapse_meter: left out, each of the first 32 images is there twice" in said
    assert "  nearest_training: left out, no training images to compare with" in said
    assert [r["metric"] for r in rows(out / "metrics.jsonl")] == wanted[2:]


def test_exported_runs_are_measured_beside_their_weights(tmp_path, capsys):
    copy_weights("vae_e", tmp_path / "run")
    (tmp_path / "run" / "vae_e").rename(tmp_path / "run" / "weights")
    words = [str(tmp_path / "run"), "infogan_b", "--data", SAMPLE_DATA]
    words += ["--samples", "16", "--metrics", "reconstruction", "collapse_meter"]
    copy_weights("infogan_b", tmp_path)
    main([*words, "--weights", str(tmp_path)])
    for place, count in (("run/weights", 2), ("infogan_b", 1)):
        assert len(rows(tmp_path / place / "metrics.jsonl")) == count
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "run.json").write_text("{}")
    words[0] = tmp_path / "new"
    refused(main, *words, saying=["was not exported; it takes 'python -m train.export"])


@pytest.mark.parametrize("name", RECIPES)
def test_what_was_obtained_fits_a_cell_of_readmes_table(name):
    if not (REPOSITORY / "weights" / name / "card.json").exists():
        pytest.skip("no weights")
    trained = Trained(name)
    found = record.newest(trained)
    words = {n: METRICS[n].words(row["values"]) for n, row in found.items()}
    assert len(obtained(trained)) <= 66
    for said in words.values():
        assert 0 < len(said) <= 40, said
    if trained.recipe.meter_every:
        assert obtained(trained).endswith(words["collapse_meter"].split()[0])
    else:
        assert words[trained.recipe.headline] in obtained(trained)
    assert all(METRICS[n].text(row["values"]) for n, row in found.items())


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_what_an_export_measures_applies_to_its_recipe(recipe):
    assert METRICS[recipe.headline].about(recipe)


MISTAKES = {  # words -> what is said; D is sample_data, T an empty folder
    "vae_z --data D": "'vae_z'",
    "vae_b --data D --weights T": "no trained weights",
    "vae_c --data D --metrics fid": "unknown metric 'fid'; known: reconstr",
    "vae_c --data D --metrics categories": "categories: no metric of vae recipes",
    "vae_c --data D --samples 3": "--samples 3: 16 or more",
    "vae_c --data T/none": "no such folder",
    "--all --data T/none": "no such folder",
    "vae_c --data D --out T/file/out": "cannot write there",
    "vae_c --data T/small": "3 images; metrics need 16",
    "--all --data T/empty": "no images; put PNG or JPEG",
    "--all --data T/wide": "images of 50x40; there are weights for: ",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_one_line(words, tmp_path):
    write_faces(tmp_path / "small", train=1, test=3)
    for name in ("empty", "wide"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (50, 40)).save(tmp_path / "wide" / "a.png")
    (tmp_path / "file").write_text("no folder")
    folders = {"D": SAMPLE_DATA, "T": str(tmp_path)}
    given = [re.sub("^[DT]", lambda m: folders[m[0]], word) for word in words.split()]
    refused(main, *given, saying=[MISTAKES[words]])


def test_weights_without_an_attribute_network_are_not_measured(tmp_path, monkeypatch):
    copy_weights("vae_c", tmp_path)
    monkeypatch.setattr(judge, "WEIGHTS", tmp_path / "nowhere")
    words = ("vae_c", "--weights", tmp_path, "--data", SAMPLE_DATA)
    refused(main, *words, saying=[tmp_path / "nowhere" / "attributes"])
    assert not (tmp_path / "vae_c" / "metrics.jsonl").exists()
