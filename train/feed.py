"""The batches of training: which images, in which order, with which labels."""

import dataclasses
import hashlib
import os

import numpy as np

import data_utils
from cli import replacing
from models.keras_setup import keras
from train.job import ALONE


class Feed:
    """Batches as a function of the step: (images,) or (images, labels), numpy arrays; in
    a `train.job.Job` of several processes each has its own rows of them.

    Images are uint8 `(d_steps, batch, size, size, 3)`; labels, only where the recipe
    learns from them, int32 `(d_steps, batch)`, or `(d_steps, batch, attributes)` for
    several attributes at once. `data` holds all of both, in this order.
    """

    def __init__(self, recipe, faces, seed, job=ALONE):
        self.recipe, self.seed, self.job = recipe, seed, job
        labels = labels_of(recipe, faces)
        self.data = (faces.images,) if labels is None else (faces.images, labels)
        self.labels = labels

    def __call__(self, step):
        return self.gather(self.data, *self.order(step))

    def order(self, step):
        """The indices of a step's images, and which of them to mirror: int64 and bool,
        `(d_steps, batch)` each."""
        shape = (self.recipe.d_steps, self.recipe.batch_size)
        count = shape[0] * shape[1]
        images = len(self.data[0])
        chosen = data_utils.indices(images, count, step, self.seed)
        mirror = np.zeros(count, bool)
        if self.recipe.flip:
            mirror = np.random.default_rng((self.seed, step, 1)).random(count) < 0.5
        return tuple(self.job.local_order(x.reshape(shape)) for x in (chosen, mirror))

    def gather(self, data, chosen, mirror, xp=np):
        """The batch of an `order`, from arrays of numpy or of the module `xp`."""
        images, *labels = (array[chosen] for array in data)
        if self.recipe.flip:
            mirror = mirror[..., None, None, None]
            images = xp.where(mirror, images[..., ::-1, :], images)
        return images, *labels


def labels_of(recipe, faces):
    """The labels that a recipe trains on: int32 `(n,)` of one attribute, `(n,
    attributes)` of all, or None."""
    if recipe.traits.learns == "attribute":
        return faces.label(recipe.attribute)
    if recipe.traits.learns == "attributes":
        names = attribute_columns(recipe, faces)
        return np.stack([faces.label(name) for name in names], 1)
    return None


class Batches(keras.utils.PyDataset):
    """The batches of a `Feed` for Keras' own `fit`, with `shuffle=False`; the same
    arguments."""

    def __init__(self, recipe, faces, seed=0):
        super().__init__()
        self.feed = Feed(recipe, faces, seed)
        images = recipe.batch_size * recipe.d_steps
        self.steps = max(1, len(faces.images) // images)
        self.epoch = 0

    def __len__(self):
        """Steps of an epoch."""
        return self.steps

    def __getitem__(self, step):
        """The next epoch begins after the last step; Keras calls `on_epoch_end` later
        than it asks for that epoch's first batches."""
        batch = self.feed(self.epoch * self.steps + step)
        self.epoch += step == self.steps - 1
        return tuple(part.reshape(-1, *part.shape[2:]) for part in batch)


TABLE = 1000  # rows of labels that ship with weights


def label_table(recipe, faces):
    """For a recipe of several attributes at once, a DataFrame: the attributes of the
    first training images, the default conditions of generated images; else None.

    Raises:
        DataError: no CSV, or another number of attributes than the networks take.
    """
    if recipe.traits.conditioned_on != "attributes":
        return None
    names = attribute_columns(recipe, faces)
    return faces.attributes[names][:TABLE].astype("int32")


def write_label_table(path, recipe, faces):
    """Write the `label_table` as `labels.csv`, if there is one."""
    table = label_table(recipe, faces)
    if table is not None:
        with replacing(path, "w") as file:
            table.to_csv(file, index=False, lineterminator="\n")


def attribute_columns(recipe, faces):
    """Names of the attributes that a recipe learns.

    Raises:
        DataError: no CSV, or another number of attributes than the networks take.
    """
    if faces.attributes is None or not len(faces.attributes.columns):
        raise data_utils.DataError(
            f"{faces.folder}: no attributes; add {faces.folder.name}.csv with "
            "image_name and 0/1 attributes"
        )
    names = list(faces.attributes.columns)
    if len(names) != recipe.condition:
        raise data_utils.DataError(
            f"{faces.folder}: {len(names)} attributes, the network takes "
            f"{recipe.condition}"
        )
    return names


def fitted(recipe, faces):
    """The recipe for these faces: networks of all attributes take or read as many as
    the data has."""
    if recipe.traits.learns == "attributes" and faces.attributes is not None:
        return dataclasses.replace(recipe, condition=len(faces.attributes.columns))
    return recipe


def describe(recipe, faces):
    """The training images, as a run and a card describe them."""
    folder = faces.folder.resolve()
    about = {
        "name": folder.parent.name if folder.name == "train" else folder.name,
        "images": len(faces.images),
        "size": faces.images.shape[1],
        "digests": digests(faces),
    }
    if recipe.traits.learns == "attributes":
        about["attributes"] = attribute_columns(recipe, faces)
    return about


def digests(faces):
    """Digests that identify a set of training images: {"names": ..., "labels": ...,
    "pixels": ...}, hexadecimal, in the order of training."""
    labels = [] if faces.attributes is None else [faces.attributes]
    columns = [",".join(table.columns).encode() for table in labels]
    parts = {
        "names": [os.fsencode("\n".join(faces.names))],
        "labels": columns + [np.ascontiguousarray(table, "uint8") for table in labels],
        "pixels": [np.ascontiguousarray(faces.images)],
    }
    found = {}
    for name, pieces in parts.items():
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        found[name] = digest.hexdigest()[:16]
    return found
