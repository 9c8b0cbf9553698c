"""Renew the figures and results that the report and the README show.

Numbers are measured on the user's images. Figures that show images of a data folder are
drawn from `sample_data/`, whose faces are of nobody; all others show only generated
images or curves.
"""

import argparse
import json
import tempfile
from pathlib import Path

from PIL import Image

from cli import replacing, run_cli
from inference.problems import PARTIAL, STUDIES, draw
from models import WEIGHTS
from plot_utils import BLUE, panels, save
from report import FIGURES, FOLDER, RESULTS
from report.questions import NOT_DRAWN_HERE

WIDTH = 1400  # pixels
SHOW_DATA = ("fig1_3", "fig6_2", "fig6_3", "fig6_4")


def parse():
    parser = argparse.ArgumentParser(prog="python -m report.redraw", description=__doc__)
    parser.add_argument("data", type=Path, help="faces in the course's layout")
    parser.add_argument("images", type=Path, help="Report D's training images, a folder")
    return parser.parse_args()


def main():
    args = parse()
    sample_data = FOLDER.parent / "sample_data"
    with tempfile.TemporaryDirectory() as temporary:
        real, drawn = Path(temporary) / "real", Path(temporary) / "drawn"
        for problem, folder in (
            ("hw4", args.data),
            ("kl", args.data),
            ("today", args.data),
            ("anime", args.images),
        ):
            if not ready(problem):
                print(f"{problem}: left out, not all of its recipes have weights")
                continue
            draw(problem, folder, real)
            if problem in ("hw4", "kl"):  # the others show no images of `data`
                draw(problem, sample_data, drawn)
        FIGURES.mkdir(exist_ok=True)
        for path in sorted(real.glob("*.jpg")):
            if path.stem not in NOT_DRAWN_HERE:
                source = drawn if path.stem in SHOW_DATA else real
                shrink(source / path.name, FIGURES / path.name)
        draw_by_epoch("dcgan_c", FIGURES / "short_epochs.jpg")
        before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        results = before | json.loads((real / "results.json").read_text())
        with replacing(RESULTS, "w") as file:
            file.write(json.dumps(results, indent=1) + "\n")
    print(f"{FIGURES} and {RESULTS} are new; python -m report makes report.pdf of them")
    return 0


def draw_by_epoch(name, path, root=WEIGHTS):
    """The Frechet distance to the test faces by epoch, of the run that gave the weights
    of a recipe; nothing where it was not evaluated."""
    from models.trained import Trained

    trained = Trained(name, root)
    history, column = trained.history(), "test_frechet"
    if column not in history:
        print(f"{path.stem}: left out, {name} was trained without --evaluate-every")
        return
    history["epoch"] = trained.epoch_of(history["step"])
    title = f"{name}: Fréchet distance to the test faces"
    chart = (title, "attribute network's features", [(column, "as exported", BLUE)])
    save(panels(history, chart, x="epoch"), path)


def ready(problem):
    """Whether all recipes of a study have weights, or some of them if that is enough."""
    if problem not in STUDIES:
        return True
    there = [(WEIGHTS / name / "card.json").exists() for name in STUDIES[problem]]
    return any(there) if problem in PARTIAL else all(there)


def shrink(source, path):
    """Copy a figure, at most WIDTH pixels wide."""
    with Image.open(source) as image:
        width, height = image.size
        if width > WIDTH:
            size = (WIDTH, round(height * WIDTH / width))
            image = image.resize(size, Image.Resampling.LANCZOS)
        with replacing(path) as file:
            image.save(file, "JPEG", quality=85, optimize=True)


if __name__ == "__main__":
    run_cli(main)
