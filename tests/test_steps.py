"""One step of every recipe: what optimized, what is random, what is averaged."""

import dataclasses

import numpy as np
import pytest
import tiny
from conftest import ATTRIBUTES, small, write_faces
from scipy.ndimage import gaussian_filter

import data_utils
from models import RECIPES, Optimizer, get_recipe, keras_setup
from models.keras_setup import keras, to_numpy
from train.backend import compiled
from train.feed import Feed
from train.model import make_optimizer, model_of

SLOW = pytest.mark.slow


def snapshot(model):
    return {
        (role, k): to_numpy(v)
        for role, network in model.networks.items()
        for k, v in enumerate(network.trainable_variables)
    }


@pytest.fixture(scope="module")
def faces_of(faces_folder):
    """Drawn faces of the size that a recipe reads."""
    return {n: data_utils.load_faces(faces_folder, "train", n) for n in (16, 64, 96)}


# One recipe of each system: several of Reports D and E are the same networks.
SYSTEMS = {(r.algorithm, *r.networks.values()): name for name, r in RECIPES.items()}


@pytest.mark.parametrize("recipe_of", [tiny.recipe, pytest.param(small, marks=SLOW)])
@pytest.mark.parametrize("name", SYSTEMS.values())
def test_each_update_moves_exactly_what_it_owns(name, recipe_of, faces_of):
    # Of two images hardly one is damaged, what two of its losses are about.
    recipe = recipe_of(name, batch_size=16 if name == "attributes" else 2)
    faces = faces_of[recipe.image_size]
    model = model_of(recipe, seed=1)
    where = {
        id(v): (role, k)
        for role, network in model.networks.items()
        for k, v in enumerate(network.trainable_variables)
    }
    assert {id(v) for vs in model.optimized.values() for v in vs} == where.keys()
    updates, minimize = [], model.minimize

    def watched(role, *loss):
        before = snapshot(model)
        logs = minimize(role, *loss)
        after = snapshot(model)
        moved = {key for key in after if (before[key] != after[key]).any()}
        owned = {where[id(v)] for v in model.optimized[role]}
        assert moved <= owned, role
        still = owned - moved
        # A last bias cancels in a difference of scores: nothing optimized it.
        if "score_real" in logs and role == "discriminator":
            assert {model.networks[r].trainable_variables[k].shape for r, k in still} <= {
                (1,)
            }
        else:
            assert not still
        updates.append(role)
        return logs

    model.minimize = watched
    averages = {r: [to_numpy(v) for v in n.variables] for r, n in model.average.items()}
    logs = model.train_step(Feed(recipe, faces, seed=1)(0))
    assert all(np.isfinite(float(v)) for v in logs.values())
    assert int(model.step) == 1

    d, g = ["discriminator"] * recipe.d_steps, ["generator"] * recipe.g_steps
    expected = [*d, *["classifier"] * ("classifier" in recipe.optimizers), *g]
    assert updates == (expected if recipe.traits.adversarial else [*recipe.optimizers])
    if clip := recipe.settings.get("clip"):
        network = model.networks["discriminator"]
        head = [v for x in network.layers if x.name == "label_head" for v in x.variables]
        clipped = [
            v for v in network.trainable_variables if all(v is not h for h in head)
        ]
        assert max(np.abs(to_numpy(v)).max() for v in clipped) <= np.float32(clip)
        if recipe.condition:
            assert np.abs(to_numpy(head[0])).max() > clip
    decay = min(recipe.ema, 2 / 11)  # (1 + step) / (10 + step) at step 1
    for role, before in averages.items():
        live = [to_numpy(v) for v in model.networks[role].variables]
        now = [to_numpy(v) for v in model.average[role].variables]
        for a, v, b in zip(before, live, now, strict=True):
            if a.dtype == np.float32:
                np.testing.assert_allclose(b, a + (1 - decay) * (v - a), atol=1e-6)


@pytest.mark.parametrize("name", ["acgan_b", "infogan_b"])
@pytest.mark.parametrize("d_steps", [1, 2])
def test_d_and_the_classifier_see_the_same_generated_images(name, d_steps, tiny_faces):
    recipe = tiny.recipe(name, d_steps=d_steps)
    model = model_of(recipe, seed=1)
    made, seen = [], []
    generate, minimize = model.G, model.minimize

    def watched(noise):
        made.append(generate(noise))
        return made[-1]

    def noted(role, *loss):
        seen.append((role, len(made)))
        return minimize(role, *loss)

    model.G, model.minimize = watched, noted
    model.train_step(Feed(recipe, tiny_faces, seed=1)(0))
    of_d = [("discriminator", k + 1) for k in range(d_steps)]
    assert seen == [*of_d, ("classifier", d_steps), ("generator", d_steps)]
    assert len(made) == d_steps + recipe.g_steps == d_steps + 1


