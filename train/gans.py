"""Generative adversarial networks: one class, one paper.

Read a paper's `d_loss` and `g_loss`, then `GAN.train_step`: that is the algorithm. D
answers with scores, before any sigmoid; higher is more real. It sees real and generated
images in separate passes: in a shared batch, batch-norm statistics would tell the two
apart. `x` are real images `(batch, height, width, 3)`, `y` their labels or None. A loss
returns (scalar, {name of a curve: scalar}).
"""

from models.keras_setup import in_float32, keras
from models.layers import without_head
from train.augment import augment
from train.backend import input_gradient, now_and_then
from train.losses import (
    bce,
    classification,
    gradient_penalty,
    label_accuracy,
    squared_gradient,
)
from train.model import Algorithm, one_step

ops = keras.ops


class GAN(Algorithm):
    """Goodfellow et al. 2014; `real_target` below 1 is a soft label."""

    settings = ("real_target",)
    averaged = ("generator",)
    unit = "binary cross entropy (nats)"  # of the losses, for the axis of a figure

    @one_step
    def train_step(self, x, y):
        logs = {}
        for part in self.parts(x, y):  # each update of D has its own images
            logs |= self.minimize("discriminator", self.d_loss, *part)
            self.after_d()
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", self.g_loss, *part)
        return logs

    def d_loss(self, x, y):  # -log D(x) - log(1 - D(G(z))), D = sigmoid(score)
        x, fake = self.seen(x), self.seen(self.fake(y))
        return binary(self.D(x), self.D(fake), self.real_target)

    def g_loss(self, x, y):  # -log D(G(z)): log(1 - D(G(z))) has no gradient early on
        loss = bce(self.D(self.seen(self.fake(y))), 1.0)
        return loss, {"g_loss": loss}

    def after_d(self):
        """What follows an update of D."""

    def parts(self, x, y):
        """(images, labels or None) of each update of D."""
        least = min if isinstance(self.batch, int) else ops.minimum
        for k in range(self.recipe.d_steps):
            # The last batch of `fit` may have fewer images than there are updates.
            start = least(k * self.batch, ops.shape(x)[0] - self.batch)
            rows = slice(start, start + self.batch)
            yield x[rows], None if y is None else y[rows]

    def fake(self, y):
        """Generated images, a batch; G is in training mode."""
        return self.G(self.noise())

    def G(self, noise):
        return self.networks["generator"](noise, training=True)

    def D(self, images):
        """The score `(batch, 1)` of images, or the list of all answers; float32."""
        answers = self.networks["discriminator"](images, training=True)
        if isinstance(answers, (list, tuple)):
            return [ops.cast(a, "float32") for a in answers]
        return ops.cast(answers, "float32")

    def seen(self, images):
        """Images as D sees them, augmented and with noise; both real and generated."""
        if self.recipe.augment:
            images = augment(images, self.recipe.augment, self.random)
        if deviation := self.recipe.noise_on_pixels:
            shape = images.shape[1:]
            images = images + self.random(keras.random.normal, *shape, stddev=deviation)
        return images

    def slope(self, score, images):
        """d score / d image, the shape of `images`, in float32 at every precision."""
        with in_float32(self.networks["discriminator"]):
            images = ops.convert_to_tensor(images)
            return input_gradient(score, images, self.state_variables)


class LSGAN(GAN):
    """Mao et al. 2017: squared errors."""

    unit = "squared error"

    def d_loss(self, x, y):  # ((D(x) - 1)^2 + D(G(z))^2) / 2
        x, fake = self.seen(x), self.seen(self.fake(y))
        on_x, on_fake = self.D(x), self.D(fake)
        real = 0.5 * ops.mean(ops.square(on_x - self.real_target))
        generated = 0.5 * ops.mean(ops.square(on_fake))
        loss = real + generated
        logs = {"d_loss": loss, "d_loss_real": real, "d_loss_fake": generated}
        return loss, logs | accuracies(on_x, on_fake, 0.5)

    def g_loss(self, x, y):  # (D(G(z)) - 1)^2 / 2
        on_fake = self.D(self.seen(self.fake(y)))
        loss = 0.5 * ops.mean(ops.square(on_fake - 1.0))
        return loss, {"g_loss": loss}


