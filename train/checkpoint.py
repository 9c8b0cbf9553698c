"""Everything a run needs to resume as if it had never stopped, in one file.

A checkpoint is one `.npz` of plain arrays, without pickles. It is written under a
temporary name and renamed, so a reader always finds a whole one.
"""

import numpy as np

from cli import UserError, replacing
from models.keras_setup import to_numpy
from models.unexported import reading


class CheckpointError(UserError):
    """A checkpoint that cannot be restored; the message names the file and the cure."""


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
    damaged = CheckpointError(
        f"{path}: not a whole checkpoint; remove it, and the same command resumes "
        "from best.npz, if there is one, or starts again"
    )
    with (
        reading(damaged),
        open(path, "rb") as raw,
        np.load(raw, allow_pickle=False) as file,
    ):
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
