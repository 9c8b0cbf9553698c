"""sample, interpolate and edit: what they write, and what they refuse."""

import gc
import importlib.util

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import REPOSITORY, command, refused, tiles, write_faces
from PIL import Image

import data_utils
from inference import edit, figures, interpolate
from inference.__main__ import main, parse
from inference.problems import ALL, SCRIPTS
from metrics.judge import Judge
from models import get_recipe, latents, sampling
from models.trained import Trained

DATA = REPOSITORY / "sample_data"


def run(*words):
    return main([str(word) for word in words])


# --------------------------------------------------------------------- sample


def test_samples_are_named_by_their_seed(tmp_path, monkeypatch):
    monkeypatch.setattr("inference.sample.BATCH", 2)
    run("sample", "acgan_c", "--seeds", "40-42", "--out", tmp_path / "deep" / "a")
    options_ = ("--label", "Smiling=1", "--out", tmp_path / "b")
    run("sample", "acgan_c", "--seeds", "12345,42", *options_)
    trained, found = Trained("acgan_c"), {}
    for folder, seeds, labels in (
        ("deep/a", [40, 41, 42], [0, 1, 0]),
        ("b", [42, 12345], [1, 1]),
    ):
        names = [f"seed_{k:04d}.png" for k in seeds]
        assert sorted(p.name for p in (tmp_path / folder).iterdir()) == sorted(names)
        drawn = sampling.draw(trained, seeds, labels).astype(int)
        for name, image in zip(names, drawn, strict=True):
            found[folder, name] = iio.imread(tmp_path / folder / name)
            assert np.abs(found[folder, name] - image).max() <= 1
    smiling, not_so = (found[f, "seed_0042.png"].astype(int) for f in ("b", "deep/a"))
    assert np.abs(smiling - not_so).max() > 30


def test_a_sheet_has_all_seeds_row_by_row(tmp_path):
    run("sample", "dcgan_c", "--seeds", "0-4", "--sheet", "--out", tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]
    sheet = iio.imread(tmp_path / "sheet.png").astype(int)
    fourth = sampling.draw(Trained("dcgan_c"), [3])[0]
    assert sheet.shape == (2 * 66 + 2, 3 * 66 + 2, 3)
    assert np.abs(sheet[68:132, 2:66] - fourth).max() <= 1


# ---------------------------------------------------------------- interpolate


def test_spherical_walks_keep_to_the_sphere():
    a, b = np.array([2.0, 0, 0]), np.array([0, 2.0, 0])
    half = sampling.spherical(a, b, 0.5)
    np.testing.assert_allclose(half, [np.sqrt(2), np.sqrt(2), 0])
    third = sampling.spherical(a, b, 1 / 3)
    np.testing.assert_allclose(third, [2 * np.cos(np.pi / 6), 1, 0])
    np.testing.assert_allclose(sampling.spherical(a, a, 0.3), a)
    noise = latents(get_recipe("dcgan_c"), [1, 5]).astype("f8")
    ends = np.linalg.norm(noise, axis=1)
    middle = np.linalg.norm(sampling.spherical(*noise, 0.5))
    assert ends.min() * 0.97 < middle < ends.max() * 1.03
    assert np.linalg.norm(sampling.linear(*noise, 0.5)) < 0.85 * ends.min()


def test_a_walk_passes_through_every_seed():
    recipe = get_recipe("acgan_c")
    keys = latents(recipe, [1, 4, 9], [1, 0, 1])
    codes = interpolate.between(recipe, keys, 4)
    assert codes.shape == (9, recipe.latent + 1) and codes.dtype == np.float32
    np.testing.assert_allclose(codes[::4], keys, atol=1e-6)
    np.testing.assert_allclose(codes[:5, -1], [1, 0.75, 0.5, 0.25, 0])
    steps = np.linalg.norm(np.diff(codes[:, :-1], axis=0), axis=1)
    assert steps.min() > 0.8 * steps.max()


def gif(path):
    return iio.imread(path, index=None, plugin="pillow", mode="RGB").astype(int)


