"""Drawing with trained weights: no GPU, no network needed."""

import cli  # noqa: F401 - first of all: it says what is not installed
