"""What the shell scripts run, from wherever they are called: `start.py <problem> ...`.

As a file, not `-m`: its folder is then first on the path, whatever letters its name has.
"""

from cli import run_cli
from inference.__main__ import main

if __name__ == "__main__":
    run_cli(main)
