"""Training: `python -m train <recipe> --data <dir> --run <dir>`."""

import cli  # noqa: F401 - first of all: it says what is not installed
