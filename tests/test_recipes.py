"""Recipes: what the reports say, settings, errors; the table of networks."""

import dataclasses

import numpy as np
import pytest

from models import RECIPES, WEIGHTS, Optimizer, Recipe, RecipeError, get_recipe, latents
from models.__main__ import main as print_models
from models.trained import Trained

SAID = ("about", "reported", "chosen")  # words, not settings


def test_ten_recipes_of_three_reports():
    of_reports = [r.name for r in RECIPES.values() if r.report in "ABC"]
    assert of_reports == [
        "vae_a",
        "wgan_a",
        "acgan_a",
        "vae_b",
        "gan_b",
        "acgan_b",
        "infogan_b",
        "vae_c",
        "dcgan_c",
        "acgan_c",
    ]


def pytorch_adam(rate):
    """The Adam of Reports C and D."""
    return Optimizer("pytorch_adam", rate, beta_1=0.5, beta_2=0.999, epsilon=1e-8)


def test_every_recipe_says_what_was_chosen():
    for recipe in RECIPES.values():
        assert recipe.chosen


def test_what_the_reports_say_of_training():
    r = RECIPES
    assert r["vae_b"].optimizers["vae"] == Optimizer(
        "adam", 2e-4, decay=0.9, decay_steps=4000
    )
    assert (r["vae_b"].batch_size, r["vae_b"].latent, r["vae_b"].kl_weight) == (
        200,
        1024,
        5e-5,
    )
    assert r["gan_b"].optimizers["discriminator"] == Optimizer("rmsprop", 1e-4)
    assert r["gan_b"].optimizers["generator"] == Optimizer("adam", 5e-5)
    assert [(k, o.name, o.learning_rate) for k, o in r["acgan_b"].optimizers.items()] == [
        ("discriminator", "rmsprop", 5e-5),
        ("classifier", "adam", 1e-4),
        ("generator", "adam", 1e-4),
    ]
    assert r["infogan_b"].condition == 7 and r["infogan_b"].steps == 70_000
    assert r["wgan_a"].clip == 0.01 and r["wgan_a"].d_steps == 5
    assert r["vae_c"].optimizers["vae"] == pytorch_adam(2e-4)
    assert (r["vae_c"].batch_size, r["vae_c"].kl_weight) == (32, 1e-5)
    assert r["dcgan_c"].optimizers["discriminator"] == pytorch_adam(5e-5)
    assert (r["dcgan_c"].g_steps, r["dcgan_c"].batch_size) == (2, 128)
    assert r["acgan_c"].latent + r["acgan_c"].condition == 101
    assert r["vae_a"].pixel_range == (0.0, 1.0)
    for name in ("dcgan_d", "dcgan_dropout_d", "dcgan_dropout_g_d", "wgan_gp_same_d"):
        assert set(r[name].optimizers.values()) == {pytorch_adam(1e-4)}
        assert (r[name].batch_size, r[name].image_size) == (64, 96)
    assert set(r["wgan_gp_d"].optimizers.values()) == {pytorch_adam(2e-3)}
    for name in ("wgan_gp_d", "wgan_gp_same_d"):
        assert (r[name].gradient_penalty, r[name].d_steps) == (250, 3)
        assert r[name].adversarial == "wasserstein" and not r[name].clip
    weights = {name: r[name].kl_weight for name in r if name.startswith("vae_e")}
    assert weights == {"vae_e": 1, "vae_e_kl0": 0, "vae_e_kl100": 100}
    assert r["vae_e"].optimizers["vae"] == Optimizer("adam", 1e-4)
    assert (r["vae_e"].batch_size, r["vae_e"].latent) == (100, 20)


def test_unknown_recipe_lists_the_known_ones():
    with pytest.raises(RecipeError, match="did you mean vae_c") as error:
        get_recipe("vae_cc")
    assert all(name in str(error.value) for name in RECIPES)


@pytest.mark.parametrize(
    ("key", "value", "saying"),
    [
        ("batchsize", "4", "known: .*batch_size"),
        ("name", "x", "unknown recipe field"),
        ("discriminator.lr", "1", "known: .*learning_rate"),
        ("encoder.learning_rate", "1", "it has: discriminator, generator"),
        ("batch_size", "many", "takes int"),
        ("batch_size", "0", "at least 1"),
        ("ema", "-1", "cannot be -1"),
        ("flip", "maybe", "takes bool"),
        ("snapshots", "ten", "takes tuple"),
        ("condition", "1", "unknown recipe field"),
        ("image_size", "32", "unknown recipe field"),
        ("augment", "2", "1 at most"),
        ("penalty_every", "0", "at least 1"),
        ("meter_every", "10", "multiple of 25"),
        ("generator.name", "adagrad", "known: adam, pytorch_adam, rmsprop, sgd"),
    ],
)
def test_settings_that_do_not_fit(key, value, saying):
    with pytest.raises(RecipeError, match=saying):
        get_recipe("dcgan_c").replace({key: value})


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("dcgan_c", "kl_weight", "5"),
        ("dcgan_c", "sum_squares", "true"),
        ("dcgan_c", "classify", "7"),
        ("dcgan_c", "penalty_every", "4"),
        ("vae_c", "d_steps", "2"),
        ("vae_c", "g_steps", "3"),
        ("vae_c", "image_noise", "0.3"),
        ("vae_c", "adversarial", "hinge"),
        ("attributes", "noise", "uniform"),
        ("attributes", "meter_every", "25"),
    ],
)
def test_settings_without_effect_are_refused(name, key, value):
    with pytest.raises(RecipeError, match=f"'{key}' has no effect in this recipe of"):
        get_recipe(name).replace({key: value})


