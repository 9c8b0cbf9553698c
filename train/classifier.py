"""The attribute network's training."""

from models.keras_setup import keras
from train import losses, views
from train.model import Algorithm, one_step

ops = keras.ops

UNLABELLED = 0.1  # weight of the losses that need no labels


class Classifier(Algorithm):
    """A binary cross entropy for each attribute, on random views of faces. Two more
    losses need no labels: how a damaged view was turned (Gidaris et al. 2018) and how
    much it was blurred."""

    averaged = ("classifier",)

    @one_step
    def train_step(self, x, y):
        seen = views.views(x, ops.cast(y, "float32"), self.random)
        return self.minimize("classifier", self.reading_loss, *seen)

    def reading_loss(self, x, y, damaged, turns, blur):
        # Each loss is a mean over one kind of view. It divides by the expected number
        # of these views, not by the actual one, so that the mean over several
        # processes is the mean over the whole batch.
        whole = (1.0 - damaged) / (1.0 - views.DAMAGED)
        damaged = damaged / views.DAMAGED
        answers = self.networks["classifier"](x, training=True)
        guess, turn, sharp = (ops.cast(a, "float32") for a in answers)
        on_labels = ops.mean(whole * ops.mean(ops.softplus(guess) - y * guess, -1))
        each = keras.losses.sparse_categorical_crossentropy(turns, turn, from_logits=True)
        on_turns = ops.mean(damaged * each)
        on_blur = losses.bce(sharp[:, 0], blur)
        right = ops.mean(ops.cast(ops.equal(guess > 0, y > 0.5), "float32"), -1)
        return on_labels + UNLABELLED * (on_turns + on_blur), {
            "c_loss_real": on_labels,
            "c_accuracy_real": ops.mean(whole * right),
            "turn_loss": on_turns,
            "blur_loss": on_blur,
        }

    def call(self, images, training=False):
        """Scores of images in [-1, 1]: of each attribute, quarter turn, blur."""
        return self.average["classifier"](images, training=False)
