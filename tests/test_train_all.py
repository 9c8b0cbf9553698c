"""All weights from nothing: one script."""

import os
import signal
import subprocess
import time

import pytest
from conftest import REPOSITORY, refused

from train.all import main


@pytest.mark.slow
def test_train_all_says_how_long_and_ctrl_c_saves(faces_folder, tmp_path):
    words = ["bash", REPOSITORY / "train_all.sh", faces_folder, tmp_path, "vae_e"]
    options = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where tests ignore it
    first = subprocess.Popen(words, cwd=tmp_path, **options)
    signal.signal(signal.SIGINT, before)
    assert "vae_e: a step takes" in first.stdout.readline()
    while not (tmp_path / "vae_e" / "history.csv").exists():
        assert first.poll() is None
        time.sleep(0.1)
    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C in a terminal
    said = first.communicate()[0]
    assert first.returncode == 130 and "vae_e: status 130" in said
    assert (tmp_path / "vae_e" / "checkpoint.npz").exists()


def test_train_all_starts_from_weights_that_it_made(faces_folder, tmp_path, monkeypatch):
    commands = []

    def run(command, **_):
        commands.append(command[2:])
        return subprocess.CompletedProcess(command, 0, "a step takes no time\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    recipes = ["infogan_b", "gan_b", "attributes"]
    assert main([str(faces_folder), str(tmp_path), *recipes]) == 0
    trains = [c for c in commands if c[0] == "train" and "--dry-run" not in c]
    assert [c[-1] for c in trains] == ["attributes", "gan_b", "infogan_b"]
    assert ["--from", str(tmp_path / "weights" / "gan_b")] == trains[2][-3:-1]
    assert "--from" not in trains[0] + trains[1]


def test_train_all_refuses_what_no_recipe_fits(tmp_path, faces_folder):
    refused(main, faces_folder, tmp_path, "vae_z", saying=["vae_z"])
    refused(main, tmp_path / "nowhere", tmp_path, saying=["nowhere"])
    refused(main, faces_folder, tmp_path, "--jobs", "0", saying=["--jobs must be 1"])
