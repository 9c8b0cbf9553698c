"""The batches of training: which images, in which order, with which labels."""

import dataclasses
import hashlib
import os

import numpy as np

import data_utils
from cli import UserError
from train.job import ALONE

TABLE = 1000  # rows of labels that ship with weights


class Feed:
    """Batches as a function of the step: (images,) or (images, labels), numpy arrays; in
    a `train.job.Job` of several processes each has its own rows of them.

    Images are uint8 `(d_steps, batch, size, size, 3)`; labels, only where the recipe
    learns from them, int32 `(d_steps, batch)`, or `(d_steps, batch, attributes)` for
    several attributes at once. `data` holds all of both, in this order.

    Raises:
        UserError: a batch that does not divide among the processes.
        DataError: no labels for a recipe that needs them.
    """

    def __init__(self, recipe, faces, seed, job=ALONE):
        if recipe.batch_size % job.parts:
            raise UserError(
                f"batch_size={recipe.batch_size} does not divide into {job.parts}: it is "
                "the batch of all processes together; set a multiple"
            )
        self.recipe, self.seed, self.job = recipe, seed, job
        self.labels = labels_of(recipe, faces)
        self.data = (faces.images, self.labels)[: 1 if self.labels is None else 2]

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
        return faces.attributes[faces.columns].to_numpy("int32")
    return None


def labels_to_ship(recipe, faces):
    """For a recipe of several attributes at once, a DataFrame: the attributes of the
    first training images, the default conditions of generated images; else None."""
    if recipe.traits.conditioned_on != "attributes":
        return None
    return faces.attributes[faces.columns][:TABLE].astype("int32")


def fitted(recipe, faces):
    """The recipe for these faces: networks of all attributes take or read as many as
    the data has."""
    if recipe.traits.learns == "attributes":
        recipe = dataclasses.replace(recipe, condition=len(faces.columns))
    return recipe


def identity(recipe, faces):
    """The training images, as a run and a card describe them."""
    folder = faces.folder.resolve()
    about = {
        "name": folder.parent.name if folder.name == "train" else folder.name,
        "images": len(faces.images),
        "size": faces.images.shape[1],
        "digests": digests(faces),
    }
    if recipe.traits.learns == "attributes":
        about["attributes"] = faces.columns
    return about


def digests(faces):
    """Digests that identify a set of training images: {"names": ..., "labels": ...,
    "pixels": ...}, hexadecimal, in the order of training."""
    labels, table = b"", faces.attributes
    if table is not None:
        values = np.ascontiguousarray(table, "uint8")
        labels = ",".join(table.columns).encode() + values.tobytes()
    parts = {
        "names": os.fsencode("\n".join(faces.names)),
        "labels": labels,
        "pixels": np.ascontiguousarray(faces.images),
    }
    return {k: hashlib.sha256(part).hexdigest()[:16] for k, part in parts.items()}
