"""Short runs that answer what a report claims in passing: one thing changed at a time.

`python -m report.short_runs --data <data> --runs <dir> [name ...]` trains them, some
minutes each, measures them on the test images, and keeps the numbers in
`report/short_runs.json` and a sheet of samples of each study in `report/figures/`. A
study that was stopped resumes. The runs compare with each other and with nothing else:
all of them are far from trained.
"""

import argparse
import dataclasses
import json
import re
from pathlib import Path

import numpy as np

from cli import UserError, replacing, run_cli
from models import WEIGHTS, get_recipe
from report import FIGURES, FOLDER

RESULTS = FOLDER / "short_runs.json"
COUNT = 1000  # samples, and test images they are compared with
SHOWN = 8  # samples of a run on the sheet
STEPS = 200  # of the end of a run, kept step by step where a study looks at them
PRECISION = "float32"


@dataclasses.dataclass(frozen=True)
class Study:
    """Runs of one recipe, each with a change of its own.

    Attributes:
        recipe: name of the recipe.
        images: training images that each run sees, so that batches compare.
        runs: {label: {field of the recipe: text}}, as `--set` takes them.
        settings: the same, of all its runs.
        fixed: {label: {field: value}} of what `--set` does not change.
        start: weights that all runs start from, as `--from` takes them.
        losses: logs that are kept step by step, of the last `STEPS` steps.
    """

    recipe: str
    images: int
    runs: dict
    settings: dict = dataclasses.field(default_factory=dict)
    fixed: dict = dataclasses.field(default_factory=dict)
    start: str | None = None
    losses: tuple = ()

    def settings_of(self, label):
        """What a run changes of its recipe."""
        return self.settings | self.runs[label] | self.fixed.get(label, {})

    def recipe_of(self, label):
        recipe = get_recipe(self.recipe).replace(self.settings | self.runs[label])
        return dataclasses.replace(recipe, **self.fixed.get(label, {}))


SMALL_GAN = {"batch_size": "16", "flip": "true", "ema": "0.99"}
INFOGAN = SMALL_GAN | {
    "image_noise": "0.05",
    "real_target": "0.9",
    "discriminator.name": "adam",
    "discriminator.learning_rate": "2e-4",
    "discriminator.beta_1": "0.5",
    "classifier.learning_rate": "2e-4",
    "classifier.beta_1": "0.5",
    "generator.learning_rate": "1e-4",
    "generator.beta_1": "0.5",
}

STUDIES = {
    # A 1.6, B 1.6: an autoencoder rebuilds better, a VAE draws better; 512 is blurrier.
    "code": Study(
        "vae_b",
        images=16_000,
        settings={"batch_size": "32", "flip": "true", "ema": "0.99"},
        runs={
            "VAE, code of 1024": {},
            "VAE, code of 512": {"latent": "512"},
            "autoencoder, 1024": {"kl_weight": "0", "noise": "none"},
            "autoencoder, 512": {"kl_weight": "0", "noise": "none", "latent": "512"},
        },
    ),
    # A 2.4: RMSProp learns clearly better than Adam and SGD.
    "optimizer": Study(
        "wgan_a",
        images=8_000,
        settings=SMALL_GAN
        | {"discriminator.learning_rate": "5e-4", "generator.learning_rate": "5e-4"},
        runs={
            name: {"discriminator.name": field, "generator.name": field}
            for name, field in (("RMSProp", "rmsprop"), ("Adam", "adam"), ("SGD", "sgd"))
        },
    ),
    # B 2.2: the losses on real and on generated images go up and down in turn.
    "seesaw": Study(
        "gan_b",
        images=4_800,
        settings={k: v for k, v in INFOGAN.items() if not k.startswith("classifier.")},
        runs={"gan_b": {}},
        start="infogan_b",
        losses=("d_loss_real", "d_loss_fake"),
    ),
    # B bonus 3: an embedding of the category in place of one-hot collapses.
    "embedding": Study(
        "infogan_b",
        images=3_200,
        settings=INFOGAN,
        start="gan_b",
        runs={"one-hot": {}, "embedding": {}},
        fixed={
            "embedding": {
                "networks": get_recipe("infogan_b").networks
                | {"generator": "report_b.embedding_generator"}
            }
        },
    ),
    # C 1.6: what went wrong at first.
    "mistakes": Study(
        "vae_c",
        images=16_000,
        settings={"ema": "0.99"},
        runs={
            "as the report has it": {},
            "not normalised: pixels 0 to 255": {},
            "rand for randn": {"noise": "uniform"},
            "batch of 1,000": {"batch_size": "1000"},
        },
        fixed={"not normalised: pixels 0 to 255": {"pixel_range": (0.0, 255.0)}},
    ),
    # C 2.4: tricks to balance the GAN.
    "tricks": Study(
        "dcgan_c",
        images=9_600,
        settings={
            "batch_size": "32",
            "ema": "0.99",
            "discriminator.learning_rate": "2e-4",
        },
        runs={
            "as the report has it": {},
            "images flipped": {"flip": "true"},
            "D trained twice": {"d_steps": "2"},
            "no noise, hard labels": {"image_noise": "0", "real_target": "1"},
        },
    ),
    # E 1: a code of 20 or 50.
    "latent": Study(
        "vae_e",
        images=80_000,
        settings={"snapshots": ""},
        runs={"code of 20": {}, "code of 50": {"latent": "50"}},
    ),
}


