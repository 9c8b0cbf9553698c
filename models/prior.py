"""The density of a VAE's codes, fitted to them (Ghosh et al. 2020).

With a small weight of the KL term the codes of real images are far from the samples of
the prior N(0, I), so few of these decode to faces. A mixture of Gaussians fitted to the
codes of the training images draws codes like theirs, without further training.
"""

import dataclasses

import numpy as np

COMPONENTS = 10  # as many as Ghosh et al. take
EACH = 400  # codes a component, at the least
LEADING = 128  # main axes in which the components differ; in the rest they are alike
PART = 1000  # codes drawn at a time
RIDGE = 0.1  # added to their variances, where those of all codes are 1


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A mixture of Gaussians: a density of codes, in float32.

    One Gaussian is fitted to all codes. Along its main axes, scaled to variance 1, the
    mixture takes its place.
    """

    mean: np.ndarray  # (latent,), of the one Gaussian
    factor: np.ndarray  # (latent, latent), lower Cholesky factor of its covariance
    # (latent, d), its main axes times their standard deviations; kept, because another
    # machine may find them with other signs.
    axes: np.ndarray
    shares: np.ndarray  # (k,), the components' weights, their sum is 1
    centres: np.ndarray  # (k, d), their means along the axes
    factors: np.ndarray  # (k, d, d), lower Cholesky factors of their covariances

    @classmethod
    def of_codes(cls, means, log_vars):
        """Fit the density to all codes that an encoder draws.

        Args:
            means, log_vars: float `(n, latent)`, the posteriors of n images.

        Returns:
            `Fitted`. The covariance of its one Gaussian is that of the means plus the
            mean posterior variance. It has `COMPONENTS` components, or one (no more than
            the Gaussian) for each `EACH` images if that is less.
        """
        from sklearn.mixture import GaussianMixture  # takes a second

        means = means.astype("float64")
        covariance = np.atleast_2d(np.cov(means, rowvar=False, bias=True))
        covariance += np.diag(np.exp(log_vars, dtype="float64").mean(0))
        # Else it is not positive definite with few images or no variance.
        latent = len(covariance)
        covariance += np.eye(latent) * (1e-6 * np.trace(covariance) / latent + 1e-12)
        mean, factor = means.mean(0), np.linalg.cholesky(covariance)

        spread, axes = np.linalg.eigh(covariance)
        leading = slice(latent - min(latent, LEADING), None)  # eigh sorts upwards
        axes = axes[:, leading] * np.sqrt(spread[leading])
        mixture = np.ones(1), np.zeros((1, axes.shape[1])), np.eye(axes.shape[1])[None]
        count = min(COMPONENTS, len(means) // EACH)
        if count > 1 and latent > 1:  # one number has no angle, see `_uniform`
            rng, parts = np.random.default_rng(0), []
            for k in range(0, len(means), PART):  # 200,000 long codes are many bytes
                part, log_var = means[k : k + PART], log_vars[k : k + PART]
                spread = np.exp(0.5 * log_var.astype("float64"))
                drawn = part + spread * rng.standard_normal(part.shape)
                parts.append((drawn - mean) @ _inverse(axes))
            found = GaussianMixture(
                count, reg_covar=RIDGE, max_iter=1000, random_state=0
            ).fit(np.concatenate(parts))
            factors = np.linalg.cholesky(found.covariances_)
            mixture = found.weights_, found.means_, factors
        return cls(*(x.astype("float32") for x in (mean, factor, axes, *mixture)))

    def codes(self, noise):
        """Standard normal `(n, latent)` -> codes, float32 `(n, latent)`.

        Scaling the noise does not change its component, so truncation keeps it.
        """
        drawn = noise @ self.factor.T
        along = drawn @ _inverse(self.axes)
        part = np.searchsorted(np.cumsum(self.shares)[:-1], _uniform(noise))
        moved = self.centres[part]
        for k, factor in enumerate(self.factors):
            moved[part == k] += along[part == k] @ factor.T
        return (self.mean + drawn + (moved - along) @ self.axes.T).astype("float32")

    def save(self, path):
        """Write `prior.npz`: matrices in half precision, those of Cholesky as their
        lower triangles, row by row."""
        triangle, triangles = _lower(self.factor[None])[0], _lower(self.factors)
        half = {"triangle": triangle, "axes": self.axes, "triangles": triangles}
        half = {name: array.astype("float16") for name, array in half.items()}
        whole = {"mean": self.mean, "shares": self.shares, "centres": self.centres}
        np.savez_compressed(path, **whole, **half)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote; OSError, ValueError or KeyError for another file."""
        with np.load(path, allow_pickle=False) as file:
            mean, shares, centres = file["mean"], file["shares"], file["centres"]
            factor = _full(file["triangle"][None], len(mean))[0]
            axes, triangles = file["axes"].astype("float32"), file["triangles"]
        factors = _full(triangles, axes.shape[1])
        return cls(mean, factor, axes, shares, centres, factors)


def _inverse(axes):
    """What turns codes into coordinates along orthogonal axes of any lengths."""
    return axes / np.square(axes).sum(0)


def _uniform(noise):
    """A number in [0, 1) for each row, by the late digits of an angle in it: even, and
    not to be guessed from where the row lies."""
    angle = np.arctan2(*noise[:, [0, -1]].astype("float64").T) / (2 * np.pi)
    return 1000 * angle % 1


def _lower(matrices):
    """`(k, d, d)` -> `(k, d (d + 1) / 2)`"""
    return matrices[:, *np.tril_indices(matrices.shape[1])]


def _full(triangles, side):
    """The opposite of `_lower`, float32."""
    matrices = np.zeros((len(triangles), side, side), "float32")
    matrices[:, *np.tril_indices(side)] = triangles
    return matrices
