"""Export a run to `weights/<recipe>/`: its networks and a card.

`python -m train.export --run <dir> --data <dir> [--weights <dir>] [--levels 60]`
"""

import argparse
import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError, run_cli, writable
from models import WEIGHTS, Recipe, default_conditions, latents
from train.prior import fit

MEASURED = 1000  # images of the number that is recorded
LIMIT = 45 * 2**20  # bytes a file may have
TERMS = (
    "These weights, and what they draw, inherit the terms of the images they were "
    "trained on. CelebA, which hw4_data is part of, allows non-commercial research only."
)
VISIBLE = 0.05  # of the pixel range, for the worst pixel of 64 images


def parse(words=None):
    parser = argparse.ArgumentParser(prog="python -m train.export", description=__doc__)
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--data", required=True, help="to measure on its test/")
    parser.add_argument("--weights", type=Path, help="default: the repository's weights/")
    parser.add_argument(
        "--levels",
        type=int,
        metavar="N",
        help="precision of kernels on disk: the largest number is at least N steps from "
        "zero; 0 keeps float32; default: the fewest that change no pixel visibly",
    )
    parser.add_argument(
        "--last", action="store_true", help="the last checkpoint, not the best"
    )
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    root = args.weights or WEIGHTS
    if args.levels is not None and args.levels < 0:
        raise UserError(f"--levels {args.levels}: 0 or more")
    card = export(args.run, args.data, root, args.levels, args.last)
    print(json.dumps({k: card[k] for k in ("steps", "files")}, indent=1))
    print(f"{root / card['recipe']['name']}: written")
    return 0


def export(run, data, root, levels=None, last=False):
    """Write `<root>/<recipe>/` from a run folder, completely or not at all. It holds the
    best checkpoint of the run's evaluation, or the last if there was no evaluation.

    Args:
        run: the run folder.
        data: a data folder; measurements use its test split, or all images of a plain
            folder.
        root: the folder of all weights.
        levels: of kernels on disk, see `models.trained.save`; None: the fewest that
            change no pixel visibly.
        last: use the last checkpoint even if there is a best one.

    Returns:
        the card, a dict.

    Raises:
        cli.UserError: no such run, no checkpoint in it, unusable test faces, or
            something else than weights where they would go.
    """
    from models.trained import Trained
    from models.unexported import weights_of

    chosen, recipe, identity = weights_of(run, last)
    name, size = recipe.name, recipe.image_size
    if (root / name).exists() and not (root / name / "card.json").exists():
        raise UserError(f"{root / name}: not weights, perhaps a run; use other --weights")
    split = "test" if (Path(data) / "test").exists() else "train"  # a plain folder
    faces = data_utils.load_faces(data, split, size)
    writable(root)
    with tempfile.TemporaryDirectory(dir=root, prefix=".export-") as folder:
        made = Path(folder) / name
        made.mkdir()
        card = write_networks(chosen, identity, made, faces, levels)
        if "decoder" in card["files"] and (Path(data) / "train").is_dir():
            write_card(made, card)
            try:
                card["prior"] = fit(Trained(name, folder), data, made)
            except data_utils.DataError as error:
                print(f"exported without prior.npz: {error}", file=sys.stderr)
        write_card(made, card)
        measure_headline(Trained(name, folder), data, root)
        replaced = replace(root / name, made, Path(folder) / "before")
    if replaced:
        print(f"{root / name}: replaces the weights there", file=sys.stderr)
    return card


def replace(path, made, before):
    """Move the folder `made` to `path`, and what was there to `before`; return whether
    there was something. If that fails, it stays where it was."""
    replaced = path.exists()
    try:
        if replaced:
            path.rename(before)
        made.rename(path)
    except BaseException:  # Ctrl-C, too
        if before.exists() and not path.exists():
            before.rename(path)
        raise
    return replaced


def write_card(folder, card):
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n")


def write_networks(chosen, identity, folder, faces, levels):
    """Save the networks of the checkpoint `chosen` that inference needs; return their
    card.

    These are all averaged networks, and the discriminator if figures use its answers.
    """
    from models.batch_statistics import recompute_batch_norm
    from models.keras_setup import keras
    from models.sampling import label_table
    from train import checkpoint, machine
    from train.model import model_of

    run, recipe = chosen.parent, Recipe.from_resolved(identity["recipe"])
    model = model_of(recipe, identity["seed"])
    extra = checkpoint.restore(chosen, model.state())
    networks = dict(model.average)
    table = label_table(run, recipe)
    if table is not None:
        shutil.copy(run / "labels.csv", folder / "labels.csv")
    if "generator" in networks:
        recompute_batch_norm(networks["generator"], recipe, table)
    # Figures box the samples it calls least real and read categories with it, and
    # another run may start from it; Report D's study does not need it.
    if "discriminator" in model.networks and recipe.report != "D":
        networks["discriminator"] = model.networks["discriminator"]
    steps = int(extra["step"])
    write_history(run, folder, steps, model, extra)
    images = steps * recipe.batch_size * recipe.d_steps
    epochs = round(images / identity["data"]["images"], 2)
    networks |= kept_snapshots(run, identity, folder, epochs, table)
    return {
        "recipe": recipe.resolved(),
        "data": identity["data"],
        "terms": TERMS,
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
        "hardware": "; ".join(identity.get("hardware") or [machine.hardware()]),
        "files": {
            role: save_smallest(networks, role, recipe, folder, faces, levels)
            for role in networks
        },
    }


