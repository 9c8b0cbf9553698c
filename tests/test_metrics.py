"""Metrics on made cases with known answers."""

import numpy as np
import pytest

from metrics import collapse, distance


@pytest.fixture(scope="module")
def faces_twice(tmp_path_factory):
    """Two sets of 64 drawn faces, uint8."""
    from conftest import write_faces

    import data_utils

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
