"""The attribute network as a judge: the attributes and features of images.

Every number that depends on it is recorded with its accuracy on real test faces.
"""

import functools
from pathlib import Path

import numpy as np
from PIL import Image

import data_utils
from cli import UserError
from metrics import Inapplicable, record
from models import WEIGHTS
from models.keras_setup import keras
from models.sampling import run_network
from models.trained import Trained


def attribute_network(root):
    """`Trained` weights of the attribute network: of a folder of all weights, or the
    repository's if that has none."""
    there = (Path(root) / "attributes" / "card.json").exists()
    return Trained("attributes", root if there else WEIGHTS)


def measure(subject):
    """Accuracy of the attribute network on all labelled test faces, by attribute, and
    that of always giving the more common answer."""
    faces = subject.real.faces
    if faces.attributes is None:
        raise Inapplicable("no labels to compare with")
    values = Judge(subject.trained).accuracy(faces)
    return values | {"n_real": values.pop("n"), "n_fake": 0}


class Judge:
    """The attribute network, applied to uint8 images of any size.

    Args:
        trained: `Trained` weights of the recipe `attributes`.

    Attributes:
        names: the attributes it reads, in the order of its outputs.
    """

    def __init__(self, trained):
        self.trained, self.names = trained, trained.attributes

    def read(self, images):
        """Probabilities of the attributes of images: float32 `(n, attributes)`, averaged
        over each image and its mirror image."""
        network = self.trained.network("classifier")
        both = (images, images[:, :, ::-1])
        prepare = pixels_of(self.trained.recipe)
        return sum(run_network(network, x, prepare=prepare)[0] for x in both) / 2

    def features(self, images):
        """The averaged maps of its last convolution: float32 `(n, 256)`."""
        prepare = pixels_of(self.trained.recipe)
        return run_network(self._pooled, images, prepare=prepare)

    @functools.cached_property  # one network for each judge: Keras compiles each anew
    def _pooled(self):
        return pooled(self.trained.network("classifier"))

    def accuracy(self, faces):
        """On `data_utils.Faces` with attributes: n, its accuracy by attribute, their
        mean, and by attribute the accuracy of always giving the more common answer."""
        labels = np.stack([faces.label(name) for name in self.names], 1)
        right = ((self.read(faces.images) > 0.5) == labels).mean(0)
        commoner = np.maximum(labels.mean(0), 1 - labels.mean(0))
        return {
            "n": len(faces.images),
            "accuracy": dict(zip(self.names, right.tolist(), strict=True)),
            "mean_accuracy": float(right.mean()),
            "commoner_answer": dict(zip(self.names, commoner.tolist(), strict=True)),
        }

    @functools.cached_property
    def recorded_accuracy(self):
        """The recorded `accuracy` on the test faces of the data it was trained on.

        Raises:
            UserError: it was not measured.
        """
        row = record.newest(self.trained).get("attribute_accuracy")
        if row is None:
            raise UserError(
                f"{self.trained.folder}: its accuracy is not in metrics.jsonl; measure "
                "it with 'python -m metrics attributes'"
            )
        data = {"data": f"{row['data']}/{row['split']}", "n": row["n_real"]}
        return data | row["values"]

    @property
    def trusted(self):
        """The attributes that it reads better than a constant answer would, by
        `recorded_accuracy`; tables name only these."""
        known = self.recorded_accuracy
        right, commoner = known["accuracy"], known["commoner_answer"]
        return [name for name in self.names if right[name] > commoner[name]]


def pooled(network):
    """A classifier up to the averaged maps of its last convolution."""
    return keras.Model(network.input, network.get_layer("features").output)


def pixels_of(recipe):
    """A function from uint8 images to what the networks of a recipe take."""
    pixel_range, side = recipe.pixel_range, recipe.image_size
    return lambda images: data_utils.from_uint8(resized(images, side), pixel_range)


def resized(images, side):
    """uint8 `(n, height, width, 3)` -> `(n, side, side, 3)`."""
    if images.shape[1:3] == (side, side):
        return images
    size, how = (side, side), Image.Resampling.LANCZOS
    return np.stack([np.asarray(Image.fromarray(x).resize(size, how)) for x in images])
