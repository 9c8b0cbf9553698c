"""Write the weights of a run for inference: its networks, its curves and a card."""

import functools
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import data_utils
from cli import UserError, replacing, writable
from metrics import collapse, record
from metrics.images import Real, Subject
from metrics.registry import METRICS
from models import WEIGHTS, build, default_conditions, latents
from models.keras_setup import keras, to_numpy
from models.prior import Fitted
from models.sampling import label_table, posterior, recompute_batch_norm, run_network
from models.trained import DECIMALS, Trained, load, save, sha256
from train import checkpoint
from train.feed import digests
from train.folder import visible
from train.log import append, cut, means
from train.model import model_of

MEASURED = 1000  # images of the number that is recorded
LIMIT = 45 * 2**20  # bytes a file may have
TERMS = "These weights, and what they draw, inherit the terms of the images they saw."
OF_DATA = {  # folder's name: what its terms are
    "hw4_data": "They are of CelebA, which allows non-commercial research only.",
}
VISIBLE = 1 / 255  # of the range of pixels, or of scores: a mean change


def export(run, data, root=None, last=False, replace=False):
    """Write the weights of a run, completely or not at all. They are those of the best
    checkpoint of its evaluation, or of the last if there was no evaluation.

    Args:
        run: the run folder.
        data: a data folder; measurements use its test split, or the last images of a
            plain folder.
        root: a folder of weights, to write `<root>/<recipe>/`; default: `<run>/weights/`.
        last: use the last checkpoint even if there is a best one.
        replace: whether weights that are in `root` may be replaced.

    Returns:
        the `Trained` weights.

    Raises:
        cli.UserError: no such run, no checkpoint in it, unusable test faces, or
            something else than weights, or other weights, where they would go.
    """
    chosen, recipe, identity = checkpoint.of_run(run, last)
    target = Path(run) / "weights" if root is None else Path(root) / recipe.name
    if (target / "card.json").exists():
        if root is not None and not replace:
            steps = Trained.of(target).card["steps"]
            raise UserError(
                f"{target}: has weights, of {steps:,} steps; --replace replaces them"
            )
    elif target.exists():
        raise UserError(f"{target}: not weights, perhaps a run; use other --weights")
    split = "test" if (Path(data) / "test").exists() else "train"  # a plain folder
    faces = data_utils.load_faces(data, split, recipe.image_size)
    writable(target.parent)
    work = target.parent / f".{target.name}.export"
    shutil.rmtree(work, ignore_errors=True)  # of an export that was killed
    made = work / "made"
    made.mkdir(parents=True)
    try:
        card = write_networks(chosen, recipe, identity, made, faces)
        write_card(made, card)
        if "decoder" in card["files"]:
            try:
                card["prior"] = fit_prior(Trained.of(made), data, made)
                write_card(made, card)
            except data_utils.DataError as error:
                print(f"exported without prior.npz: {error}", file=sys.stderr)
        measure_headline(Trained.of(made), data, root or WEIGHTS)
        if target.exists():
            target.rename(work / "before")
        made.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Trained.of(target)


def write_card(folder, card):
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n")


def write_networks(chosen, recipe, identity, folder, faces):
    """Save the networks of the checkpoint `chosen` that inference needs; return their
    card.

    These are all averaged networks, and the discriminator if figures use its answers.
    """
    run = chosen.parent
    model = model_of(recipe, identity["seed"])
    extra = checkpoint.restore(chosen, model.state())
    networks = dict(model.average)
    table = label_table(run, recipe)
    if table is not None:
        shutil.copy(run / "labels.csv", folder / "labels.csv")
    if "generator" in networks:
        recompute_batch_norm(networks["generator"], recipe, table)
    # Figures box the samples it calls least real and read categories with it; the study
    # of collapse does not need its own.
    study = recipe.features == "random" and recipe.meter_every
    if recipe.traits.scores and not study:
        networks["discriminator"] = model.networks["discriminator"]
    steps = int(extra["step"])
    write_history(chosen, folder, steps, model, extra)
    images = steps * recipe.images_a_step
    seen = identity["data"]["images"]
    epochs = round(images / seen, 2)
    networks |= kept_snapshots(run, recipe, seen, folder, epochs, table)
    return {
        "recipe": recipe.resolved(),
        "data": identity["data"],
        "terms": f"{TERMS} {OF_DATA.get(identity['data']['name'], '')}".strip(),
        "from": identity["from"],
        "seed": identity["seed"],
        "precision": identity["precision"],
        "backend": identity["backend"],
        "keras": keras.__version__,
        "steps": steps,
        "checkpoint": chosen.stem.replace("checkpoint", "last"),
        "images_seen": images,
        "epochs": epochs,
        "training_hours": round(float(extra["seconds"]) / 3600, 3),
        "hardware": "; ".join(identity["hardware"]),
        "files": {
            role: save_rounded(networks, role, recipe, faces, folder) for role in networks
        },
    }


def write_history(chosen, folder, steps, model, extra):
    """Write the curves of the run: of its best checkpoint all, to show that it was, of
    its last those up to it. That holds the steps after the last row."""
    run, path = chosen.parent, folder / "history.csv"
    if (run / "history.csv").exists():
        shutil.copy(run / "history.csv", path)
    if chosen.stem == "best" and path.exists():
        return
    columns = cut(path, steps)
    if pending := json.loads(str(extra["pending"])):
        columns = append(path, columns, steps, means(pending, model, extra["seconds"]))
    if not columns:
        raise UserError(f"{run}: {steps} steps, too few for a curve; train on")


