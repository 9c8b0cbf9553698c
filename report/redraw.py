"""Renew the figures and results that the report and the README show.

Numbers are measured on the user's images. Figures that show images of a data folder are
drawn from `sample_data/`, faces of no real person; the rest show only generated images or
curves.
"""

import argparse
import base64
import io
import json
import tempfile
from pathlib import Path

from PIL import Image

import data_utils
from cli import replacing, run_cli
from inference.figures import blank, save
from models.trained import Trained, shipped
from report import FIGURES, FOLDER, RESULTS

WIDTH = 1400  # pixels
PHOTOGRAPHS = ("fig5_1",)  # pictures that are not ours to print
STAND_INS = {"hw4": ("fig1_3",), "kl": ("fig6_2", "fig6_3", "fig6_4")}
# Other recipes of the reports, in small: figures beside those of the defaults.
SMALL = {
    "vae_a": ("vae", "fig1_2", "fig1_4", "fig1_6"),
    "wgan_a": ("gan", "fig2_2", "fig2_3"),
    "vae_b": ("vae", "fig1_2", "fig1_4", "fig1_6"),
    "gan_b": ("gan", "fig2_2", "fig2_3"),
    "acgan_b": ("acgan", "fig3_2", "fig3_3"),
    "acgan_c": ("acgan", "fig3_2", "fig3_3"),
}
SEEN = (25, 100, 500, 2000)  # early steps, as grids
REPORTED = {"gan": "realness_of_256", "kl": "runs", "anime": "runs"}  # of results.json


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m report.redraw", description=__doc__)
    parser.add_argument("data", type=Path, help="faces in the course's layout")
    parser.add_argument("images", type=Path, help="Report D's training images, a folder")
    args = parser.parse_args(words)
    from inference.draw import draw  # Keras takes seconds

    with tempfile.TemporaryDirectory() as temporary:
        real, drawn = Path(temporary) / "real", Path(temporary) / "drawn"
        for problem in ("hw4", "kl", "rpgan", "anime"):
            draw(problem, args.images if problem == "anime" else args.data, real)
        for problem in STAND_INS:
            draw(problem, FOLDER.parent / "sample_data", drawn)
        FIGURES.mkdir(exist_ok=True)
        stand_ins = [stem for stems in STAND_INS.values() for stem in stems]
        for path in sorted(real.glob("*.jpg")):
            if path.stem not in PHOTOGRAPHS:
                source = drawn if path.stem in stand_ins else real
                shrink(source / path.name, FIGURES / path.name)
        found = json.loads((real / "results.json").read_text())
        edges = bright_edges(args.data)
        for name, (problem, *stems) in SMALL.items():
            draw(problem, args.data, drawn / name, recipe=name)
            for stem in stems:
                shrink(drawn / name / f"{stem}.jpg", FIGURES / f"{name}_{stem}.jpg", 800)
    with replacing(RESULTS, "w") as file:
        found = {name: {key: found[name][key]} for name, key in REPORTED.items()}
        found["edges"] = edges
        file.write(json.dumps(found, indent=1) + "\n")
    draw_curves(FIGURES)
    draw_grids(FIGURES)
    print(f"{FIGURES} and {RESULTS} are new; python -m report makes report.pdf of them")
    return 0


def bright_edges(data):
    """The share of images of `gan_b`, and of as many test faces, that have a white pixel
    within 3 of the edge (Report B, 2.5)."""
    from models import sampling

    real = data_utils.load_faces(data, "test", 64).images

    def share(images):
        white = (images >= 250).all(-1)
        white[:, 3:-3, 3:-3] = False
        return float(white.any((1, 2)).mean())

    generated = sampling.draw(Trained("gan_b"), range(len(real)))
    return {"generated": share(generated), "real": share(real), "n": len(real)}


def draw_curves(folder):
    """`first_hour.jpg`, of the histories beside the weights: the Frechet distance to the
    test faces by hours of training, a line for each recipe that was measured as it
    trained, in the attribute network's features."""
    figure, axis = blank(9, 4.6)
    for name, trained in shipped().items():
        history = trained.history()
        if "test_frechet" in history and trained.recipe.features != "random":
            points = history[["seconds", "test_frechet"]].dropna()
            axis.plot(points["seconds"] / 3600, points["test_frechet"], label=name)
    axis.set(
        title="Fréchet distance to the test faces as training goes on",
        xlabel="hours of training, on the hardware of the card",
        ylabel="attribute network's features",
        xscale="log",
        yscale="log",
    )
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter("{x:g}")
        one.set_minor_formatter("")
    axis.grid(alpha=0.25, which="both")
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    save(figure, folder / "first_hour.jpg")


def draw_grids(folder):
    """`first_grids.jpg`: what the run of the page's film drew at the steps of `SEEN`, of
    the same noise each time."""
    grids = json.loads((FOLDER.parent / "page" / "film.json").read_text())
    faces = 4 * 66 + 2  # pixels of four faces in a row
    history = Trained(grids["about"]).history().set_index("step")
    figure, axes = blank(10, 2.5, 1, len(SEEN))
    for axis, step in zip(axes.flat, SEEN, strict=True):
        _, _, frame = grids["frames"][grids["steps"].index(step)].partition(",")
        with Image.open(io.BytesIO(base64.b64decode(frame))) as image:
            axis.imshow(image.convert("RGB").crop((0, 0, faces, image.height)))
        minutes = history.loc[step, "seconds"] / 60
        axis.set_title(f"step {step:,}, {minutes:.0f} min", fontsize=10)
        axis.axis("off")
    figure.tight_layout()
    save(figure, folder / "first_grids.jpg")


def shrink(source, path, width=WIDTH):
    """Copy a figure, at most so many pixels wide."""
    with Image.open(source) as image:
        image.thumbnail((width, image.height), Image.Resampling.LANCZOS)
        with replacing(path) as file:
            image.save(file, "JPEG", quality=85, optimize=True)


if __name__ == "__main__":
    run_cli(main)