def write_history(run, folder, steps, model, extra):
    """Write the curves of the run up to the step of its weights; the checkpoint holds
    the steps after the last row."""
    from train.checkpoint import pending_of
    from train.log import append, cut, means

    path = folder / "history.csv"
    with contextlib.suppress(FileNotFoundError):
        shutil.copy(run / "history.csv", path)
    pending = pending_of(extra)
    columns = cut(path, steps - bool(pending))
    if pending:
        columns = append(path, columns, steps, means(pending, model, extra["seconds"]))
    if not columns:
        raise UserError(f"{run}: {steps} steps, too few for a curve; train on")


def kept_snapshots(run, identity, folder, epochs, table=None):
    """{"epoch_010/decoder": network}: the snapshots of the run before `epochs`; of a run
    of Report D that collapsed, the last before it and the first after it."""
    from models import build
    from models.batch_statistics import recompute_batch_norm

    # A snapshot of the last epoch is the end; later ones are left from before a crash.
    recipe = Recipe.from_resolved(identity["recipe"])
    step = recipe.batch_size * recipe.d_steps / identity["data"]["images"]
    folders = sorted((run / "snapshots").glob("epoch_*"))
    folders = [f for f in folders if epoch_of(f) < epochs - step / 2]
    if recipe.report == "D":
        folders = around_collapse(folder / "history.csv", folders, step)
    found = {}
    for path in [p for folder in folders for p in sorted(folder.glob("*.weights.h5"))]:
        role = path.name.removesuffix(".weights.h5")
        network = found[f"{path.parent.name}/{role}"] = build(recipe, role)
        network.load_weights(path)
        if role == "generator":  # as that of the end
            recompute_batch_norm(network, recipe, table)
    return found


def around_collapse(history, folders, step):
    """Of the folders of snapshots, the last before the run collapsed and the first after
    it; all if it did not collapse. A `step` is so many epochs."""
    import pandas as pd

    from metrics import collapse

    history = pd.read_csv(history)
    if "diversity" not in history:  # trained without the meter
        return folders
    history = history[["step", "diversity"]].dropna()
    at = collapse.moment(history["step"].tolist(), history["diversity"].tolist())
    if at is None:
        return folders
    later = [epoch_of(f) >= at * step for f in folders]
    split = later.index(True) if True in later else len(folders)
    return folders[max(0, split - 1) : split + 1]


def epoch_of(folder):
    return int(folder.name.removeprefix("epoch_"))


def save_smallest(networks, role, recipe, folder, faces, levels=None):
    """Save one network with `levels` levels, or with the fewest of `LEVELS` that change
    no pixel by more than `VISIBLE`.

    Returns:
        its entry in the card, with the largest change that rounding causes.

    Raises:
        UserError: a file larger than 45 MiB.
    """
    from models import build
    from models.trained import LEVELS, load, save, sha256

    path = folder / f"{role}.weights.h5"
    path.parent.mkdir(exist_ok=True)
    copy = build(recipe, role.rpartition("/")[2])
    for tried in LEVELS if levels is None else [levels]:
        save(networks[role], path, tried)
        load(copy, path)
        what, change = largest_change(networks, role, copy, recipe, faces)
        if "pixel" not in what or change <= VISIBLE:
            break
    if path.stat().st_size > LIMIT:
        raise UserError(f"{path.name}: larger than 45 MiB; give fewer --levels")
    return {
        "file": f"{role}.weights.h5",
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "levels": tried,
        "largest_change": {"of": f"{what}, 64 images", "by": change},
    }


def largest_change(networks, role, copy, recipe, faces):
    """(what changes, by how much at most) over 64 images if `copy`, read back from disk,
    replaces `networks[role]`."""
    from models.sampling import run_network

    low, high = recipe.pixel_range
    snapshot, slash, kind = role.rpartition("/")
    if kind in ("decoder", "generator"):
        table = None
        if recipe.traits.conditioned_on == "attributes":  # any of its attributes will do
            table = np.random.default_rng(0).integers(0, 2, (64, recipe.condition))
        inputs = latents(recipe, range(64), default_conditions(recipe, range(64), table))
        before, after = run_network(networks[role], inputs), run_network(copy, inputs)
    else:
        inputs = data_utils.from_uint8(faces.images[:64], recipe.pixel_range)
        before, after = run_network(networks[role], inputs), run_network(copy, inputs)
        if kind == "encoder":
            decoder = networks[snapshot + slash + "decoder"]
            before, after = (run_network(decoder, x[0]) for x in (before, after))
    if kind in ("decoder", "generator", "encoder"):
        return "pixel in [0, 1]", float(np.abs(before - after).max() / (high - low))
    before, after = (x if isinstance(x, list) else [x] for x in (before, after))
    return "score", max(
        float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True)
    )


def measure_headline(trained, data, root):
    """Record the headline metric of the family, if the data allow it."""
    from metrics import record
    from metrics.images import Real, Subject
    from metrics.registry import METRICS

    name = trained.recipe.traits.headline
    try:
        real = Real(data, trained.recipe.image_size, MEASURED, root)
        row = record.measured(Subject(trained, real), name, METRICS[name])
    except UserError as error:
        print(f"{name}: not measured ({error})")
        return
    print(METRICS[name].text(row["values"]))
    record.append(trained.folder / "metrics.jsonl", row)


if __name__ == "__main__":
    run_cli(main)
