"""sample, interpolate and edit: what they write, and what they refuse."""

import gc
import importlib.util
from types import SimpleNamespace

import imageio.v3 as iio
import numpy as np
import pytest
from conftest import REPOSITORY, refused, tiles, write_faces
from PIL import Image

import data_utils
from cli import UserError
from inference import edit, figures, interpolate, options
from inference.__main__ import main, parse
from inference.problems import ALL, SCRIPTS
from metrics.judge import Judge
from models import get_recipe, latents, sampling
from models.trained import Trained

DATA = REPOSITORY / "sample_data"


def run(*words):
    return main([str(word) for word in words])


def wrong(*words, saying):
    refused(main, *words, saying=[saying])


# ------------------------------------------------------------ seeds and labels


def test_lists_of_numbers():
    assert options.numbers("0-3,7") == [0, 1, 2, 3, 7]
    assert options.numbers("9, 4") == [9, 4]
    assert options.numbers("5-5") == [5]
    assert len(options.numbers("0-99999")) == 100_000
    for text in ("5-", "-5", "", "a", "9-3", "1.5", "1,,2", "1-2-3", "٣", "0-3;5"):
        with pytest.raises(UserError, match=r"--seeds '.*': give numbers such as 0-99"):
            options.numbers(text)
    for text in ("0-100000", "0-99999,5", "0-999999999999999999"):
        with pytest.raises(UserError, match="more than 100,000"):
            options.numbers(text)


def test_classes_of_seeds():
    acgan, infogan, vae, dcgan = (
        SimpleNamespace(recipe=get_recipe(name))
        for name in ("acgan_c", "infogan_b", "vae_c", "dcgan_c")
    )
    assert options.classes(acgan, [4, 5, 7]) == [0, 1, 1]
    assert options.classes(acgan, [4, 5], "Smiling=1") == [1, 1]
    assert options.classes(infogan, [6, 7, 9]) == [6, 0, 2]
    assert options.classes(infogan, [0], "category=6") == [6]
    assert options.classes(vae, [0]) is None
    for trained, label in (
        (acgan, "Male=1"),
        (acgan, "Smiling=2"),
        (acgan, "Smiling"),
        (infogan, "category=7"),
        (infogan, "Smiling=1"),
        (dcgan, "Smiling=1"),
    ):
        with pytest.raises(UserError, match=f"--label {label}: {trained.recipe.name}"):
            options.classes(trained, [0], label)


def test_several_attributes_are_as_the_data_has_them_unless_told(tmp_path):
    (tmp_path / "labels.csv").write_text("Bangs,Smiling\n1,0\n0,0\n1,1\n")
    trained = SimpleNamespace(
        recipe=get_recipe("rpgan_attributes"),
        folder=tmp_path,
        attributes=["Bangs", "Smiling"],
    )
    assert options.classes(trained, [0, 4]) == [[1, 0], [0, 0]]
    assert options.classes(trained, [0, 4], "Smiling=1, Bangs=0") == [[0, 1], [0, 1]]
    for label in ("Smile=1", "Smiling=2", "Smiling", "category=1"):
        with pytest.raises(UserError, match="of Bangs, Smiling"):
            options.classes(trained, [0], label)
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(UserError, match=r"labels\.csv: missing"):
        options.classes(trained, [0])


# --------------------------------------------------------------------- sample


def test_samples_are_named_by_their_seed(tmp_path, monkeypatch):
    monkeypatch.setattr("inference.sample.BATCH", 2)
    run("sample", "acgan_c", "--seeds", "40-42", "--out", tmp_path / "deep" / "a")
    options_ = ("--label", "Smiling=1", "--out", tmp_path / "b")
    run("sample", "acgan_c", "--seeds", "12345,42", *options_)
    names = [f"seed_{k}.png" for k in ("0040", "0041", "0042")]
    assert sorted(p.name for p in (tmp_path / "deep" / "a").iterdir()) == names
    written = sorted(p.name for p in (tmp_path / "b").iterdir())
    assert written == ["seed_0042.png", "seed_12345.png"]
    trained = Trained("acgan_c")
    turns = sampling.draw(trained, [40, 41, 42], [0, 1, 0]).astype(int)
    for name, image in zip(names, turns, strict=True):
        found = iio.imread(tmp_path / "deep" / "a" / name)
        assert found.dtype == np.uint8 and np.abs(found - image).max() <= 1
    smiling = sampling.draw(trained, [42], [1])[0].astype(int)
    assert np.abs(iio.imread(tmp_path / "b" / "seed_0042.png") - smiling).max() <= 1
    assert np.abs(turns[2] - smiling).max() > 30  # asked not to smile, and to


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


