"""`python -m train` with one more recipe: three optimizers and dropout, which no
report has together in a network that a test can afford."""

import dataclasses

from cli import run_cli
from models import RECIPES, Optimizer
from train.__main__ import main

RECIPES["three"] = dataclasses.replace(
    RECIPES["acgan_c"],
    name="three",
    family="acgan3",
    optimizers={
        "discriminator": Optimizer("rmsprop", 5e-5),
        "classifier": Optimizer("adam", 1e-4),
        "generator": Optimizer("adam", 1e-4),
    },
)

if __name__ == "__main__":
    run_cli(main)
