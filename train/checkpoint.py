"""Everything a run needs to resume as if it had never stopped, in one file.

A checkpoint is one `.npz` of plain arrays, without pickles. It is written under a
temporary name and renamed, so a reader always finds a whole one.
"""

import contextlib
import errno
import json
from pathlib import Path

import numpy as np

from cli import UserError, replacing
from models import Recipe
from models.keras_setup import to_numpy


class CheckpointError(UserError):
    """A checkpoint that cannot be restored; the message names the file and the cure."""


@contextlib.contextmanager
def reading(path, cure=""):
    """Open a checkpoint: of what is raised in the block (zipfile and numpy have no end
    of kinds), all that damaged bytes may cause becomes a `CheckpointError`."""
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            yield file
    except Exception as error:
        refused = getattr(error, "errno", errno.EINVAL) != errno.EINVAL  # by the system
        if refused or isinstance(error, MemoryError):
            raise
        raise CheckpointError(f"{path}: not a whole checkpoint{cure}") from None


def of_run(run, last=False):
    """The checkpoint of a run folder that counts: the best of its evaluation, or the
    last if there is none or if `last`.

    Returns:
        (its path, the `Recipe` and the identity, a dict, of the run as of then).

    Raises:
        CheckpointError: no such run, no checkpoint in it yet, or a damaged one.
    """
    run, path = Path(run), Path(run) / "best.npz"
    if last or not path.exists():
        path = run / "checkpoint.npz"
    if not path.exists():
        if not (run / "run.json").exists():
            raise CheckpointError(f"{run}: no run of 'python -m train'; train it first")
        raise CheckpointError(f"{path}: not there yet; a run saves every 5 minutes")
    with reading(path) as file:
        identity = json.loads(str(file["x/identity"]))
    try:
        return path, Recipe.from_resolved(identity["recipe"]), identity
    except (KeyError, TypeError):
        raise CheckpointError(f"{path}: not of this version") from None


def save(path, variables, extra):
    """Write Keras variables and plain arrays.

    Args:
        path: the `.npz` file.
        variables: {unique name: `keras.Variable`}.
        extra: {name: array}, given back by `restore`.
    """
    arrays = {f"v/{k}": to_numpy(v) for k, v in variables.items()}
    arrays |= {f"x/{k}": np.asarray(v) for k, v in extra.items()}
    with replacing(path) as file:
        np.savez(file, **arrays)


def restore(path, variables):
    """Assign every variable from a checkpoint; return its extra arrays.

    Raises:
        CheckpointError: cut short, or of other networks or optimizers; then no
            variable is changed.
    """
    cure = "; remove it, and the same command resumes from best.npz, if there is one, or "
    with reading(path, cure + "starts again") as file:
        arrays = {k: file[k] for k in file.files}
    if "x/best_value" not in arrays:
        raise CheckpointError(f"{path}: not of this version; use a new --run folder")
    found = {k[2:]: v for k, v in arrays.items() if k.startswith("v/")}
    shapes = {k: tuple(v.shape) for k, v in variables.items()}
    if {k: v.shape for k, v in found.items()} != shapes:
        raise CheckpointError(
            f"{path}: variables of another network or optimizer; use a new --run"
        )
    for name, variable in variables.items():
        variable.assign(found[name])
    return {k[2:]: v for k, v in arrays.items() if k.startswith("x/")}
