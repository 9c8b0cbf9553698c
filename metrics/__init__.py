"""Numbers about samples, none of which needs a downloaded network.

`registry.METRICS` lists them; `python -m metrics` measures and records.
"""
