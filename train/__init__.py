"""Training: `python -m train <recipe> --data <dir> --run <dir>`."""
