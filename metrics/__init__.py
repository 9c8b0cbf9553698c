"""Metrics of trained weights; none needs a downloaded network.

`registry.METRICS` lists them; `python -m metrics` measures and records.
"""

import cli  # noqa: F401 - first of all: it says what is not installed
