"""What a user's machine brings along: settings of other programs, no packages, a Git
that changes line ends, folders of any name."""

import io
import json
import os
import shutil
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from conftest import REPOSITORY, write_faces
from matplotlib.text import Text
from PIL import Image

import cli
from inference.figures import log_scale, panels, save, sheet, spell_out
from inference.vae import tsne

SCRIPTS = sorted(REPOSITORY.glob("hw*.sh"))
INLINE = "module://matplotlib_not_there.backend_inline"


AS_COMMAND = "import cli; cli.COMMAND = True; cli.prepare()\n"


def python(code, before=AS_COMMAND, **environment):
    """Run code in a fresh process with a changed environment, as a command of the project
    does; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", before + code],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# ----------------------------------------------------- settings of the user's own


def test_figures_are_those_of_matplotlibs_defaults(tmp_path):
    settings = "image.origin: lower\ntext.usetex: True\nfont.family: No Such Font\n"
    (tmp_path / "rc").write_text(settings + "no.such.key: 1\n")
    images = np.zeros((2, 16, 16, 3), "uint8")
    images[:, :8] = 255
    (tmp_path / "images.npy").write_bytes(b"")
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy as np; from pathlib import Path; from cli import run_cli\n"
        "def main():\n"
        "    from inference.figures import save, sheet\n"
        f"    images = np.load({str(tmp_path / 'images.npy')!r})\n"
        "    save(sheet(images, 2, 'title'), Path(sys.argv[1]), 'foot')\n"
        f"sys.argv = ['', {{!r}}]; run_cli(main)"
    )
    for name, more in (
        ("theirs", {"MATPLOTLIBRC": str(tmp_path / "rc"), "MPLBACKEND": INLINE}),
        ("ours", {"MATPLOTLIBRC": os.devnull}),
    ):
        done = subprocess.run(
            [sys.executable, "-c", code.format(str(tmp_path / f"{name}.jpg"))],
            cwd=REPOSITORY,
            env=os.environ | more,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    pixels = [(tmp_path / f"{name}.jpg").read_bytes() for name in ("theirs", "ours")]
    assert pixels[0] == pixels[1]


def test_drawing_leaves_the_users_matplotlib_as_it_was(tmp_path):
    code = (
        "import matplotlib; before = dict(matplotlib.rcParams)\n"
        "import numpy as np; from pathlib import Path\n"
        "from inference.figures import save, sheet\n"
        f"out = Path({str(tmp_path / 'a.jpg')!r})\n"
        "save(sheet(np.zeros((1, 8, 8, 3), 'uint8'), 1, 'title'), out)\n"
        "print(before == dict(matplotlib.rcParams))"
    )
    assert python(code, MPLBACKEND="svg").split() == ["True"]
    assert (tmp_path / "a.jpg").exists()


def test_keras_is_set_as_the_project_needs_it(tmp_path):
    settings = {"image_data_format": "channels_first", "floatx": "float16"}
    settings |= {"backend": "nothing", "epsilon": 0.5}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "from models.keras_setup import keras, BACKEND; c = keras.config\n"
        "print(BACKEND, c.floatx(), c.image_data_format(), c.epsilon(),"
        " c.dtype_policy().name)"
    )
    said = python(code, KERAS_HOME=str(tmp_path), MPLBACKEND=INLINE)
    assert said.split() == ["tensorflow", "float32", "channels_last", "1e-07", "float32"]


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
    assert python(IMPORTED, before="").split() == ["same"]


def test_a_process_is_a_command_only_where_one_of_the_project_runs():
    assert cli.is_command(str(REPOSITORY / "start.py"))
    assert cli.is_command(str(REPOSITORY / "train" / "__main__.py"))
    assert not cli.is_command(str(REPOSITORY / "tests" / "train_worker.py"))
    assert not cli.is_command("/somewhere/ipykernel_launcher.py")


def test_onednn_is_on_unless_the_user_says_otherwise():
    code = (
        "from models.keras_setup import keras\n"
        "from tensorflow.python.framework import test_util\n"
        "print(test_util.IsMklEnabled())"
    )
    assert python(code, TF_ENABLE_ONEDNN_OPTS="0").split() == ["False"]
    unset = "import os; os.environ.pop('TF_ENABLE_ONEDNN_OPTS', None)\n"
    if python(code, TF_ENABLE_ONEDNN_OPTS="1").split() == ["True"]:  # not on every Mac
        assert python(unset + code).split() == ["True"]


def test_a_keras_json_that_keras_refuses_is_named(tmp_path, fails, monkeypatch):
    for settings in ({"floatx": "bfloat16"}, []):
        (tmp_path / "keras.json").write_text(json.dumps(settings))
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        fails("-m", "models", "vae_c", saying=[tmp_path / "keras.json", "remove it"])


def test_what_was_held_back_is_not_shown_beside_a_mistake(capfd):
    from models.keras_setup import quiet_stderr

    def fail(error):
        with quiet_stderr():
            os.write(2, b"oneDNN custom operations are on\n")
            raise error

    with pytest.raises(cli.UserError):
        fail(cli.UserError("one line"))
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError):
        fail(RuntimeError("a bug"))
    assert "oneDNN" in capfd.readouterr().err


# ------------------------------------------------------------- not installed


@pytest.mark.parametrize(
    ("version", "missing", "saying"),
    [
        ((3, 10, 4), (), ["Python 3.11 or later", "is 3.10", "pip install -r"]),
        ((3, 11, 0), ("numpy", "h5py"), ["has no numpy, h5py", "requirements.txt"]),
        ((3, 12, 1), ("tensorflow",), ["has no tensorflow", sys.executable]),
    ],
)
def test_what_is_not_installed_is_one_line(version, missing, saying, capsys):
    def found(name):
        return None if name in missing else name

    with pytest.raises(SystemExit) as error:
        cli.check_installation(version, found)
    (line,) = capsys.readouterr().err.splitlines()
    assert error.value.code == 2 and line.startswith("error: ")
    assert all(word in line for word in saying)


def test_every_command_checks_before_it_imports_what_may_be_missing():
    packages = ("models", "train", "inference", "page", "metrics", "report", "benchmarks")
    for command in (["start.py", "gan"], *(["-m", package] for package in packages)):
        words = [sys.executable, "-S", *command]  # a Python without packages
        done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
        (line,) = done.stderr.splitlines()
        assert done.returncode == 2 and "has no tensorflow, keras, numpy" in line


# ---------------------------------------------- where the repository lies, and how


@pytest.fixture
def elsewhere(tmp_path):
    """The scripts in a folder with a colon, a blank and a $ in its name, beside a
    `start.py` that prints its words."""
    folder = tmp_path / "a:b $x"
    folder.mkdir()
    for script in SCRIPTS:
        shutil.copy(script, folder)
    (folder / "start.py").write_text("import sys; print(sys.path[0], sys.argv[1:])")
    return folder


def test_scripts_run_through_links_and_from_folders_of_any_name(elsewhere, tmp_path):
    assert len(SCRIPTS) >= 7
    for script in SCRIPTS:
        link = tmp_path / script.name
        link.symlink_to(elsewhere / script.name)
        for path in (link, elsewhere / script.name):
            done = subprocess.run(
                ["bash", path, "data folder", "out"], cwd=tmp_path, capture_output=True
            )
            problem = script.stem.partition("_")[2] or script.stem
            said = f"{elsewhere} {[problem, 'data folder', 'out']}\n"
            assert done.stdout.decode() == said, done.stderr


def test_a_clone_that_wants_crlf_keeps_the_bytes(tmp_path):
    def git(*words):
        settings = ["-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=b"]
        subprocess.run(["git", *settings, *words], check=True, capture_output=True)

    first = tmp_path / "first"
    git("init", first)
    for path in (REPOSITORY / ".gitattributes", *SCRIPTS):
        shutil.copy(path, first)
    git("-C", first, "add", ".")
    git("-C", first, "commit", "-m", "all")
    git("clone", first, tmp_path / "clone")
    for script in SCRIPTS:
        assert (tmp_path / "clone" / script.name).read_bytes() == script.read_bytes()


@pytest.mark.parametrize(
    ("word", "read"),
    [("out\r", "out"), ("--run=~/a", "--run=/home/x/a"), ("--set=a=~b", "--set=a=~b")],
)
def test_words_of_a_command_line_are_read_as_meant(word, read, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["start.py", "gan", word])
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("HOME", "/home/x")
    with pytest.raises(SystemExit):
        cli.run_cli(lambda: 0)
    assert sys.argv == ["start.py", "gan", read]


def test_scripts_find_their_folder_where_python_is_told_not_to_look(command):
    done = command("start.py", "--help", env=os.environ | {"PYTHONSAFEPATH": "1"})
    assert done.returncode == 0 and done.stdout.startswith("usage:")


@pytest.mark.parametrize("error", [cli.UserError("no\nuse"), OSError(5, "I/O error")])
def test_a_terminal_that_has_closed_changes_no_status(error, monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise OSError(5, "Input/output error")

        def flush(self):
            self.write("")

    def main():
        raise error

    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(sys, "argv", [""])
    monkeypatch.setattr(sys, "stdout", Closed())
    monkeypatch.setattr(sys, "stderr", Closed())
    with pytest.raises(SystemExit) as end:
        cli.run_cli(main)
    assert end.value.code == 2


# ----------------------------------------------------------- text in figures


def test_a_dollar_in_a_figure_is_a_dollar(tmp_path):
    name = "dollar $x_$^{"
    figure = sheet(np.zeros((2, 8, 8, 3), "uint8"), 2, name, [name], [name, "b"])
    save(figure, tmp_path / "a.jpg", name)
    assert (tmp_path / "a.jpg").stat().st_size > 1000


def test_letters_that_no_font_has_are_spelled_out(tmp_path, monkeypatch):
    figure = sheet(np.zeros((1, 8, 8, 3), "uint8"), 1, "title", ["瀏海"])
    figure.text(0, 0, "data of 顔 \udc8a")
    manager = matplotlib.font_manager.fontManager
    own = [f for f in manager.ttflist if f.fname.startswith(matplotlib.get_data_path())]
    assert len(own) > 10
    monkeypatch.setattr(manager, "ttflist", own)
    spell_out(figure)
    figure.canvas.draw()
    texts = [text.get_text() for text in figure.findobj(Text)]
    assert {"title", r"data of \u9854 \udc8a", r"\u700f\u6d77"} <= set(texts)
    save(figure, tmp_path / "a.jpg")  # with warnings as errors: no glyph is missing


def test_ticks_of_a_logarithmic_axis_are_numbers():
    import pandas as pd

    history = pd.DataFrame({"step": [1, 2], "kld": [0.01, 1000.0]})
    figure = panels(history, ("t", "u", [("kld", "KLD", "red")]))
    log_scale(figure.axes[0])
    figure.canvas.draw()
    said = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"0.01", "1", "1,000"} <= set(said) and not any("$" in text for text in said)


# ---------------------------------------------------------------- full disks


def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as error, cli.replacing(tmp_path / "a.json") as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert error.value.filename == str(tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


def test_out_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(cli.UserError, match=r"out: cannot write there \(a file, not"):
        cli.writable(tmp_path / "out")


def test_folders_with_names_that_are_not_utf_8(tmp_path, command):
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


def test_an_error_without_a_number_keeps_its_text(tmp_path):
    with (
        pytest.raises(OSError, match="encoder error -2") as error,
        cli.replacing(tmp_path / "a.jpg"),
    ):
        raise OSError("encoder error -2")
    assert error.value.filename == str(tmp_path / "a.jpg")
    assert error.value.strerror == "encoder error -2"


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