def parse():
    parser = argparse.ArgumentParser(
        prog="python -m report.short_runs", description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="name", help="default: all")
    parser.add_argument("--data", required=True, help="faces in the course's layout")
    parser.add_argument("--runs", required=True, type=Path, help="folder of the runs")
    return parser.parse_args()


def main():
    args = parse()
    for name in args.names:
        if name not in STUDIES:
            raise UserError(f"unknown study '{name}'; known: {', '.join(STUDIES)}")
    for name in args.names or STUDIES:
        start = STUDIES[name].start
        if start and not args.names and not (WEIGHTS / start / "card.json").exists():
            print(f"{name}: left out, it starts from {start}, which has no weights yet")
            continue
        numbers, samples = train(STUDIES[name], args.data, args.runs / name)
        keep(name, numbers, samples)
    return 0


def train(study, data, folder):
    """Train and measure the runs of a study.

    Args:
        study: a `Study`.
        data: a data folder with train/ and test/.
        folder: of its runs, a `Path`.

    Returns:
        ({label: numbers}, {label: uint8 samples}).
    """
    from models import sampling
    from models.unexported import RunWeights

    numbers, samples = {}, {}
    for label in study.runs:
        recipe, own = study.recipe_of(label), folder / slug(label)
        training, losses = run(study, recipe, data, own)
        weights = RunWeights(own)
        numbers[label] = {
            "settings": study.settings_of(label),
            "steps": training.step,
            "batch": recipe.batch_size,
            "images_seen": training.images,
            "minutes": training.seconds / 60,
            "data": training.identity["data"],
            "start": training.identity["from"],
            "metrics": measure(weights, data),
        } | losses
        samples[label] = sampling.draw(weights, range(SHOWN))
    return numbers, samples


def run(study, recipe, data, folder):
    """Train one run, or resume it.

    Returns:
        (the `Run`, {"losses": {name: floats of the last steps}}, or {} of a study that
        keeps none).
    """
    import data_utils
    from models import keras_setup
    from train.run import Run

    keras_setup.set_precision(PRECISION)
    kept, steps = folder / "losses.jsonl", study.images // images_a_step(recipe)
    faces = data_utils.load_faces(data, "train", recipe.image_size)
    # Of a run that began, the weights it started from may have been exported anew.
    start = None if (folder / "checkpoint.npz").exists() else study.start
    training = Run(recipe, faces, folder, 0, PRECISION, start=start)

    def progress(step, logs):
        if study.losses:
            row = {"step": step} | {name: float(logs[name]) for name in study.losses}
            with open(kept, "a") as file:  # as they come: a stopped run resumes
                file.write(json.dumps(row) + "\n")

    if training.step < steps:
        print(f"{folder}: {recipe.name}, {steps} steps", flush=True)
        if not training.train(steps, sample_every=steps, progress=progress):
            raise UserError(f"{folder}: stopped; the same command resumes")
    if not study.losses:
        return training, {}
    rows = [json.loads(line) for line in kept.read_text().splitlines()]
    rows = [*{row["step"]: row for row in rows}.values()]  # of a step done twice the last
    last = sorted(rows, key=lambda row: row["step"])[-STEPS:]
    return training, {"losses": {name: [r[name] for r in last] for name in study.losses}}


def images_a_step(recipe):
    return recipe.batch_size * recipe.d_steps


def measure(weights, data, root=WEIGHTS):
    """{metric: its values} of the weights of a short run."""
    from metrics.sides import Real, Subject

    from metrics.registry import METRICS

    traits = weights.recipe.traits
    names = ["frechet_attribute_features", "collapse_meter"]
    names += ["reconstruction"] if traits.rebuilds else []
    names += ["categories"] if traits.figures == "infogan" else []
    subject = Subject(weights, Real(data, weights.recipe.image_size, COUNT, root))
    return {name: METRICS[name].measure(subject)[0] for name in names}


def keep(name, numbers, samples):
    """Write a study's numbers and its figures."""
    from plot_utils import save, sheet

    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with replacing(RESULTS, "w") as file:
        file.write(json.dumps(before | {name: numbers}, indent=1) + "\n")
    title = f"{STUDIES[name].recipe}: short runs, the same noise in a column"
    labels = [label.replace(": ", ":\n").replace(", ", ",\n") for label in samples]
    images = np.concatenate([*samples.values()])
    if len(samples) > 1:  # there is something to compare
        save(sheet(images, SHOWN, title, labels), FIGURES / f"short_{name}.jpg")
    for label, found in numbers.items():
        if "losses" in found:
            draw_steps(found, FIGURES / f"short_{name}_steps.jpg", label)


def draw_steps(found, path, label):
    """The losses step by step."""
    from plot_utils import BLUE, RED, plt, save

    figure, axis = plt.subplots(figsize=(10, 3.6))
    images = {"d_loss_real": "on real images", "d_loss_fake": "on generated images"}
    for (name, values), color in zip(found["losses"].items(), (BLUE, RED), strict=True):
        steps = np.arange(found["steps"] - len(values), found["steps"]) + 1
        axis.plot(steps, values, color=color, linewidth=1, label=images[name])
    axis.set(xlabel="training step", ylabel="cross entropy (nats)")
    axis.set_title(f"{label}: D's losses, the last {len(values)} steps one by one")
    axis.grid(alpha=0.25)
    axis.legend(frameon=False)
    figure.tight_layout()
    save(figure, path)


def slug(label):
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


if __name__ == "__main__":
    run_cli(main)
