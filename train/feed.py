"""What a step sees: which images of the folder, in which order, with what labels."""

import hashlib
import os

import numpy as np

import data_utils
from train import workers


class Feed:
    """Batches as a function of the step: {"images", "labels"} of numpy arrays; of
    several processes (`train.workers`) each has its own rows of them.

    `images` is uint8 `(d_steps, batch, size, size, 3)`; `labels`, only where
    the recipe learns from them, int32 `(d_steps, batch)`, or `(d_steps, batch,
    attributes)` for the attribute network. `data` holds all of both.
    """

    def __init__(self, recipe, faces, seed):
        self.recipe, self.seed = recipe, seed
        self.data = {"images": faces.images}
        if recipe.family in ("acgan", "acgan3"):
            self.data["labels"] = faces.label(recipe.attribute)
        elif recipe.family == "classifier":
            columns = [faces.label(name) for name in attribute_columns(recipe, faces)]
            self.data["labels"] = np.stack(columns, 1)

    def __call__(self, step):
        return self.gather(self.data, *self.order(step))

    def order(self, step):
        """Which images a step sees, and which of them mirrored: int64 and bool,
        `(d_steps, batch)` each."""
        shape = (self.recipe.d_steps, self.recipe.batch_size)
        count = shape[0] * shape[1]
        images = len(self.data["images"])
        chosen = data_utils.indices(images, count, step, self.seed)
        mirror = np.zeros(count, bool)
        if self.recipe.flip:
            mirror = np.random.default_rng((self.seed, step, 1)).random(count) < 0.5
        return workers.own(chosen.reshape(shape)), workers.own(mirror.reshape(shape))

    def gather(self, data, chosen, mirror, xp=np):
        """The batch of `order`, from arrays of numpy or of another `xp`."""
        batch = {name: array[chosen] for name, array in data.items()}
        if self.recipe.flip:
            mirror, images = mirror[..., None, None, None], batch["images"]
            batch["images"] = xp.where(mirror, images[..., ::-1, :], images)
        return batch


def attribute_columns(recipe, faces):
    """The attributes of the faces, as many as the attribute network reads."""
    faces.label(recipe.attribute)  # there are attributes at all, and this one
    names = list(faces.attributes.columns)
    if len(names) != 13:
        raise data_utils.DataError(
            f"{faces.folder}: {len(names)} attributes, the network reads 13"
        )
    return names


def describe(recipe, faces):
    """What a run and a card say about their training images."""
    folder = faces.folder.resolve()
    about = {
        "name": folder.parent.name if folder.name == "train" else folder.name,
        "images": len(faces.images),
        "size": faces.images.shape[1],
        "digests": digests(faces),
    }
    if recipe.family == "classifier":
        about["attributes"] = attribute_columns(recipe, faces)
    return about


def digests(faces):
    """What tells one set of training images from another: {"names": ..., "labels":
    ..., "pixels": ...}, hexadecimal, in the order of training."""
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