def test_random_numbers_are_a_function_of_seed_and_step():
    def noise(seed, step):
        model = model_of(small("acgan_c"), seed)
        model.step.assign(step)
        model.batch = 2
        model.begin()
        drop = [s for s in model.seeds if s is not model.noise_seed.state]
        assert len(drop) == 6  # one generator a dropout layer
        return np.concatenate([to_numpy(model.noise()).ravel(), *map(to_numpy, drop)])

    np.testing.assert_array_equal(noise(1, 5), noise(1, 5))
    assert (noise(1, 5) != noise(1, 6)).any()
    assert (noise(1, 5) != noise(2, 5)).any()


def applied(optimizer, start, gradients):
    """What an optimizer makes of a variable, and its state: numpy arrays."""
    variable = keras.Variable(start)
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    return [to_numpy(variable), *map(to_numpy, optimizer.variables)]


def test_adam_is_keras_own_adam_with_a_stair():
    stairs = {"schedule": "staircase", "decay": 0.9, "decay_steps": 3}
    spec = Optimizer("adam", 1e-2, beta_1=0.5, **stairs)
    recipe = dataclasses.replace(get_recipe("vae_b"), optimizers={"vae": spec})
    stair = keras.optimizers.schedules.ExponentialDecay(1e-2, 3, 0.9, staircase=True)
    rng = np.random.default_rng(0)
    start = rng.standard_normal((50, 7)).astype("float32")
    gradients = rng.standard_normal((20, 50, 7)).astype("float32")
    optimizers = make_optimizer(recipe, "vae"), keras.optimizers.Adam(stair, beta_1=0.5)
    ends = [applied(optimizer, start, gradients) for optimizer in optimizers]
    assert np.abs(ends[0][0] - start).max() > 0.05
    for ours, theirs in zip(*ends, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_adam_of_reports_c_and_d_is_pytorchs():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start = rng.standard_normal((50, 7)).astype("float32")
    gradients = (1e-7 * rng.standard_normal((10, 50, 7))).astype("float32")
    recipe = get_recipe("vae_c")
    spec = recipe.optimizers["vae"]
    ends = {}
    for name in (spec.name, "adam"):  # at such gradients epsilon decides
        changed = {"vae": dataclasses.replace(spec, name=name)}
        ours = make_optimizer(dataclasses.replace(recipe, optimizers=changed), "vae")
        ends[name] = applied(ours, start, gradients)[0]
    theirs = torch.nn.Parameter(torch.from_numpy(start.copy()))
    adam = torch.optim.Adam([theirs], 2e-4, (0.5, 0.999), eps=1e-8)
    for gradient in gradients:
        theirs.grad = torch.from_numpy(gradient)
        adam.step()
    moved = theirs.detach().numpy() - start
    np.testing.assert_allclose(ends["pytorch_adam"] - start, moved, atol=2e-6)
    assert np.abs(ends["adam"] - start - moved).max() > 1e-4


def test_bfloat16_keeps_variables_outputs_and_losses_in_float32(tiny_faces):
    recipe = tiny.recipe("dcgan_c")
    keras_setup.set_precision("bfloat16")
    try:
        model = model_of(recipe)
    finally:
        keras_setup.set_precision("float32")
    for network in model.networks.values():
        numbers = [v for v in network.variables if "seed_generator" not in v.path]
        assert {v.dtype for v in numbers} == {"float32"}
        assert {str(t.dtype) for t in network.outputs} == {"float32"}
        assert any(layer.compute_dtype == "bfloat16" for layer in network.layers)
    logs = model.train_step(Feed(recipe, tiny_faces, 0)(0))
    assert "float32" in str(logs["d_loss"].dtype)


def test_flip_mirrors_some_and_only_mirrors(faces):
    recipes = (small("vae_c", batch_size=32, flip=flip) for flip in (False, True))
    a, b = (Feed(recipe, faces, 0)(3)[0][0] for recipe in recipes)
    mirrored = [(x != y).any() for x, y in zip(a, b, strict=True)]
    assert 4 < sum(mirrored) < 28
    for x, y, m in zip(a, b, mirrored, strict=True):
        np.testing.assert_array_equal(y, x[:, ::-1] if m else x)


@SLOW
def test_a_label_in_the_picture_is_learned_and_what_no_label_tells(tmp_path_factory):
    folder = write_faces(tmp_path_factory.mktemp("many"), train=512, test=64)
    recipe = small("attributes", batch_size=32, image_size=32)
    train, test = (data_utils.load_faces(folder, s, 32) for s in ("train", "test"))
    model = model_of(recipe)
    advance, _ = compiled(model, Feed(recipe, train, 0), 1)
    advance(0, 150)
    images = data_utils.from_uint8(test.images, recipe.pixel_range)
    turned = np.rot90(images, 1, (1, 2))
    blurred = gaussian_filter(images, (0, 3, 3, 0))

    def read(images):
        answers = model.networks["classifier"](images, training=False)
        return [to_numpy(answer) for answer in answers]

    attributes, _, sharp = read(images)  # scores
    for name in ("Black_Hair", "Bangs"):
        column = attributes[:, ATTRIBUTES.index(name)] > 0
        right = (column == test.label(name)).mean()
        assert right > 0.9, (name, right)
    assert (read(turned)[1].argmax(1) == 1).mean() > 0.9
    assert (read(blurred)[2] > sharp).mean() > 0.9
