"""Faces drawn with a few ellipses, and helpers to run the command lines."""

import one_core  # noqa: F401 - before anything starts its threads

# isort: split
import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny
from PIL import Image, ImageDraw

import data_utils
from cli import UserError
from data_tools.convert import COURSE
from models import RECIPES, get_recipe
from train.run import Run

# PyTorch's CUDA builds bring triton; its LLVM crashes in a process where TensorFlow's is.
sys.modules["triton"] = None
REPOSITORY = Path(__file__).resolve().parent.parent
ATTRIBUTES = COURSE.split(",")
COLOURS = (20, 18, 16), (225, 190, 90), (110, 66, 30)
HAIR = dict(zip(("Black_Hair", "Blond_Hair", "Brown_Hair"), COLOURS, strict=True))


def draw_face(rng):
    """One face `(64, 64)` RGB and its attributes, some of them visible: hair
    colour, bangs, lips, and a mouth that smiles or not."""
    has = dict.fromkeys(ATTRIBUTES, 0)
    for name in ("Bangs", "Big_Lips", "Male", "Smiling", "Wearing_Lipstick"):
        has[name] = int(rng.random() < 0.5)
    hair = rng.choice(list(HAIR))
    has[hair] = 1
    image = Image.new("RGB", (64, 64), tuple(int(v) for v in rng.integers(60, 220, 3)))
    pen = ImageDraw.Draw(image)
    x, y = (int(v) for v in rng.integers(-3, 4, 2))
    skin = tuple(int(v) for v in np.array([215, 170, 140]) + rng.integers(-25, 25))
    pen.ellipse((12 + x, 4 + y, 52 + x, 58 + y), HAIR[hair])
    pen.ellipse((17 + x, 12 + y, 47 + x, 60 + y), skin)
    if has["Bangs"]:
        pen.rectangle((17 + x, 12 + y, 47 + x, 23 + y), HAIR[hair])
    for eye in (25, 39):
        pen.ellipse((eye - 3 + x, 29 + y, eye + 3 + x, 33 + y), (250, 250, 250))
        pen.ellipse((eye - 1 + x, 29 + y, eye + 1 + x, 33 + y), (30, 30, 60))
    lips = (200, 30, 60) if has["Wearing_Lipstick"] else (150, 80, 70)
    width = 4 if has["Big_Lips"] else 2
    if has["Smiling"]:
        pen.arc((24 + x, 38 + y, 40 + x, 52 + y), 20, 160, lips, width)
    else:
        pen.arc((24 + x, 47 + y, 40 + x, 61 + y), 200, 340, lips, width)
    return image, has