class WGAN(GAN):
    """Arjovsky et al. 2017: a critic, its weights clipped after each of its updates."""

    settings = ("clip",)
    unit = "Wasserstein score"

    def d_loss(self, x, y):  # E f(G(z)) - E f(x); minus it estimates the distance
        x, fake = self.seen(x), self.seen(self.fake(y))
        return wasserstein(self.D(x), self.D(fake))

    def g_loss(self, x, y):  # -E f(G(z))
        loss = -ops.mean(self.D(self.seen(self.fake(y))))
        return loss, {"g_loss": loss}

    def after_d(self):
        for v in self.optimized["discriminator"]:
            v.assign(ops.clip(v, -self.clip, self.clip))


class WGANGP(WGAN):
    """Gulrajani et al. 2017: a penalty on the critic's slope in place of clipping; its
    critic has no batch norm, because the penalty is of each image."""

    settings = ("gradient_penalty",)

    def d_loss(self, x, y):  # E f(G(z)) - E f(x) + weight * E (|grad f(between)| - 1)^2
        x, fake = self.seen(x), self.seen(self.fake(y))
        loss, logs = wasserstein(self.D(x), self.D(fake))
        between = fake + self.random(keras.random.uniform, 1, 1, 1) * (x - fake)
        penalty = gradient_penalty(self.slope(self.D, between))
        logs["gradient_penalty"] = penalty  # which the curve d_loss does not include
        return loss + self.gradient_penalty * penalty, logs

    def after_d(self):
        pass


class RelativisticGAN(GAN):
    """R3GAN (Huang et al. 2024): each x should score above the G(z) paired with it
    (Jolicoeur-Martineau 2019), with penalties on D's squared slope at real and at
    generated images (R1, R2; Mescheder et al. 2018). R3GAN takes the slope before the
    augmentation, this after it; and only every `penalty_every`-th step takes it, so many
    times as large (Karras et al. 2020)."""

    settings = ("r1", "r2", "penalty_every")
    unit = "softplus of a pair's difference"

    def d_loss(self, x, y):  # softplus(D(G(z)) - D(x)) + r1/2 |grad D(x)|^2 + r2/2 ...
        x, fake = self.seen(x), self.seen(self.fake(y))
        loss, logs = relativistic(self.D(x), self.D(fake))
        penalty, more = self.penalties(x, fake, self.D)
        return loss + penalty, logs | more

    def g_loss(self, x, y):  # softplus(D(x) - D(G(z)))
        on_x, on_fake = self.D(self.seen(x)), self.D(self.seen(self.fake(y)))
        loss = ops.mean(ops.softplus(on_x - on_fake))
        return loss, {"g_loss": loss}

    def penalties(self, x, fake, score):
        def slopes():
            r1 = squared_gradient(self.slope(score, x))
            if not self.r2:
                return r1, 0.0 * r1
            return r1, squared_gradient(self.slope(score, fake))

        every = self.penalty_every
        r1, r2 = now_and_then(self.step % every == 0, slopes, self.state_variables)
        r1, r2 = every * r1, every * r2  # so that means over steps are right
        return self.r1 * r1 + self.r2 * r2, {"r1": r1, "r2": r2}


