"""Starting from trained weights (`--from`)."""

import json
import shutil

import numpy as np
import pytest
from conftest import small

from cli import UserError
from models.keras_setup import to_numpy
from models.trained import save, sha256
from train.families import FAMILIES
from train.run import Run
from train.transfer import STEP, by_place, fitted, in_words, source_of, start_from


def weights_of(name, root):
    """A folder of fresh weights of a recipe, and the model they are of."""
    recipe = small(name)
    model = FAMILIES[recipe.family](recipe, seed=3)
    folder = root / name
    folder.mkdir()
    files = {}
    for role, network in model.networks.items():
        path = folder / f"{role}.weights.h5"
        save(network, path, 0)
        files[role] = {"file": path.name, "sha256": sha256(path)}
    card = {"recipe": recipe.resolved(), "steps": 7, "epochs": 1.0, "files": files}
    card["data"] = {"name": "drawn"}
    (folder / "card.json").write_text(json.dumps(card))
    return folder, model


def values(network):
    return {place: to_numpy(v) for place, v in by_place(network).items()}


def test_a_label_joins_and_everything_else_is_taken(tmp_path):
    folder, before = weights_of("wgan_a", tmp_path)
    after = FAMILIES["acgan"](small("acgan_a"), seed=1)
    said = start_from(after, source_of(folder, after.recipe))
    old, new = values(before.networks["generator"]), values(after.networks["generator"])
    assert old.keys() == new.keys()
    for place in old:
        if place == "dense 0/kernel":
            np.testing.assert_array_equal(new[place][:-1], old[place])
            assert not new[place][-1:].any()
        else:
            np.testing.assert_array_equal(new[place], old[place])
    old, new = (values(m.networks["discriminator"]) for m in (before, after))
    fresh = new.keys() - old.keys()
    assert fresh == {"label_head 0/kernel", "label_head 0/bias"}
    assert all((new[place] == old[place]).all() for place in old)
    assert said["fresh"] == [f"discriminator/{p}" for p in sorted(fresh, reverse=True)]
    assert said["widened"] == ["generator/dense 0/kernel"]
    assert (said["recipe"], said["steps"]) == ("wgan_a", 7)
    assert "fresh: discriminator/label_head 0/kernel" in in_words(said)
    for v, a in zip(
        after.networks["generator"].variables,
        after.average["generator"].variables,
        strict=True,
    ):
        np.testing.assert_array_equal(to_numpy(v), to_numpy(a))


def test_rows_that_can_and_cannot_be_added():
    kernel = np.ones((1, 1, 4, 3), "float32")
    assert fitted(kernel, (1, 1, 6, 3)).sum() == 12
    np.testing.assert_array_equal(fitted(kernel, (1, 1, 3, 3)), kernel[:, :, :3])
    assert fitted(kernel, (1, 1, 6, 4)) is None
    assert fitted(np.ones(3), (4,)) is None
    kernel = np.ones((4, 4, 8, 3), "float32")  # of a transposed convolution: 3 inputs
    assert fitted(kernel, (4, 4, 8, 5), axis=-1)[..., 3:].sum() == 0
    assert fitted(kernel, (4, 4, 16, 3), axis=-1) is None


def test_categories_without_labels_start_as_steps_in_the_noise(tmp_path):
    """Rows of zeros would leave nothing to tell them apart by, for good."""
    folder, before = weights_of("gan_b", tmp_path)
    after = FAMILIES["infogan"](small("infogan_b"), seed=1)
    said = start_from(after, source_of(folder, after.recipe))
    new = values(after.networks["generator"])["conv2d 0/kernel"][0, 0]
    old = values(before.networks["generator"])["conv2d 0/kernel"][0, 0]
    np.testing.assert_array_equal(new[:256], old)
    steps = np.linalg.lstsq(old.T, new[256:].T, rcond=None)[0].T  # category x noise
    np.testing.assert_allclose(np.abs(steps), STEP, atol=1e-3)
    assert (np.abs(np.corrcoef(steps) - np.eye(7)) < 0.3).all()
    assert said["widened"] == ["generator/conv2d 0/kernel"]


def test_noise_alone_starts_from_noise_and_label(tmp_path):
    folder, before = weights_of("acgan_a", tmp_path)
    after = FAMILIES["gan"](small("wgan_a"), seed=1)
    said = start_from(after, source_of(folder, after.recipe))
    old, new = values(before.networks["generator"]), values(after.networks["generator"])
    np.testing.assert_array_equal(new["dense 0/kernel"], old["dense 0/kernel"][:-1])
    assert said["narrowed"] == ["generator/dense 0/kernel"]
    assert said["fresh"] == said["widened"] == []
    assert "narrowed: generator/dense 0/kernel" in in_words(said)


def test_what_cannot_be_started_from(tmp_path, faces):
    def run(name, **more):
        folder = tmp_path / "run"
        return Run(small("acgan_a"), faces, folder, 0, "float32", start=name, **more)

    with pytest.raises(UserError, match="--from nowhere: no weights there"):
        run("nowhere")
    folder, _ = weights_of("vae_e", tmp_path)
    with pytest.raises(UserError, match="it has no generator or discriminator"):
        run(folder)
    folder, _ = weights_of("wgan_a", tmp_path)
    (folder / "generator.weights.h5").write_bytes(b"")
    with pytest.raises(UserError, match="does not match the sha256"):
        run(folder)
    assert not (tmp_path / "run").exists()


def test_a_run_remembers_what_it_started_from(tmp_path, faces):
    folder, _ = weights_of("wgan_a", tmp_path)
    said = []

    def run(name, start):
        recipe = small("acgan_a")
        return Run(
            recipe, faces, tmp_path / name, 0, "float32", report=said.append, start=start
        )

    run("with", folder).train(1)
    assert "starts from wgan_a (7 steps)" in said[0]
    resumed = run("with", folder)
    assert resumed.step == 1 and resumed.identity["from"]["recipe"] == "wgan_a"
    run("without", None).train(1)
    with pytest.raises(UserError, match="did not start from"):
        run("without", folder)
    (tmp_path / "more").mkdir()
    other, _ = weights_of("acgan_a", tmp_path / "more")
    with pytest.raises(UserError, match="did not start from"):
        run("with", other)
    shutil.rmtree(folder)
    assert run("with", folder).step == 1  # a run that goes on needs its start no more


def test_a_run_that_saved_nothing_forgets_what_it_started_from(tmp_path, faces):
    folder, _ = weights_of("wgan_a", tmp_path)
    recipe = small("acgan_a")
    for start, known in ((folder, "wgan_a"), (None, None)):  # the first is killed
        Run(recipe, faces, tmp_path / "run", 0, "float32", start=start)
        said = json.loads((tmp_path / "run" / "run.json").read_text())["from"]
        assert (said and said["recipe"]) == known
