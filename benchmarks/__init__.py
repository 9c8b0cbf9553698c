"""How fast the project is, measured in pairs: `python -m benchmarks`."""
