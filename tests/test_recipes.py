"""Recipes: what the reports say, settings, errors; the table of networks."""

import dataclasses
import re

import numpy as np
import pytest
from conftest import refused

from models import (
    RECIPES,
    WEIGHTS,
    Optimizer,
    Recipe,
    RecipeError,
    get_recipe,
    latents,
    recipes,
)
from models.__main__ import main as print_models
from models.recipe import LOG_EVERY, WORDS, pair
from models.trained import Trained
from train.model import model_of


def pytorch_adam(rate):
    """The Adam of Reports C and D."""
    return Optimizer("pytorch_adam", rate, beta_1=0.5, beta_2=0.999, epsilon=1e-8)


def test_every_recipe_says_what_was_chosen():
    for recipe in RECIPES.values():
        assert recipe.chosen


def test_what_the_reports_say_of_training():
    r = RECIPES
    assert r["vae_b"].optimizers["vae"] == Optimizer(
        "adam", 2e-4, schedule="staircase", decay=0.9, decay_steps=4000
    )
    assert (r["vae_b"].batch_size, r["vae_b"].latent) == (200, 1024)
    assert r["vae_b"].settings["kl_weight"] == 5e-5
    assert r["gan_b"].optimizers["discriminator"] == Optimizer("rmsprop", 1e-4)
    assert r["gan_b"].optimizers["generator"] == Optimizer("adam", 5e-5)
    assert [(k, o.name, o.learning_rate) for k, o in r["acgan_b"].optimizers.items()] == [
        ("discriminator", "rmsprop", 5e-5),
        ("classifier", "adam", 1e-4),
        ("generator", "adam", 1e-4),
    ]
    assert r["infogan_b"].condition == 7 and r["infogan_b"].steps == 70_000
    assert r["wgan_a"].settings == {"clip": 0.01} and r["wgan_a"].d_steps == 5
    assert r["vae_c"].optimizers["vae"] == pytorch_adam(2e-4)
    assert (r["vae_c"].batch_size, r["vae_c"].settings["kl_weight"]) == (32, 1e-5)
    assert r["dcgan_c"].optimizers["discriminator"] == pytorch_adam(5e-5)
    assert (r["dcgan_c"].g_steps, r["dcgan_c"].batch_size) == (2, 128)
    assert r["acgan_c"].latent + r["acgan_c"].condition == 101
    assert r["vae_a"].pixel_range == (0.0, 1.0)
    for name in ("dcgan_d", "dcgan_dropout_d", "dcgan_dropout_g_d", "wgan_gp_same_d"):
        assert set(r[name].optimizers.values()) == {pytorch_adam(1e-4)}
        assert (r[name].batch_size, r[name].image_size) == (64, 96)
    assert set(r["wgan_gp_d"].optimizers.values()) == {pytorch_adam(2e-3)}
    for name in ("wgan_gp_d", "wgan_gp_same_d"):
        assert r[name].settings == {"gradient_penalty": 250} and r[name].d_steps == 3
        assert r[name].algorithm == "gans.WGANGP"
    weights = {
        name: r[name].settings["kl_weight"] for name in r if name.startswith("vae_e")
    }
    assert weights == {"vae_e": 1, "vae_e_kl0": 0, "vae_e_kl100": 100}
    assert r["vae_e"].optimizers["vae"] == Optimizer("adam", 1e-4)
    assert (r["vae_e"].batch_size, r["vae_e"].latent) == (100, 20)


