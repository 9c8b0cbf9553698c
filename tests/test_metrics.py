"""Metrics on made cases with known answers."""

from types import SimpleNamespace

import numpy as np
import pytest

from metrics import (
    collapse,
    distance,
    diversity,
    manifold,
    neighbours,
    ssim,
    swd,
)


def test_real_images_are_as_diverse_as_real_images(faces_twice):
    a, b = faces_twice
    assert collapse.diversity(a, a) == 1
    assert 0.85 < collapse.diversity(a, b) < 1.15


def test_one_image_with_noise_is_collapsed(faces_twice):
    a, b = faces_twice
    noise = np.random.default_rng(0).normal(0, 10, a.shape)
    noisy = np.clip(a[:1] + noise, 0, 255).astype("uint8")
    assert 0 < collapse.diversity(noisy, b) < 0.6 * collapse.COLLAPSED


def test_contrast_and_brightness_are_not_diversity(faces_twice):
    a, b = faces_twice
    values = [
        collapse.diversity(np.rint(128 + share * (a - 128.0)).astype("uint8"), b)
        for share in (0.6, 0.8)
    ]
    values.append(collapse.diversity(a // 2 + 100, b))
    np.testing.assert_allclose(values, collapse.diversity(a, b), rtol=0.03)
    flat = np.full_like(a, 90)
    assert collapse.diversity(flat, b) < 1e-5


def test_few_images_repeated_are_collapsed_however_far_apart(faces_twice):
    a, b = faces_twice
    for modes in (1, 3, 30):
        assert collapse.diversity(a[np.arange(64) % modes], b) < 1e-5


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
