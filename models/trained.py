"""Trained weights on disk: `weights/<recipe>/`.

A folder holds one `<role>.weights.h5` for each network, `history.csv` (the curves of
these weights) and `card.json` (their description). Plain `model.load_weights(file)` of
Keras reads every file. Nothing is unpickled.
"""

import functools
import hashlib
import json
import tempfile
import warnings
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from cli import UserError
from models import WEIGHTS, Recipe, build, get_recipe
from models.prior import Fitted
from models.recipes import RECIPES

DECIMALS = 6  # kernels rounded to fewer are packed
CURE = "git checkout restores what ships, train.export a run's"


class WeightsError(UserError):
    """Weights that are missing, damaged or of another network."""


class Trained:
    """A recipe with trained weights.

    Args:
        name: a recipe's name; None for that of the card.
        root: the folder that holds `<name>/card.json`.
        folder: the folder of `card.json` itself, if it has another name.

    Attributes:
        recipe: the `Recipe` as it was trained.
        card: the card's dict.
        folder: of `card.json`, a `Path`.

    Raises:
        WeightsError: no such weights, or an unreadable card.
        models.RecipeError: unknown name.
    """

    def __init__(self, name, root=WEIGHTS, folder=None):
        known, self._built = get_recipe(name) if name else None, {}
        self.folder = Path(folder or Path(root) / name)
        path = self.folder / "card.json"
        if name and not path.exists():
            have = sorted(p.parent.name for p in Path(root).glob("*/card.json"))
            raise WeightsError(
                f"{self.folder}: no trained weights; there are some for: "
                f"{', '.join(have) or 'nothing'}; train with 'python -m train {name}' "
                "and export the run with 'python -m train.export'"
            )
        try:
            self.card = json.loads(path.read_text())
            self.recipe = Recipe.from_resolved(self.card["recipe"])
            _ = [self.card[key] for key in ("files", "data", "steps")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise WeightsError(f"{path}: not a card of this version ({error})") from None
        known = known or get_recipe(self.recipe.name)
        if (self.recipe.name, self.recipe.networks) != (known.name, known.networks):
            raise WeightsError(f"{path}: the card of another recipe or network")

    @classmethod
    def of(cls, folder):
        """The weights of a folder, whatever its name; raises as the class does."""
        return cls(None, folder=folder)

    def check(self):
        """Compare every file with its hash, so that damage shows before anything is
        drawn. Networks are built when they are needed: all of them take 0.2 GiB.

        Raises:
            WeightsError: as `network` and `history` do.
        """
        for entry in self.card["files"].values():
            self._file(entry)
        if "prior" in self.card:
            _ = self.prior
        self.history()

    @property
    def attributes(self):
        """Names of the attributes that the network reads or is conditioned on."""
        return self.card["data"].get("attributes", [self.recipe.attribute])

    def snapshots(self):
        """Epochs whose networks were kept besides those of the end."""
        names = {role.rpartition("/")[0] for role in self.card["files"]} - {""}
        return sorted(int(name.removeprefix("epoch_")) for name in names)

    def epoch_of(self, step):
        """Epochs after a step, a number or an array of them."""
        per_step = self.card["images_seen"] / self.card["steps"]
        return step * per_step / self.card["data"]["images"]

    def end(self):
        """The epoch at the end of training; a whole one if it is that within a step."""
        epochs, before = self.card["epochs"], self.epoch_of(self.card["steps"] - 1)
        near = abs(round(epochs) - epochs) <= epochs - before
        return round(epochs) if near else epochs

    def network(self, role, at=None):
        """The network `role` with its weights loaded, after checking its hash; built
        once.

        Args:
            role: a role of the recipe's networks.
            at: the epoch of a snapshot; default: the end.

        Raises:
            WeightsError: file missing, cut short, changed, or of another network.
        """
        at = None if at == self.end() else at
        path = role if at is None else f"epoch_{at:03d}/{role}"
        if path not in self.card["files"]:
            raise WeightsError(f"{self.folder}: no weights of the {path} in card.json")
        if path not in self._built:
            network = build(self.recipe, role, probabilities=True)
            load(network, self._file(self.card["files"][path]))
            self._built[path] = network
        return self._built[path]

    def _file(self, entry):
        """The file of an entry of the card, after checking its hash."""
        path = self.folder / entry["file"]
        if not path.exists():
            raise WeightsError(f"{path}: missing; {CURE}")
        if sha256(path) != entry["sha256"]:
            raise WeightsError(
                f"{path}: does not match the sha256 in card.json (cut short or "
                f"changed); {CURE}"
            )
        return path

    @functools.cached_property
    def prior(self):
        """The density fitted to a VAE's codes, a `models.prior.Fitted`.

        Raises:
            WeightsError: there is none, or it was changed.
        """
        if "prior" not in self.card:
            raise WeightsError(
                f"{self.folder}: no density of codes; export the run with its training "
                "images"
            )
        return Fitted.load(self._file(self.card["prior"]))

    def history(self):
        """The training curves, a pandas frame with a `step` column; if the run went on
        after the step of these weights, its `attrs["weights"]` is that step."""
        path = self.folder / "history.csv"
        try:
            history = pd.read_csv(path).astype({"step": int})
        except (OSError, ValueError, KeyError):
            raise WeightsError(f"{path}: missing or unreadable; {CURE}") from None
        if history["step"].max() > self.card["steps"]:
            history.attrs["weights"] = self.card["steps"]
        return history

    def at_end(self, rows):
        """The means of so many last rows of the curves before these weights."""
        history = self.history()
        return history[history["step"] <= self.card["steps"]].tail(rows).mean()

    def origin(self):
        """One line for the foot of a figure: which weights, trained on what."""
        card, recipe = self.card, self.recipe
        start = f"; started from {card['from']['recipe']}" if card.get("from") else ""
        report = "in no report" if recipe.report == "-" else f"Report {recipe.report}"
        return (
            f"{recipe.name} ({report}): {card['steps']:,} steps, "
            f"batch {recipe.batch_size}, {card['data']['images']:,} training images "
            f"of {card['data']['name']}{start}"
        )


def named(word, root=WEIGHTS):
    """The `Trained` weights that a user's word names: a recipe's, those of a folder, or
    those of an exported run; raises as the class does."""
    if folder := exported(word):
        return Trained.of(folder)
    if (Path(word) / "run.json").exists():
        raise WeightsError(
            f"{word}: a run that was not exported; it takes 'python -m train.export "
            f"--run {word} --data <data>'"
        )
    return Trained(word, root)


def exported(word):
    """The folder of `card.json` that a user's word names: that folder, or the run folder
    that holds it as `weights/`; None if there is none."""
    for folder in (Path(word), Path(word) / "weights"):
        if (folder / "card.json").exists():
            return folder
    return None


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(network, path):
    """Write a network's weights in Keras' layout of `.weights.h5`.

    Kernels that are rounded to some decimals are packed into as few bits as they need by
    HDF5's scale-offset filter; whatever reads HDF5 gets float32, the same numbers.

    Args:
        network: a built `keras.Model`.
        path: file to write.
    """
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        plain = Path(folder) / "plain.weights.h5"
        network.save_weights(plain)
        with h5py.File(plain) as source, h5py.File(path, "w") as target:
            target.attrs.update(source.attrs)

            def copy(name, item):
                if isinstance(item, h5py.Group):
                    target.require_group(name).attrs.update(item.attrs)
                else:
                    _store(target, name, item[...])

            source.visititems(copy)


def _store(file, name, array):
    packed = {"compression": "gzip", "compression_opts": 9} if array.ndim else {}
    fit = (d for d in range(DECIMALS) if np.array_equal(np.round(array, d), array))
    if array.ndim > 1 and (decimals := next(fit, None)) is not None:
        packed["scaleoffset"] = decimals
        # The filter loses an array that is all within a step of the fill value, else 0.
        packed["fillvalue"] = 2 * np.abs(array).max() + 1
    elif array.ndim:
        packed["shuffle"] = True
    file.create_dataset(name, data=array, **packed)


def load(network, path):
    """Load a file of `save` into a network.

    Raises:
        WeightsError: not a weights file, or of another network.
    """
    try:
        # Keras only warns where a file lacks a layer's weights.
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            network.load_weights(path)
    except (OSError, ValueError, KeyError, IndexError, UserWarning) as error:
        reason = str(error).strip().splitlines() or ["unreadable"]
        raise WeightsError(
            f"{path}: not weights of this {network.name} ({reason[0][:120]}); {CURE}"
        ) from None


def shipped(root=WEIGHTS):
    """{recipe's name: its `Trained` weights} of all recipes that have some."""
    return {n: Trained(n, root) for n in RECIPES if (root / n / "card.json").exists()}