@pytest.mark.parametrize(
    ("recipe", "words", "drawn", "size"),
    [
        ("dcgan_c", (), {}, 64),
        ("vae_c", ("--prior", "fitted"), {"prior": "fitted"}, 64),
        ("acgan_c", ("--label", "Smiling=1", "--width", 96), {"labels": [1, 1, 1]}, 96),
    ],
)
def test_key_frames_of_a_gif_are_the_samples_of_its_seeds(
    recipe, words, drawn, size, tmp_path
):
    path = tmp_path / "walk.gif"
    run("interpolate", recipe, "--seeds", "1,5,9", "--steps", 3, *words, "--out", path)
    frames = gif(path)
    assert frames.shape == (7, size, size, 3)
    keys = sampling.draw(Trained(recipe), [1, 5, 9], **drawn)
    keys = interpolate.enlarged(keys, size).astype(int)
    for frame, key, other in zip(frames[::3], keys, keys[[1, 2, 0]], strict=True):
        near, far = (np.abs(frame - image).mean() for image in (key, other))
        assert near < 8 < far
    with Image.open(path) as image:
        assert image.info["loop"] == 0 and image.info["duration"] == 80
    assert [p.name for p in tmp_path.iterdir()] == ["walk.gif"]


def test_a_gif_from_image_to_image(tmp_path):
    paths = [DATA / "test" / f"{k:05d}.png" for k in (0, 3)]
    faces = np.stack([iio.imread(path) for path in paths])
    large = tmp_path / "large.png"  # is cropped and resized
    Image.fromarray(faces[1]).resize((128, 128), Image.Resampling.NEAREST).save(large)
    out = tmp_path / "walk.gif"
    images = ("--images", paths[0], large)
    run("interpolate", "vae_c", *images, "--steps", 2, "--out", out)
    frames, vae = gif(out), Trained("vae_c")
    codes = sampling.encode(vae, faces)
    codes = np.stack([codes[0], codes.mean(0), codes[1]])
    expected = sampling.render(vae, codes).astype(int)
    assert np.abs(frames - expected).mean((1, 2, 3)).max() < 8
    assert np.abs(frames[0] - expected[2]).mean() > 20


@pytest.mark.skipif(
    not importlib.util.find_spec("imageio_ffmpeg"), reason="needs imageio-ffmpeg"
)
@pytest.mark.filterwarnings(  # imageio's reader leaves its pipe to ffmpeg open
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_an_mp4(tmp_path):
    path = tmp_path / "walk.mp4"
    run("interpolate", "dcgan_c", "--seeds", "1,5", "--steps", 4, "--out", path)
    frames = iio.imread(path, plugin="FFMPEG").astype(int)
    keys = sampling.draw(Trained("dcgan_c"), [1, 5]).astype(int)
    assert frames.shape == (5, 64, 64, 3)
    assert np.abs(frames[[0, -1]] - keys).mean() < 15
    gc.collect()  # while its warning is not heeded


# ----------------------------------------------------------------------- edit


def test_directions_are_differences_of_class_means():
    codes = np.array([[0, 0], [2, 0], [0, 4], [2, 4.0]])
    labels = np.array([[0, 1], [0, 0], [1, 1], [1, 0]])
    np.testing.assert_allclose(edit.directions(codes, labels), [[0, 4], [-2, 0]])
    moved = edit.along(np.array([1.0, 1.0]), np.array([0.0, 4.0]))
    assert moved.dtype == np.float32 and len(moved) == 9
    np.testing.assert_allclose(moved[[0, 4, 6, 8]], [[1, -7], [1, 1], [1, 5], [1, 9]])


def test_faces_moved_along_smiling_smile(tmp_path, monkeypatch):
    """As the attribute network reads what is drawn, test faces first."""
    drawn = []
    original = figures.sheet
    monkeypatch.setattr(figures, "sheet", lambda *a: drawn.append(a) or original(*a))
    out = tmp_path / "deep" / "edit.jpg"
    words = ("edit", "vae_c", "--data", DATA, "--faces", "0-3", "--out", out)
    run(*words, "--attributes", "Smiling", "Male")
    images, columns, _, rows, names = drawn[0]
    assert rows == [f"{name}, {k}" for name in ("Smiling", "Male") for k in range(4)]
    assert names == ["test image", *(f"{s:+g}" if s else "0" for s in edit.STRENGTHS)]
    faces = data_utils.load_faces(DATA, "test").images[:4]
    images = images.reshape(2, 4, columns, 64, 64, 3)
    np.testing.assert_array_equal(images[:, :, 0], np.stack([faces, faces]))
    judge = Judge(Trained("attributes"))
    for row, name in zip(images, ("Smiling", "Male"), strict=True):
        column = judge.names.index(name)
        less, more = (judge.read(row[:, k])[:, column].mean() for k in (1, 9))
        assert more > less + 0.3
    with Image.open(out) as image:
        assert tiles(np.asarray(image).astype(float)) == (10, 8)


# ----------------------------------------------------------------------- help


@pytest.mark.parametrize("command", [ALL, *SCRIPTS, "sample", "interpolate", "edit"])
def test_help_has_an_example_that_can_be_parsed_and_wrong_words_the_usage(
    command, capsys
):
    with pytest.raises(SystemExit) as end:
        run(command, "--help")
    said = " ".join(capsys.readouterr().out.split())
    example = said.partition("example: ")[2].split()
    assert end.value.code == 0 and "(default: " in said
    script = " ".join(example[: 2 if example[0] == "bash" else 4])
    words = [command, *example[2:]] if example[0] == "bash" else example[3:]
    assert parse(words).command == command == words[0]
    with pytest.raises(SystemExit) as end:
        run(command, "only-data")
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"usage: {script} ")