class ACGAN(GAN):
    """Odena et al. 2017: D also answers with the class, which joins the noise of G; D's
    optimizer updates the classifier, too."""

    settings = ("real_target", "classify")

    def d_loss(self, x, y):  # GAN's + classify * (H(C(x), y) + H(C(G(z, c)), c))
        fake, c = self.conditional()
        x, fake = self.seen(x), self.seen(fake)
        (on_x, x_class), (on_fake, fake_class) = self.D(x), self.D(fake)
        loss, logs = binary(on_x, on_fake, self.real_target)
        reading, read = classified(x_class, y, fake_class, c)
        loss = loss + self.classify * reading
        return loss, logs | {"d_loss": loss} | read

    def g_loss(self, x, y):  # GAN's + classify * H(C(G(z, c)), c)
        fake, c = self.conditional()
        on_fake, fake_class = self.D(self.seen(fake))
        loss = bce(on_fake, 1.0) + self.classify * classification(fake_class, c)
        return loss, {"g_loss": loss}

    def conditional(self):
        """(generated images, their classes, drawn evenly)."""
        units = self.recipe.condition
        c = self.random(keras.random.randint, minval=0, maxval=max(2, units))
        one = ops.cast(c, "float32")[:, None]
        condition = one if units == 1 else ops.one_hot(c, units, dtype="float32")
        return self.G(ops.concatenate([self.noise(), condition], -1)), c


class ACWGAN(ACGAN):
    """Report A's ACGAN: the critic of Arjovsky et al. 2017, and a classifier on its
    features, whose head is not clipped: with weights below 0.01 it cannot be sure."""

    settings = ("clip", "classify")
    unit = WGAN.unit

    def d_loss(self, x, y):  # WGAN's + classify * (H(C(x), y) + H(C(G(z, c)), c))
        fake, c = self.conditional()
        x, fake = self.seen(x), self.seen(fake)
        (on_x, x_class), (on_fake, fake_class) = self.D(x), self.D(fake)
        loss, logs = wasserstein(on_x, on_fake)
        reading, read = classified(x_class, y, fake_class, c)
        loss = loss + self.classify * reading
        return loss, logs | {"d_loss": loss} | read

    def g_loss(self, x, y):  # WGAN's + classify * H(C(G(z, c)), c)
        fake, c = self.conditional()
        on_fake, fake_class = self.D(self.seen(fake))
        loss = -ops.mean(on_fake) + self.classify * classification(fake_class, c)
        return loss, {"g_loss": loss}

    def after_d(self):
        for v in without_head(self.networks["discriminator"], "label"):
            v.assign(ops.clip(v, -self.clip, self.clip))


class ACGAN3(ACGAN):
    """Report B's ACGAN: three optimizers, for D, the classifier and G. D and the
    classifier both update the layers that they share below their heads."""

    def optimized_variables(self):
        d = self.networks["discriminator"]
        return {
            "discriminator": without_head(d, "label"),
            "classifier": without_head(d, "real"),
            "generator": self.networks["generator"].trainable_variables,
        }

    @one_step
    def train_step(self, x, y):
        logs = {}
        for part in self.parts(x, y):
            made = self.conditional()  # D and the classifier see the same images
            logs |= self.minimize("discriminator", self.d_loss, *part, made)
            self.after_d()
        logs |= self.minimize("classifier", self.c_loss, *part, made)
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", self.g_loss, *part)
        return logs

    def d_loss(self, x, y, made):  # -log D(x) - log(1 - D(G(z, c)))
        x, fake = self.seen(x), self.seen(made[0])
        return binary(self.D(x)[0], self.D(fake)[0], self.real_target)

    def c_loss(self, x, y, made):  # H(C(x), y) + H(C(G(z, c)), c)
        fake, c = made
        x, fake = self.seen(x), self.seen(fake)
        return classified(self.D(x)[1], y, self.D(fake)[1], c)


class InfoGAN(ACGAN3):
    """Chen et al. 2016: no labels; the classifier learns only to read the category that
    G was given, and G to make it readable."""

    def c_loss(self, x, y, made):  # H(C(G(z, c)), c)
        fake, c = made
        on_fake = self.D(self.seen(fake))[1]
        loss = classification(on_fake, c)
        accuracy = label_accuracy(on_fake, c)
        return loss, {"c_loss_fake": loss, "c_accuracy_fake": accuracy}


