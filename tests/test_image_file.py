"""One image, in every form that people bring it in."""

import hashlib
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from conftest import REPOSITORY, draw_face, write_faces
from PIL import Image

from cli import DataError
from data_tools.images import read_image
from data_utils import load_faces


@pytest.fixture
def face():
    """A drawn face, RGB of 64x64, of which no turn or mirror looks the same."""
    image = draw_face(np.random.default_rng(3))[0]
    image.paste((255, 0, 0), (0, 0, 9, 5))
    return image


def read(path):
    return read_image(path, 64)[0].astype(int)


def test_sixteen_bits_of_grey_are_scaled(face, tmp_path):
    grey = face.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype("uint16") * 257)
    deep.save(tmp_path / "deep.png")
    with Image.open(tmp_path / "deep.png") as stored:
        assert stored.mode.startswith("I")
    np.testing.assert_array_equal(read(tmp_path / "deep.png")[..., 0], grey)
    deep.save(tmp_path / "hidden.png", transparency=int(np.asarray(deep)[60, 2]))
    pixels, notes = read_image(tmp_path / "hidden.png", 64)
    assert notes == {"transparent"} and (pixels[60, 2] == 255).all()
    high = b"P5 64 64 65535\n" + np.asarray(deep).astype(">u2").tobytes()
    (tmp_path / "pgm.png").write_bytes(high)  # what it is inside counts, not its name
    np.testing.assert_array_equal(read(tmp_path / "pgm.png")[..., 0], grey)


@pytest.mark.parametrize("kind", ["float32", "int32"])
def test_values_without_a_white_are_refused(kind, tmp_path):
    path = tmp_path / "depth.png"
    Image.fromarray(np.full((64, 64), 200, kind)).save(path, format="TIFF")
    with pytest.raises(DataError, match=r"depth.png: 32 bits a value"):
        read(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(orientation, face, tmp_path):
    lying = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    stored = face if lying is None else face.transpose(Image.Transpose(lying))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "b.jpg"):
        stored.save(tmp_path / name, exif=exif, quality=95, subsampling=0)
        pixels, notes = read_image(tmp_path / name, 64)
        assert np.abs(pixels - np.asarray(face, int)).mean() < 3
        assert notes == ({"turned"} if orientation > 1 else set())


def test_nothing_but_the_error_is_said_of_a_damaged_file(tmp_path, caplog):
    """Pillow logs some damage, and a log goes to stderr."""
    Image.new("RGB", (64, 64)).save(tmp_path / "a.tif")
    data = bytearray((tmp_path / "a.tif").read_bytes())
    entry = data.index(struct.pack("<HHI", 277, 3, 1))  # samples a pixel
    data[entry + 8] = 231
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(DataError):
        read(tmp_path / "a.png")
    assert caplog.records == []


def test_damaged_exif_of_a_good_image_is_left_aside(face, tmp_path):
    face.save(tmp_path / "a.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 9)
    np.testing.assert_array_equal(read(tmp_path / "a.png"), face)


def hidden(face):
    """The face with magenta under alpha 0 as its border, and white where that was."""
    pixels = np.asarray(face).copy()
    inside = np.zeros((64, 64), bool)
    inside[8:56, 8:56] = True
    pixels[~inside] = (255, 0, 255)
    return pixels, inside, np.where(inside[..., None], pixels, 255)


@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "RGB"])
def test_no_colour_shows_under_transparent_pixels(kind, face, tmp_path):
    pixels, inside, expected = hidden(face)
    path, options = tmp_path / "a.png", {}
    image = Image.fromarray(pixels)
    if kind in ("RGBA", "LA"):
        image = image.convert(kind)
        image.putalpha(Image.fromarray(np.where(inside, 255, 0).astype("uint8")))
    elif kind == "P":
        image = image.quantize(64)
        options["transparency"] = image.getpixel((0, 0))
    else:
        options["transparency"] = (255, 0, 255)
    image.save(path, **options)
    found, notes = read_image(path, 64)
    assert notes == {"transparent"} and (found[~inside] == 255).all()
    if kind in ("RGBA", "RGB"):
        np.testing.assert_array_equal(found, expected)