@pytest.mark.parametrize(
    ("changes", "saying"),
    [
        ({"family": "gans"}, "my_gan: family 'gans'; known: vae, gan"),
        ({"algorithm": "gans.DCGAN"}, "my_gan: algorithm 'gans.DCGAN'"),
        ({"algorithm": "my_gans.GAN"}, "my_gan: algorithm 'my_gans.GAN'"),
        (
            {"optimizers": {}},
            "my_gan: gans.GAN takes the optimizers generator, disc",
        ),
        ({"settings": {}}, "my_gan: gans.GAN takes the settings real_target"),
        (
            {"networks": {"generator": "mine.generator"}},
            "my_gan: network 'mine.generator'",
        ),
        ({"networks": {"generator": "report_c.mine"}}, "my_gan: network 'report_c.mine'"),
        ({"here": (("batchsize=4", "why"),)}, "batchsize"),
        ({"name": "dcgan_c"}, "two recipes are called 'dcgan_c'"),
    ],
)
def test_a_mistake_in_the_list_of_recipes_is_one_line(changes, saying, monkeypatch):
    mine = dataclasses.replace(
        get_recipe("dcgan_c"), **{"name": "my_gan", "here": ()} | changes
    )
    monkeypatch.setattr(recipes, "_ALL", [*recipes._ALL, mine])
    monkeypatch.setattr(recipes, "RECIPES", {r.name: r for r in recipes._ALL})
    with pytest.raises(RecipeError, match=re.escape(saying)):
        model_of(get_recipe(mine.name))


REFUSED = {  # recipe: words of --set, what is said
    "dcgan_c": [
        ("batchsize=4", "known: .*batch_size"),
        ("name=x", "unknown field"),
        ("discriminator.lr=1", "known: .*learning_rate"),
        ("encoder.learning_rate=1", "it has: discriminator, generator"),
        ("batch_size=many", "takes int"),
        ("batch_size=0", "at least 1"),
        ("ema=-1", "from 0 to below 1"),
        ("ema=1", "from 0 to below 1"),
        ("real_target=0", "above 0, at most 1"),
        ("real_target=5", "above 0, at most 1"),
        ("generator.beta_1=1", "from 0 to below 1"),
        ("generator.learning_rate=0", "above 0"),
        ("generator.learning_rate=inf", "takes float"),
        ("image_noise=nan", "takes float"),
        ("flip=maybe", "takes bool"),
        ("snapshots=ten", "takes tuple"),
        ("snapshots=-1", "0 or more"),
        ("condition=1", "unknown field"),
        ("image_size=32", "unknown field"),
        ("augment=2", "from 0 to 1"),
        ("kl_weight=5", "unknown field"),
        ("meter_every=10", "multiple of 25"),
        ("generator.name=adagrad", "known: adam, pytorch_adam, rmsprop, sgd"),
        ("generator.schedule=linear", "known: constant, staircase, cosine"),
        ("generator.rho=0.8", "no effect with name=pytorch_adam"),
        ("generator.decay=0.5", "no effect with schedule=constant"),
        ("generator.floor=0.5", "no effect with schedule=constant"),
        ("noise=none", "cannot be none in a recipe of gan"),
    ],
    "vae_c": [
        ("d_steps=2", "'d_steps' has no effect in this recipe of vae"),
        ("image_noise=0.3", "'image_noise' has no effect in this recipe of vae"),
        ("noise=rand", "'noise' must be one of normal, uniform"),
        ("noise=uniform", "the KL term is that of normal noise"),
    ],
    "attributes": [
        ("noise=uniform", "'noise' has no effect in this recipe of classifier"),
        ("meter_every=25", "'meter_every' has no effect in this recipe of classifier"),
    ],
    "wgan_a": [("generator.beta_1=0.1", "no effect with name=rmsprop")],
}


@pytest.mark.parametrize(
    ("name", "word", "saying"),
    [(name, *case) for name, cases in REFUSED.items() for case in cases],
)
def test_settings_that_do_not_fit_or_have_no_effect(name, word, saying):
    with pytest.raises(RecipeError, match=saying):
        get_recipe(name).replace(dict([pair(word)]))


