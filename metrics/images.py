"""The two sets of images that a metric compares: real ones, and samples of one recipe.

Samples and features are computed when the first metric needs them, and cached.
"""

import functools
from pathlib import Path

import data_utils
from cli import UserError
from metrics.distance import frechet
from metrics.judge import Judge, attribute_network
from models import sampling

LEAST = 16  # images; with fewer these numbers mean nothing
MOST = 10_000  # labelled faces that the judge's accuracy is measured on


class Real:
    """Real images of one size, and their features in the attribute network.

    Args:
        data: a data folder. Samples are compared with its test split; if it has none,
            with its last images, which a network may have been trained on.
        size: side in pixels.
        count: the largest number of images to compare samples with.
        root: the folder of all weights; see `metrics.judge.attribute_network`.

    Attributes:
        faces: all `data_utils.Faces` of test/, or the last `count` of the folder.
        images: uint8 `(n, size, size, 3)`, the first `count` of them.
        training: uint8 images of the training split, or None.
        reference: as many images as `images` from the end of the training split, or
            None: real images to compare with `images` as samples are.
        judge: the attribute network, a `Judge`.
        features: of `images`.

    Raises:
        data_utils.DataError: the folder cannot be used.
        UserError: fewer than 16 images.
    """

    def __init__(self, data, size, count, root):
        self.data = Path(data)
        held_back = (self.data / "test").exists()
        faces = data_utils.load_faces(data, "test" if held_back else "train", size)
        self.faces = faces if held_back else faces.last(count)
        self.images = self.faces.images[:count]
        if len(self.images) < LEAST:
            few = f"{self.faces.folder}: {len(self.images)} images"
            raise UserError(f"{few}; metrics need {LEAST} or more")
        self.training = None if held_back else faces.images[:-count]
        self.held_back = held_back
        if held_back and (self.data / "train").exists():
            self.training = data_utils.load_faces(data, "train", size).images
        few = self.training is None or len(self.training) < len(self.images)
        self.reference = None if few else self.training[-len(self.images) :]
        self.root = root

    def split_for(self, trained):
        """What `images` are to weights that were trained on the first images of the same
        folder: "test", or "train" if they have seen some."""
        return "test" if self.unseen_by(trained.card["data"]["images"]) else "train"

    def unseen_by(self, count):
        """Whether the first `count` training images leave `images` out."""
        return self.held_back or count <= len(self.training)

    @functools.cached_property
    def judge(self):
        return Judge(attribute_network(self.root))

    @functools.cached_property
    def accuracy(self):
        """The accuracy of the judge on these faces if they are labelled, else its
        recorded accuracy."""
        table = self.faces.attributes
        if table is None or not set(self.judge.names) <= set(table.columns):
            return self.judge.recorded_accuracy
        split = "test" if self.held_back else "train"
        name = f"{self.data.resolve().name}/{split}"
        return {"data": name} | self.judge.accuracy(self.faces.first(MOST))

    @functools.cached_property
    def features(self):
        return self.judge.features(self.images)

    def distance(self, samples):
        """Frechet distance from samples, uint8, in the attribute network's features."""
        return frechet(self.features, self.judge.features(samples))

    @functools.cached_property
    def features_of_reference(self):
        """Features of `reference`, or None if there is none, or if the attribute network
        was trained on some of it: it would tell those from `images`."""
        if self.reference is None:
            return None
        seen = self.judge.trained.card["data"]  # the first N of a training split
        apart = len(self.training) - len(self.reference) >= seen["images"]
        if seen["name"] == self.data.resolve().name and not apart:
            return None
        return self.judge.features(self.reference)

    @functools.cache  # noqa: B019 - lives as long as the process measures
    def floor(self, compare):
        """`compare` of the features of `images` and of `reference`; None if there are
        none that they may be compared with."""
        other = self.features_of_reference
        return None if other is None else compare(self.features, other)


class Subject:
    """The weights of one recipe, and as many samples as there are real images.

    Args:
        trained: `Trained` weights.
        real: `Real` images of the recipe's size.
        out: a folder for figures, or None.
        prior: the density that a VAE's samples are drawn from; see `sampling.draw`.

    Attributes:
        requested: the condition of sample k; see `models.default_conditions`.
        samples: uint8 `(n, size, size, 3)`; sample k comes from seed k.
        features: of the samples, in the attribute network.
        read: probabilities of the samples' attributes, `(n, attributes)`.
    """

    def __init__(self, trained, real, out=None, prior="normal"):
        self.trained, self.real, self.out, self.prior = trained, real, out, prior
        self.recipe, self.count = trained.recipe, len(real.images)
        self.requested = sampling.conditions_of(trained, range(self.count))

    @functools.cached_property
    def samples(self):
        seeds = range(self.count)
        return sampling.draw(self.trained, seeds, self.requested, prior=self.prior)

    @functools.cached_property
    def features(self):
        return self.real.judge.features(self.samples)

    @functools.cached_property
    def read(self):
        return self.real.judge.read(self.samples)

    def against_data(self, compare):
        """`compare(data, samples)`, a dict, of their features; and under "real_images"
        the same of `Real.reference` in place of samples, or None."""
        found = compare(self.real.features, self.features)
        return found | {"real_images": self.real.floor(compare)}
