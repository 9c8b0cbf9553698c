"""From a data folder to `Faces`."""

import hashlib
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ATTRIBUTES, REPOSITORY, write_faces
from PIL import Image

import data_utils
from data_tools import convert, images
from data_utils import DataError, load_faces


@pytest.fixture
def data(tmp_path):
    """A small data folder to be spoilt."""
    return write_faces(tmp_path / "data", train=8, test=4)


def picture(path, value=0, size=64):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), (value, 0, 0)).save(path, "PNG")


def loaded(*words, **options):
    """(Faces, lines that were reported)."""
    lines = []
    return load_faces(*words, report=lines.append, **options), lines


# ----------------------------------------------------------- what is read as what


def test_course_layout_in_csv_order(data):
    frame = pd.read_csv(data / "train.csv")
    frame.iloc[::-1].to_csv(data / "train.csv", index=False)
    faces, lines = loaded(data)
    assert lines == []
    assert faces.images.shape == (8, 64, 64, 3) and faces.images.dtype == np.uint8
    assert faces.names[0] == "00007.png"
    with Image.open(data / "train" / "00007.png") as image:
        np.testing.assert_array_equal(faces.images[0], np.asarray(image))
    assert list(faces.attributes.columns) == ATTRIBUTES
    np.testing.assert_array_equal(faces.label("Smiling"), frame["Smiling"][::-1])
    assert faces.label("Smiling").dtype == np.int32


def test_how_many_of_a_folder_are_used_and_what_was_done_to_them(data):
    Image.new("RGBA", (16, 16)).save(data / "train" / "00001.png")
    faces, lines = loaded(data, size=16)
    assert lines == [
        "1 of 8 images have transparent pixels: white shows through",
        "7 of 8 images are not 16x16: centre-cropped and resized",
    ]
    assert faces.how_many == "all 8"
    assert faces.first(2).how_many == faces.first(3).first(2).how_many == "2 of 8"
    faces.without_row = 5
    assert faces.first(2).how_many == "2 of 13"
    assert faces.first(9).how_many == "8 of 13"


LEFT_OVERS = ("._00000.png", ".DS_Store", ".ipynb_checkpoints/00000.png", "._a.webp")
USED = {  # what a folder holds -> how many of these are its images, what is said
    "other suffixes": (["a.png", "b.JPG", "c.jpeg", "notes.txt"], 3, None),
    "left by macOS and notebooks": (["a.png", *LEFT_OVERS, "__MACOSX/._a.png"], 1, None),
    "a folder called like an image": (["a.png", "b.png/c.txt"], 1, None),
    "images of other kinds": (["a.png", "b.webp"], 1, "1 images of other kinds"),
    "links": (["a.png", "linked.png"], 2, None),
}


@pytest.mark.parametrize(("files", "count", "saying"), USED.values(), ids=USED)
def test_which_files_of_a_folder_are_images(files, count, saying, tmp_path):
    for name in files:
        if name == "linked.png":
            (tmp_path / name).symlink_to(tmp_path / files[0])
        else:
            picture(tmp_path / name)
    faces, lines = loaded(tmp_path)
    assert faces.names == files[:count]
    assert [saying in line for line in lines] == [True] * bool(saying)


def test_a_table_names_images_as_another_system_does(data):
    """macOS takes letters apart; CelebA's PNG files have a table of .jpg."""
    names = ("é.png", "b.jpg")
    picture(data / "train" / unicodedata.normalize("NFD", names[0]), 1)
    picture(data / "train" / "b.PNG", 2)
    (data / "train.csv").write_text("image_name,Hat\n" + ",1\n".join([*names, ""]))
    faces, (line,) = loaded(data)
    assert faces.names == [*names] and list(faces.images[:, 0, 0, 0]) == [1, 2]
    assert "8 of 10 images" in line and "left out" in line and faces.without_row == 8
    (data / "train.csv").write_text("image_name,Hat\nb.jpg,1\nb.jpeg,0\n")
    with pytest.raises(DataError, match=r"1 of its 2 images are not in .*: b\.jpeg;"):
        load_faces(data)  # one file is not two images


