"""The averaged networks of a run that was not exported."""

import contextlib
import errno
import functools
import json
from pathlib import Path

import numpy as np

from cli import UserError
from models import Recipe, build
from models.sampling import label_table, recompute_batch_norm


@contextlib.contextmanager
def reading(damaged):
    """Read a checkpoint in the block: of what is raised there (zipfile and numpy have no
    end of kinds), all that damaged bytes may cause becomes `damaged`, a `UserError`."""
    try:
        yield
    except Exception as error:
        refused = getattr(error, "errno", errno.EINVAL) != errno.EINVAL  # by the system
        if refused or isinstance(error, MemoryError):
            raise
        raise damaged from None


def weights_of(run, last=False):
    """The checkpoint of a run folder that counts: the best of its evaluation, or the
    last if there is none or if `last`.

    Returns:
        (its path, the `Recipe` and the identity, a dict, of the run as of then).

    Raises:
        UserError: no such run, no checkpoint in it yet, or a damaged one.
    """
    run, path = Path(run), Path(run) / "best.npz"
    if last or not path.exists():
        path = run / "checkpoint.npz"
    if not path.exists():
        if not (run / "run.json").exists():
            raise UserError(f"{run}: not a run of 'python -m train'; train it first")
        raise UserError(f"{path}: not there yet; a run saves every 5 minutes")
    with (
        reading(UserError(f"{path}: not a whole checkpoint")),
        np.load(path, allow_pickle=False) as file,
    ):
        identity = json.loads(str(file["x/identity"]))
    try:
        return path, Recipe.from_resolved(identity["recipe"]), identity
    except (KeyError, TypeError):
        raise UserError(f"{path}: not of this version") from None


class RunWeights:
    """The weights of a run folder, in place of `Trained`, for code that only draws: those
    of the best checkpoint if the run's evaluation kept one, else of the last.

    Args:
        folder: the run folder; the run may still be training.

    Attributes:
        recipe: the `Recipe` in training.
        step: how many steps the weights were trained for.
        folder: the run folder.
        card: what a card says of its data.

    Raises:
        UserError: no such run, no checkpoint in it yet, or a damaged one.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        path, self.recipe, identity = weights_of(self.folder)
        self.card = {"data": identity["data"]}
        self.attributes = identity["data"].get("attributes", [self.recipe.attribute])
        with (
            reading(UserError(f"{path}: not a whole checkpoint")),
            np.load(path, allow_pickle=False) as file,
        ):
            self.step = int(file["x/step"])
            self._arrays = {
                k: file[k] for k in file.files if k[:6] in ("v/net/", "v/ema/")
            }

    @functools.cache  # noqa: B019 - lives as long as the process draws
    def network(self, role, at=None):
        """The network `role`, as an export would have it: averaged where the run keeps
        an average, a generator's batch-norm statistics recomputed.

        Raises:
            UserError: the run has none, or it is of another network.
        """
        network = build(self.recipe, role, probabilities=True)
        averaged = any(k.startswith(f"v/ema/{role}/") for k in self._arrays)
        kind = "ema" if averaged else "net"
        for k, variable in enumerate(network.variables):
            if "seed_generator" in variable.path:
                continue
            value = self._arrays.get(f"v/{kind}/{role}/{k:03d}/{variable.name}")
            if value is None or value.shape != tuple(variable.shape):
                raise UserError(f"{self.folder}: its {role} is of another network")
            variable.assign(value)
        if role == "generator":
            table = label_table(self.folder, self.recipe)
            recompute_batch_norm(network, self.recipe, table)
        return network

    def origin(self):
        """One line: which run, and at which step."""
        return f"{self.recipe.name} of {self.folder} as of step {self.step:,}"
