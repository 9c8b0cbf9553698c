"""One image, in every form that people bring it in."""

import io
import struct
import zlib

import numpy as np
import pytest
from conftest import draw_face
from PIL import Image, PngImagePlugin

from cli import DataError
from data_tools.images import read_image

HIDDEN = np.ones((64, 64), bool)  # the border of a face, where colour lies under alpha 0
HIDDEN[8:56, 8:56] = False


@pytest.fixture
def face():
    """A drawn face, RGB of 64x64, of which no turn or mirror looks the same."""
    image = draw_face(np.random.default_rng(3))[0]
    image.paste((255, 0, 0), (0, 0, 9, 5))
    return image


def stored(image, kind="PNG", **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(name, body):
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + check


def with_chunk(name, body, before=b"IDAT"):
    def make(face):
        data = stored(face)
        place = data.index(before) - 4
        return data[:place] + chunk(name, body) + data[place:]

    return make


def deep(face):
    """16 bits of grey."""
    return Image.fromarray(np.asarray(face.convert("L")).astype("uint16") * 257)


def text(face):
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "x" * 3_000_000, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "y" * 3_000_000, zip=True)
    return stored(face, pnginfo=info)


def damaged_check(face):
    data = bytearray(with_chunk(b"tEXt", b"Author\0nobody")(face))
    data[data.index(b"nobody")] ^= 1
    return bytes(data)


def jpeg(face, **options):
    return stored(face, "JPEG", quality=95, **options)


def animation(face):
    return stored(face, save_all=True, append_images=[Image.new("RGB", face.size)])


def pgm(face):
    return b"P5 64 64 65535\n" + np.asarray(deep(face)).astype(">u2").tobytes()


