"""Metrics of trained weights; none needs a downloaded network.

`registry.METRICS` lists them; `python -m metrics` measures and records.
"""

import cli  # first of all: it says what is not installed


class Inapplicable(cli.UserError):
    """Why a metric cannot be taken of these data or weights, in one line."""
