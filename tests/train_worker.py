"""`python -m train` with tiny networks; PAUSE is how long each step waits, in seconds,
so that a test has the time to kill it."""

import os
import time

import tiny

from cli import run_cli
from models import RECIPES
from train.__main__ import main
from train.feed import Feed

for name in ("vae_c", "acgan_c"):
    RECIPES[name] = tiny.recipe(name)
RECIPES["three"] = tiny.three()


def slowly(self, step, order=Feed.order):
    time.sleep(float(os.environ.get("PAUSE", "0")))
    return order(self, step)


Feed.order = slowly

if __name__ == "__main__":
    run_cli(main)
