"""What `python -m train` does once its arguments are read."""

import dataclasses
import json
import time
from pathlib import Path

import data_utils
from cli import UserError
from metrics.registry import obtained
from models import WEIGHTS, get_recipe, parameters
from models.keras_setup import set_precision
from models.recipes import STAGES
from models.trained import Trained, exported
from train.backend import compiled
from train.check import check
from train.evaluate import Evaluation
from train.exporting import export
from train.feed import Feed, fitted, labels_to_ship
from train.folder import STAGE, check_free
from train.job import join, leave_together
from train.model import model_of
from train.progress import display, duration
from train.run import Run
from train.transfer import source_of


def work(recipe, args):
    """Train, alone or as one of several processes; returns the exit status."""
    job = join()
    return leave_together(job, lambda: as_one_of(job, recipe, args))


def as_one_of(job, recipe, args):
    faces = data_utils.load_faces(args.data, "train", recipe.image_size)
    if recipe.images:
        faces = faces.first(recipe.images)
    recipe = fitted(recipe, faces).lasting(len(faces.images))
    set_precision(args.precision)
    start = args.start or recipe.start
    if args.dry_run:
        if start and start not in STAGES:
            source_of(start, recipe)  # may refuse
        return dry_run(recipe, faces, args.seed, job)
    evaluation = None
    if recipe.evaluate_every and not job.rank:
        evaluation = Evaluation(recipe, args.data, WEIGHTS, labels_to_ship(recipe, faces))
    if start in STAGES:
        start, name = Path(args.run) / STAGE, start
        if status := first_stage(name, start, recipe, faces, args, job):
            return status
    more = {"start": start, "job": job, "command": args.words}
    run = Run(recipe, faces, args.run, args.seed, args.precision, **more)
    run.evaluation = evaluation
    if status := train(run, args):
        return status
    if evaluation and run.best.exists():
        print(f"{run.best}: {evaluation.name} {run.best_value:g}")
    print(
        f"{run.folder}: step {run.step}, {duration(run.seconds)} of training; next: "
        f"python -m train.export --run {run.folder} --data {args.data}"
    )
    return 0


def first_stage(name, folder, recipe, faces, args, job):
    """Train the recipe `name`, a first stage of `recipe`, in a folder within that of the
    run, and export it there, unless that is done; returns the exit status."""
    if exported(folder) or (folder.parent / "checkpoint.npz").exists():
        return 0
    check_free(folder.parent)
    Feed(recipe, faces, args.seed, job)  # may refuse
    # Its code becomes noise and condition.
    latent = recipe.latent + recipe.condition
    stage = dataclasses.replace(get_recipe(name), latent=latent)
    words = [name, "--set", f"latent={latent}"]
    words += ["--data", str(Path(args.data).resolve())]  # as the run remembers it
    words += ["--seed", str(args.seed), "--precision", args.precision]
    more = {"job": job, "command": words}
    status = train(Run(stage, faces, folder, args.seed, args.precision, **more), args)
    if not status and not job.rank:
        export(folder, args.data)
    job.agree("first stage", name)  # once it is there
    return status


def train(run, args):
    """Train and show the progress; returns the exit status."""
    recipe, steps = run.recipe, run.recipe.steps
    if run.step >= steps:
        print(f"{run.folder}: all its {steps} steps are done; --steps takes more")
        return 0
    verb = f"resumes from step {run.step}" if run.step else "starts"
    print(f"{recipe.name} {verb}, {steps} steps; Ctrl-C saves and stops", flush=True)
    if said := expected(recipe):
        print(said, flush=True)
    images = recipe.images_a_step
    with display(recipe.name, run.step, steps, images) as progress:
        done = run.train(steps, sample_every=args.sample_every, progress=progress)
    if not done:
        print(f"stopped at step {run.step}, saved; the same command resumes")
    return 0 if done else 130


def expected(recipe):
    """What the weights that ship are like, if they have the same settings."""
    try:
        shipped = Trained(recipe.name)
    except UserError:
        return ""
    card = shipped.card
    if shipped.recipe.resolved() != recipe.resolved():  # whatever the words about it
        return ""
    took = f"{duration(3600 * card['training_hours'])} on {card['hardware']}"
    return f"a run with these settings ships: {obtained(shipped)}, after {took}"


def dry_run(recipe, faces, seed, job):
    """Build everything, run two steps, print what a run would be."""
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