@pytest.mark.parametrize(
    ("recipe", "words", "drawn"),
    [
        ("vae_c", ("--prior", "fitted"), {"prior": "fitted"}),
        ("acgan_c", ("--label", "Smiling=1"), {"labels": [1, 1]}),
    ],
)
def test_key_frames_are_the_samples_asked_for(recipe, words, drawn, monkeypatch):
    frames = []
    monkeypatch.setattr(interpolate, "write", lambda path, images: frames.extend(images))
    run("interpolate", recipe, "--seeds", "1,4", "--steps", 2, *words, "--out", "x.gif")
    expected = sampling.draw(Trained(recipe), [1, 4], **drawn)
    got = np.stack([frames[0], frames[2]])
    np.testing.assert_allclose(got.astype(int), expected.astype(int), atol=2)


def gif(path):
    return iio.imread(path, index=None, plugin="pillow", mode="RGB").astype(int)


def test_a_gif_from_seed_to_seed(tmp_path):
    path = tmp_path / "walk.gif"
    words = ("interpolate", "dcgan_c", "--seeds", "1,5,9", "--steps", 3)
    run(*words, "--out", path)
    frames = gif(path)
    assert frames.shape == (7, 64, 64, 3)
    keys = sampling.draw(Trained("dcgan_c"), [1, 5, 9]).astype(int)
    for frame, key, other in zip(frames[::3], keys, keys[[1, 2, 0]], strict=True):
        assert np.abs(frame - key).mean() < 6 < 30 < np.abs(frame - other).mean()
    with Image.open(path) as image:
        assert image.info["loop"] == 0 and image.info["duration"] == 80
    assert [p.name for p in tmp_path.iterdir()] == ["walk.gif"]
    larger = interpolate.enlarged(np.zeros((2, 64, 48, 3), "uint8"), 96)
    assert larger.shape == (2, 128, 96, 3)


def test_a_gif_from_image_to_image(tmp_path):
    paths = [DATA / "test" / f"{k:05d}.png" for k in (0, 3)]
    large = tmp_path / "large.png"  # is cropped and resized
    Image.open(paths[1]).resize((128, 128), Image.Resampling.NEAREST).save(large)
    out = tmp_path / "walk.gif"
    images = ("--images", paths[0], large)
    run("interpolate", "vae_c", *images, "--steps", 2, "--out", out)
    frames, vae = gif(out), Trained("vae_c")
    faces = np.stack([iio.imread(path) for path in paths])
    codes, outputs = sampling.reconstruct(vae, faces)
    np.testing.assert_allclose(sampling.encode(vae, faces), codes, atol=1e-5)
    ends = data_utils.to_uint8(outputs, vae.recipe.pixel_range).astype(int)
    middle = sampling.render(vae, codes.mean(0, keepdims=True))[0].astype(int)
    assert len(frames) == 3
    assert np.abs(frames[0] - ends[0]).mean() < 6
    assert np.abs(frames[1] - middle).mean() < 6
    assert np.abs(frames[2] - ends[1]).mean() < 8
    assert np.abs(frames[0] - ends[1]).mean() > 20


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
    moved = edit.moved_by(np.array([1.0, 1.0]), np.array([0.0, 4.0]))
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
    assert names[0] == "test image" and names[1:] == [
        *("-2", "-1.5", "-1", "-0.5", "0", "+0.5", "+1", "+1.5", "+2")
    ]
    faces = data_utils.load_faces(DATA, "test").images[:4]
    images = images.reshape(8, columns, 64, 64, 3)
    np.testing.assert_array_equal(images[:, 0], np.concatenate([faces, faces]))
    vae, judge = Trained("vae_c"), Judge(Trained("attributes"))
    outputs = sampling.reconstruct(vae, faces)[1]
    still = data_utils.to_uint8(outputs, vae.recipe.pixel_range).astype(int)
    assert np.abs(images[:4, 5] - still).max() <= 1
    for row, name in ((0, "Smiling"), (4, "Male")):
        column = judge.names.index(name)
        less, more = (
            judge.read(images[row : row + 4, k])[:, column].mean() for k in (1, 9)
        )
        assert more > less + 0.3
    with Image.open(out) as image:
        assert tiles(np.asarray(image).astype(float)) == (10, 8)


# ----------------------------------------------------------------------- help


