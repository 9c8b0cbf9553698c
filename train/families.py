"""The algorithms: one short `train_step` for each family.

`data` comes from `train.feed`: {"images": uint8 (d_steps, batch, height, width, 3),
"labels": int32 (d_steps, batch)}. A step returns a dict of scalars, which become the
curves. `minimize(role, loss)`, in `train.engine`, differentiates a loss and updates the
variables of one optimizer.

A discriminator sees real and generated images in separate passes: in a shared batch,
batch-norm statistics would tell the two apart.
"""

from models.keras_setup import in_float32, keras
from models.layers import below_outputs, logits
from train import losses, views
from train.augment import augment
from train.backend import input_gradient, now_and_then
from train.engine import Family

ops = keras.ops

UNLABELLED = 0.1  # weight of the attribute network's losses that need no labels


class VAE(Family):
    """Variational autoencoder (Kingma and Welling 2014): squared error + weighted KL.

    The squared error summed over the image is, up to a constant, the negative log
    likelihood in nats of a Gaussian of variance 1/2. `nelbo`, the negative ELBO, counts
    the KL once, also if the loss weights it.
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
            if self.recipe.settings["sum_squares"]:
                error = mse * (output.shape[1] * output.shape[2] * output.shape[3])
                logs["nelbo"] = error + kld
            total = error + self.recipe.settings["kl_weight"] * kld
            return total, {"loss": total} | logs

        logs = self.minimize("vae", loss)
        self.end()
        return logs

    def sample(self, noise):
        return self.average["decoder"](noise, training=False)


class GAN(Family):
    """Generative adversarial network (Goodfellow et al. 2014) with any loss of
    `losses.ADVERSARIAL`; with weight clipping (Arjovsky et al. 2017), a gradient penalty
    (Gulrajani et al. 2017; Mescheder et al. 2018) and augmentation (Zhao et al. 2020) if
    the recipe sets them."""

    drawing = ("generator",)
    adversarial_loss = "bce"

    def setting(self, name, default):
        return self.recipe.settings.get(name, default)

    def setup(self):
        self.adversarial = losses.ADVERSARIAL[self.adversarial_loss]
        self.logits = logits(self.networks["discriminator"])
        # The variables that each answer of D depends on, its own head included.
        self.answers = below_outputs(self.networks["discriminator"])

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
            logs |= self.minimize("generator", lambda: self.g_loss(real))
        self.end()
        return logs

    def d_loss(self, real):
        real, fake = self.shown(real), self.shown(ops.stop_gradient(self.generate()))
        loss, logs = self.d_adversarial(self.score(real), self.score(fake))
        penalty, more = self.gradient_penalties(real, fake, self.score)
        return loss + penalty, {"d_loss": loss} | logs | more

    def g_loss(self, real):
        on_real = self.score(self.shown(real)) if self.adversarial.pairs else None
        loss = self.adversarial.g_loss(self.score(self.shown(self.generate())), on_real)
        return loss, {"g_loss": loss}

    def generate(self, condition=None):
        """A batch of images from G in training mode."""
        noise = self.noise()
        if condition is not None:
            noise = ops.concatenate([noise, condition], -1)
        return self.networks["generator"](noise, training=True)

    def shown(self, images):
        """Images as D sees them, augmented and with noise; both real and generated."""
        if self.recipe.augment:
            images = augment(images, self.recipe.augment, self.random)
        if self.recipe.image_noise:
            images = images + self.random(
                keras.random.normal, *images.shape[1:], stddev=self.recipe.image_noise
            )
        return images

    def discriminate(self, images):
        """D's answers: a list of float32 logits; the first says real or generated."""
        answers = self.logits(images, training=True)
        answers = answers if isinstance(answers, (list, tuple)) else [answers]
        return [ops.cast(a, "float32") for a in answers]

    def score(self, images):
        """D's score of images `(batch, 1)`, before any sigmoid; higher is more real."""
        return self.discriminate(images)[0]

    def d_adversarial(self, real, fake):
        """D's (loss, logs) from its scores of real and of generated images."""
        loss, logs = self.adversarial.d_loss(real, fake, self.setting("real_target", 1.0))
        threshold = self.adversarial.threshold
        if threshold is None:
            threshold = 0.5 * (ops.mean(real) + ops.mean(fake))
        return loss, logs | {
            "d_accuracy_real": ops.mean(ops.cast(real > threshold, "float32")),
            "d_accuracy_fake": ops.mean(ops.cast(fake <= threshold, "float32")),
        }

    def gradient_penalties(self, real, fake, score):
        """(sum, logs) of the penalties on D's gradient with respect to images, in
        float32 at every precision.

        Args:
            real, fake: images as D sees them, so after augmentation and noise; R3GAN
                takes its gradient before them. Only every `penalty_every`-th step has
                R1 and R2, as many times as large (Karras et al. 2020).
            score: images -> `(batch, 1)`.
        """
        total, logs = 0.0, {}
        if weight := self.setting("gradient_penalty", 0.0):
            share = self.random(keras.random.uniform, 1, 1, 1)
            between = fake + share * (real - fake)
            penalty = losses.gradient_penalty(self.image_gradient(score, between))
            total += weight * penalty
            logs["gradient_penalty"] = penalty
        weight_1, weight_2 = self.setting("r1", 0.0), self.setting("r2", 0.0)
        if weight_1 or weight_2:

            def squared_gradients():
                on_real = losses.squared_gradient(self.image_gradient(score, real))
                if not weight_2:
                    return on_real, 0.0 * on_real
                return on_real, losses.squared_gradient(self.image_gradient(score, fake))

            every = self.setting("penalty_every", 1)
            r1, r2 = now_and_then(self.step % every == 0, squared_gradients, self.touched)
            total += every * (weight_1 * r1 + weight_2 * r2)
            logs |= {"r1": every * r1, "r2": every * r2}  # means over steps are right
        return total, logs

    def image_gradient(self, score, images):
        """d score / d image, the shape of `images`."""
        with in_float32(self.logits):
            images = ops.convert_to_tensor(images)
            return input_gradient(score, images, self.touched)

    def clip_critic(self):
        """Clip the weights of the critic after its update, if the recipe does; the
        critic is what the score depends on, so not the head of a classifier."""
        if clip := self.setting("clip", 0.0):
            for v in self.answers[0]:
                v.assign(ops.clip(v, -clip, clip))

    def sample(self, noise):
        """Images from the averaged generator: `(n, latent + condition)` ->
        float32 `(n, height, width, 3)` in the recipe's pixel range."""
        return self.average["generator"](noise, training=False)


