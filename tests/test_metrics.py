"""Metrics on made cases with known answers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import data_utils
from metrics import (
    Inapplicable,
    collapse,
    distance,
    judge,
    neighbours,
    reconstruction,
)
from metrics.judge import Judge
from metrics.random_features import RandomFeatures
from models import sampling


def noisy(images, deviation):
    noise = np.random.default_rng(0).normal(0, deviation, images.shape)
    return np.clip(images + noise, 0, 255).astype("uint8")


# ------------------------------------------------------------------ collapse

# What is made of 64 real images (a), and how diverse it is beside 64 more (b).
SETS = {
    "other real images": (lambda a: a, 0.85, 1.15),
    "one with noise": (lambda a: noisy(a[:1].repeat(64, 0), 10), 1e-3, 0.3),
    "flat": (lambda a: np.full_like(a, 90), 0, 1e-5),
    **{
        f"{n} repeated": (lambda a, n=n: a[np.arange(64) % n], 0, 1e-5)
        for n in (1, 3, 30)
    },
}


@pytest.mark.parametrize("name", SETS)
def test_the_meter_says_how_diverse_samples_are(name, faces_twice):
    made, low, high = SETS[name]
    a, b = faces_twice
    assert low <= collapse.diversity(made(a), b) < high


def test_contrast_brightness_and_size_are_not_diversity(faces_twice):
    a, b = faces_twice
    greyer = [np.rint(128 + s * (a - 128.0)).astype("uint8") for s in (0.6, 0.8)]
    values = [collapse.diversity(x, b) for x in (*greyer, a // 2 + 100)]
    np.testing.assert_allclose(values, collapse.diversity(a, b), rtol=0.03)
    assert collapse.diversity(a.repeat(3, 1).repeat(3, 2), a) == pytest.approx(1)
    twice = np.concatenate([a[:16], a[:16]])
    for data in (twice, 0 * twice):
        with pytest.raises(Inapplicable, match="there twice"):
            collapse.diversity(a[:32], data)


@pytest.mark.parametrize(
    ("values", "moment"),
    [
        ([0.9] * 5 + [0.1] * 5, 500),
        ([0.9, 0.1] * 5, 900),
        ([0.1, 0.9] * 5, None),
        ([0.1] * 10, 0),
        ([0.1] * 5 + [0.9] + [0.1] * 4, 600),
        ([], None),
    ],
)
def test_a_run_that_collapses_for_good_has_a_moment(values, moment):
    steps = [100 * k for k in range(len(values))]
    history = pd.DataFrame({"step": steps, "diversity": values})
    assert collapse.step_of(history) == moment


# ----------------------------------------------------- distances of features


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
    # of one distribution all is bias: half as many images have twice of it
    values = distance.frechet_with_error(*rng.standard_normal((2, 400, 16)))
    assert 1.6 < values["of_half_as_many"] / values["distance"] < 2.6


def test_kernel_distance_is_zero_on_average_for_the_same_distribution():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 1000, 8))
    same, error = distance.kernel(a, b).values()
    assert abs(same) < 4 * error
    far, error = distance.kernel(a, b + 1).values()
    assert far > 20 * error
    # the cube of a linear kernel between points known exactly
    x, y = np.zeros((4, 2)), np.ones((4, 2))
    assert distance.kernel(x, y)["distance"] == pytest.approx(1 + 8 - 2)


@pytest.mark.parametrize("measured", [distance.frechet_with_error, distance.kernel])
def test_errors_are_those_of_other_images(measured):
    """What halves of one pair of sets say, and the spread over forty pairs."""
    rng = np.random.default_rng(0)
    spread = np.array([3.0, 2.0, 1.0, 0.5])
    pairs = [rng.standard_normal((2, 200, 4)) * spread for _ in range(40)]
    found = [measured(a, b + 0.5) for a, b in pairs]
    true = np.std([v["distance"] for v in found], ddof=1)
    assert 0.7 * true < np.mean([v["standard_error"] for v in found]) < 1.4 * true


def test_density_and_coverage_of_known_sets():
    rng = np.random.default_rng(0)
    near, far, other = rng.standard_normal((3, 400, 4))
    data = np.concatenate([near, far + 100])  # two clusters

    def shares(fake):
        values = distance.density_coverage(data, fake)
        return values["density"], values["coverage"]

    assert shares(data + 50) == (0, 0)  # between the clusters
    density, coverage = shares(other)  # one cluster of two
    assert density == pytest.approx(1, abs=0.1) and 0.45 < coverage <= 0.5
    whole = np.concatenate([other, rng.standard_normal((400, 4)) + 100])
    density, coverage = shares(whole)
    assert density == pytest.approx(1, abs=0.1)
    assert coverage == pytest.approx(1 - 0.5**5, abs=0.02)
    one = shares(near[:1].repeat(800, 0))[1]  # one image: a few balls reach it
    some = shares(near[np.arange(800) % 100])[1]
    assert 1 / 800 < one < 0.05 < some < 0.45


# ------------------------------------------------------------- memorisation


def test_copies_of_training_images_are_found(faces_twice, tmp_path):
    training, unseen = faces_twice

    def measured(samples, flip=False, training=training, out=None):
        side = {"training": training, "images": unseen[:32]}
        side = SimpleNamespace(**side, split_for=lambda trained: "test")
        recipe = SimpleNamespace(name="made", flip=flip)
        subject = {"samples": samples, "real": side, "recipe": recipe, "out": out}
        subject = SimpleNamespace(**subject, trained=None)
        return neighbours.measure(subject)

    values = measured(unseen[32:])
    assert values["copies"] == values["copies_of_unseen"] == 0
    assert 0.8 < values["ratio"] < 1.25
    assert measured(training[:32])["ratio"] < 1e-6
    values = measured(noisy(training[:32], 20), out=tmp_path)
    assert values["copies"] > 0.9 and values["ratio"] < 0.3
    assert [p.name for p in tmp_path.iterdir()] == ["neighbours_made.jpg"]
    mirrored = training[:32, :, ::-1]
    assert measured(mirrored)["copies"] < 0.2 and measured(mirrored, True)["copies"] == 1
    with pytest.raises(Inapplicable, match="no training images"):
        measured(unseen[32:], training=None)


def test_the_nearest_training_images_are_named_mirrored_or_not(faces_twice):
    training = faces_twice[0][:20]
    near, which = neighbours.nearest_two(training[[7, 3]], training)
    assert which[:, 0].tolist() == [7, 3]
    x, y = (collapse.shrink(training[[k]]) for k in (7, which[0, 1]))
    expected = [[0, np.sqrt(((x - y) ** 2).mean())]]
    np.testing.assert_allclose(near[:1], expected, rtol=1e-5, atol=1e-6)
    near, which = neighbours.nearest_two(training[:3, :, ::-1], training, mirrored=True)
    assert which[:, 0].tolist() == [20, 21, 22]
    # The second is another image, even where a face is the mirror image of itself.
    even = np.concatenate([training[:1], training[:1, :, ::-1]], 2)[:, :, ::2]
    faces = np.concatenate([even, training[1:]])
    near, which = neighbours.nearest_two(even, faces, mirrored=True)
    assert which[0, 0] % 20 == 0 and which[0, 1] % 20 != 0
    assert near[0, 0] < neighbours.COPY * near[0, 1]


# ------------------------------------- reconstructions, the attribute network


@pytest.mark.parametrize("shift", [0, 51])
@pytest.mark.parametrize("pixel_range", [(-1.0, 1.0), (0.0, 1.0)])
def test_reconstruction_of_a_perfect_and_of_a_shifted_copy(
    pixel_range, shift, faces_twice, monkeypatch
):
    """The same in every range, and in parts."""
    images = np.clip(np.concatenate([faces_twice[0]] * 5), 0, 204)
    outputs = data_utils.from_uint8(images + np.uint8(shift), pixel_range)
    monkeypatch.setattr(sampling, "reconstruct", lambda *_: outputs)
    side = SimpleNamespace(faces=SimpleNamespace(images=images))
    trained = SimpleNamespace(recipe=SimpleNamespace(pixel_range=pixel_range))
    values = reconstruction.measure(SimpleNamespace(trained=trained, real=side))
    expected = (shift / 255) ** 2
    assert values["mse_0_1"] == pytest.approx(expected, abs=1e-8)
    assert values["mse_minus1_1"] == pytest.approx(4 * expected, abs=4e-8)
    assert not shift or values["psnr_db"] == pytest.approx(13.98, abs=0.01)
    assert values["n_real"] == values["n_fake"] == 320
    parts = iter([outputs[:300], outputs[300:]])
    error = reconstruction.reconstruction_error(images, parts, pixel_range)
    assert error["mse_0_1"] == pytest.approx(values["mse_0_1"])


def test_the_attribute_network_beside_the_commoner_answer(faces_folder, monkeypatch):
    faces = data_utils.load_faces(faces_folder, "test")
    names = ["Smiling", "Wavy_Hair"]  # nobody drawn has wavy hair
    answers = np.stack([1 - faces.label("Smiling"), faces.label("Wavy_Hair")], 1)
    monkeypatch.setattr(Judge, "read", lambda *_: answers)
    trained = SimpleNamespace(attributes=names)
    subject = SimpleNamespace(trained=trained, real=SimpleNamespace(faces=faces))
    values = judge.measure(subject)
    assert values["accuracy"] == {"Smiling": 0, "Wavy_Hair": 1}
    share = faces.label("Smiling").mean()
    assert values["commoner_answer"] == {
        "Smiling": pytest.approx(max(share, 1 - share)),
        "Wavy_Hair": 1,
    }


def test_features_of_other_sizes(faces_twice):
    a, _ = faces_twice
    assert judge.resized(a, 64) is a
    large = judge.resized(a[:4], 96)
    assert large.shape == (4, 96, 96, 3)
    assert np.abs(judge.resized(large, 64).astype(int) - a[:4]).mean() < 4


def test_a_network_that_was_never_trained_tells_kinds_of_images_apart(faces_twice):
    first, second = faces_twice
    space = RandomFeatures(first)
    noise = np.random.default_rng(0).integers(0, 256, second.shape, "uint8")
    same = RandomFeatures(first).distance(second)
    assert space.distance(second) == same < space.distance(second[:4].repeat(16, 0))
    assert same < space.distance(noise) / 3
