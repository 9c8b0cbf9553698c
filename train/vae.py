"""The variational autoencoder."""

from models.keras_setup import keras
from train.losses import kl_divergence
from train.model import Algorithm, one_step

ops = keras.ops


class VAE(Algorithm):
    """Variational autoencoder (Kingma and Welling 2014): squared error + weighted KL.

    The squared error summed over the image is, up to a constant, the negative log
    likelihood in nats of a Gaussian of variance 1/2. `nelbo`, the negative ELBO, counts
    the KL once, also if the loss weights it.
    """

    settings = ("kl_weight", "sum_squares")
    averaged = ("encoder", "decoder")

    def optimized_variables(self):
        encoder, decoder = self.networks["encoder"], self.networks["decoder"]
        return {"vae": encoder.trainable_variables + decoder.trainable_variables}

    @one_step
    def train_step(self, x, y):
        return self.minimize("vae", self.elbo_loss, x)

    def elbo_loss(self, x):  # |x - decoder(z)|^2 + kl_weight * KL(q(z | x) || N(0, I))
        mean, log_var = self.networks["encoder"](x, training=True)
        z = mean + ops.exp(0.5 * log_var) * self.noise()  # reparametrization
        output = self.networks["decoder"](z, training=True)
        error = mse = ops.mean(ops.square(x - output))
        kld = kl_divergence(mean, log_var)
        logs = {"mse": mse, "kld": kld}
        if self.sum_squares:
            error = mse * (output.shape[1] * output.shape[2] * output.shape[3])
            logs["nelbo"] = error + kld
        total = error + self.kl_weight * kld
        return total, {"loss": total} | logs
