"""Starting from trained weights (`--from`)."""

import json
import shutil

import numpy as np
import pytest
from conftest import small

from cli import UserError
from models.keras_setup import to_numpy
from models.trained import save, sha256
from train.model import model_of
from train.run import Run
from train.transfer import by_place, in_words, source_of, start_from

pytestmark = pytest.mark.slow


def weights_of(name, root):
    """A folder of fresh weights of a recipe, and the model they are of."""
    recipe = small(name)
    model = model_of(recipe, seed=3)
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
    (folder / "history.csv").write_text("step\n7\n")
    return folder, model


def values(network):
    return {place: to_numpy(v) for place, v in by_place(network).items()}


def test_equal_shapes_are_taken_and_the_rest_starts_fresh(tmp_path):
    folder, before = weights_of("wgan_a", tmp_path)
    after = model_of(small("acgan_a"), seed=1)
    said = start_from(after, source_of(folder, after.recipe))
    old, new = values(before.networks["generator"]), values(after.networks["generator"])
    assert old.keys() == new.keys()
    for place in old.keys() - {"dense 0/kernel"}:  # a label joins the noise there
        np.testing.assert_array_equal(new[place], old[place])
    old, new = (values(m.networks["discriminator"]) for m in (before, after))
    fresh = new.keys() - old.keys()
    assert fresh == {"label_head 0/kernel", "label_head 0/bias"}
    assert all((new[place] == old[place]).all() for place in old)
    fresh = [f"discriminator/{p}" for p in sorted(fresh, reverse=True)]
    assert said["fresh"] == ["generator/dense 0/kernel", *fresh]
    assert (said["recipe"], said["steps"]) == ("wgan_a", 7)
    assert "fresh: generator/dense 0/kernel, discriminator/label_head" in in_words(said)
    for v, a in zip(
        after.networks["generator"].variables,
        after.average["generator"].variables,
        strict=True,
    ):
        np.testing.assert_array_equal(to_numpy(v), to_numpy(a))


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
