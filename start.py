"""What the shell scripts run, from wherever they are called: `start.py <problem> ...`.

As a file, not `-m`: its folder is then first on the path, whatever letters its name has.
"""

from cli import run_cli


def main():
    from inference.__main__ import main as draw  # within `run_cli`: Ctrl-C may come now

    return draw()


if __name__ == "__main__":
    run_cli(main)