def kept_snapshots(run, recipe, images, folder, epochs, table):
    """{"epoch_010/decoder": network}: the snapshots of the run before `epochs`, of so
    many `images`; of a run that collapsed, the last before it and the first after it."""
    # A snapshot of the last epoch is the end; later ones are left from before a crash.
    step = recipe.images_a_step / images
    folders = visible(run / "snapshots", "epoch_*")
    folders = [f for f in folders if number_of(f) < epochs - step / 2]
    if recipe.meter_every:
        folders = around_collapse(folder / "history.csv", folders, step)
    found = {}
    for path in [p for folder in folders for p in visible(folder, "*.weights.h5")]:
        role = path.name.removesuffix(".weights.h5")
        network = found[f"{path.parent.name}/{role}"] = build(recipe, role)
        network.load_weights(path)
        if role == "generator":  # as that of the end
            recompute_batch_norm(network, recipe, table)
    return found


def around_collapse(history, folders, step):
    """Of the folders of snapshots, the last before the run collapsed and the first after
    it; all if it did not collapse. A `step` is so many epochs."""
    at = collapse.step_of(pd.read_csv(history))
    if at is None:
        return folders
    later = [number_of(f) >= at * step for f in folders]
    split = later.index(True) if True in later else len(folders)
    return folders[max(0, split - 1) : split + 1]


def number_of(folder):
    return int(folder.name.removeprefix("epoch_"))


def save_rounded(networks, role, recipe, faces, folder):
    """Save one network, its kernels rounded to as few decimals as change what it gives
    by at most `VISIBLE`: from one on, the kernel that costs most gets another.

    Returns:
        its entry in the card, with the change that rounding causes.

    Raises:
        UserError: a file larger than 45 MiB.
    """
    network, path = networks[role], folder / f"{role}.weights.h5"
    path.parent.mkdir(exist_ok=True)
    exact = {v.path: (v, to_numpy(v).copy()) for v in network.weights if v.ndim > 1}
    what, before = given(networks, role, recipe, faces)

    def change():
        """How far off it is now: the mean, and the largest change."""
        _, after = given(networks, role, recipe, faces)
        by = [
            np.abs(a - b) / max(np.ptp(a), 1e-9)
            for a, b in zip(before, after, strict=True)
        ]
        return max(float(x.mean()) for x in by), max(float(x.max()) for x in by)

    def rounded(decimals):
        """`change` if kernels have so many decimals, the others all."""
        for name, (variable, array) in exact.items():
            d = decimals.get(name, DECIMALS)
            variable.assign(np.round(array, d) if d < DECIMALS else array.copy())
        return change()

    alone = functools.cache(lambda name, d: rounded({name: d})[0])

    def cost(name):
        """What the rounding of a kernel alone costs, for the room that it saves."""
        return alone(name, few[name]) ** 2 / exact[name][1].size

    few = dict.fromkeys(exact, 1)
    while rounded(few)[0] > VISIBLE:
        few[max((n for n in few if few[n] < DECIMALS), key=cost)] += 1
    save(network, path)
    load(network, path)
    mean, largest = change()  # of what is on disk
    if path.stat().st_size > LIMIT:
        raise UserError(f"{path.name}: larger than 45 MiB; train a smaller network")
    return {
        "file": f"{role}.weights.h5",
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "rounding": {"of": f"{what}, 64 images", "mean": mean, "largest": largest},
    }


def given(networks, role, recipe, faces):
    """What a network gives for 64 images or seeds: (its unit, a list of arrays)."""
    snapshot, slash, kind = role.rpartition("/")
    inputs = data_utils.from_uint8(faces.images[:64], recipe.pixel_range)
    if kind == recipe.traits.draws:
        table = None
        if recipe.traits.conditioned_on == "attributes":  # any of its attributes will do
            table = np.random.default_rng(0).integers(0, 2, (64, recipe.condition))
        inputs = latents(recipe, range(64), default_conditions(recipe, range(64), table))
    found = run_network(networks[role], inputs)
    if kind == "encoder":  # what the decoder makes of its codes
        found = run_network(networks[snapshot + slash + "decoder"], found[0])
    if kind in (recipe.traits.draws, "encoder"):
        return "pixel, of their range", [found]
    return "score, of their range", found if isinstance(found, list) else [found]


def fit_prior(trained, data, folder):
    """Fit the density to the codes of the training images of a VAE's `Trained` weights;
    write `prior.npz` into the folder; return its entry of the card.

    Raises:
        data_utils.DataError: no training images, or others than in training.
    """
    about = trained.card["data"]
    faces = data_utils.load_faces(data, "train", trained.recipe.image_size)
    faces = faces.first(about["images"])
    if digests(faces)["pixels"] != about.get("digests", {}).get("pixels"):
        raise data_utils.DataError(
            f"{faces.folder}: not the images of {about['name']} that "
            f"{trained.recipe.name} was trained on; only their codes have its density"
        )
    path = folder / "prior.npz"
    with replacing(path) as file:
        Fitted.of_codes(*posterior(trained, faces.images)).save(file)
    return {"file": path.name, "sha256": sha256(path), "images": len(faces.images)}


def measure_headline(trained, data, root):
    """Record the headline metric of the recipe, if the data allow it."""
    name = trained.recipe.headline
    try:
        real = Real(data, trained.recipe.image_size, MEASURED, root)
        row = record.measured(Subject(trained, real), name, METRICS[name])
    except UserError as error:
        print(f"{name}: not measured ({error})")
        return
    print(METRICS[name].text(row["values"]))
    record.append(trained.folder / "metrics.jsonl", row)
