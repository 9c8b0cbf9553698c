"""Metrics on made cases with known answers."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import REPOSITORY, write_faces

import data_utils
from inference import measure
from metrics import (
    collapse,
    condition,
    distance,
    diversity,
    manifold,
    neighbours,
    reconstruction,
    ssim,
    swd,
)
from metrics.__main__ import fitting, main
from metrics.registry import METRICS
from metrics.subject import Real, Subject
from models import get_recipe
from models.errors import UserError


@pytest.fixture(scope="module")
def faces_twice(tmp_path_factory):
    """Two sets of 64 drawn faces, uint8."""
    folder = write_faces(tmp_path_factory.mktemp("twice"), train=128, test=2)
    images = data_utils.load_faces(folder).images
    return images[:64], images[64:]


def test_real_images_are_as_diverse_as_real_images(faces_twice):
    a, b = faces_twice
    assert collapse.diversity(a, a) == 1
    assert 0.85 < collapse.diversity(a, b) < 1.15


def test_one_image_with_noise_is_collapsed(faces_twice):
    a, b = faces_twice
    noise = np.random.default_rng(0).normal(0, 25, a.shape)
    noisy = np.clip(a[:1] + noise, 0, 255).astype("uint8")
    assert 0 < collapse.diversity(noisy, b) < 0.6 * collapse.COLLAPSED


def test_few_images_repeated_are_collapsed_however_far_apart(faces_twice):
    a, b = faces_twice
    for modes in (1, 3, 30):
        assert collapse.diversity(a[np.arange(64) % modes], b) < 1e-6


def test_a_run_that_collapses_half_way_has_a_moment(faces_twice):
    a, b = faces_twice
    rng = np.random.default_rng(1)
    values = []
    for step in range(10):
        kept = 64 if step < 5 else 4
        values.append(collapse.diversity(a[rng.permutation(64) % kept], b))
    assert min(values[:5]) > collapse.COLLAPSED > max(values[5:])
    steps = [100 * k for k in range(10)]
    assert collapse.moment(steps, values) == 500
    assert collapse.moment(steps, values[:5] * 2) is None
    assert collapse.moment(steps, [0.1] * 5 + [0.9] + [0.1] * 4) == 600


def test_size_of_images_does_not_matter_and_their_number_does(faces_twice):
    a, _ = faces_twice
    larger = a.repeat(3, 1).repeat(3, 2)
    assert collapse.diversity(larger, a) == pytest.approx(1)
    with pytest.raises(ValueError, match="63 samples for 64 images"):
        collapse.diversity(a[1:], a)


def test_frechet_distance_of_shifted_and_stretched_gaussians():
    rng = np.random.default_rng(0)
    a = rng.standard_normal((20_000, 3))
    shift, stretch = np.array([1.0, -2.0, 0.5]), np.array([2.0, 1.0, 0.5])
    b = rng.standard_normal((20_000, 3)) * stretch + shift
    expected = np.square(shift).sum() + np.square(stretch - 1).sum()
    assert distance.frechet(a, b) == pytest.approx(expected, rel=0.03)
    assert distance.frechet(a, a) == pytest.approx(0, abs=1e-9)
    turned, _ = np.linalg.qr(rng.standard_normal((3, 3)))  # covariances that mix
    assert distance.frechet(a @ turned, b @ turned) == pytest.approx(expected, rel=0.03)


def test_kernel_distance_is_zero_on_average_for_the_same_distribution():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 2000, 8))
    same, error = distance.kernel(a, b)
    assert abs(same) < 4 * error
    far, error = distance.kernel(a, b + 1)
    assert far > 20 * error
    # the cube of a linear kernel between points known exactly
    x, y = np.zeros((4, 2)), np.ones((4, 2))
    assert distance.kernel(x, y)[0] == pytest.approx(1 + 8 - 2)


def test_the_kernel_distance_of_a_small_set_has_an_error():
    a, b = np.random.default_rng(0).standard_normal((2, 100, 8))
    assert distance.kernel(a, b)[1] > 1e-4


def noisy(images, deviation):
    noise = np.random.default_rng(0).normal(0, deviation, images.shape)
    return np.clip(images + noise, 0, 255).astype("uint8")


# ------------------------------------------------------------- SSIM, MS-SSIM


def test_ssim_is_its_formula_in_a_single_window():
    a, b = np.random.default_rng(0).integers(0, 256, (2, 1, 11, 11, 3), "uint8")
    taps = np.exp(-((np.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    values = []
    for x, y in zip(np.moveaxis(a[0], -1, 0), np.moveaxis(b[0], -1, 0), strict=True):
        mx, my = (window * x).sum(), (window * y).sum()
        vx, vy = (window * (x - mx) ** 2).sum(), (window * (y - my) ** 2).sum()
        cov = (window * (x - mx) * (y - my)).sum()
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        values.append(luminance * (2 * cov + c2) / (vx + vy + c2))
    assert ssim.ssim(a, b) == pytest.approx([np.mean(values)], abs=1e-5)


def test_ssim_of_equal_flat_noisy_and_inverted_images(faces_twice):
    a, b = faces_twice
    np.testing.assert_allclose(ssim.ssim(a, a), 1, atol=1e-6)
    flat = np.full((2, 1, 32, 48, 3), 100, "uint8")
    flat[1] = 200
    x, y = 100 / 255, 200 / 255
    expected = (2 * x * y + 1e-4) / (x * x + y * y + 1e-4)
    assert ssim.ssim(*flat) == pytest.approx([expected], abs=1e-4)
    assert ssim.ms_ssim(*flat) == pytest.approx([expected**0.1333], abs=1e-4)
    less, more = (ssim.ssim(a, noisy(a, s)).mean() for s in (5, 40))
    assert 1 > less > more > 0
    assert ssim.ssim(a, 255 - a).mean() < -0.05 < ssim.ssim(a, b).mean() < 0.9


def test_ms_ssim_of_pairs_tells_one_image_from_many(faces_twice):
    a, _ = faces_twice
    assert diversity.pairs(a[:1].repeat(9, 0), 20) == pytest.approx(1, abs=1e-6)
    noise = np.random.default_rng(0).integers(0, 256, a.shape, "uint8")
    assert diversity.pairs(noise, 50) < 0.2 < diversity.pairs(a, 50) < 0.9
    # of two images the pairs are those two, never one with itself
    (pair,) = ssim.ms_ssim(a[:1], a[1:2])
    assert diversity.pairs(a[:2], 50) == pytest.approx(pair)


# ------------------------------------------------------- sliced Wasserstein


def test_sliced_wasserstein_of_a_shifted_gaussian():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5000, 147)).astype("float32")
    expected = 5 * np.sqrt(2 / (np.pi * 147))
    assert swd.sliced(a, a) == 0
    assert swd.sliced(a, b) < 0.04
    shift = np.zeros(147, "float32")
    shift[3] = 5
    assert swd.sliced(a, b + shift) == pytest.approx(expected, rel=0.1)


def test_the_pyramid_adds_up_to_the_image(faces_twice):
    images = faces_twice[0][:3]
    levels = swd.pyramid(images)
    assert [x.shape[1] for x in levels] == [64, 32, 16]
    whole = levels[-1]
    for fine in levels[-2::-1]:
        spread = np.zeros_like(fine)
        spread[:, ::2, ::2] = whole
        whole = fine + 4 * swd._blur(spread)
    np.testing.assert_allclose(whole, images, atol=1e-3)
    flat = np.full((1, 64, 64, 3), 77, "uint8")
    for level, value in zip(swd.pyramid(flat), (0, 0, 77), strict=True):
        np.testing.assert_allclose(level, value, atol=1e-3)


def test_swd_hears_grain_at_the_finest_scale_and_not_the_brightness(
    faces_twice, monkeypatch
):
    monkeypatch.setattr(swd, "PATCHES", 32)
    a, b = faces_twice
    assert swd.distances(a, a)["mean"] == 0
    half = a // 2
    assert swd.distances(half, half + 40)["mean"] < 0.5
    floor = swd.distances(a, b)
    grain = swd.distances(a, noisy(b, 20))["by_scale"]
    assert grain["64"] > 5 * floor["by_scale"]["64"]
    assert grain["16"] < 2 * floor["by_scale"]["16"]
    one = swd.distances(a, b[:1].repeat(len(b), 0))
    assert one["mean"] > 2 * floor["mean"]
    with pytest.raises(ValueError, match="different shape"):
        swd.distances(a, b[1:])


# -------------------------------------------------------- precision, recall


def test_precision_and_recall_of_known_sets():
    rng = np.random.default_rng(0)
    near, far = rng.standard_normal((2, 200, 4))
    data = np.concatenate([near, far + 100])  # two clusters
    pair = manifold.shares(data, data)
    assert (pair["precision"], pair["recall"]) == (1, 1)
    pair = manifold.shares(data, data + 50)  # between the clusters
    assert (pair["precision"], pair["recall"]) == (0, 0)
    pair = manifold.shares(data, data[:200])  # one cluster of two
    assert pair["precision"] == 1 and pair["recall"] == 0.5
    pair = manifold.shares(data[:200], data)
    assert pair["precision"] == 0.5 and pair["recall"] == 1
    pair = manifold.shares(data, data[:1].repeat(400, 0))  # one image
    assert pair["precision"] == 1 and pair["recall"] == 1 / 400


# ------------------------------------------------------------- memorisation


def neighbours_of(samples, real, training, flip=False, out=None):
    side = SimpleNamespace(training=training, images=real)
    recipe = SimpleNamespace(name="made", flip=flip)
    trained = SimpleNamespace(origin=lambda: "made")
    subject = SimpleNamespace(
        samples=samples, real=side, recipe=recipe, out=out, trained=trained, count=9
    )
    return neighbours.nearest_training(subject)[0]


def test_copies_of_training_images_are_found(faces_twice, tmp_path):
    training, unseen = faces_twice
    real, samples = unseen[:32], unseen[32:]
    values = neighbours_of(samples, real, training)
    assert values["copies"] == values["copies_of_unseen"] == 0
    assert 0.8 < values["ratio"] < 1.25
    assert neighbours_of(training[:32], real, training)["ratio"] < 1e-6
    values = neighbours_of(noisy(training[:32], 20), real, training, out=tmp_path)
    assert values["copies"] > 0.9 and values["ratio"] < 0.3
    assert [p.name for p in tmp_path.iterdir()] == ["neighbours_made.jpg"]
    mirrored = training[:32, :, ::-1]
    assert neighbours_of(mirrored, real, training)["copies"] < 0.2
    assert neighbours_of(mirrored, real, training, flip=True)["copies"] == 1
    assert neighbours_of(samples, real, None) is None


def test_the_nearest_training_image_is_named(faces_twice):
    training, _ = faces_twice
    near, which = neighbours.nearest_two(training[[7, 3]], training)
    assert which[:, 0].tolist() == [7, 3]
    np.testing.assert_allclose(near[:, 0], 0, atol=1e-6)
    x, y = (collapse.shrink(training[[k]]) for k in (7, which[0, 1]))
    assert near[0, 1] == pytest.approx(np.sqrt(((x - y) ** 2).mean()))


# ----------------------------------------------- reconstructions, conditions


def test_reconstruction_of_a_perfect_and_of_a_shifted_copy(faces_twice, monkeypatch):
    images = np.clip(faces_twice[0], 0, 204)
    side = SimpleNamespace(faces=SimpleNamespace(images=images), split="test")
    for pixel_range in ((-1.0, 1.0), (0.0, 1.0)):
        recipe = SimpleNamespace(pixel_range=pixel_range)
        trained = SimpleNamespace(recipe=recipe)
        for shift in (0, 51):
            outputs = data_utils.from_uint8(images + np.uint8(shift), pixel_range)
            monkeypatch.setattr(measure, "reconstruct", lambda *_, o=outputs: (None, o))
            values, text = reconstruction.reconstruction(
                SimpleNamespace(trained=trained, real=side)
            )
            expected = (shift / 255) ** 2
            assert values["mse_0_1"] == pytest.approx(expected, abs=1e-8)
            assert values["mse_minus1_1"] == pytest.approx(4 * expected, abs=4e-8)
            assert values["n_real"] == values["n_fake"] == 64
            assert (values["ssim"] > 1 - 1e-6) == (shift == 0)
            assert "64 images of test" in text


ATTRIBUTE_NAMES = ["Smiling", "of noise", "always", "follows"]


def drawn(trained, seeds, labels):
    """Images that carry their seed and their label in a pixel."""
    images = np.zeros((len(seeds), 8, 8, 3), "uint8")
    images[:, 0, 0, 0], images[:, 0, 0, 1] = list(seeds), labels
    return images


def read(judge, images):
    seed, label = images[:, 0, 0, 0].astype(int), images[:, 0, 0, 1].astype(int)
    smiles = np.where(seed % 10 == 0, 0, label)  # every tenth never smiles
    columns = [smiles, seed // 2 % 2, np.ones(len(seed)), label]
    return np.stack(columns, 1).astype("float32")


def test_what_a_pair_keeps(monkeypatch):
    monkeypatch.setattr(measure, "draw", drawn)
    monkeypatch.setattr(measure, "read_attributes", read)
    monkeypatch.setattr(measure, "attribute_names", lambda judge: ATTRIBUTE_NAMES)
    card = {"test": {"accuracy": {"Smiling": 0.9}, "n": 10}}
    judge = SimpleNamespace(card=card)
    monkeypatch.setattr(measure, "Trained", lambda *_: judge)
    trained = SimpleNamespace(recipe=get_recipe("acgan_c"))
    side = SimpleNamespace(judge=judge, root="root")
    subject = SimpleNamespace(trained=trained, real=side, count=200)
    values, text = condition.asked_attribute(subject)
    # half of the seeds are asked to smile, all of them odd: none is a tenth
    assert values["agreement"] == values["agreement_on"] == 1
    assert values["kept"] == {"of noise": 1, "always": 1, "follows": 0}
    assert values["kept_by_chance"] == {"of noise": 0.5, "always": 1, "follows": 0}
    assert (values["n_fake"], values["n_real"], values["pairs"]) == (200, 0, 100)
    assert "66.7% of the other attributes" in text


def test_categories_that_differ_and_that_do_not(monkeypatch):
    rng = np.random.default_rng(0)
    asked = np.arange(350) % 7
    same = rng.standard_normal((350, 5))
    apart = same + 8 * np.eye(7, 5)[asked]
    assert condition.told_apart(same, asked) < 0.3
    assert 0.6 < condition.told_apart(apart, asked) < 0.9  # the last two are alike
    own = {"n": 7, "accuracy": 0.5, "chance": 1 / 7}
    monkeypatch.setattr(measure, "category_read_back", lambda trained: own)
    monkeypatch.setattr(measure, "attribute_names", lambda judge: ATTRIBUTE_NAMES[:2])
    images = np.zeros((350, 16, 16, 3), "uint8")
    images[:, ..., 0] = (30 * asked)[:, None, None]  # redder and redder
    images += rng.integers(0, 2, images.shape, "uint8")
    subject = SimpleNamespace(
        asked=asked,
        read=np.stack([asked == 2, asked > 4], 1).astype(float),
        features=same,
        samples=images,
        trained=None,
        recipe=get_recipe("infogan_b"),
        real=SimpleNamespace(judge=None),
    )
    values, text = condition.categories(subject)
    assert values["apart_by_features"] < 0.3 and values["apart_by_pixels"] == 1
    assert [c["Smiling"] for c in values["read"]] == [0, 0, 1, 0, 0, 0, 0]
    assert [c["of noise"] for c in values["read"]] == [0, 0, 0, 0, 0, 1, 1]
    red = [c["red"] * 255 for c in values["brightness"]]
    assert red == pytest.approx([30 * k + 0.5 for k in range(7)], abs=0.2)
    assert "category 2: Smiling +0.86" in text


def test_the_attribute_network_beside_the_commoner_answer(faces_folder, monkeypatch):
    faces = data_utils.load_faces(faces_folder, "test")
    names = ["Smiling", "Wavy_Hair"]  # nobody drawn has wavy hair
    answers = np.stack([1 - faces.label("Smiling"), faces.label("Wavy_Hair")], 1)
    monkeypatch.setattr(measure, "attribute_names", lambda judge: names)
    monkeypatch.setattr(measure, "read_attributes", lambda *_: answers)
    subject = SimpleNamespace(trained=None, real=SimpleNamespace(faces=faces))
    values, _ = condition.attribute_accuracy(subject)
    assert values["accuracy"] == {"Smiling": 0, "Wavy_Hair": 1}
    share = faces.label("Smiling").mean()
    assert values["commoner_answer"] == {
        "Smiling": pytest.approx(max(share, 1 - share)),
        "Wavy_Hair": 1,
    }


# --------------------------------------------------------- the command line

SAMPLE_DATA = str(REPOSITORY / "sample_data")


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_line_of_json_a_metric(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(diversity, "PAIRS", 20)
    words = ["acgan_c", "--data", SAMPLE_DATA, "--samples", "20", "--out", str(tmp_path)]
    main(words)
    main([*words, "--metrics", "swd"])
    results = rows(tmp_path / "metrics.jsonl")
    names = [n for n, metric in METRICS.items() if "acgan" in metric.families]
    assert [r["metric"] for r in results] == [*names, "swd"]
    assert results[names.index("swd")]["values"] == results[-1]["values"]
    said = capsys.readouterr().out
    for r in results:
        assert (r["recipe"], r["data"], r["split"]) == ("acgan_c", "sample_data", "test")
        assert r["n_fake"] == 20 and r["n_real"] in (0, 20)
        assert r["seconds"] >= 0 and r["steps"] > 0 and r["pixel_range"]
        assert list(r["weights"]) == ["generator"]
        assert ("attribute_network" in r) == METRICS[r["metric"]].judged
        if "attribute_network" in r:
            assert r["attribute_network"]["data"] == "sample_data/test"
            assert len(r["attribute_network"]["accuracy"]) == 13
        assert f"  {r['metric']}: " in said
    assert (tmp_path / "neighbours_acgan_c.jpg").exists()
    assert not (REPOSITORY / "weights" / "acgan_c" / "neighbours_acgan_c.jpg").exists()


def test_results_lie_beside_the_weights_by_default(tmp_path):
    for name in ("vae_c", "attributes"):
        shutil.copytree(REPOSITORY / "weights" / name, tmp_path / name)
    wanted = ["reconstruction", "collapse_meter", "attribute_accuracy"]
    words = ["--all", "--data", SAMPLE_DATA, "--weights", str(tmp_path), "--samples"]
    main([*words, "16", "--metrics", *wanted])
    first, second = rows(tmp_path / "vae_c" / "metrics.jsonl")
    assert (first["metric"], first["n_real"], first["n_fake"]) == (wanted[0], 120, 120)
    assert (second["metric"], second["n_real"]) == (wanted[1], 16)
    (third,) = rows(tmp_path / "attributes" / "metrics.jsonl")
    assert (third["metric"], third["n_real"], third["n_fake"]) == (wanted[2], 120, 0)


def test_all_means_those_whose_images_have_the_folders_size(tmp_path, capsys):
    for name in ("vae_c", "dcgan_c"):
        shutil.copytree(REPOSITORY / "weights" / name, tmp_path / name)
    path = tmp_path / "dcgan_c" / "card.json"
    card = json.loads(path.read_text())
    card["recipe"]["image_size"] = 96
    path.write_text(json.dumps(card))
    (found,) = fitting(tmp_path, REPOSITORY / "sample_data")
    assert found.recipe.name == "vae_c"
    said = "dcgan_c: left out, its images are 96x96, not 64x64"
    assert capsys.readouterr().out.strip() == said


def test_real_images_in_place_of_samples(monkeypatch):
    """Training images as samples: every metric finds what it finds of them."""
    monkeypatch.setattr(swd, "PATCHES", 32)
    side = Real(SAMPLE_DATA, 64, 60, REPOSITORY / "weights")
    subject = Subject(SimpleNamespace(recipe=get_recipe("dcgan_c")), side)
    subject.samples = side.others
    assert len(side.images) == len(side.others) == 60 < len(side.training) == 240
    for name in ("swd", "frechet_attribute_features", "precision_recall"):
        values, _ = METRICS[name].measure(subject)
        floor = values.pop("training_images")
        assert values == floor
    assert neighbours.nearest_training(subject)[0]["ratio"] < 1e-6
    # and of a plain folder, the images after those that are compared with
    plain = Real(f"{SAMPLE_DATA}/test", 64, 50, REPOSITORY / "weights")
    assert plain.split == "train" and len(plain.training) == 70
    assert plain.accuracy == plain.judge.card["test"]
    unlabelled = SimpleNamespace(real=plain)
    assert condition.attribute_accuracy(unlabelled)[0] is None
    with pytest.raises(UserError, match=r"15 images; metrics need 16 or more"):
        Real(SAMPLE_DATA, 64, 15, REPOSITORY / "weights")


def test_sample_k_comes_from_seed_k_and_classes_take_turns(monkeypatch):
    real = SimpleNamespace(images=np.zeros((9, 8, 8, 3), "uint8"))
    monkeypatch.setattr(measure, "draw", drawn)
    turns = {"dcgan_c": [0, 1] * 5, "acgan_c": [0, 1] * 5, "infogan_b": [*range(7), 0, 1]}
    for name, labels in turns.items():
        subject = Subject(SimpleNamespace(recipe=get_recipe(name)), real)
        assert subject.samples[:, 0, 0, 0].tolist() == list(range(9))
        assert subject.samples[:, 0, 0, 1].tolist() == labels[:9]


def test_features_of_other_sizes(faces_twice):
    from metrics.subject import resized

    a, _ = faces_twice
    assert resized(a, 64) is a
    large = resized(a[:4], 96)
    assert large.shape == (4, 96, 96, 3)
    assert np.abs(resized(large, 64).astype(int) - a[:4]).mean() < 4


def test_mistakes_are_one_line(tmp_path, fails):
    def wrong(*words, saying, data=SAMPLE_DATA):
        with pytest.raises(UserError) as error:
            main([*map(str, words), "--data", str(data)])
        assert "\n" not in str(error.value)
        assert str(saying) in str(error.value)

    fails(*("-m", "metrics", "vae_z", "--data", SAMPLE_DATA), saying=["vae_z", "vae_a"])
    wrong("vae_b", saying="no trained weights")
    wrong(saying="one recipe, or --all")
    wrong("vae_c", "--all", saying="one recipe, or --all")
    wrong("vae_c", "--metrics", "fid", saying="unknown metric 'fid'; known: reconstr")
    wrong(
        "vae_c", "--metrics", "categories", saying="categories: no metric of vae recipes"
    )
    wrong("vae_c", "--samples", 3, saying="--samples 3: 16 or more")
    wrong("vae_c", saying="no such folder", data=tmp_path / "none")
    wrong("--all", saying="no such folder", data=tmp_path / "none")
    (tmp_path / "file").write_text("")
    wrong("vae_c", "--out", tmp_path / "file" / "out", saying="cannot write there")
    small = write_faces(tmp_path / "small", train=1, test=3)
    wrong("vae_c", saying="3 images; metrics need 16", data=small)
    from PIL import Image

    wide = tmp_path / "wide"
    wide.mkdir()
    wrong("--all", saying="no images; put PNG or JPEG", data=wide)
    Image.new("RGB", (50, 40)).save(wide / "a.png")
    wrong("--all", saying="images of 50x40; there are weights for: ", data=wide)
    (wide / "a.png").write_text("no image")
    wrong("--all", saying="a.png: not a readable image", data=wide)
    shutil.copytree(REPOSITORY / "weights" / "vae_c", tmp_path / "alone" / "vae_c")
    alone = ("vae_c", "--weights", tmp_path / "alone")
    wrong(*alone, saying=tmp_path / "alone" / "attributes")
    assert not (tmp_path / "alone" / "vae_c" / "metrics.jsonl").exists()
