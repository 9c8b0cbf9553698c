"""Command line: train one recipe, or resume a run."""

import argparse
import dataclasses
import math

from cli import UserError, run_cli
from models.recipe import pair
from models.recipes import RECIPES, get_recipe


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a recipe. The same command resumes where it stopped.",
        epilog="recipes: " + " ".join(RECIPES),
    )
    parser.add_argument("recipe")
    parser.add_argument("--data", required=True, help="folder with train/ and train.csv")
    parser.add_argument(
        "--run", required=True, help="folder of this run; made if missing"
    )
    parser.add_argument(
        "--as-reported",
        action="store_true",
        help="take the report's settings; default: those that ship",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps", type=int, help="default: the recipe's; rates that fall do so over them"
    )
    length.add_argument("--epochs", type=float, help="the same in epochs")
    parser.add_argument(
        "--from",
        dest="start",
        metavar="WEIGHTS",
        help="fine-tune trained weights: a recipe's, or a folder's with card.json",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="FIELD=VALUE",
        help="change the recipe: batch_size=64 generator.learning_rate=1e-4",
    )
    parser.add_argument(
        "--precision",
        choices=["float32", "bfloat16"],
        default="float32",
        help="bfloat16 is faster with bf16 instructions (AMX, a GPU), else slower",
    )
    parser.add_argument("--checkpoint-seconds", type=float, default=300)
    parser.add_argument("--sample-every", type=int, default=500, metavar="STEPS")
    parser.add_argument(
        "--dry-run", action="store_true", help="build, time two steps, write nothing"
    )
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    recipe = get_recipe(args.recipe)
    if not args.as_reported:
        recipe = recipe.trained_here()
    for name in ("steps", "epochs", "sample_every"):
        value = getattr(args, name)
        if value is not None and not 0 < value < math.inf:
            option = name.replace("_", "-")
            raise UserError(f"--{option} must be a number above 0, not {value}")
    if not 0 <= (seconds := args.checkpoint_seconds) < math.inf:
        raise UserError(f"--checkpoint-seconds must be a number from 0, not {seconds}")
    steps = [] if args.steps is None else [f"steps={args.steps}"]
    recipe = recipe.replace(dict(map(pair, args.set + steps)))
    if not 0 <= args.seed < 2**32:
        raise UserError(f"--seed must be in 0 to 2**32 - 1, not {args.seed}")

    if not args.dry_run:
        print(f"{recipe.name}: reads {args.data}, trains in {args.run}", flush=True)
    from train.job import join, leave_together  # imports Keras, which takes seconds

    job = join()
    return leave_together(job, lambda: work(recipe, args, job))


def work(recipe, args, job):
    """Everything after the arguments; returns the exit status."""
    import data_utils
    from train.feed import fitted, label_table

    job.begin(recipe.batch_size)
    faces = data_utils.load_faces(args.data, "train", recipe.image_size)
    if recipe.images:
        faces = faces.first(min(recipe.images, len(faces.images)))
    recipe = fitted(recipe, faces)
    if args.epochs:
        images = recipe.batch_size * recipe.d_steps
        steps = max(1, round(args.epochs * len(faces.images) / images))
        recipe = dataclasses.replace(recipe, steps=steps)

    from models import keras_setup

    keras_setup.set_precision(args.precision)
    if args.dry_run:
        if start := args.start or recipe.start:
            from train.transfer import source_of

            source_of(start, recipe)  # may refuse
        return dry_run(recipe, faces, args.seed, job)

    from train.run import Run

    evaluation = None
    if recipe.evaluate_every and not job.rank:
        from models import WEIGHTS
        from train.evaluate import Evaluation

        table = label_table(recipe, faces)
        table = None if table is None else table.to_numpy()
        evaluation = Evaluation(recipe, args.data, WEIGHTS, table)
    run = Run(
        recipe,
        faces,
        args.run,
        args.seed,
        args.precision,
        start=args.start or recipe.start,
        job=job,
    )
    run.evaluation = evaluation
    return train(run, args)


def train(run, args):
    """Train and show the progress; returns the exit status."""
    from train.progress import display

    steps = run.recipe.steps
    if run.step >= steps:
        print(f"{run.folder}: has {run.step} of {steps} steps; give more --steps")
        return 0
    verb = f"resumes from step {run.step}" if run.step else "starts"
    print(f"{run.recipe.name} {verb}, {steps} steps; Ctrl-C saves and stops", flush=True)
    images = run.recipe.batch_size * run.recipe.d_steps
    with display(run.recipe.name, run.step, steps, images) as progress:
        done = run.train(steps, args.checkpoint_seconds, args.sample_every, progress)
    if not done:
        print(f"stopped at step {run.step}, saved; the same command resumes")
        return 130
    if run.evaluation and run.best.exists():
        print(f"{run.best}: {run.evaluation.name} {run.evaluation.best:g}")
    print(f"{run.folder}: step {run.step}, {run.seconds / 60:.1f} minutes of training")
    return 0


def dry_run(recipe, faces, seed, job):
    """Build everything, run two steps, print what a run would be."""
    import json
    import time

    from models.describe import parameters
    from train.backend import compiled
    from train.check import check
    from train.feed import Feed
    from train.model import model_of

    feed = Feed(recipe, faces, seed, job)
    model = model_of(recipe, seed, job)
    check(model)
    print(json.dumps(recipe.resolved(), indent=1))
    for role, network in model.networks.items():
        print(f"{role}: {parameters(network):,} trainable parameters")
    advance, _ = compiled(model, feed, 1)
    advance(0, 1)
    began = time.monotonic()
    logs = {k: round(v, 4) for k, v in advance(1, 1)[0].items()}
    seconds, steps = time.monotonic() - began, recipe.steps
    print(f"{len(faces.images)} images of {faces.folder}; losses at step 2: {logs}")
    print(
        f"a step takes {seconds:.2f} s here, {steps} steps about "
        f"{seconds * steps / 3600:.1f} h; nothing was written"
    )
    return 0


if __name__ == "__main__":
    run_cli(main)
