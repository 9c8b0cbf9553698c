"""Which seeds and labels a verb draws with."""

from types import SimpleNamespace

import numpy as np
import pytest
from conftest import small

from cli import UserError
from inference import options
from models import get_recipe, latents, sampling

# ------------------------------------------------------------ seeds and labels


@pytest.mark.parametrize(
    ("text", "found"),
    [("0-3,7", [0, 1, 2, 3, 7]), ("9, 4", [9, 4]), ("5-5", [5])],
)
def test_lists_of_numbers(text, found):
    assert options.numbers(text) == found


NO_LISTS = ["5-", "-5", "", "a", "9-3", "1.5", "1,,2", "1-2-3", "٣", "0-3;5"]
TOO_LONG = ["0-100000", "0-99999,5", "0-999999999999999999"]


@pytest.mark.parametrize("text", [*NO_LISTS, *TOO_LONG])
def test_what_is_no_list_of_numbers_or_too_long_is_refused(text):
    said = "more than 100,000" if text in TOO_LONG else "give numbers such as 0-99"
    with pytest.raises(UserError, match=f"--seeds '.*': {said}"):
        options.numbers(text)


@pytest.fixture
def conditional(tmp_path):
    """Weights of a recipe of two attributes, without networks, by their name."""
    (tmp_path / "labels.csv").write_text("Bangs,Smiling\n1,0\n0,0\n1,1\n")
    names = {"acgan_c": ["Smiling"], "rpgan_attributes": ["Bangs", "Smiling"]}
    return lambda name: SimpleNamespace(
        recipe=get_recipe(name), folder=tmp_path, attributes=names.get(name)
    )


@pytest.mark.parametrize(
    ("name", "seeds", "label", "found"),
    [
        ("acgan_c", [4, 5, 7], None, [0, 1, 1]),
        ("acgan_c", [4, 5], "Smiling=1", [1, 1]),
        ("infogan_b", [6, 7, 9], None, [6, 0, 2]),
        ("infogan_b", [0], "category=6", [6]),
        ("vae_c", [0], None, None),
        ("rpgan_attributes", [0, 4], None, [[1, 0], [0, 0]]),  # those of training images
        ("rpgan_attributes", [0, 4], "Smiling=1, Bangs=0", [[0, 1], [0, 1]]),
    ],
)
def test_classes_of_seeds(name, seeds, label, found, conditional):
    assert options.classes(conditional(name), seeds, label) == found


@pytest.mark.parametrize(
    ("name", "label", "saying"),
    [
        ("acgan_c", "Male=1", "of Smiling"),
        ("acgan_c", "Smiling=2", "=0 to 1"),
        ("acgan_c", "Smiling", "of Smiling"),
        ("infogan_b", "category=7", "=0 to 6, of category"),
        ("infogan_b", "Smiling=1", "of category"),
        ("dcgan_c", "Smiling=1", "has no condition"),
        ("rpgan_attributes", "Smile=1", "of Bangs, Smiling"),
        ("rpgan_attributes", "Smiling=2", "=0 to 1, of Bangs, Smiling"),
    ],
)
def test_a_label_that_a_recipe_does_not_take_is_refused(name, label, saying, conditional):
    with pytest.raises(UserError, match=f"--label {label}: {name} .*{saying}"):
        options.classes(conditional(name), [0], label)


def test_truncation_shrinks_the_noise_and_not_the_class():
    recipe = small("acgan_a")
    full, half = (latents(recipe, [1, 2], [1, 0], share) for share in (1.0, 0.5))
    assert np.allclose(half[:, :-1], full[:, :-1] / 2)
    assert np.array_equal(half[:, -1], [1, 0])


def test_a_walk_stays_where_all_noise_is_truncated():
    rows = sampling.walk(np.zeros((2, 3), "float32"), 4, sampling.spherical)
    assert np.array_equal(rows, np.zeros((5, 3)))