class ACGAN(GAN):
    """Auxiliary-classifier GAN (Odena et al. 2017) with two optimizers; that of D also
    updates the classifier."""

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
            logs |= self.minimize("generator", lambda: self.g_loss(real, label))
        self.end()
        return logs

    def d_loss(self, real, label):
        fake, asked = self.generate_asked()
        real, fake = self.shown(real), self.shown(ops.stop_gradient(fake))
        (on_real, real_class), (on_fake, fake_class) = (
            self.discriminate(real),
            self.discriminate(fake),
        )
        loss, logs = self.d_adversarial(on_real, on_fake)
        penalty, more = self.gradient_penalties(real, fake, self.score)
        guess, read = classified(real_class, label, fake_class, asked)
        loss += self.recipe.settings["classify"] * guess
        return loss + penalty, {"d_loss": loss} | logs | more | read

    def g_loss(self, real, label=None):
        fake, asked = self.generate_asked()
        on_real = self.score(self.shown(real)) if self.adversarial.pairs else None
        on_fake, fake_class = self.discriminate(self.shown(fake))
        loss = self.adversarial.g_loss(on_fake, on_real)
        loss += self.recipe.settings["classify"] * losses.classification(
            fake_class, asked
        )
        return loss, {"g_loss": loss}

    def generate_asked(self):
        """(generated images, the class that each was asked for), classes uniform."""
        units = self.recipe.condition
        classes = max(2, units)
        asked = self.random(keras.random.randint, minval=0, maxval=classes)
        return self.generate(encode(asked, units)), asked


