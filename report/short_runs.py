"""Short runs that answer what a report claims in passing: one thing changed at a time.

`python -m report.short_runs --data <data> --runs <dir> [study ...]` trains those that are
not there yet, some minutes each, measures them on the test images, and writes a sheet of
samples a study into `report/figures/`, their numbers into `report/short_runs.json`. The
runs compare with each other and with nothing else: all of them are far from trained.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from cli import UserError, replacing, run_cli
from inference.figures import save, sheet
from models import WEIGHTS
from report import FIGURES, FOLDER

RESULTS = FOLDER / "short_runs.json"
COUNT = 1000  # samples, and test images they are compared with
COLUMNS = 8  # samples of a run on the sheet

# study: (recipe as reported, words of --set for all its runs, and for each by its label).
# All runs of a study see as many training images.
STUDIES = {
    # A 1.6, B 1.6: an autoencoder rebuilds better, a VAE draws better; 512 is blurrier.
    "code": (
        "vae_b",
        "steps=500 batch_size=32 flip=true ema=0.99",
        {
            "VAE, code of 1024": "",
            "VAE, code of 512": "latent=512",
            "autoencoder, 1024": "kl_weight=0 noise=none",
            "autoencoder, 512": "kl_weight=0 noise=none latent=512",
        },
    ),
    # A 2.4: RMSProp learns clearly better than Adam and SGD.
    "optimizer": (
        "wgan_a",
        "steps=100 batch_size=16 flip=true ema=0.99 "
        "discriminator.learning_rate=5e-4 generator.learning_rate=5e-4",
        {
            "RMSProp": "discriminator.name=rmsprop generator.name=rmsprop",
            "Adam": "discriminator.name=adam generator.name=adam",
            "SGD": "discriminator.name=sgd generator.name=sgd",
        },
    ),
    # C 1.6: a batch of 1,000 became very bad.
    "batch": (
        "vae_c",
        "ema=0.99",
        {"batch of 32": "steps=500", "batch of 1,000": "steps=16 batch_size=1000"},
    ),
    # C 2.4: tricks to balance the GAN.
    "tricks": (
        "dcgan_c",
        "batch_size=32 ema=0.99 discriminator.learning_rate=2e-4",
        {
            "none changed": "steps=300",
            "images flipped": "steps=300 flip=true",
            "D trained twice": "steps=150 d_steps=2",
            "no noise, hard labels": "steps=300 image_noise=0 real_target=1",
        },
    ),
    # E 1: a code of 20 or 50.
    "latent": (
        "vae_e",
        "steps=800 snapshots=",
        {"code of 20": "", "code of 50": "latent=50"},
    ),
}


def main(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m report.short_runs", description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="study", help="default: all")
    parser.add_argument("--data", required=True, help="faces in the course's layout")
    parser.add_argument("--runs", required=True, type=Path, help="folder of the runs")
    args = parser.parse_args(words)
    for name in args.names:
        if name not in STUDIES:
            raise UserError(f"unknown study '{name}'; known: {', '.join(STUDIES)}")
    for name in args.names or STUDIES:
        numbers, samples = {}, {}
        for label in STUDIES[name][2]:
            folder = args.runs / name / re.sub(r"[^a-z0-9]+", "_", label.lower())
            words = training(name, label, args.data, folder)
            if subprocess.run([sys.executable, *words]).returncode:
                raise UserError(f"{folder}: stopped; the same command resumes")
            numbers[label], samples[label] = measured(folder, args.data)
        before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        with replacing(RESULTS, "w") as file:
            file.write(json.dumps(before | {name: numbers}, indent=1) + "\n")
        title = f"{STUDIES[name][0]}: short runs, the same noise in a column"
        labels = [label.replace(", ", ",\n") for label in samples]
        images = np.concatenate([*samples.values()])
        save(sheet(images, COLUMNS, title, labels), FIGURES / f"short_{name}.jpg")
    return 0


def training(name, label, data, folder):
    """The words of the command that trains a run, or finds it trained."""
    recipe, common, runs = STUDIES[name]
    words = ["-m", "train", recipe, "--as-reported", "--data", str(data)]
    return [*words, "--run", str(folder), "--set", *f"{common} {runs[label]}".split()]


def measured(folder, data):
    """({name: number} of a trained run, uint8 samples of it)."""
    from metrics.images import Real, Subject  # Keras takes seconds
    from metrics.registry import METRICS
    from train.exporting import export

    weights = export(folder, data)
    recipe = weights.recipe
    subject = Subject(weights, Real(data, recipe.image_size, COUNT, WEIGHTS))
    frechet = METRICS["frechet_attribute_features"].measure(subject)
    diversity = METRICS["collapse_meter"].measure(subject)["diversity"]
    numbers = {
        "steps": weights.card["steps"],
        "batch": recipe.batch_size,
        "diversity": diversity,
    }
    numbers |= {k: frechet[k] for k in ("distance", "standard_error")}
    if recipe.traits.rebuilds:
        numbers["mse"] = METRICS["reconstruction"].measure(subject)["mse_minus1_1"]
    return numbers, subject.samples[:COLUMNS]


if __name__ == "__main__":
    run_cli(main)
