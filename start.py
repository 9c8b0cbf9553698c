"""What the shell scripts run, from wherever they are called: `start.py <problem> ...`, or
`start.py train_all ...`.

As a file, not `-m`: its folder is then first on the path, whatever letters its name has.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # also with PYTHONSAFEPATH
from cli import run_cli


def main():
    if sys.argv[1:2] == ["train_all"]:
        from train.all import main as train_all

        return train_all(sys.argv[2:])
    from inference.__main__ import main as draw  # within `run_cli`: Ctrl-C may come now

    return draw()


if __name__ == "__main__":
    run_cli(main)