class ACGAN3(ACGAN):
    """ACGAN with three optimizers, for D, the classifier and G. D and the classifier
    both update the layers that they share below their heads."""

    def owned(self):
        return {
            "discriminator": self.answers[0],
            "classifier": self.answers[1],
            "generator": self.networks["generator"].trainable_variables,
        }

    def train_step(self, data):
        self.begin()
        logs, real, fake, asked = self.train_d(data)
        label = data["labels"][-1]
        logs |= self.minimize("classifier", lambda: self.c_loss(real, label, fake, asked))
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", lambda: self.g_loss(real))
        self.end()
        return logs

    def train_d(self, data):
        """Update D; return (logs, real, fake, asked), the last images it saw, which the
        classifier sees as well: G is the same until its turn."""
        logs = {}
        for k in range(self.recipe.d_steps):
            real, (fake, asked) = self.pixels(data["images"][k]), self.generate_asked()
            logs |= self.minimize(
                "discriminator", lambda r=real, f=fake: self.d_loss(r, f)
            )
            self.clip_critic()
        return logs, real, fake, asked

    def d_loss(self, real, fake):
        real, fake = self.shown(real), self.shown(fake)
        loss, logs = self.d_adversarial(self.score(real), self.score(fake))
        penalty, more = self.gradient_penalties(real, fake, self.score)
        return loss + penalty, {"d_loss": loss} | logs | more

    def c_loss(self, real, label, fake, asked):
        real, fake = self.shown(real), self.shown(fake)
        return classified(
            self.discriminate(real)[1], label, self.discriminate(fake)[1], asked
        )


class InfoGAN(ACGAN3):
    """InfoGAN (Chen et al. 2016): without labels; the classifier learns only to read the
    category that the generator was asked for."""

    def train_step(self, data):
        self.begin()
        logs, real, fake, asked = self.train_d(data)
        logs |= self.minimize("classifier", lambda: self.c_loss(fake, asked))
        for _ in range(self.recipe.g_steps):
            logs |= self.minimize("generator", lambda: self.g_loss(real))
        self.end()
        return logs

    def c_loss(self, fake, asked):
        guess = self.discriminate(self.shown(fake))[1]
        loss = losses.classification(guess, asked)
        accuracy = losses.label_accuracy(guess, asked)
        return loss, {"c_loss_fake": loss, "c_accuracy_fake": accuracy}


class AttributeGAN(ACGAN):
    """Conditional GAN of many binary attributes at once.

    Each generated image is asked for the attributes of a real image of the batch. D
    scores an image together with attributes (projection, Miyato and Koyama 2018): its
    answer `match` has one number for each attribute, which is added to the score if the
    image should have the attribute and subtracted if not. If D has a third answer, it
    reads the attributes, as an auxiliary classifier does.
    """

    adversarial_loss = "relativistic"

    def d_loss(self, real, label):
        fake = self.generate(ops.cast(label, "float32"))
        real, fake = self.shown(real), self.shown(ops.stop_gradient(fake))
        on_real, read = self.matched(real, label)
        on_fake, fake_read = self.matched(fake, label)
        loss, logs = self.d_adversarial(on_real, on_fake)
        penalty, more = self.gradient_penalties(
            real, fake, lambda images: self.matched(images, label)[0]
        )
        logs = logs | more
        if read is not None:  # of real images only: generated ones are wrong early on
            guess = losses.classification(read, label)
            loss += self.recipe.settings["classify"] * guess
            logs |= {
                "c_loss_real": guess,
                "c_accuracy_real": losses.label_accuracy(read, label),
                "c_accuracy_fake": losses.label_accuracy(fake_read, label),
            }
        return loss + penalty, {"d_loss": loss} | logs

    def g_loss(self, real, label):
        fake = self.shown(self.generate(ops.cast(label, "float32")))
        on_real = None
        if self.adversarial.pairs:
            on_real = self.matched(self.shown(real), label)[0]
        on_fake, read = self.matched(fake, label)
        loss = self.adversarial.g_loss(on_fake, on_real)
        if read is not None:
            loss += self.recipe.settings["classify"] * losses.classification(read, label)
        return loss, {"g_loss": loss}

    def matched(self, images, label):
        """(score of images together with attributes `(batch, 1)`, D's logits of the
        attributes or None)."""
        score, match, *read = self.discriminate(images)
        signs = 2.0 * ops.cast(label, "float32") - 1.0
        score += ops.sum(match * signs, -1, keepdims=True)
        return score, read[0] if read else None


