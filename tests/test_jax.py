"""The same on JAX: steps, runs, weights, images; and TensorFlow stays away."""

import importlib.util
import json

import numpy as np
import pytest
import tiny
from conftest import command

from models import RECIPES, sampling
from models.trained import Trained

if importlib.util.find_spec("jax") is None:
    pytest.skip("JAX is not installed", allow_module_level=True)

# (recipe, settings): R1 but not R2, for a batch of equal fakes has no batch norm.
COMPARED = [
    ("dcgan_c", {}),
    ("wgan_a", {"clip": 0.5}),
    ("rpgan", {"r2": 0.0, "penalty_every": 1}),
    ("lsgan_d", {}),
]

WORKER = f"""
COMPARED = {COMPARED}
"""
WORKER += """
import json
import sys
sys.path.insert(0, "tests")
from pathlib import Path

import numpy as np
import tiny

import data_utils
from models import sampling
from models.trained import Trained
from models import RECIPES, build, get_recipe, parameters
from models.keras_setup import keras, to_numpy
from train import backend
from train.exporting import export
from train.model import model_of
from train.feed import Feed
from train.run import Run

data, out = Path(sys.argv[1]), Path(sys.argv[2])
assert parameters(build(get_recipe("vae_c"), "decoder")) == 3652387
faces = data_utils.load_faces(data, size=tiny.SIZE)
recipe = RECIPES["vae_c"] = tiny.recipe("vae_c", flip=True)


def run(folder):
    return Run(recipe, faces, out / folder, 0, "float32", report=lambda s: None)


whole, parts = run("vae_c"), run("parts")
whole.train(3)
parts.train(2)
again = run("parts")
again.train(3)
for a, b in zip(whole.model.state().values(), again.model.state().values()):
    np.testing.assert_array_equal(to_numpy(a), to_numpy(b))
critic = model_of(tiny.recipe("wgan_gp_d", d_steps=1), 0)
(logs,) = backend._jax_steps(critic, Feed(critic.recipe, faces, 0), 1)(0, 1)
assert np.isfinite(logs["gradient_penalty"])
more = {"r1": 1.0, "r2": 1.0, "penalty_every": 2}
lazy = model_of(tiny.recipe("rpgan", settings=more), 0)
feed = Feed(lazy.recipe, faces, 0)
advance = backend._jax_steps(lazy, feed, 4)  # many steps a call, as on an accelerator
rows = advance(0, 4)
assert [row["r1"] > 0 for row in rows] == [True, False, True, False], rows
single = model_of(lazy.recipe, 0)
advance = backend._jax_steps(single, feed, 1)
again = [advance(k, 1)[0] for k in range(4)]
assert all(abs(a["d_loss"] - b["d_loss"]) < 1e-3 for a, b in zip(rows, again))
# A D with dropout and batch norm draws and counts in a penalty, as on TensorFlow.
torn = model_of(tiny.recipe("dcgan_dropout_d"), 0)
torn.batch = 2
torn.begin()
images = torn.pixels(faces.images[:2])
statistics = [v for v in torn.state_variables if "moving_mean" in v.name]
before = [to_numpy(v) for v in statistics]
dropout = next(v for v in torn.seeds if v is not torn.noise_seed.state)
twice = [to_numpy(torn.slope(torn.D, images)) for _ in range(2)]
assert (twice[0] != twice[1]).any()  # another mask each time
assert any((to_numpy(v) != b).any() for v, b in zip(statistics, before))
start, now = int(to_numpy(dropout)[1]), keras.ops.convert_to_tensor(True)
backend.now_and_then(now, lambda: (torn.D(images)[0, 0], 0.0), torn.state_variables)
assert int(to_numpy(dropout)[1]) > start
export(out / "vae_c", data, out / "weights")
losses = {name: tiny.losses(name, **changes) for name, changes in COMPARED}
(out / "losses.json").write_text(json.dumps(losses))
images = sampling.draw(Trained("vae_c", out / "weights"), range(4))
np.save(out / "images.npy", images)
assert "tensorflow" not in sys.modules
"""


@pytest.mark.slow
def test_runs_on_jax_resume_and_their_weights_draw_on_this_backend_too(
    faces_folder, tmp_path, monkeypatch
):
    done = command(
        *("-c", WORKER, faces_folder, tmp_path),
        KERAS_BACKEND="jax",
        XLA_FLAGS="--xla_backend_optimization_level=0",  # compiles sooner
        JAX_COMPILATION_CACHE_DIR=str(tmp_path / "compiled"),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0.5",
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads((tmp_path / "losses.json").read_text())
    for name, changes in COMPARED:
        ours = tiny.losses(name, **changes)
        assert ours.keys() == theirs[name].keys()
        for key, value in ours.items():
            assert value == pytest.approx(theirs[name][key], rel=1e-3, abs=1e-4), key
    monkeypatch.setitem(RECIPES, "vae_c", tiny.recipe("vae_c", flip=True))
    trained = Trained("vae_c", tmp_path / "weights")
    assert trained.card["backend"] == "jax" and trained.card["steps"] == 3
    ours, theirs = sampling.draw(trained, range(4)), np.load(tmp_path / "images.npy")
    assert ours.std() > 0
    # 1e-4 of the pixel range is less than one of the 255 steps of uint8.
    np.testing.assert_allclose(ours.astype(int), theirs.astype(int), atol=1)
