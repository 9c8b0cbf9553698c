"""The algorithms: one short `train_step` a family.

`data` is what `train.feed` makes: {"images": uint8 (d_steps, batch, height,
width, 3), "labels": int32 (d_steps, batch)}. A step returns a dict of scalars,
the raw material of every curve.

A discriminator always sees real and generated images in separate passes: its
batch norm would otherwise learn to tell the two apart by the batch they share.
"""

from models.keras_setup import in_float32, keras
from models.layers import logits
from train import losses
from train.backend import input_gradient
from train.engine import Family

ops = keras.ops


class VAE(Family):
    """Variational autoencoder (Kingma and Welling 2014): squared error + weighted KL.

    Summed over the image, the squared error is the negative log likelihood in
    nats of a Gaussian of variance 1/2, up to a constant, and `nelbo` the negative
    ELBO: whatever the weight, its KL counts once.
    """

    drawing = ("encoder", "decoder")

    def owned(self):
        nets = self.networks
        return {
            "vae": nets["encoder"].trainable_variables
            + nets["decoder"].trainable_variables
        }

    def train_step(self, data):
        self.begin()
        images = self.pixels(data["images"][0])

        def loss():
            mean, log_var = self.networks["encoder"](images, training=True)
            code = mean + ops.exp(0.5 * log_var) * self.noise()  # reparametrization
            output = self.networks["decoder"](code, training=True)
            mse = losses.mse(images, output)
            kld = losses.kl_divergence(mean, log_var)
            logs = {"mse": mse, "kld": kld}
            error = mse
            if self.recipe.sum_squares:
                error = mse * (output.shape[1] * output.shape[2] * output.shape[3])
                logs["nelbo"] = error + kld
            total = error + self.recipe.kl_weight * kld
            return total, {"loss": total} | logs

        logs = self.minimize("vae", loss)
        self.end()
        return logs

    def sample(self, noise):
        return self.average["decoder"](noise, training=False)


class GAN(Family):
    """Standard GAN (Goodfellow et al. 2014) with G maximising log D(G(z)), or
    Wasserstein GAN (Arjovsky et al. 2017) with clipped weights or with a gradient
    penalty (Gulrajani et al. 2017)."""

    drawing = ("generator",)

    def setup(self):
        self.judge = logits(self.networks["discriminator"])

    def owned(self):
        return {
            role: self.networks[role].trainable_variables
            for role in ("discriminator", "generator")
        }

    def train_step(self, data):
        self.begin()
        logs = {}
        for k in range(self.recipe.d_steps):
            real = self.pixels(data["images"][k])
            logs |= self.minimize("discriminator", lambda r=real: self.d_loss(r))
            self.clip_critic()
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", self.g_loss)
        self.end()
        return logs

    def d_loss(self, real):
        fake = ops.stop_gradient(self.generate())
        on_real, on_fake = self.look(real)[0], self.look(fake)[0]
        return self.d_adversarial(on_real, on_fake, real, fake)

    def g_loss(self):
        loss = self.g_adversarial(self.look(self.generate())[0])
        return loss, {"g_loss": loss}

    def generate(self, condition=None):
        """A batch of images from G in training mode."""
        noise = self.noise()
        if condition is not None:
            noise = ops.concatenate([noise, condition], -1)
        return self.networks["generator"](noise, training=True)

    def look(self, images):
        """What D says of `images`: a list of float32 logits, realness first."""
        if self.recipe.image_noise:
            images = images + self.random(
                keras.random.normal, *images.shape[1:], stddev=self.recipe.image_noise
            )
        answers = self.judge(images, training=True)
        answers = answers if isinstance(answers, (list, tuple)) else [answers]
        return [ops.cast(a, "float32") for a in answers]

    def d_adversarial(self, real, fake, real_images, fake_images):
        """(loss, logs) of telling real logits from fake ones."""
        if self.recipe.wasserstein:
            loss = losses.critic_wasserstein(real, fake)
            parts = {"score_real": ops.mean(real), "score_fake": ops.mean(fake)}
            # A score has no natural zero: count from the middle of the two.
            middle = 0.5 * (parts["score_real"] + parts["score_fake"])
            if self.recipe.gradient_penalty:
                penalty = self.gradient_penalty(real_images, fake_images)
                parts["gradient_penalty"] = penalty
                loss = loss + self.recipe.gradient_penalty * penalty
        else:
            loss = losses.discriminator_bce(real, fake, self.recipe.real_target)
            parts = {
                "d_loss_real": losses.bce(real, self.recipe.real_target),
                "d_loss_fake": losses.bce(fake, 0.0),
            }
            middle = 0.0
        return loss, {
            "d_loss": loss,
            **parts,
            "d_accuracy_real": ops.mean(ops.cast(real > middle, "float32")),
            "d_accuracy_fake": ops.mean(ops.cast(fake <= middle, "float32")),
        }

    def gradient_penalty(self, real, fake):
        """How far the critic's slope is from 1, at random points between real and
        generated images (Gulrajani et al. 2017), in float32 whatever the rest
        runs in."""
        share = self.random(keras.random.uniform, 1, 1, 1)
        between = fake + share * (real - fake)

        def score(images):
            answers = self.judge(images, training=True)
            return answers[0] if isinstance(answers, (list, tuple)) else answers

        with in_float32(self.judge):
            return losses.slope_penalty(input_gradient(score, between, self.touched))

    def g_adversarial(self, fake):
        if self.recipe.wasserstein:
            return losses.generator_wasserstein(fake)
        return losses.generator_bce(fake)

    def clip_critic(self):
        """Weight clipping after every critic update, where the recipe has it.

        A classifier on the critic's features keeps its own head free.
        """
        if self.recipe.clip:
            for v in self.without("label"):
                v.assign(ops.clip(v, -self.recipe.clip, self.recipe.clip))

    def without(self, head):
        """D's trainable variables except one head's ("real" or "label")."""
        return [
            v
            for layer in self.networks["discriminator"].layers
            if not layer.name.startswith(head + "_")
            for v in layer.trainable_variables
        ]

    def sample(self, noise):
        """Images from the averaged generator: `(n, latent + condition)` ->
        float32 `(n, height, width, 3)` in the recipe's pixel range."""
        return self.average["generator"](noise, training=False)