class Classifier(Family):
    """The attribute network: a binary cross entropy for each attribute, on random views
    of faces. Two more losses need no labels: how a damaged view was turned (Gidaris et
    al. 2018) and how much it was blurred."""

    drawing = ("classifier",)

    def setup(self):
        self.logits = logits(self.networks["classifier"])

    def owned(self):
        return {"classifier": self.networks["classifier"].trainable_variables}

    def train_step(self, data):
        self.begin()
        labels = ops.cast(data["labels"][0], "float32")
        images = self.pixels(data["images"][0])
        images, labels, damaged, turns, blur = views.views(images, labels, self.random)
        # Each loss is a mean over one kind of view. It divides by the expected number
        # of these views, not by the actual one, so that the mean over several
        # processes is the mean over the whole batch.
        whole = (1.0 - damaged) / (1.0 - views.DAMAGED)
        damaged = damaged / views.DAMAGED

        def loss():
            guess, turn, sharp = (
                ops.cast(x, "float32") for x in self.logits(images, training=True)
            )
            each = ops.mean(ops.softplus(guess) - labels * guess, -1)
            on_labels = ops.mean(whole * each)
            each = keras.losses.sparse_categorical_crossentropy(
                turns, turn, from_logits=True
            )
            on_turns = ops.mean(damaged * each)
            on_blur = losses.bce(sharp[:, 0], blur)
            right = ops.mean(ops.cast(ops.equal(guess > 0, labels > 0.5), "float32"), -1)
            total = on_labels + UNLABELLED * (on_turns + on_blur)
            return total, {
                "c_loss_real": on_labels,
                "c_accuracy_real": ops.mean(whole * right),
                "turn_loss": on_turns,
                "blur_loss": on_blur,
            }

        logs = self.minimize("classifier", loss)
        self.end()
        return logs


def encode(label, units):
    """Class numbers `(n,)` -> the condition to append to the noise, `(n, units)`: the
    number itself for one unit, one-hot for several."""
    if units == 1:
        return ops.cast(label, "float32")[:, None]
    return ops.one_hot(label, units, dtype="float32")


def classified(real_class, label, fake_class, asked):
    """The classifier's (loss, logs) on real and on generated images."""
    on_real = losses.classification(real_class, label)
    on_fake = losses.classification(fake_class, asked)
    return on_real + on_fake, {
        "c_loss_real": on_real,
        "c_loss_fake": on_fake,
        "c_accuracy_real": losses.label_accuracy(real_class, label),
        "c_accuracy_fake": losses.label_accuracy(fake_class, asked),
    }


class LSGAN(GAN):
    adversarial_loss = "least_squares"


class WGAN(GAN):
    adversarial_loss = "wasserstein"


class ACWGAN(ACGAN):
    adversarial_loss = "wasserstein"


class RelativisticGAN(GAN):
    adversarial_loss = "relativistic"


ALGORITHMS = {
    "vae.VAE": VAE,
    "gans.GAN": GAN,
    "gans.LSGAN": LSGAN,
    "gans.WGAN": WGAN,
    "gans.WGANGP": WGAN,
    "gans.RelativisticGAN": RelativisticGAN,
    "gans.ACGAN": ACGAN,
    "gans.ACWGAN": ACWGAN,
    "gans.ACGAN3": ACGAN3,
    "gans.InfoGAN": InfoGAN,
    "gans.AttributeGAN": AttributeGAN,
    "classifier.Classifier": Classifier,
}


def algorithm(recipe):
    """The class that trains a recipe."""
    return ALGORITHMS[recipe.algorithm]
