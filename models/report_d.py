"""Report D: the DCGAN of Report C at 96x96, and its cures against mode collapse.

The report's tables are pictures and are lost; Report C's four doublings start at 6x6
instead of 4x4 (chosen).
"""

from models import report_c


def generator(latent=100, size=96):
    """Noise `(latent,)` -> image `(size, size, 3)` in [-1, 1]."""
    return report_c.dcgan_generator(latent, size)


def dropout_generator(latent=100, size=96):
    """The cure that fails: dropout 0.5 before the generator's last convolution."""
    return report_c.dcgan_generator(latent, size, dropout=0.5)


def discriminator(size=96, probabilities=False):
    """Image `(size, size, 3)` in [-1, 1] -> score or probability of being real `(1,)`."""
    return report_c.dcgan_discriminator(size, probabilities=probabilities)


def dropout_discriminator(size=96, probabilities=False):
    """The cure: dropout 0.5 before the discriminator's last convolution."""
    return report_c.dcgan_discriminator(size, 0.5, probabilities=probabilities)


def critic(size=96):
    """Image -> score `(1,)`; no batch norm, because the gradient penalty is per image
    (Gulrajani et al. 2017)."""
    return report_c.dcgan_discriminator(size, critic=True)
