"""What a user's machine brings along: settings of other programs, fonts, full disks,
folders of any name."""

import json
import os

import matplotlib
import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, command, write_faces
from matplotlib.text import Text
from PIL import Image

import cli
from inference.figures import log_scale, panels, save, sheet, spell_out
from inference.vae import tsne

INLINE = "module://matplotlib_not_there.backend_inline"
AS_COMMAND = "import cli; cli.COMMAND = True; cli.prepare()\n"


def python(code, before=AS_COMMAND, **environment):
    """Run code in a fresh process with a changed environment, as a command of the project
    does; the words it prints."""
    done = command("-c", before + code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# ----------------------------------------------------- settings of the user's own

DRAW = """
import matplotlib, numpy as np; from pathlib import Path
before = dict(matplotlib.rcParams)
from inference.figures import save, sheet
images = np.eye(24, dtype="uint8").reshape(-1, 8, 8, 3) * 255
save(sheet(images, 1, "title"), Path({!r}), "foot")
print(before == dict(matplotlib.rcParams))
"""


def test_figures_are_those_of_matplotlibs_defaults_and_leave_the_users_own(tmp_path):
    settings = "image.origin: lower\ntext.usetex: True\nfont.family: No Such Font\n"
    (tmp_path / "rc").write_text(settings + "no.such.key: 1\n")
    theirs = {"MATPLOTLIBRC": str(tmp_path / "rc"), "MPLBACKEND": INLINE}
    ours = {"MATPLOTLIBRC": os.devnull}
    for name, more in (("theirs", theirs), ("ours", ours)):
        assert python(DRAW.format(str(tmp_path / f"{name}.jpg")), **more) == ["True"]
    first, second = (tmp_path / f"{n}.jpg" for n in ("theirs", "ours"))
    assert first.read_bytes() == second.read_bytes()


def test_keras_is_set_as_the_project_needs_it(tmp_path):
    settings = {"image_data_format": "channels_first", "floatx": "float16"}
    settings |= {"backend": "nothing", "epsilon": 0.5}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "import os; from models.keras_setup import keras, BACKEND; c = keras.config\n"
        "print(BACKEND, c.floatx(), c.image_data_format(), c.epsilon(),"
        " c.dtype_policy().name, os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    )
    said = python(code, KERAS_HOME=str(tmp_path), MPLBACKEND=INLINE)
    assert said == ["tensorflow", "float32", "channels_last", "1e-07", "float32", "1"]


IMPORTED = """
import gc, os, sys, tensorflow as tf, matplotlib, keras
keras.config.set_dtype_policy("mixed_bfloat16")
keras.config.set_epsilon(1e-5)
(tf.constant([1.0]) + 1).numpy()  # as in a notebook: it has run, so its threads are set
def state():
    return (dict(matplotlib.rcParams), matplotlib.get_backend(), dict(os.environ),
            gc.isenabled(), gc.get_freeze_count(), keras.config.dtype_policy().name,
            keras.config.epsilon(), [n for n, m in sys.modules.items() if m is None],
            tf.config.threading.get_inter_op_parallelism_threads())
before = state()
import importlib, pathlib
for path in sorted([*pathlib.Path(".").glob("*.py"), *pathlib.Path(".").glob("*/*.py")]):
    if path.parts[0] != "tests" and path.stem != "start" and "torch" not in path.stem:
        importlib.import_module(".".join(path.with_suffix("").parts))
assert before == state(), [a for a, b in zip(before, state()) if a != b]
print("same")
"""


def test_importing_every_module_changes_nothing_of_a_notebooks_process():
    assert python(IMPORTED, before="") == ["same"]


def test_a_process_is_a_command_only_where_one_of_the_project_runs():
    assert cli.is_command(str(REPOSITORY / "start.py"))
    assert cli.is_command(str(REPOSITORY / "train" / "__main__.py"))
    assert not cli.is_command(str(REPOSITORY / "tests" / "train_worker.py"))
    assert not cli.is_command("/somewhere/ipykernel_launcher.py")


# ----------------------------------------------------------- text in figures


def test_text_of_a_figure_is_drawn_or_spelled_out(tmp_path, monkeypatch):
    name = "dollar $x_$^{"
    figure = sheet(np.zeros((2, 8, 8, 3), "uint8"), 2, name, [name], ["瀏海", "b"])
    figure.text(0, 0, "data of 顔 \udc8a")
    manager = matplotlib.font_manager.fontManager
    own = [f for f in manager.ttflist if f.fname.startswith(matplotlib.get_data_path())]
    assert len(own) > 10
    monkeypatch.setattr(manager, "ttflist", own)
    spell_out(figure)
    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {r"data of \u9854 \udc8a", r"\u700f\u6d77"} <= texts
    save(figure, tmp_path / "a.jpg", name)  # with warnings as errors: no glyph is missing
    assert (tmp_path / "a.jpg").stat().st_size > 1000


def test_ticks_of_a_logarithmic_axis_are_numbers():
    history = pd.DataFrame({"step": [1, 2], "kld": [0.01, 1000.0]})
    figure = panels(history, ("t", "u", [("kld", "KLD", "red")]))
    log_scale(figure.axes[0])
    figure.canvas.draw()
    said = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"0.01", "1", "1,000"} <= set(said) and not any("$" in text for text in said)


def test_a_long_foot_covers_no_image(tmp_path):
    """A figure grows by the lines after the second."""
    sizes, heights = [], []
    for lines in (1, 2, 5):
        images = np.zeros((8, 16, 16, 3), "uint8")
        save(sheet(images, 4, "images"), tmp_path / "a.jpg", "\n".join(["foot"] * lines))
        pixels = np.asarray(Image.open(tmp_path / "a.jpg").convert("L"))
        sizes.append(pixels.shape)
        black = np.flatnonzero((pixels < 60).mean(1) > 0.5)
        assert (pixels[black[-1] + 3 :].min(1) < 200).any()  # the foot is below
        heights.append(len(black))
    assert sizes[0] == sizes[1] and sizes[2][0] > sizes[0][0] + 50
    assert sizes[2][1] == sizes[0][1] and max(heights) - min(heights) <= 4


# ------------------------------------------------------------ where files go


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), OSError("encoder error -2")]
)
def test_a_file_that_cannot_be_written_is_named_and_not_left_half(error, tmp_path):
    said = pytest.raises(OSError, match=r"No space left|encoder error -2")
    with said as raised, cli.replacing(tmp_path / "a.json") as file:
        file.write(b"half")
        raise error
    assert raised.value.filename == str(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_folders_with_names_that_are_not_utf_8(tmp_path):
    folder = tmp_path / "\udc8a\udce7_\udc83A"
    data = write_faces(folder / "$x_$^{", train=4, test=2)
    done = command(
        *("-m", "train", "vae_e", "--data", data, "--run", folder / "run"),
        *("--steps", 2, "--set", "batch_size=2"),
    )
    assert done.returncode == 0 and r"\udc8a" in done.stdout, done.stderr
    assert (folder / "run" / "checkpoint.npz").exists()


def test_the_same_codes_have_the_same_points_and_codes_all_alike_one():
    codes = np.random.default_rng(0).normal(size=(9, 4)).astype("float32")
    first, second = tsne(codes), tsne(codes)
    assert first.shape == (9, 2) and np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)
    assert not tsne(np.ones((5, 8), "float32")).any()