def test_half_transparent_is_half_white_and_opaque_is_no_news(tmp_path):
    Image.new("RGBA", (64, 64), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert abs(read(tmp_path / "a.png") - 127).max() <= 1
    Image.new("RGBA", (64, 64), (9, 8, 7, 255)).save(tmp_path / "b.png")
    pixels, notes = read_image(tmp_path / "b.png", 64)
    assert notes == set() and (pixels == (9, 8, 7)).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGB"])
def test_other_modes_are_read_without_a_word(mode, tmp_path):
    name = "a.jpg" if mode == "CMYK" else "a.png"
    Image.new("RGB", (64, 64), "white").convert(mode).save(tmp_path / name)
    pixels, notes = read_image(tmp_path / name, 64)
    assert notes == set() and pixels.min() >= 254


def test_an_image_too_large_says_the_limit(tmp_path):
    path = tmp_path / "poster.png"
    Image.new("1", (1, 1)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 20_000, 20_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(DataError, match="more than 178,956,970 pixels"):
        read(path)


@pytest.mark.parametrize(
    ("content", "saying"),
    [
        (b"", "empty file"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 30, "HEIC"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04", "ZIP"),
        (b"no image", "not a readable image; replace"),
    ],
)
def test_what_is_no_image_is_called_by_its_name(content, saying, tmp_path):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=saying):
        read(tmp_path / "a.jpg")


def test_a_file_that_is_not_there_or_not_permitted(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"a.png: cannot be read \(No such file"):
        read(tmp_path / "a.png")

    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Image, "open", refused)
    with pytest.raises(DataError, match=r"a.png: cannot be read \(Permission denied\)"):
        read(tmp_path / "a.png")


# ------------------------------------------------------------------- folders


def test_what_was_done_is_said_once_with_its_count(face, tmp_path):
    data = write_faces(tmp_path / "data", train=4, test=2)
    face.putalpha(0)
    face.save(data / "train" / "00001.png")
    lines = []
    load_faces(data, report=lines.append)
    assert lines == ["1 of 4 images have transparent pixels: white shows through"]


def test_images_without_a_row_are_counted_and_said(tmp_path):
    data = write_faces(tmp_path / "data", train=4, test=2)
    table = data / "train.csv"
    table.write_text("\n".join(table.read_text().splitlines()[:3]))
    lines = []
    faces = load_faces(data, report=lines.append)
    assert len(faces.images) == 2 and faces.without_row == 2
    assert lines == [
        f"{table}: 2 of 4 images in {data / 'train'} have no row; they are left out"
    ]


def test_images_of_other_kinds_are_not_left_out_in_silence(face, tmp_path):
    face.save(tmp_path / "a.webp")
    with pytest.raises(DataError, match=r"no images; .* 1 images of other kinds"):
        load_faces(tmp_path)
    face.save(tmp_path / "b.png")
    lines = []
    load_faces(tmp_path, report=lines.append)
    assert len(lines) == 1 and "1 images of other kinds" in lines[0]


def test_folders_and_links_with_the_name_of_an_image(face, tmp_path):
    face.save(tmp_path / "a.png")
    (tmp_path / "b.png").mkdir()
    (tmp_path / "c.png").symlink_to(tmp_path / "a.png")
    assert load_faces(tmp_path).names == ["a.png", "c.png"]
    (tmp_path / "d.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"d.png: a link to nothing"):
        load_faces(tmp_path)


def test_the_wrong_folder_names_the_right_one(tmp_path):
    data = write_faces(tmp_path / "hw4_data" / "hw4_data", train=2, test=2)
    for split in ("train", "test"):
        with pytest.raises(DataError, match=f"no .*give {data} instead"):
            load_faces(data.parent, split)
    with pytest.raises(DataError, match=f"give {data} instead"):
        load_faces(data / "test", "test")
    assert len(load_faces(data / "train").images) == 2  # a plain folder of images
    (data / "test").rename(data / "Test")
    for _ in range(2):
        with pytest.raises(
            DataError, match=r"test: no such folder.*rename .*Test to test"
        ):
            load_faces(data, "test")
        (data / "test.csv").unlink(missing_ok=True)
    (tmp_path / "hw4.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="a file; unpack it"):
        load_faces(tmp_path / "hw4.zip")
    with pytest.raises(DataError, match=r"write / for \\"):
        load_faces(r"C:\hw4\data")
    with pytest.raises(DataError, match="without the blank"):
        load_faces(f"{data} ")


def test_names_that_are_not_utf_8(face, tmp_path):
    folder = tmp_path / "\udc8a\udce7"
    folder.mkdir()
    face.save(str(tmp_path / "a.png"))
    (tmp_path / "a.png").rename(folder / "\udc83A.png")
    faces = load_faces(folder)
    assert faces.names == ["\udc83A.png"] and (faces.images[0] == face).all()
    table = b"image_name,Smiling\n\x83A.png,1\n"
    (folder / "train.csv").write_bytes(table)
    (folder / "train").mkdir()
    (folder / "\udc83A.png").rename(folder / "train" / "\udc83A.png")
    assert load_faces(folder).label("Smiling").tolist() == [1]


def test_a_user_without_a_home_gets_no_folder_of_that_name(tmp_path, monkeypatch):
    data = write_faces(tmp_path / "data", train=2, test=2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HW4_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "~")  # what expanduser gives where nobody knows it
    lines = []
    assert len(load_faces(data, report=lines.append).images) == 2
    assert len(lines) == 1 and "no home folder" in lines[0]
    assert not (tmp_path / "~").exists()


def test_two_processes_on_one_cold_cache_see_the_same(tmp_path):
    data = write_faces(tmp_path / "data", train=40, test=2)
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