def test_help_imports_nothing_that_takes_a_second():
    code = "import sys; from inference.__main__ import parse; parse(['hw4', 'a', 'b'])\n"
    code += "print([n for n in ('keras', 'matplotlib', 'pandas') if n in sys.modules])"
    assert command("-c", code).stdout.split() == ["[]"]


# ------------------------------------------------------------------- mistakes

FACE = DATA / "test" / "00000.png"
SAMPLE, WALK = "sample dcgan_c --seeds 1,5", "interpolate dcgan_c --seeds 1,5"
EDIT = f"edit vae_c --data {DATA} --out a.jpg"


MISTAKES = {
    "sample vae_z --seeds 1 --out o": "'vae_z' is no recipe that draws",
    "sample attributes --seeds 1 --out o": "'attributes' is no recipe that draws",
    "sample dcgan_c --seeds 5- --out o": "--seeds '5-': give numbers",
    "sample vae_b --seeds 1 --out o --weights none": "vae_b: no trained weights",
    f"{SAMPLE} --label Smiling=1 --out o": "has no condition",
    f"{SAMPLE} --truncation -1 --out o": "--truncation -1",
    f"{SAMPLE} --prior fitted --out o": "dcgan_c is no VAE",
    f"{SAMPLE} --out file/o": "cannot write there",
    f"{WALK} --out file/x.gif": "cannot write there",
    "interpolate dcgan_c --seeds 5 --out a.gif": "two or more",
    "interpolate dcgan_c --out a.gif": "give --seeds, or --images",
    f"{WALK} --steps 0 --out a.gif": "--steps 0: 1 or more",
    f"{WALK} --steps 1000000000 --out a.gif": "frames; at most 10,000",
    f"{WALK} --width 9 --out a.gif": "--width 9: 16 to 1,024",
    f"{WALK} --out a.avi": "ends in .gif or .mp4",
    f"{WALK} --out folder.gif": "a folder; name a file",
    f"interpolate dcgan_c --images {FACE} file --out a.gif": "is no recipe of a VAE",
    f"interpolate vae_c --images {FACE} file --out a.gif": "file: not a readable",
    f"interpolate vae_c --images {FACE} file --label x=1 --out a.gif": "to --seeds",
    f"edit dcgan_c --data {DATA} --out a.jpg": "'dcgan_c' is no recipe of a VAE",
    f"edit vae_c --data {DATA} --out a.gif": "ends in .jpg",
    f"{EDIT} --faces 1,120": "--faces 1,120: ",
    f"{EDIT} --faces 0-99": "are more than 300 rows; give fewer",
    f"{EDIT} --attributes Beard": "unknown attribute 'Beard'",
    "edit vae_c --data none --out a.jpg": "none: no such folder",
    "edit vae_c --data drawn --out a.jpg": "is the same in all 4 images",
    "edit vae_c --data names --out a.jpg": "no attributes; add",
    "edit vae_c --data plain --out a.jpg": "no attributes; add",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_one_line_and_write_nothing(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.gif").mkdir()
    for name in ("drawn", "names", "plain") if words.startswith("edit") else ():
        folder = write_faces(tmp_path / name, train=4, test=2)
        if name != "drawn":
            (folder / "train.csv").unlink()
            (folder / "test.csv").unlink()
        if name == "names":
            text = "image_name\n00000.png\n00001.png\n"
            (folder / "test.csv").write_text(text)
    refused(main, *words.split(), saying=[MISTAKES[words]])
    assert not {p.name for p in tmp_path.iterdir()} & {"o", "a.gif", "a.jpg", "a.avi"}
