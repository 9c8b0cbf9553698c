"""The density of a VAE's codes, fitted to them (Ghosh et al. 2020).

With a small weight of the KL term the codes of real images are far from the samples of
the prior N(0, I), so few of these decode to faces. A Gaussian fitted to the codes of
the training images draws codes like theirs, without further training.
"""

import numpy as np


class Fitted:
    """A Gaussian density of codes.

    Attributes:
        mean: float32 `(latent,)`.
        factor: float32 `(latent, latent)`, the lower Cholesky factor of the
            covariance.
    """

    def __init__(self, mean, factor):
        self.mean, self.factor = mean, factor

    @classmethod
    def of_codes(cls, means, log_vars):
        """Fit a Gaussian to all codes that an encoder draws.

        Args:
            means, log_vars: float `(n, latent)`, the posteriors of n images.

        Returns:
            `Fitted`: the covariance is that of the means plus the mean posterior
            variance.
        """
        means = means.astype("float64")
        covariance = np.atleast_2d(np.cov(means, rowvar=False, bias=True))
        covariance += np.diag(np.exp(log_vars.astype("float64")).mean(0))
        # Else it is not positive definite with few images or no variance.
        latent = len(covariance)
        covariance += np.eye(latent) * (1e-6 * np.trace(covariance) / latent + 1e-12)
        factor = np.linalg.cholesky(covariance)
        return cls(means.mean(0).astype("float32"), factor.astype("float32"))

    def codes(self, noise):
        """Standard normal `(n, latent)` -> codes, float32 `(n, latent)`."""
        return self.mean + noise @ self.factor.T

    def save(self, path):
        """Write `prior.npz`: half precision, the lower triangle row by row."""
        rows, columns = np.tril_indices(len(self.mean))
        triangle = self.factor[rows, columns].astype("float16")
        np.savez_compressed(path, mean=self.mean, triangle=triangle)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; OSError, ValueError or KeyError for another file."""
        with np.load(path, allow_pickle=False) as file:
            mean, triangle = file["mean"], file["triangle"]
        factor = np.zeros((len(mean), len(mean)), "float32")
        factor[np.tril_indices(len(mean))] = triangle
        return cls(mean, factor)
