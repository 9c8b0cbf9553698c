"""Report D: the DCGAN of Report C at 96x96, and its cures against mode collapse.

The report's tables are pictures and lost: a 6x6 start carries Report C's four
doublings from 64 to 96 (chosen).
"""

from models import report_c


def generator(latent=100, size=96):
    """Noise `(latent,)` -> image `(size, size, 3)` in [-1, 1]."""
    return report_c.dcgan_generator(latent, size)


def dropout_generator(latent=100, size=96):
    """The cure that fails: dropout 0.5 before the generator's last convolution."""
    return report_c.dcgan_generator(latent, size, dropout=0.5)


def discriminator(size=96):
    """Image `(size, size, 3)` in [-1, 1] -> probability of being real `(1,)`."""
    return report_c.dcgan_discriminator(size)


def dropout_discriminator(size=96):
    """The cure: dropout 0.5 before the discriminator's last convolution."""
    return report_c.dcgan_discriminator(size, dropout=0.5)


def critic(size=96):
    """Image -> score `(1,)`; no batch norm, whose penalty would not be one image's
    (Gulrajani et al. 2017)."""
    return report_c.dcgan_discriminator(size, critic=True)