def test_settings_replace_fields_of_their_type():
    recipe = get_recipe("dcgan_c").replace(
        {"batch_size": "64", "flip": "true", "generator.learning_rate": "1e-3"}
    )
    halved = {"generator.decay": "0.5", "generator.decay_steps": "9"}
    assert get_recipe("dcgan_c").replace(halved).optimizers["generator"].decay == 0.5
    assert get_recipe("dcgan_c").replace({"adversarial": "hinge"}).real_target < 1
    assert get_recipe("vae_e").replace({"snapshots": ""}).snapshots == ()
    assert recipe.batch_size == 64 and recipe.flip is True
    assert recipe.optimizers["generator"].learning_rate == 1e-3
    assert get_recipe("dcgan_c").optimizers["generator"].learning_rate == 2e-4
    assert Recipe.from_resolved(recipe.resolved()) == recipe


def test_the_words_of_a_recipe_lead_to_it():
    """Of settings of every type, an optimizer's name too; and of all that ship."""
    recipe = get_recipe("acgan_b")
    assert recipe.words(recipe) == []
    other = ["flip=true", "classify=4", "generator.name=rmsprop", "generator.rho=0.5"]
    other = recipe.replace(dict(word.split("=") for word in other))
    assert "generator.rho=0.5" in recipe.words(other)
    pairs = [(recipe, other), (get_recipe("vae_e"), changed("vae_e", snapshots=()))]
    pairs += [(get_recipe(p.name), Trained(p.name).recipe) for p in shipped()]
    for before, after in pairs:
        words = dict(word.split("=") for word in before.words(after))
        same = {k: getattr(before, k) for k in ("steps", "condition", *SAID)}
        assert before.replace(words) == dataclasses.replace(after, **same)


def shipped():
    return [p.parent for p in WEIGHTS.glob("*/card.json")]


def changed(name, **fields):
    return dataclasses.replace(get_recipe(name), **fields)


def test_image_k_comes_from_seed_k():
    recipe = get_recipe("infogan_b")
    both = latents(recipe, [3, 8], [1, 6])
    assert both.shape == (2, 256 + 7) and both.dtype == np.float32
    np.testing.assert_array_equal(both[1:], latents(recipe, [8], [6]))
    assert both[1, 256:].tolist() == [0, 0, 0, 0, 0, 0, 1]
    mixed = latents(recipe, [3], np.full((1, 7), 0.5))
    assert mixed[0, 256:].tolist() == [0.5] * 7
    assert latents(get_recipe("acgan_c"), [0, 1], [1, 0])[:, 100].tolist() == [1, 0]


def test_command_line_prints_recipes_and_tables(fails, capsys):
    def printed(*words):
        assert print_models([*words]) == 0
        return capsys.readouterr().out

    everything = printed()
    assert all(name in everything for name in RECIPES)
    assert "generator 3,576,704, discriminator 2,765,568" in everything
    table = printed("vae_c")
    assert "Conv2DTranspose 6x6 / 128 / 2 valid" in table
    assert all(f"\n  {words}\n" in table for words in get_recipe("vae_c").chosen)
    assert "4,885,952" in table
    fails("-m", "models", "vae_z", saying=["vae_z", "vae_c", "infogan_b"])


@pytest.mark.parametrize(
    ("name", "settings", "beside"),
    [
        ("wgan_a", {"real_target": "0.9"}, "adversarial=wasserstein"),
        ("dcgan_c", {"real_target": "0.9", "adversarial": "hinge"}, "adversarial=hinge"),
        ("wgan_a", {"generator.beta_1": "0.1"}, "name=rmsprop"),
        ("dcgan_c", {"generator.rho": "0.8"}, "name=pytorch_adam"),
        ("dcgan_c", {"generator.decay": "0.5"}, "decay_steps=0"),
    ],
)
def test_settings_without_effect_beside_others_are_refused(name, settings, beside):
    with pytest.raises(RecipeError, match=f"no effect with {beside}"):
        get_recipe(name).replace(settings)