class AttributeGAN(RelativisticGAN):
    """A conditional GAN of many binary attributes at once.

    Each generated image is given the attributes of a real image of the batch. D scores
    an image together with attributes (projection, Miyato and Koyama 2018): its second
    answer has a number for each attribute, which is added to the score if the image
    should have the attribute and subtracted if not. Its third reads the attributes.
    """

    settings = (*RelativisticGAN.settings, "classify")

    def d_loss(self, x, y):  # R3GAN's on scores given y + classify * H(C(x), y)
        fake = self.fake(y)
        x, fake = self.seen(x), self.seen(fake)
        (on_x, read), (on_fake, fake_read) = self.given(x, y), self.given(fake, y)
        loss, logs = relativistic(on_x, on_fake)
        penalty, more = self.penalties(x, fake, lambda images: self.given(images, y)[0])
        reading = classification(read, y)  # of real ones: generated are wrong early on
        loss = loss + self.classify * reading
        return loss + penalty, logs | more | {
            "d_loss": loss,
            "c_loss_real": reading,
            "c_accuracy_real": label_accuracy(read, y),
            "c_accuracy_fake": label_accuracy(fake_read, y),
        }

    def g_loss(self, x, y):  # R3GAN's on scores given y + classify * H(C(G(z, y)), y)
        fake = self.seen(self.fake(y))
        on_x = self.given(self.seen(x), y)[0]
        on_fake, read = self.given(fake, y)
        loss = ops.mean(ops.softplus(on_x - on_fake))
        loss = loss + self.classify * classification(read, y)
        return loss, {"g_loss": loss}

    def fake(self, y):
        return self.G(ops.concatenate([self.noise(), ops.cast(y, "float32")], -1))

    def given(self, images, y):
        """(score of images together with attributes `(batch, 1)`, D's scores of the
        attributes)."""
        score, match, read = self.D(images)
        signs = 2.0 * ops.cast(y, "float32") - 1.0
        return score + ops.sum(match * signs, -1, keepdims=True), read


def binary(on_x, on_fake, target):
    """-log D(x) - log(1 - D(G(z))), and its curves; `target` below 1 is a soft label."""
    real, generated = bce(on_x, target), bce(on_fake, 0.0)
    loss = real + generated
    logs = {"d_loss": loss, "d_loss_real": real, "d_loss_fake": generated}
    return loss, logs | accuracies(on_x, on_fake, 0.0)


def wasserstein(on_x, on_fake):
    """E f(G(z)) - E f(x), and its curves; a score has no natural zero, so D is right on
    the side of the middle of both means."""
    real, generated = ops.mean(on_x), ops.mean(on_fake)
    loss = generated - real
    logs = {"d_loss": loss, "score_real": real, "score_fake": generated}
    return loss, logs | accuracies(on_x, on_fake, 0.5 * (real + generated))


def relativistic(on_x, on_fake):
    """E softplus(D(G(z)) - D(x)), and its curves."""
    loss = ops.mean(ops.softplus(on_fake - on_x))
    return loss, wasserstein(on_x, on_fake)[1] | {"d_loss": loss}


def accuracies(on_x, on_fake, threshold):
    """D calls an image real if its score is above the threshold."""
    return {
        "d_accuracy_real": ops.mean(ops.cast(on_x > threshold, "float32")),
        "d_accuracy_fake": ops.mean(ops.cast(on_fake <= threshold, "float32")),
    }


def classified(x_class, y, fake_class, c):
    """The classifier's (loss, logs) on real and on generated images."""
    real, generated = classification(x_class, y), classification(fake_class, c)
    return real + generated, {
        "c_loss_real": real,
        "c_loss_fake": generated,
        "c_accuracy_real": label_accuracy(x_class, y),
        "c_accuracy_fake": label_accuracy(fake_class, c),
    }