BAD_EXIF = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 9
BEHIND = b"zTXt", b"a\0\0" + zlib.compress(bytes(3_000_000)), b"IEND"
SAME = {  # files of a face -> mean difference allowed; nothing is said of them
    "PNG": (stored, 0),
    "JPEG": (lambda f: jpeg(f, subsampling=0), 3),
    "progressive": (lambda f: jpeg(f, progressive=True), 4),
    "CMYK": (lambda f: jpeg(f.convert("CMYK")), 4),
    "TIFF": (lambda f: stored(f, "TIFF"), 0),
    "palette": (lambda f: stored(f.quantize(256)), 3),
    "opaque alpha": (lambda f: stored(f.convert("RGBA")), 0),
    "animation": (animation, 0),
    "damaged EXIF": (lambda f: stored(f, exif=BAD_EXIF), 0),
    "large texts": (text, 0),
    "a large text behind": (with_chunk(*BEHIND), 0),
    "a large profile": (lambda f: stored(f, icc_profile=bytes(1_500_000)), 0),
    "a damaged text": (damaged_check, 0),
    "grey of 8 bits": (lambda f: stored(f.convert("L")), 0),
    "grey of 16 bits": (lambda f: stored(deep(f)), 0),
    "grey of 16 bits in PGM": (pgm, 0),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_face(name, face, tmp_path):
    make, off = SAME[name]
    (tmp_path / "a.png").write_bytes(make(face))  # what is inside counts, not the name
    pixels, notes = read_image(tmp_path / "a.png", 64)
    assert pixels.dtype == np.uint8 and notes == set()
    expected = face.convert("L").convert("RGB") if name.startswith("grey") else face
    assert np.abs(pixels - np.asarray(expected, float)).mean() <= off


@pytest.mark.parametrize("kind", ["RGB", "JPEG", "16 bits"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(orientation, kind, face, tmp_path):
    face = deep(face) if kind == "16 bits" else face
    lying = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    turned = face if lying is None else face.transpose(Image.Transpose(lying))
    exif = Image.Exif()
    exif[0x0112] = orientation
    save = stored if kind != "JPEG" else jpeg
    (tmp_path / "a.png").write_bytes(save(turned, exif=exif))
    (tmp_path / "b.png").write_bytes(stored(face))
    pixels, notes = read_image(tmp_path / "a.png", 64)
    upright, _ = read_image(tmp_path / "b.png", 64)
    assert np.abs(pixels - upright.astype(float)).mean() <= 4 * (kind == "JPEG")
    assert notes == ({"turned"} if orientation > 1 else set())


@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "RGB", "I;16"])
def test_no_colour_shows_under_transparent_pixels(kind, face, tmp_path):
    face.paste((255, 0, 255), mask=Image.fromarray(HIDDEN))
    image, options = face.convert("RGB" if kind[0] in "IP" else kind), {}
    if kind.endswith("A"):
        image.putalpha(Image.fromarray(np.where(HIDDEN, 0, 255).astype("uint8")))
    elif kind == "RGB":
        options["transparency"] = (255, 0, 255)
    else:
        image = image.quantize(64) if kind == "P" else deep(face)
        options["transparency"] = int(np.asarray(image)[0, 0])
    image.save(tmp_path / "a.png", **options)
    pixels, notes = read_image(tmp_path / "a.png", 64)
    assert notes == {"transparent"} and (pixels[HIDDEN] == 255).all()
    if kind.startswith("RGB"):
        np.testing.assert_array_equal(pixels[~HIDDEN], np.asarray(face)[~HIDDEN])


def test_half_transparent_is_half_white(tmp_path):
    Image.new("RGBA", (64, 64), (0, 0, 0, 128)).save(tmp_path / "a.png")
    assert abs(read_image(tmp_path / "a.png", 64)[0].astype(int) - 127).max() <= 1


@pytest.mark.parametrize("size", [(160, 80), (80, 160), (161, 80), (1, 1)])
def test_other_sizes_lose_what_is_beside_the_middle_square(size, tmp_path):
    image, side = Image.new("RGB", size, (0, 0, 255)), min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    image.paste((200, 0, 0), (left, top, left + side, top + side))
    image.save(tmp_path / "a.png")
    pixels, notes = read_image(tmp_path / "a.png", 64)
    assert notes == {"resized"} and abs(pixels - np.array((200.0, 0, 0))).mean() < 8


def too_large(face):
    data = bytearray(stored(Image.new("1", (1, 1))))
    data[16:24] = struct.pack(">II", 20_000, 20_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def damaged_tiff(face):
    """Pillow logs such damage, and a log goes to stderr."""
    data = bytearray(stored(face, "TIFF"))
    data[data.index(struct.pack("<HHI", 277, 3, 1)) + 8] = 231  # samples a pixel
    return bytes(data)


REFUSED = {
    "nothing": (b"", r"not a readable image \(an empty file\); replace or remove it$"),
    "HEIC": (b"\0\0\0\x18ftypheic" + b"\0" * 30, "HEIC"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "web page": (b"<!DOCTYPE html><html>", "a web page"),
    "ZIP": (b"PK\x03\x04", "a ZIP archive"),
    "text": (b"no image", "not a readable image; replace"),
    "cut short": (lambda f: stored(f)[:300], r"image \(image file is truncated"),
    "damaged": (lambda f: stored(f).replace(b"IDAT", b"IDAX"), "not a readable image"),
    "damaged TIFF": (damaged_tiff, "not a readable image"),
    "too large": (too_large, "more than 178,956,970 pixels; make it smaller"),
    "32 bits, int": (lambda f: stored(f.convert("I"), "TIFF"), "32 bits a value"),
    "32 bits, float": (lambda f: stored(f.convert("F"), "TIFF"), "32 bits a value"),
    "no file": (None, r"cannot be read \(No such file"),
    "not permitted": (PermissionError, r"cannot be read \(Permission denied\)"),
}


@pytest.mark.parametrize(("make", "saying"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_used_says_why(make, saying, face, tmp_path, monkeypatch, caplog):
    def refused(path):
        raise make(13, "Permission denied", str(path))

    if make is PermissionError:
        monkeypatch.setattr(Image, "open", refused)
    elif make is not None:
        (tmp_path / "a.png").write_bytes(make if isinstance(make, bytes) else make(face))
    with pytest.raises(DataError, match=rf"a\.png: .*{saying}") as error:
        read_image(tmp_path / "a.png", 64)
    assert "\n" not in str(error.value) and caplog.records == []