class ACGAN(GAN):
    """Auxiliary-classifier GAN (Odena et al. 2017), two optimizers: D's moves
    the classifier too."""

    def train_step(self, data):
        self.begin()
        logs = {}
        for k in range(self.recipe.d_steps):
            real, label = self.pixels(data["images"][k]), data["labels"][k]
            logs |= self.minimize(
                "discriminator", lambda r=real, y=label: self.d_loss(r, y)
            )
            self.clip_critic()
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", self.g_loss)
        self.end()
        return logs

    def d_loss(self, real, label):
        fake, asked = self.generate_asked()
        fake = ops.stop_gradient(fake)
        (on_real, real_class), (on_fake, fake_class) = self.look(real), self.look(fake)
        adversarial, logs = self.d_adversarial(on_real, on_fake, real, fake)
        guess, more = classified(real_class, label, fake_class, asked)
        return adversarial + guess, logs | more

    def g_loss(self):
        fake, asked = self.generate_asked()
        on_fake, fake_class = self.look(fake)
        loss = self.g_adversarial(on_fake) + losses.classification(fake_class, asked)
        return loss, {"g_loss": loss}

    def generate_asked(self):
        """(images, the class each was asked to show), classes uniform."""
        units = self.recipe.condition
        classes = max(2, units)
        asked = self.random(keras.random.randint, minval=0, maxval=classes)
        return self.generate(encode(asked, units)), asked


class ACGAN3(ACGAN):
    """ACGAN with three optimizers: D, the classifier and G have one each. D and
    the classifier both move the extractor below their heads."""

    def owned(self):
        return {
            "discriminator": self.without("label"),
            "classifier": self.without("real"),
            "generator": self.networks["generator"].trainable_variables,
        }

    def train_step(self, data):
        self.begin()
        real, label = self.pixels(data["images"][0]), data["labels"][0]
        logs = self.minimize("discriminator", lambda: GAN.d_loss(self, real))
        logs |= self.minimize("classifier", lambda: self.c_loss(real, label))
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", self.g_loss)
        self.end()
        return logs

    def generate(self, condition=None):
        if condition is None:  # D's own step: any class will do
            return self.generate_asked()[0]
        return super().generate(condition)

    def c_loss(self, real, label):
        fake, asked = self.generate_asked()
        fake = ops.stop_gradient(fake)
        return classified(self.look(real)[1], label, self.look(fake)[1], asked)


class InfoGAN(ACGAN3):
    """InfoGAN (Chen et al. 2016): no real labels, the classifier learns only to
    read back the category that the generator was asked for."""

    def train_step(self, data):
        self.begin()
        real = self.pixels(data["images"][0])
        logs = self.minimize("discriminator", lambda: GAN.d_loss(self, real))
        logs |= self.minimize("classifier", self.c_loss)
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", self.g_loss)
        self.end()
        return logs

    def c_loss(self):
        fake, asked = self.generate_asked()
        guess = self.look(ops.stop_gradient(fake))[1]
        loss = losses.classification(guess, asked)
        accuracy = losses.label_accuracy(guess, asked)
        return loss, {"c_loss_fake": loss, "c_accuracy_fake": accuracy}


class Classifier(Family):
    """The attribute network: independent cross entropies, one an attribute."""

    drawing = ("classifier",)

    def setup(self):
        self.judge = logits(self.networks["classifier"])

    def owned(self):
        return {"classifier": self.networks["classifier"].trainable_variables}

    def train_step(self, data):
        self.begin()
        images, labels = self.pixels(data["images"][0]), data["labels"][0]

        def loss():
            guess = ops.cast(self.judge(images, training=True), "float32")
            total = losses.bce(guess, ops.cast(labels, "float32"))
            right = ops.equal(guess > 0, labels > 0)
            return total, {
                "c_loss_real": total,
                "c_accuracy_real": ops.mean(ops.cast(right, "float32")),
            }

        logs = self.minimize("classifier", loss)
        self.end()
        return logs


def encode(label, units):
    """Class numbers `(n,)` -> what is appended to the noise `(n, units)`: the
    number itself for one unit, one-hot for several."""
    if units == 1:
        return ops.cast(label, "float32")[:, None]
    return ops.one_hot(label, units, dtype="float32")


def classified(real_class, label, fake_class, asked):
    """(loss, logs) of reading the class of real and of generated images."""
    on_real = losses.classification(real_class, label)
    on_fake = losses.classification(fake_class, asked)
    return on_real + on_fake, {
        "c_loss_real": on_real,
        "c_loss_fake": on_fake,
        "c_accuracy_real": losses.label_accuracy(real_class, label),
        "c_accuracy_fake": losses.label_accuracy(fake_class, asked),
    }


FAMILIES = {
    "vae": VAE,
    "gan": GAN,
    "acgan": ACGAN,
    "acgan3": ACGAN3,
    "infogan": InfoGAN,
    "classifier": Classifier,
}
