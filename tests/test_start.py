"""How a command starts and ends: on machines that lack something, with closed streams,
through links, in folders of any name."""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import tensorflow as tf
from conftest import REPOSITORY, command

import cli

SCRIPTS = sorted(REPOSITORY.glob("hw*.sh"))

# ---------------------------------------------------------- on what machine

MACHINES = {  # a line of the shell -> status, what is said
    "keras.json": (
        """echo '{"floatx": "bfloat16"}' >keras.json; KERAS_HOME=. RUN""",
        (2, r"\./keras\.json: .*; mend or remove it"),
    ),
    "keras.json, a list": (
        "echo [] >keras.json; KERAS_HOME=. RUN",
        (2, r"\./keras\.json: .*; mend or remove it"),
    ),
    "little memory": (
        "ulimit -v 700000; RUN",
        (2, r"KERAS_BACKEND=tensorflow: .*; free memory, or raise its limit"),
    ),
    "no such device": (
        "KERAS_BACKEND=jax JAX_PLATFORMS=cuda RUN",
        (2, "JAX_PLATFORMS=cuda: no such device; unset it or use cpu"),
    ),
    "TensorFlow ends the process": (
        "TF_XLA_FLAGS=--nothing RUN",
        (1, "Unknown flag in TF_XLA_FLAGS: --nothing"),
    ),
}


@pytest.mark.parametrize(("line", "end"), MACHINES.values(), ids=MACHINES)
def test_what_stops_a_command_at_its_start_is_said(line, end, tmp_path):
    if "jax" in line:
        pytest.importorskip("jax")
    words = REPOSITORY / "start.py", "gan", REPOSITORY / "sample_data", "out"
    run = shlex.join(map(str, (sys.executable, *words)))
    line = ["bash", "-c", line.replace("RUN", run)]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    status, saying = end
    assert done.returncode == status and re.search(saying, done.stderr), done.stderr
    assert status == 1 or done.stderr.count("\n") == 1


def test_what_was_held_back_is_not_shown_beside_a_mistake(capfd):
    from models.keras_setup import quiet_stderr

    for error, shown in (
        (cli.UserError("one line"), ""),
        (RuntimeError("a bug"), "oneD"),
    ):
        with pytest.raises(type(error)), quiet_stderr():
            os.write(2, b"oneDNN custom operations are on\n")
            raise error
        assert capfd.readouterr().err[:4] == shown


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_runs_with_closed_streams(closed):
    code = "import cli, sys; cli.prepare()\n"
    code += "for s in (sys.stdin, sys.stdout, sys.stderr): s.isatty(), s.fileno()"
    line = f"{shlex.join([sys.executable, '-c', code])} {closed}"
    assert subprocess.run(["bash", "-c", line], cwd=REPOSITORY, input=b"").returncode == 0


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
    with pytest.raises(SystemExit) as error:
        cli.check_installation(version, lambda name: None if name in missing else name)
    (line,) = capsys.readouterr().err.splitlines()
    assert error.value.code == 2 and line.startswith("error: ")
    assert all(word in line for word in saying)


def test_every_command_checks_before_it_imports_what_may_be_missing():
    packages = ("models", "train", "inference", "page", "metrics", "report", "benchmarks")
    for words in (["start.py", "gan"], *(["-m", package] for package in packages)):
        done = command("-S", *words)  # a Python without packages
        (line,) = done.stderr.splitlines()
        assert done.returncode == 2 and "has no tensorflow, keras, numpy" in line


# ---------------------------------------------- where the repository lies, and how


def test_scripts_run_through_links_and_from_folders_of_any_name(tmp_path):
    folder, bsd = tmp_path / "a:b $x", tmp_path / "bsd"
    folder.mkdir(), bsd.mkdir()
    (bsd / "readlink").write_text("#!/bin/sh\nexit 1\n")  # has no -f
    (bsd / "readlink").chmod(0o755)
    (folder / "start.py").write_text("import sys; print(sys.path[0], sys.argv[1:])")
    old = os.environ | {"PATH": f"{bsd}:{os.environ['PATH']}"}
    assert len(SCRIPTS) >= 7
    for script in SCRIPTS:
        path, link = folder / script.name, tmp_path / script.name
        shutil.copy(script, folder)
        link.symlink_to(path)
        problem = script.stem.partition("_")[2] or script.stem
        for start, environment in ((link, None), (path, None), (path, old)):
            words = ["bash", start, "data folder", "out"]
            options = {"cwd": tmp_path, "env": environment, "text": True}
            done = subprocess.run(words, stdout=subprocess.PIPE, **options)
            assert done.stdout == f"{folder} {[problem, 'data folder', 'out']}\n"


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


def test_scripts_find_their_folder_where_python_is_told_not_to_look():
    done = command("start.py", "--help", PYTHONSAFEPATH="1")
    assert done.returncode == 0 and done.stdout.startswith("usage:")


class Closed(io.StringIO):
    """A terminal that is no longer there."""

    def write(self, text):
        raise OSError(5, "Input/output error")

    def flush(self):
        self.write("")


ENDS = {  # how a command fails -> what is said
    "a mistake": (cli.UserError("no\nuse"), "error: no use\n"),
    "a disk": (OSError(5, "I/O error", "a.png"), "error: a.png: I/O error\n"),
    "memory": (MemoryError(), "not enough memory"),
    "a GPU's memory": (
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating"),
        "not enough memory",
    ),
}


@pytest.mark.parametrize(("error", "saying"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("kind", [io.StringIO, Closed])
def test_a_failure_is_one_line_and_status_2(kind, error, saying, monkeypatch):
    def main():
        raise error

    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(sys, "argv", [""])
    monkeypatch.setattr(sys, "stdout", kind())
    monkeypatch.setattr(sys, "stderr", kind())
    with pytest.raises(SystemExit) as end:
        cli.run_cli(main)
    assert end.value.code == 2
    assert kind is Closed or saying in sys.stderr.getvalue()
