"""Report D: the DCGAN of Report C at 96x96, and its cures against mode collapse.

The report's tables are pictures and are lost; Report C's four doublings start at 6x6
instead of 4x4 (chosen).
"""

from functools import partial

from models import report_c

generator = partial(report_c.dcgan_generator, size=96)
discriminator = partial(report_c.dcgan_discriminator, size=96)
# The cure: dropout 0.5 before the discriminator's last convolution; and the one that
# fails: before the generator's as well.
dropout_discriminator = partial(discriminator, dropout=0.5)
dropout_generator = partial(generator, dropout=0.5)
# A score without batch norm, because the gradient penalty is per image (Gulrajani et al.
# 2017).
critic = partial(discriminator, critic=True)
