import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ATTRIBUTES, write_faces
from PIL import Image

import data_utils
from data_tools import cache
from data_utils import DataError, load_faces


@pytest.fixture
def data(tmp_path):
    """A small data folder of its own, to be spoilt."""
    return write_faces(tmp_path / "data", train=8, test=4)


def test_course_layout_in_csv_order(data):
    frame = pd.read_csv(data / "train.csv")
    frame.iloc[::-1].to_csv(data / "train.csv", index=False)
    faces = load_faces(data)
    assert faces.images.shape == (8, 64, 64, 3) and faces.images.dtype == np.uint8
    assert faces.names[0] == "00007.png"
    with Image.open(data / "train" / "00007.png") as image:
        np.testing.assert_array_equal(faces.images[0], np.asarray(image))
    assert list(faces.attributes.columns) == ATTRIBUTES
    np.testing.assert_array_equal(faces.label("Smiling"), frame["Smiling"][::-1])
    assert faces.label("Smiling").dtype == np.int32


def test_how_many_of_a_folder_are_used(data):
    faces = data_utils.load_faces(data, "train", 16)
    count = len(faces.images)
    assert faces.how_many == f"all {count}"
    assert faces.first(2).how_many == faces.first(3).first(2).how_many == f"2 of {count}"
    faces.without_row = 5
    assert faces.first(2).how_many == f"2 of {count + 5}"


def test_other_formats_become_rgb_of_the_size_asked(tmp_path):
    lines = []
    rng = np.random.default_rng(0)
    grey = Image.fromarray(rng.integers(0, 255, (64, 64), "uint8"))
    grey.save(tmp_path / "a.png")
    grey.convert("RGBA").save(tmp_path / "b.png")
    wide = np.zeros((80, 160, 3), "uint8")
    wide[:, 40:120] = 200  # the centre square
    Image.fromarray(wide).save(tmp_path / "c.jpg", quality=95)
    (tmp_path / "notes.txt").write_text("not an image")
    faces = load_faces(tmp_path, report=lines.append)
    assert faces.images.shape == (3, 64, 64, 3)
    for k in (0, 1):
        np.testing.assert_array_equal(faces.images[k], np.stack([grey] * 3, -1))
    assert faces.images[2].min() > 150
    assert lines == ["1 of 3 images are not 64x64: centre-cropped and resized"]
    with pytest.raises(DataError, match="no CSV"):
        faces.label("Smiling")


def test_minus_one_is_read_as_zero(data):
    frame = pd.read_csv(data / "test.csv")
    expected = frame["Smiling"].to_numpy()
    frame[ATTRIBUTES] = frame[ATTRIBUTES] * 2 - 1
    frame.to_csv(data / "test.csv", index=False)
    np.testing.assert_array_equal(load_faces(data, "test").label("Smiling"), expected)


def test_cache_serves_the_same_and_never_a_changed_folder(data, monkeypatch):
    first = load_faces(data)
    assert isinstance(first.images, np.memmap)  # not all in memory, even the first time
    with monkeypatch.context() as patch:
        patch.setattr(cache, "_decode", lambda *a: pytest.fail("decoded twice"))
        np.testing.assert_array_equal(load_faces(data).images, first.images)
    Image.new("RGB", (64, 64), (1, 2, 3)).save(data / "train" / "00000.png")
    assert (load_faces(data).images[0] == (1, 2, 3)).all()


def test_truncated_cache_is_decoded_anew(data):
    first = np.array(load_faces(data).images)
    os.truncate(load_faces(data).images.filename, 5000)
    np.testing.assert_array_equal(load_faces(data).images, first)


def test_unwritable_cache_is_said_and_done_without(data, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HW4_CACHE", str(tmp_path / "file" / "cache"))
    lines = []
    assert len(load_faces(data, report=lines.append).images) == 8
    assert len(lines) == 1 and "cannot cache" in lines[0]


def test_order_is_a_function_of_seed_and_step():
    steps = [data_utils.indices(10, 4, s, seed=3) for s in range(5)]
    for step in reversed(range(5)):
        np.testing.assert_array_equal(
            data_utils.indices(10, 4, step, seed=3), steps[step]
        )
    first, second = np.concatenate(steps)[:10], np.concatenate(steps)[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert list(first) != list(second)
    assert list(data_utils.indices(10, 4, 0, seed=4)) != list(steps[0])
    assert sorted(set(data_utils.indices(3, 9, 0, seed=0))) == [0, 1, 2]


def test_pixels_there_and_back():
    images = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1).repeat(3, -1)
    for pixel_range in ((-1.0, 1.0), (0.0, 1.0)):
        floats = data_utils.from_uint8(images, pixel_range)
        assert (floats.min(), floats.max()) == pixel_range
        np.testing.assert_array_equal(data_utils.to_uint8(floats, pixel_range), images)
    assert data_utils.to_uint8([5.0, -5.0], (-1, 1)).tolist() == [255, 0]


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match=r"nothing: no such folder"):
        load_faces(tmp_path / "nothing")


def test_no_test_folder(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"test: no such folder"):
        load_faces(tmp_path, "test")


def test_no_images(tmp_path):
    with pytest.raises(DataError, match=r"no images; put PNG or JPEG"):
        load_faces(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", None])
def test_unreadable_image(data, content):
    path = data / "train" / "00003.png"
    path.write_bytes(path.read_bytes()[:200] if content is None else content)
    with pytest.raises(DataError, match=r"00003.png: not a readable image"):
        load_faces(data)


def test_rows_without_images_show_five_and_the_count(data):
    for k in range(7):
        (data / "train" / f"0000{k}.png").unlink()
    with pytest.raises(DataError, match="7 of its images") as error:
        load_faces(data)
    assert str(error.value).count(".png") == 5


def test_unknown_attribute_lists_those_there_are(data):
    with pytest.raises(DataError, match="unknown attribute 'Smile'") as error:
        load_faces(data).label("Smile")
    assert all(name in str(error.value) for name in ATTRIBUTES)


@pytest.mark.parametrize(
    ("cell", "saying"), [("", "is empty"), ("2", "is '2"), ("yes", "is 'yes'")]
)
def test_cells_that_are_missing_or_not_binary(data, cell, saying):
    lines = (data / "train.csv").read_text().splitlines()
    cells = lines[3].split(",")
    cells[ATTRIBUTES.index("Smiling") + 1] = cell
    lines[3] = ",".join(cells)
    (data / "train.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=f"Smiling of 00002.png {saying}"):
        load_faces(data)


@pytest.mark.parametrize(
    ("text", "saying"),
    [
        ("name,Smiling\na.png,1\n", "no column image_name"),
        ("image_name,Smiling\n", "no rows"),
        ("image_name,Smiling\n00001.png,1\n00001.png,0\n", "listed twice"),
        ("image_name,Smiling,Male\n00001.png,-1,0\n", "both 0 and -1"),
        ("", "not a CSV file"),
    ],
)
def test_tables_that_are_no_use(data, text, saying):
    (data / "train.csv").write_text(text)
    with pytest.raises(DataError, match=saying):
        load_faces(data)


def test_a_folder_of_somebody_else_beside_the_images_is_left(tmp_path, monkeypatch):
    write_faces(tmp_path / "data", train=3, test=0)
    images = tmp_path / "data" / "train"
    (images / "lost+found").mkdir()
    is_dir = Path.is_dir

    def refusing(path, **more):
        if path.parent.name == "lost+found":
            raise PermissionError(13, "Permission denied", str(path))
        return is_dir(path, **more)

    monkeypatch.setattr(Path, "is_dir", refusing)
    assert len(load_faces(images, "train").images) == 3
