"""All weights from nothing: one script."""

import subprocess

import pytest
from conftest import REPOSITORY, refused

from train.all import main


@pytest.mark.slow
def test_train_all_trains_exports_and_resumes(faces_folder, tmp_path, monkeypatch):
    """Of a recipe as it stands, stopped early: a second call goes on from there."""
    words = ["bash", REPOSITORY / "train_all.sh", faces_folder, tmp_path, "vae_e"]
    first = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert "vae_e: a step takes" in first.stdout.readline()
    while not (tmp_path / "vae_e" / "history.csv").exists():
        assert first.poll() is None
    subprocess.run(["pkill", "-INT", "-f", "--", f"--run {tmp_path}"], check=True)
    said = first.communicate()[0]
    assert first.returncode == 130 and "vae_e: status 130" in said
    assert (tmp_path / "vae_e" / "checkpoint.npz").exists()


def test_train_all_refuses_what_no_recipe_fits(tmp_path, faces_folder):
    refused(main, faces_folder, tmp_path, "vae_z", saying=["vae_z"])
    refused(main, tmp_path / "nowhere", tmp_path, saying=["nowhere"])