def test_settings_replace_fields_of_their_type():
    recipe = get_recipe("dcgan_c").replace(
        {"batch_size": "64", "flip": "true", "generator.learning_rate": "1e-3"}
    )
    halved = {"generator.schedule": "staircase", "generator.decay": "0.5"}
    halved["generator.decay_steps"] = "9"
    assert get_recipe("dcgan_c").replace(halved).optimizers["generator"].decay == 0.5
    assert get_recipe("wgan_a").replace({"clip": "0.1"}).settings == {"clip": 0.1}
    assert get_recipe("vae_e").replace({"snapshots": ""}).snapshots == ()
    assert recipe.batch_size == 64 and recipe.flip is True
    assert recipe.optimizers["generator"].learning_rate == 1e-3
    assert get_recipe("dcgan_c").optimizers["generator"].learning_rate == 2e-4
    words = {k: getattr(recipe, k) for k in WORDS}
    assert Recipe.from_resolved(recipe.resolved() | words) == recipe


@pytest.mark.parametrize("name", [r.name for r in RECIPES.values() if r.here])
def test_what_trains_here_says_where_it_departs_from_the_report_and_why(name):
    recipe = get_recipe(name)
    rows = recipe.departures()
    here = recipe.trained_here()
    assert rows and all(why for *_, why in rows)
    for key, report, ours, _ in rows:
        assert recipe.value(key) == report != ours == here.value(key)
    plain, changed = recipe.resolved(), here.resolved()
    named = {key.partition(".")[0] for key, *_ in rows}
    named = {"optimizers" if k in recipe.optimizers else k for k in named}
    named = {"settings" if k in recipe.settings else k for k in named}
    found = {k for k in plain if plain[k] != changed[k]}
    assert found - {"epochs"} == named - {"epochs"}  # steps, too, say how long


@pytest.mark.parametrize("name", [p.parent.name for p in WEIGHTS.glob("*/card.json")])
def test_weights_are_what_the_command_makes(name):
    """One run, with the recipe's settings from the first step to the declared last."""
    trained = Trained(name)
    card = trained.card
    here = get_recipe(name).trained_here().lasting(card["data"]["images"])
    assert trained.recipe.resolved() == here.resolved()
    steps = trained.history()["step"].tolist()
    assert (card["from"] or {"recipe": ""})["recipe"] == here.start
    assert steps[0] == LOG_EVERY and steps[-1] == here.steps
    assert max(np.diff(steps)) <= LOG_EVERY


def test_epochs_are_as_many_steps_as_the_data_needs():
    recipe = get_recipe("vae_e")
    assert recipe.lasting(8000).steps == 8000  # batches of 100, 100 epochs
    assert recipe.lasting(40_000).steps == 40_000
    assert recipe.replace({"steps": "5"}).lasting(40_000).steps == 5
    assert recipe.replace({"epochs": "0.001"}).lasting(8000).steps == 1
    assert get_recipe("wgan_a").lasting(40_000) == get_recipe("wgan_a")


def test_image_k_comes_from_seed_k():
    recipe = get_recipe("infogan_b")
    both = latents(recipe, [3, 8], [1, 6])
    assert both.shape == (2, 256 + 7) and both.dtype == np.float32
    np.testing.assert_array_equal(both[1:], latents(recipe, [8], [6]))
    assert both[1, 256:].tolist() == [0, 0, 0, 0, 0, 0, 1]
    mixed = latents(recipe, [3], np.full((1, 7), 0.5))
    assert mixed[0, 256:].tolist() == [0.5] * 7
    assert latents(get_recipe("acgan_c"), [0, 1], [1, 0])[:, 100].tolist() == [1, 0]


def test_command_line_prints_recipes_and_tables(capsys):
    def printed(*words):
        assert print_models(words) == 0
        return capsys.readouterr().out

    everything = printed()
    assert all(name in everything for name in RECIPES)
    assert "generator 3,576,704, discriminator 2,765,568" in everything
    table = printed("vae_c")
    assert "Conv2DTranspose 6x6 / 128 / 2 valid" in table
    assert all(f"\n  {words}\n" in table for words in get_recipe("vae_c").chosen)
    assert "4,885,952" in table
    refused(print_models, "vae_cc", saying=["vae_cc", "did you mean vae_c?", *RECIPES])
