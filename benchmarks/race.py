"""How fast recipes learn to draw faces: each trains from random weights on one core.

A side trains for a number of minutes of processor time. At regular intervals, which do
not count, 1,000 samples of its averaged generator are compared with the test faces.
"""

import copy
import dataclasses
import time

import numpy as np
from metrics.sides import Real

import data_utils
from benchmarks import TWINS
from cli import UserError
from metrics.distance import frechet
from models import WEIGHTS, get_recipe, keras_setup, latents
from models.keras_setup import keras
from models.standing import STANDING, standing_statistics

SAMPLES = 1000
ROUNDS = 20  # of the bootstrap over images, for the distance's error


def sides(args):
    """Yield a row for each measurement of each side, "ours <recipe>" or "torch
    <recipe>".

    Raises:
        UserError: a side that cannot race, or less time than one measurement takes.
    """
    if not 0 < args.every <= args.minutes:
        raise UserError(f"--every {args.every:g}: above 0, and --minutes at most")
    for side in args.sides:
        kind, _, name = side.rpartition(":")
        traits = get_recipe(name).traits
        if not traits.adversarial or traits.asked or kind not in ("", "torch"):
            raise UserError(f"--sides {side}: a GAN without labels, or torch:<recipe>")
        if kind and name not in TWINS:
            raise UserError(f"--sides {side}: there are twins of {', '.join(TWINS)}")
    real = Real(args.data, 64, SAMPLES, WEIGHTS)
    faces = data_utils.load_faces(args.data, "train", 64)
    for side in args.sides:
        kind, _, name = side.rpartition(":")
        recipe = get_recipe(name)
        if args.batch:
            recipe = dataclasses.replace(recipe, batch_size=args.batch)
        make = {"": ours, "torch": torchs}[kind]
        for minutes, images, samples in run(*make(recipe, faces, args.precision), args):
            distance, error = measured(real, samples)
            row = {
                "side": f"{kind or 'ours'} {name}",
                "batch": recipe.batch_size,
                "precision": args.precision,
                "core_minutes": round(minutes, 2),
                "images": images * recipe.batch_size * recipe.d_steps,
                "frechet": distance,
                "standard_error": error,
                "n_real": len(real.images),
                "n_fake": len(samples),
                "n_training": len(faces.images),
            }
            print(
                f"{row['side']}: {minutes:5.1f} core-minutes, {row['images']:,} images: "
                f"Frechet {distance:.2f} ± {error:.2f}",
                flush=True,
            )
            yield row


def run(step, draw, args):
    """Yield (core-minutes, steps, samples) every `args.every` core-minutes."""
    spent, steps, due = 0.0, 0, args.every
    while spent < args.minutes * 60:
        began = time.process_time()
        step(steps)
        spent += time.process_time() - began
        steps += 1
        if spent >= due * 60:
            due += args.every
            yield spent / 60, steps, draw()


def measured(real, samples):
    """Frechet distance to the test faces, and its bootstrap error over samples."""
    features, rng = real.reader.features(samples), np.random.default_rng(0)
    again = [
        frechet(real.features, features[rng.integers(0, len(features), len(features))])
        for _ in range(ROUNDS)
    ]
    return frechet(real.features, features), float(np.std(again, ddof=1))


def ours(recipe, faces, precision):
    from models import build
    from train.backend import compiled
    from train.families import FAMILIES
    from train.feed import Feed

    keras_setup.set_precision(precision)
    model = FAMILIES[recipe.family](recipe, 0)
    advance, _ = compiled(model, Feed(recipe, faces, 0), 1)
    keras_setup.set_precision("float32")
    average = build(recipe, "generator")

    def draw():
        average.set_weights(model.average["generator"].get_weights())
        standing_statistics(average, recipe)
        noise = latents(recipe, range(SAMPLES))
        parts = [average(part, training=False) for part in np.split(noise, 10)]
        return data_utils.to_uint8(keras.ops.concatenate(parts), recipe.pixel_range)

    return lambda k: advance(k, 1), draw


def torchs(recipe, faces, precision):
    import torch

    from benchmarks.torch_twins import make_step

    torch.set_num_threads(1)
    torch.manual_seed(0)
    step = make_step(recipe.name, precision, recipe.batch_size)
    images, rng = torch.from_numpy(np.array(faces.images)), np.random.default_rng(0)

    def one(k):
        chosen = images[rng.integers(0, len(images), recipe.batch_size)]
        if recipe.flip:
            mirrored = torch.from_numpy(rng.random(len(chosen)) < 0.5)
            chosen[mirrored] = chosen[mirrored].flip(2)
        step(chosen)

    def draw():
        average = copy.deepcopy(step.average)
        norms = [m for m in average.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        for norm in norms:  # their statistics anew, as ours
            norm.reset_running_stats()
            norm.momentum = None  # the mean over batches
        batches, size = STANDING
        noise = torch.from_numpy(latents(recipe, range(SAMPLES)))
        with torch.no_grad():
            for k in range(batches if norms else 0):
                seeds = range(10**9 + k * size, 10**9 + (k + 1) * size)
                average.train()(torch.from_numpy(latents(recipe, seeds)))
            parts = [average.eval()(part) for part in noise.split(100)]
        images = torch.cat(parts).permute(0, 2, 3, 1).numpy()
        return data_utils.to_uint8(images, recipe.pixel_range)

    return one, draw


def figure(rows, path):
    """Plot the distance by core-minutes, a curve for each side on each processor.

    Args:
        rows: rows of `sides`, each with its "cpu".
        path: the JPEG to write.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator

    from plot_utils import save

    drawn, axis = plt.subplots(figsize=(7.5, 5))
    curves = {}
    for row in rows:
        key = row["cpu"], row["side"], row["batch"], row["precision"]
        curves.setdefault(key, []).append(row)
    several = len({key[0] for key in curves}) > 1  # their minutes do not compare
    for (cpu, side, batch, precision), own in curves.items():
        own.sort(key=lambda r: r["core_minutes"])
        axis.errorbar(
            [r["core_minutes"] for r in own],
            [r["frechet"] for r in own],
            [r["standard_error"] for r in own],
            label=f"{side}, batch {batch}, {precision}" + several * f" ({cpu})",
            linestyle="-" if cpu == rows[0]["cpu"] else "--",
        )
    axis.set(
        title="Time to a face: one core, from nothing",
        xlabel="minutes of processor time in training",
        ylabel="Fréchet distance, features of the attribute network",
        yscale="log",
    )
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for which in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
        which(FuncFormatter(lambda y, _: f"{y:g}"))
    axis.grid(alpha=0.25, which="both")
    axis.legend(frameon=False)
    drawn.tight_layout(rect=(0, 0.05, 1, 1))
    save(drawn, path, f"{rows[0]['n_fake']:,} samples, {rows[0]['n_real']:,} test faces")