def test_names_that_are_not_utf_8(tmp_path):
    folder = tmp_path / "\udc8a\udce7"
    picture(tmp_path / "a.png", 7)
    folder.mkdir()
    (tmp_path / "a.png").rename(folder / "\udc83A.png")
    faces = load_faces(folder)
    assert faces.names == ["\udc83A.png"] and faces.images[0, 0, 0, 0] == 7
    (folder / "train.csv").write_bytes(b"image_name,Smiling\n\x83A.png,1\n")
    (folder / "train").mkdir()
    (folder / "\udc83A.png").rename(folder / "train" / "\udc83A.png")
    assert load_faces(folder).label("Smiling").tolist() == [1]


# --------------------------------------------------------- what cannot be used


REFUSED = {  # what was done in a data folder -> what is said when test/ is read
    "no folder": ("rm -r $PWD", "data: no such folder; give a folder with test/"),
    "no test/": ("rm -r test*", "test: no such folder; images to test on belong there$"),
    "a table alone": ("rm -r test", r"test: no such folder, but .*test\.csv lists"),
    "nothing there": ("rm test/*", r"test: no images; put PNG or JPEG files there$"),
    "another case": ("mv test Test", "no such folder.*; rename .*Test to test"),
    "nested": ("mkdir in; mv t* in", "no such folder.*; give .*data/in instead"),
    "a Mac's ZIP": ("rm -r test*; mkdir -p __MACOSX/test", "belong there$"),
    "classes": (
        "mkdir test/anime; mv test/*.png test/anime; rm test.csv",
        r"test: no images, but .* such as .*test/anime; 'python data_utils\.py folder",
    ),
    "other kinds": (
        "mv test/00000.png test/a.webp; rm test/*.png",
        r"no images; .*; 1 images of other kinds \(.* there$",
    ),
    "rows without images": (
        "rm test/00000.png test/00002.png",
        r"2 of its 4 images are not in .*test: 00000\.png, 00002\.png; add them",
    ),
    "a bad image": ("echo ? >test/00001.png", r"00001\.png: not a readable image; repl"),
    "a cut image": ("truncate -s 200 test/00001.png", r"not a readable image \(.*trunc"),
    "bad images": (
        ": >test/00000.png; : >test/00003.png; echo ? >test/00002.png",
        r"test: 3 of 4 images cannot.* 00000\.png, 00003\.png: .*\. 00002\.png: not",
    ),
    "a bad table": ("echo image_name,A >test.csv", r"test\.csv: no rows"),
    "a broken link": ("ln -s gone.png test/a.png", r"a\.png: a link to nothing"),
}


@pytest.mark.parametrize(("line", "saying"), REFUSED.values(), ids=REFUSED)
def test_a_folder_that_cannot_be_used_says_why(line, saying, data):
    subprocess.run(["bash", "-c", line], cwd=data, check=True)
    with pytest.raises(DataError, match=saying) as error:
        load_faces(data, "test")
    assert "\n" not in str(error.value)


WRONG = {  # a path -> what is said of it
    "hw4.zip": "a file; unpack it",
    r"C:\hw4\data": r"write / for \\",
    "data ": "without the blank: data",
    "data/test": "give data instead",
}