def write_faces(folder, train=48, test=16, seed=0):
    """A data folder in the course's layout."""
    rng = np.random.default_rng(seed)
    for split, count in (("train", train), ("test", test)):
        (folder / split).mkdir(parents=True)
        lines = ["image_name," + ",".join(ATTRIBUTES)]
        for k in range(count):
            image, has = draw_face(rng)
            image.save(folder / split / f"{k:05d}.png")
            lines.append(f"{k:05d}.png," + ",".join(f"{v}.0" for v in has.values()))
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def faces_folder(tmp_path_factory):
    """A data folder that tests read and must not change."""
    return write_faces(tmp_path_factory.mktemp("data") / "drawn_faces")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """No test reads or fills the user's own cache."""
    os.environ["HW4_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def small(name, **changes):
    return dataclasses.replace(get_recipe(name), **({"batch_size": 2} | changes))


def run_of(recipe, faces, folder, seed=0, report=lambda line: None, **options):
    """A run in float32 that says nothing."""
    return Run(recipe, faces, folder, seed, "float32", report, **options)


def history(run):
    """The rows of its curves, {column: text}, without what a clock wrote."""
    rows = pd.read_csv(run / "history.csv", dtype=str, keep_default_na=False)
    clock = ["seconds", "images_per_second"]
    return rows.drop(columns=clock, errors="ignore").to_dict("records")


@pytest.fixture(scope="session")
def faces(faces_folder):
    return data_utils.load_faces(faces_folder)


@pytest.fixture(scope="session")
def tiny_faces(faces_folder):
    """The same faces as the networks of tests/tiny.py take them."""
    return data_utils.load_faces(faces_folder, size=tiny.SIZE)


@pytest.fixture(scope="module")
def tiny_networks():
    """In a file that uses this, every recipe has the networks of tests/tiny.py."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(RECIPES):
            patch.setitem(RECIPES, name, tiny.recipe(name))
        yield


def command(*words, **environment):
    """Run `python words...` in a fresh process, with a changed environment."""
    words = [sys.executable, *map(str, words)]
    options = {"cwd": REPOSITORY, "env": os.environ | environment}
    return subprocess.run(words, capture_output=True, text=True, **options)


def refused(main, *words, saying=()):
    """Call a `main(words)` that must refuse them in one line."""
    with pytest.raises(UserError) as error:
        main([str(word) for word in words])
    said = str(error.value)
    assert error.value.status == 2 and "\n" not in said
    assert all(str(word) in said for word in saying), said


def tiles(pixels):
    """(columns, rows) of a sheet: the stretches between its white gaps, as long
    as the longest, which leaves text aside."""

    def stretches(white):
        edges = np.flatnonzero(np.diff(np.concatenate([[1], white, [1]])))
        lengths = edges[1::2] - edges[::2]
        return int((lengths > 0.8 * lengths.max()).sum())

    red, green, blue = np.moveaxis(pixels, -1, 0)
    white = pixels.min(-1) > 225
    white |= (red > 180) & (green > 140) & (blue < 120)  # a yellow box lies in a gap
    crossing = white[white.mean(1) < 0.5]  # the lines of pixels that cross images
    assert len(crossing)
    return stretches(crossing.mean(0) > 0.9), stretches(white.mean(1) > 0.9)


SHEETS = {  # figures of images, by columns and rows
    (10, 2): "fig1_3 fig3_3",
    (8, 4): "fig1_4 fig1_6 fig2_3 fig2_4 fig5_2 fig5_3 fig5_4",
    (7, 5): "fig4_3 fig4_4",
    (10, 5): "fig5_1",
    (10, 6): "fig5_5",
    (10, 4): "fig6_2",
    (10, 7): "fig6_3",
    (12, 9): "fig6_4",
}
TILES = {name: size for size, names in SHEETS.items() for name in names.split()}


def check_figure(path, tiled=True):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(float)
    assert min(pixels.shape[:2]) > 300 and pixels.std() > 5
    if tiled and path.stem in TILES:
        assert tiles(pixels) == TILES[path.stem]


@pytest.fixture(scope="session")
def faces_twice(tmp_path_factory):
    """Two sets of 64 drawn faces, uint8."""
    folder = write_faces(tmp_path_factory.mktemp("twice"), train=128, test=2)
    images = data_utils.load_faces(folder).images
    return images[:64], images[64:]


BROWSER = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("no chromium and chromedriver here (Debian: apt-get install both)")
    settings = webdriver.ChromeOptions()
    settings.binary_location = program
    profile = tmp_path_factory.mktemp("profile")
    for flag in [*BROWSER.split(), f"--user-data-dir={profile}"]:
        settings.add_argument(flag)
    settings.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver)
    chrome = webdriver.Chrome(options=settings, service=service)
    chrome.set_script_timeout(120)
    chrome.get("about:blank")  # the first page has rules of its own
    yield chrome
    chrome.quit()


def evaluate(browser, script, *values):
    """The value of an async function's body, which sees `values`."""
    found = browser.execute_async_script(
        "const [values, done] = [[...arguments].slice(0, -1), [...arguments].at(-1)];"
        f"(async () => {{ {script} }})().then(done, (e) => done({{failed: String(e)}}));",
        *values,
    )
    assert not (isinstance(found, dict) and "failed" in found), found
    return found