@pytest.mark.parametrize("command", [ALL, *SCRIPTS, "sample", "interpolate", "edit"])
def test_help_has_an_example_that_can_be_parsed(command, capsys):
    with pytest.raises(SystemExit) as end:
        run(command, "--help")
    said = " ".join(capsys.readouterr().out.split())
    example = said.partition("example: ")[2].split()
    assert end.value.code == 0 and "(default: " in said
    words = [command, *example[2:]] if example[0] == "bash" else example[3:]
    assert parse(words).command == command == words[0]


def test_help_imports_nothing_that_takes_a_second(command):
    code = "import sys; from inference.__main__ import parse; parse(['hw4', 'a', 'b'])\n"
    code += "print([n for n in ('keras', 'matplotlib', 'pandas') if n in sys.modules])"
    assert command("-c", code).stdout.split() == ["[]"]


# ------------------------------------------------------------------- mistakes


def test_mistakes_are_one_line(tmp_path, fails):
    out = ("--out", tmp_path / "out.gif")
    walk, many = ("interpolate", "dcgan_c"), ("--seeds", "1,5")
    fails("-m", "inference", "sample", "vae_z", *many, *out, saying=["vae_z", "vae_a"])
    wrong(
        "sample", "attributes", *many, *out, saying="'attributes' is no recipe for this"
    )
    wrong("sample", "dcgan_c", "--seeds", "5-", *out, saying="--seeds '5-': give numbers")
    empty = ("--weights", tmp_path / "none")
    wrong("sample", "vae_b", *many, *out, *empty, saying="vae_b: no trained weights")
    label = ("--label", "Smiling=1")
    wrong("sample", "dcgan_c", *many, *label, *out, saying="has no condition")
    (tmp_path / "file").write_text("")
    inside = ("--out", tmp_path / "file" / "x.gif")
    wrong("sample", "dcgan_c", *many, *inside, saying="cannot write there")
    wrong(*walk, *many, *inside, saying="cannot write there")
    wrong(*walk, "--seeds", "5", *out, saying="two or more")
    wrong(*walk, *many, "--steps", 0, *out, saying="--steps 0: 1 or more")
    wrong(*walk, *many, "--steps", 10**9, *out, saying="frames; at most 10,000")
    wrong(*walk, *many, "--width", 9, *out, saying="--width 9: 16 to 1,024")
    wrong(*walk, *many, "--out", tmp_path / "a.avi", saying="ends in .gif or .mp4")
    wrong(*walk, *many, "--out", tmp_path, saying="ends in .gif or .mp4")
    (tmp_path / "folder.gif").mkdir()
    wrong(*walk, *many, "--out", tmp_path / "folder.gif", saying="a folder; name a file")
    if not importlib.util.find_spec("imageio_ffmpeg"):
        mp4 = ("--out", tmp_path / "a.mp4")
        wrong(*walk, *many, *mp4, saying="MP4 needs 'pip install imageio-ffmpeg'")
    pair = ("--images", DATA / "test" / "00000.png", tmp_path / "file")
    wrong(*walk, *pair, *out, saying="'dcgan_c' is no recipe for this; there are: vae_a")
    wrong("interpolate", "vae_c", *pair, *out, saying="file: not a readable image")
    wrong("interpolate", "vae_c", *pair, *label, *out, saying="--label applies to")
    jpg = ("--out", tmp_path / "a.jpg")
    change = ("edit", "vae_c", "--data", DATA)
    wrong("edit", "dcgan_c", "--data", DATA, *jpg, saying="'dcgan_c' is no recipe")
    wrong(*change, "--out", tmp_path / "a.gif", saying="ends in .jpg")
    wrong(*change, "--faces", "1,120", *jpg, saying="--faces 1,120: ")
    wrong(*change, "--faces", "x", *jpg, saying="--faces 'x': give numbers")
    wrong(*change, "--faces", "0-99", *jpg, saying="are more than 300 rows; give fewer")
    wrong(*change, "--attributes", "Beard", *jpg, saying="unknown attribute 'Beard'")
    none = tmp_path / "none"
    wrong("edit", "vae_c", "--data", none, *jpg, saying="none: no such folder")
    drawn = write_faces(tmp_path / "drawn", train=4, test=2)
    wrong("edit", "vae_c", "--data", drawn, *jpg, saying="is 0 of all 4 images")
    (drawn / "train.csv").unlink()
    (drawn / "test.csv").write_text("image_name\n00000.png\n00001.png\n")
    wrong("edit", "vae_c", "--data", drawn, *jpg, saying="or one without attributes")
    (drawn / "test.csv").unlink()
    wrong("edit", "vae_c", "--data", drawn, *jpg, saying="no CSV beside it")
    written = {p.name for p in tmp_path.iterdir()}
    assert written == {"file", "folder.gif", "drawn"}