@pytest.mark.parametrize(("path", "saying"), WRONG.items(), ids=WRONG)
def test_a_wrong_path_names_the_right_one(path, saying, data, monkeypatch):
    monkeypatch.chdir(data.parent)
    Path("hw4.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=saying):
        load_faces(path, "test")


def test_an_attribute_that_is_not_there(data):
    with pytest.raises(DataError, match="unknown attribute 'Smile'") as error:
        load_faces(data).label("Smile")
    assert all(name in str(error.value) for name in ATTRIBUTES)
    with pytest.raises(DataError, match="no CSV beside it, but 'Smiling' is needed"):
        load_faces(data / "train").label("Smiling")


# ------------------------------------------------------------------------ cache


def test_the_cache_serves_the_same_and_never_a_changed_folder(data, monkeypatch):
    first = load_faces(data)
    assert isinstance(first.images, np.memmap)  # not all in memory, even the first time
    with monkeypatch.context() as patch:
        patch.setattr(images, "read_image", lambda *a: pytest.fail("decoded twice"))
        np.testing.assert_array_equal(load_faces(data).images, first.images)
        for path in (data / "train").iterdir():
            path.chmod(0o600)
        data.rename(data.parent / "moved")  # or mounted elsewhere
        load_faces(data.parent / "moved")
    picture(data.parent / "moved" / "train" / "00000.png", 9)
    assert load_faces(data.parent / "moved").images[0, 0, 0, 0] == 9


def test_a_cache_that_is_damaged_or_cleared_is_made_anew(data, monkeypatch, tmp_path):
    monkeypatch.setenv("HW4_CACHE", str(tmp_path / "cache"))
    first = np.array(load_faces(data).images)
    os.truncate(load_faces(data).images.filename, 5000)
    np.testing.assert_array_equal(load_faces(data).images, first)
    np.save(tmp_path / "cache" / "face.npy", first)  # of the user
    (tmp_path / "cache" / f".{'a' * 20}.{'b' * 12}.tmp").touch()  # of a killed process
    for _ in range(2):
        assert convert.main(["clear"]) == 0
        assert [p.name for p in (tmp_path / "cache").iterdir()] == ["face.npy"]
    np.testing.assert_array_equal(load_faces(data).images, first)


WITHOUT = {"a file": "Not a directory", "a full disk": "No space", "no home": "no home"}


@pytest.mark.parametrize(("why", "saying"), WITHOUT.items(), ids=WITHOUT)
def test_without_a_cache_images_are_decoded_in_memory(
    why, saying, data, monkeypatch, tmp_path
):
    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    monkeypatch.setenv("HW4_CACHE", "file/cache" if why == "a file" else "cache")
    if why == "a full disk":
        monkeypatch.setattr(os, "fsync", full)
    elif why == "no home":
        monkeypatch.delenv("HW4_CACHE")
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setenv("HOME", "~")  # what expanduser gives where nobody knows it
    faces, (line,) = loaded(data)
    assert faces.images.shape == (8, 64, 64, 3)
    assert "cannot cache decoded images" in line and saying in line
    assert not Path("~").exists() and not list(Path().glob("cache/*"))


def test_three_processes_on_one_cold_cache_see_the_same(data, tmp_path):
    code = (
        "import sys, hashlib, data_utils\n"
        "images = data_utils.load_faces(sys.argv[1]).images\n"
        "print(hashlib.sha256(images.tobytes()).hexdigest())"
    )
    words = [sys.executable, "-c", code, str(data)]
    options = {"cwd": REPOSITORY, "env": os.environ | {"HW4_CACHE": str(tmp_path / "c")}}
    running = [
        subprocess.Popen(words, stdout=subprocess.PIPE, **options) for _ in range(3)
    ]
    said = {process.communicate()[0] for process in running}
    expected = hashlib.sha256(load_faces(data).images.tobytes()).hexdigest()
    assert said == {f"{expected}\n".encode()}
    assert [p.suffix for p in (tmp_path / "c").iterdir()] == [".npy"]


# ------------------------------------------------------------- order and pixels


def test_order_is_a_function_of_seed_and_step():
    def steps(*which, seed=3):
        return [list(data_utils.indices(10, 4, step, seed)) for step in which]

    order = np.ravel(steps(0, 1, 2, 3, 4)).tolist()
    assert np.ravel(steps(4, 3, 2, 1, 0)[::-1]).tolist() == order
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:] and steps(0, seed=4) != [order[:4]]
    assert set(data_utils.indices(3, 9, 0, seed=0)) == {0, 1, 2}


def test_pixels_there_and_back():
    images = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1).repeat(3, -1)
    for pixel_range in ((-1.0, 1.0), (0.0, 1.0)):
        floats = data_utils.from_uint8(images, pixel_range)
        assert (floats.min(), floats.max()) == pixel_range
        np.testing.assert_array_equal(data_utils.to_uint8(floats, pixel_range), images)
    assert data_utils.to_uint8([5.0, -5.0], (-1, 1)).tolist() == [255, 0]
