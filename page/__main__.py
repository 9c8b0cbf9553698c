"""Command line: write a page that runs the networks in a browser."""

import argparse
from pathlib import Path

from cli import UserError, file_of_kind, replacing, run_cli
from models import WEIGHTS
from models.recipes import get_recipe
from models.trained import Trained
from page import film

GENERATORS = ("rpgan_attributes", "acgan_a")  # the first that has weights
VAE = "vae_c"
SAMPLE_DATA = Path(__file__).resolve().parent.parent / "sample_data"
LIMIT = 20 * 10**6  # bytes of the whole page


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m page",
        description="Write one HTML file that draws faces in a browser, offline.",
        epilog="example: python -m page --out faces.html",
    )
    parser.add_argument("--out", type=Path, required=True, help="file, .html")
    usual = f"default: the first with weights of {', '.join(GENERATORS)}"
    parser.add_argument("--generator", help=f"a recipe that draws from noise; {usual}")
    parser.add_argument("--vae", default=VAE, help=f"default: {VAE}")
    faces = "faces to learn Photo's attributes from; default: sample_data"
    parser.add_argument("--data", type=Path, default=SAMPLE_DATA, help=faces)
    parser.add_argument("--run", type=Path, help="film this run; default: one that ships")
    weights = "folder of all weights; default: the repository's weights/"
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help=weights)
    return parser.parse_args(words)


def main(words=None):
    """Write the page.

    Raises:
        UserError: unusable weights, data, run or file, or a page over 20 MB.
    """
    args = parse(words)
    file_of_kind(args.out, (".html", ".htm"))
    there = [g for g in GENERATORS if (args.weights / g / "card.json").exists()]
    generator = args.generator or (*there, GENERATORS[-1])[0]
    roles = ("--generator", generator, "generator"), ("--vae", args.vae, "decoder")
    for option, name, role in roles:
        if get_recipe(name).traits.draws != role:
            raise UserError(f"{option} {name}: it has no {role}; name another recipe")
    played = film.film_of(args.run) if args.run else film.shipped()
    trained = [Trained(name, args.weights) for _, name, _ in roles]

    from metrics.judge import Judge, attribute_network  # takes seconds
    from page.build import build

    judge = Judge(attribute_network(args.weights))
    page, sizes = build(*trained, judge, args.data, played)
    if len(page) > LIMIT:
        raise UserError(f"{args.out}: {len(page) / 1e6:.1f} MB, over 20 ({sizes})")
    with replacing(args.out) as file:
        file.write(page)
    print(f"{args.out}: {len(page) / 1e6:.1f} MB ({sizes}); open it in a browser")
    return 0


if __name__ == "__main__":
    run_cli(main)
