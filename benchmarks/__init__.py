"""How fast the project is: `python -m benchmarks`."""

import cli  # noqa: F401 - first of all: it says what is not installed

TWINS = ("dcgan_c", "vae_c")  # recipes of which PyTorch networks are here
