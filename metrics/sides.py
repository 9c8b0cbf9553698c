"""The two sides of every comparison: real images, and samples of one recipe.

Samples and features are computed when the first metric needs them, and cached.
"""

import functools
from pathlib import Path

import data_utils
from cli import UserError
from metrics.reader import Reader, attribute_network
from models import sampling

LEAST = 16  # images; with fewer these numbers mean nothing
MOST = 10_000  # labelled faces that the reader's accuracy is measured on
SETS = 3  # of samples with other seeds: how much a distance depends on the seeds


class Real:
    """Real images of one size, and their features in the attribute network.

    Args:
        data: a data folder. Samples are compared with its test split; if it has none,
            with images that networks may have been trained on.
        size: side in pixels.
        count: the largest number of images to compare samples with.
        root: the folder of all weights; see `metrics.reader.attribute_network`.

    Attributes:
        faces: all `data_utils.Faces` of the split.
        images: uint8 `(n, size, size, 3)`, the first `count` of them.
        training: uint8 images of the training split, or None.
        others: as many images as `images` from the end of the training split, or
            None: real images to compare with `images` as samples are.

    Raises:
        data_utils.DataError: the folder cannot be used.
        UserError: fewer than 16 images.
    """

    def __init__(self, data, size, count, root):
        self.data, self.size, self.root = Path(data), size, root
        held_back = (self.data / "test").exists()
        self.split = "test" if held_back else "train"
        self.faces = data_utils.load_faces(data, self.split, size)
        self.images = self.faces.images[:count]
        if len(self.images) < LEAST:
            few = f"{self.faces.folder}: {len(self.images)} images"
            raise UserError(f"{few}; metrics need {LEAST} or more")
        self.training = None if held_back else self.faces.images[count:]
        if held_back and (self.data / "train").exists():
            self.training = data_utils.load_faces(data, "train", size).images
        enough = self.training is not None and len(self.training) >= len(self.images)
        self.others = self.training[-len(self.images) :] if enough else None

    @functools.cached_property
    def reader(self):
        """The attribute network, a `Reader`."""
        return Reader(attribute_network(self.root))

    @functools.cached_property
    def accuracy(self):
        """The accuracy of the reader on these faces if they are labelled, else its
        recorded accuracy."""
        table = self.faces.attributes
        if table is None or not set(self.reader.names) <= set(table.columns):
            return self.reader.recorded_accuracy
        name = f"{self.data.resolve().name}/{self.split}"
        count = min(len(self.faces.images), MOST)
        return {"data": name} | self.reader.accuracy(self.faces.first(count))

    @functools.cached_property
    def features(self):
        return self.reader.features(self.images)

    @property
    def reader_knows_others(self):
        """Whether the attribute network was trained on some of `others`."""
        known = self.reader.trained.card["data"]  # the first N of a training split
        apart = len(self.training) - len(self.others) >= known["images"]
        return known["name"] == self.data.resolve().name and not apart

    @functools.cached_property
    def features_of_others(self):
        return self.reader.features(self.others)

    @functools.cache  # noqa: B019 - lives as long as the process measures
    def floor(self, compare, features=False):
        """`compare` of `images` with `others`, computed once; None if there are no
        others, or if the attribute network was trained on some of them, because it
        tells those from `images`."""
        if self.others is None or (features and self.reader_knows_others):
            return None
        if features:
            return compare(self.features, self.features_of_others)
        return compare(self.images, self.others)


class Subject:
    """The weights of one recipe, and as many samples as there are real images.

    Args:
        trained: `Trained` weights.
        real: `Real` images of the recipe's size.
        out: a folder for figures, or None.
        prior: the density that a VAE's samples are drawn from; see `sampling.draw`.

    Attributes:
        asked: what sample k was asked to show; see `models.asked`.
    """

    def __init__(self, trained, real, out=None, prior="normal"):
        self.trained, self.real, self.out, self.prior = trained, real, out, prior
        self.recipe, self.count = trained.recipe, len(real.images)
        self.asked = sampling.asked_of(trained, range(self.count))

    @functools.cached_property
    def samples(self):
        """uint8 `(n, size, size, 3)`; sample k comes from seed k."""
        seeds = range(self.count)
        return sampling.draw(self.trained, seeds, self.asked, prior=self.prior)

    @functools.cached_property
    def features(self):
        return self.real.reader.features(self.samples)

    @functools.cached_property
    def sets(self):
        """Features of three sets of samples, from seeds 0 to n - 1, n to 2 n - 1, ..."""
        more = (range(k * self.count, (k + 1) * self.count) for k in range(1, SETS))
        drawn = (
            sampling.draw(self.trained, seeds, self.asked, prior=self.prior)
            for seeds in more
        )
        return [self.features, *map(self.real.reader.features, drawn)]

    @functools.cached_property
    def read(self):
        """Probabilities of the attributes of the samples, `(n, attributes)`."""
        return self.real.reader.read(self.samples)

    def against_data(self, compare, features=False):
        """Compare samples with data, and unseen real images with data.

        Args:
            compare: a function of two sets of images, or of two sets of features,
                data first; returns a dict.

        Returns:
            the dict of samples; under "real_images" that of `Real.others` in place of
            samples, or None.
        """
        pair = (self.real.images, self.samples)
        if features:
            pair = (self.real.features, self.features)
        return compare(*pair) | {"real_images": self.real.floor(compare, features)}

    def in_words(self, values, words):
        """`words` of what `against_data` returned, for samples and for real images."""
        text, floor = words(values), values["real_images"]
        return text + (
            f"; real images in place of samples {words(floor)}" if floor else ""
        )
