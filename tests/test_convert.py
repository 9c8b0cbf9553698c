"""Data as people have it -> the course's layout."""

import json
import subprocess

import numpy as np
import pytest
from conftest import ATTRIBUTES, command, draw_face, refused, write_faces
from PIL import Image

from cli import UserError
from data_tools import convert
from data_utils import load_faces

EXTRA = "Eyeglasses"


@pytest.fixture(scope="module")
def celeba(tmp_path_factory):
    """CelebA as it comes, with 12 drawn faces of 178x218, unpacked twice."""
    root = tmp_path_factory.mktemp("celeba")
    images = root / "img_align_celeba" / "img_align_celeba"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = [EXTRA, *ATTRIBUTES]
    rows = []
    for k in range(1, 13):
        face, has = draw_face(rng)
        image = Image.new("RGB", (178, 218), (0, 0, 255))  # what the crop cuts is blue
        image.paste(face.resize((178, 178)), (0, 20))
        image.save(images / f"{k:06d}.jpg", quality=95)
        rows.append((f"{k:06d}.jpg", [1, *(2 * v - 1 for v in has.values())]))
    lines = [",".join(["image_id", *names])]
    lines += [",".join([name, *map(str, values)]) for name, values in rows]
    (root / "list_attr_celeba.csv").write_text("\n".join(lines) + "\n")
    lines = ["12", " ".join(names) + " "]
    lines += [f"{name} " + " ".join(f"{v:2d}" for v in values) for name, values in rows]
    (root / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    parts = [0, 2, 1, 0, 2, 0, 0, 1, 0, 2, 0, 0]
    lines = [f"{row[0]} {part}" for row, part in zip(rows, parts, strict=True)]
    (root / "list_eval_partition.txt").write_text("\n".join(lines) + "\n")
    return root


def words(celeba, out, *more, table="list_attr_celeba.txt"):
    start = ["celeba", celeba / "img_align_celeba", celeba / table, out]
    return [str(word) for word in [*start, *more]]


def made(out, *line, size=64):
    """The splits that a command makes."""
    assert convert.main([str(word) for word in line]) == 0
    return [load_faces(out, split, size) for split in ("train", "test")]


AS_UNPACKED = {  # what was done where CelebA lies -> the table
    "the list": (":", "list_attr_celeba.txt"),
    "the CSV": (":", "list_attr_celeba.csv"),
    "lossless PNG, official table": (
        "cd img_align_celeba/img*; for f in *.jpg; do mv $f ${f%.jpg}.png; done",
        "list_attr_celeba.txt",
    ),
    "what an archive leaves beside": (
        "cp *.csv img*; cd img*; echo >README.txt; mkdir -p __MACOSX/img;"
        "for f in img*/*; do echo >__MACOSX/img/._${f##*/}; done; cd img*; touch ._a.jpg;"
        "mkdir .ipynb_checkpoints; cp 000001.jpg .ipynb_checkpoints",
        "list_attr_celeba.csv",
    ),
}


@pytest.mark.parametrize(("line", "table"), AS_UNPACKED.values(), ids=AS_UNPACKED)
def test_celeba_becomes_the_courses_layout(line, table, celeba, tmp_path):
    subprocess.run(["cp", "-r", celeba, tmp_path / "celeba"], check=True)
    subprocess.run(["bash", "-c", line], cwd=tmp_path / "celeba", check=True)
    out, numbers = tmp_path / "data", ("--train", 8, "--test", 3)
    train, test = made(out, *words(tmp_path / "celeba", out, *numbers, table=table))
    assert train.names == [f"{k:06d}.png" for k in range(1, 9)]
    assert test.names == [f"{k:06d}.png" for k in range(9, 12)]
    assert list(train.attributes.columns) == ATTRIBUTES
    assert set(np.unique(train.attributes)) == {0, 1}
    rng = np.random.default_rng(0)
    for k in range(8):
        face, has = draw_face(rng)
        assert train.attributes.iloc[k].to_dict() == has
        # The middle square, and nothing of what lies above and below it.
        assert np.abs(train.images[k] - np.asarray(face, float)).mean() < 8


def test_the_partition_file_says_which_images_are_for_what(celeba, tmp_path):
    out, part = tmp_path / "data", celeba / "list_eval_partition.txt"
    more = ["--partition", part, "--train", 5, "--test", 3, "--attributes", "all"]
    train, test = made(out, *words(celeba, out, *more))
    assert train.names == [f"{k:06d}.png" for k in (1, 4, 6, 7, 9)]
    assert test.names == [f"{k:06d}.png" for k in (2, 5, 10)]
    assert list(test.attributes.columns) == [EXTRA, *ATTRIBUTES]


def test_a_folder_that_is_half_made_is_finished(celeba, tmp_path, monkeypatch):
    out, more = tmp_path / "data", ["--train", 6, "--test", 2]
    read, done = convert.read_image, []

    def cut_off(source, size):
        if len(done) > 4:
            raise KeyboardInterrupt
        done.append(source)
        return read(source, size)

    with monkeypatch.context() as patch:
        patch.setattr(convert, "read_image", cut_off)
        with pytest.raises(KeyboardInterrupt):
            convert.main(words(celeba, out, *more))
    there = {p.name for p in (out / "train").glob("*.png")}
    assert 0 < len(there) < 6 and not (out / "train.csv").exists()
    again = []
    monkeypatch.setattr(convert, "read_image", lambda *a: again.append(a) or read(*a))
    train, _ = made(out, *words(celeba, out, *more))
    assert len(again) == 8 - len(there) and len(train.images) == 6
    other = words(celeba, out, "--train", 5, "--test", 2)
    refused(convert.main, *other, saying=[out, "made by another command"])


LIST = "c/list_attr_celeba.txt"
CELEBA = f"celeba c/img_align_celeba {LIST} out"
REFUSED = {  # a command line -> what is said
    "too many": (CELEBA, "--train 40,000: .*12 images.*fewer"),
    "fewer than none": (f"{CELEBA} --train -1", "--train -1: 0 or more"),
    "none": (f"{CELEBA} --train 0 --test 0", "nothing to make"),
    "size": (f"{CELEBA} --size 2000", "--size 2000: 4 to 1,024"),
    "unknown attribute": (f"{CELEBA} --attributes Male,A", "no attribute 'A'.*has: Eye"),
    "attribute twice": (f"{CELEBA} --attributes Male,Male", "Male is listed twice"),
    "not a partition": (f"{CELEBA} --partition {LIST}", "not CelebA's partition"),
    "images lost": (f"celeba one {LIST} out", "11 of its 12 images are not in one"),
    "no folder": ("folder none out", "none: no such folder"),
    "no images": ("folder empty out", "empty: no images"),
    "an archive": ("folder a.zip out", "a.zip: an archive; unpack it"),
    "out not empty": ("folder one c", "c: holds something else"),
    "out inside": ("folder one one/out", "name a folder outside it"),
    "attributes of no table": ("folder one out --attributes A", "there is no table"),
    "called the same": ("folder both out", "both be called a_1.png; rename"),
    "suffix only": ("folder two out --test 0", "differ by their suffix"),
    "unreadable": ("folder bad out --test 1", "no image for test can be"),
    "tests": ("folder one out --test 9", "--test 9: one has 1 images"),
}


@pytest.mark.parametrize(("line", "saying"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_says_why(line, saying, celeba, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c").symlink_to(celeba)
    (tmp_path / "empty").mkdir()
    folder_of(tmp_path / "one", "000001.jpg")
    folder_of(tmp_path / "both", "a_1.png", "a/1.png", "b.png")
    folder_of(tmp_path / "two", "1.png", "1.jpg")
    folder_of(tmp_path / "bad", "1.png", "2.png")
    (tmp_path / "bad" / "2.png").write_bytes(b"not an image")
    with pytest.raises(UserError, match=saying) as error:
        convert.main(line.split())
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out" / "train.csv").exists()


# ------------------------------------------------------------------- any folder


def folder_of(path, *names):
    """Images, red as their place in the list says."""
    for k, name in enumerate(names):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 30), (k, 0, 0)).save(path / name, "PNG")
    return path


HIDDEN = "._2.png .ipynb_checkpoints/1.png __MACOSX/._1.png"
SPLIT = "x/train/1.png x/train/2.png x/test/1.png x/val/7.png"
CLASSES = "train/a/1.png train/b/1.png test/a/1.png test/b/1.png"
FOLDERS = {  # files, options -> names in train/, in test/, what is said
    "flat": ("1.png 2.jpg", "--test 1", "1.png", "2.png", ""),
    "classes": (
        *("b/1.png a/1.png 0.png", "--test 1", "0.png a_1.png", "b_1.png"),
        "one set of the images in a, b\n",
    ),
    "unpacked twice": ("x/x/1.png x/x/2.png", "--test 1", "1.png", "2.png", ""),
    "split before": (
        *(SPLIT, "", "1.png 2.png", "1.png"),
        "train/ and test/ stay apart; not val\n",
    ),
    "split before, in classes": (
        *(CLASSES, "--train 1", "a_1.png", "a_1.png b_1.png"),
        "train/ and test/ stay apart\n",
    ),
    "hidden": (f"1.png 2.png {HIDDEN}", "--test 1", "1.png", "2.png", ""),
}


@pytest.mark.parametrize(
    ("files", "options", "train", "test", "saying"), FOLDERS.values(), ids=FOLDERS
)
def test_any_folder_becomes_the_courses_layout(
    files, options, train, test, saying, tmp_path, capsys
):
    # Unpacking leaves folders that are called like their archive.
    images, out = folder_of(tmp_path / "images.7z", *files.split()), tmp_path / "data"
    out.mkdir()
    (out / ".DS_Store").touch()
    faces = made(out, "folder", images, out, "--size", 32, *options.split(), size=32)
    train, test = train.split(), test.split()
    assert [split.names for split in faces] == [train, test]
    assert faces[0].images.shape[1:] == (32, 32, 3) and faces[0].attributes is None
    said = capsys.readouterr().out
    assert saying in said and said.count("\n") == 1 + bool(saying)
    assert f"{len(train)} train and {len(test)} test images" in said
    assert json.loads((out / convert.RECORD).read_text())["kind"] == "folder"


def test_a_tenth_is_for_tests_and_what_cannot_be_read_is_named(tmp_path, capsys):
    images = folder_of(tmp_path / "images", *(f"{k:02d}.png" for k in range(20)))
    for name in ("03.png", "07.png", "11.png", "12.png"):
        (images / name).write_bytes(b"not an image")
    train, test = made(tmp_path / "data", "folder", images, tmp_path / "data")
    assert len(train.images) == 14 and test.names == ["18.png", "19.png"]
    said = capsys.readouterr().out
    assert "4 images (03.png, 07.png, 11.png, 12.png)" in said
    assert "14 train and 2 test images" in said


def test_links_to_folders_are_followed_and_circles_left(tmp_path):
    elsewhere = folder_of(tmp_path / "elsewhere", "1.png")
    linked = folder_of(tmp_path / "linked", "0.png", "2.png")
    (linked / "sub").symlink_to(elsewhere)
    (linked / "round").symlink_to(linked)
    out = tmp_path / "data"
    train, test = made(out, "folder", linked, out, "--test", 1)
    assert (train.names, test.names) == (["0.png", "2.png"], ["sub_1.png"])


def test_a_table_may_name_images_of_subfolders(tmp_path, capsys):
    images = folder_of(tmp_path / "images", "b/1.png", "a/1.png")
    (tmp_path / "t.csv").write_text("image_name,source,Tie\nb/1.jpg,1,0\na/1.png,0,1\n")
    folder_of(images, "c.png")
    line = ["folder", images, tmp_path / "data", "--test", 1]
    more = ["--table", tmp_path / "t.csv", "--attributes", "source"]
    _, test = made(tmp_path / "data", *line, *more)
    assert test.names == ["b_1.png"] and test.images[0, 0, 0, 0] == 0
    assert test.attributes.to_dict("records") == [{"source": 1}]
    assert "1 of 3 images in" in (said := capsys.readouterr().out) and "left out" in said


def test_a_data_folder_in_another_size(tmp_path):
    data, out = write_faces(tmp_path / "data", train=6, test=3), tmp_path / "small"
    small = made(out, "folder", data, out, "--size", 32, size=32)
    for split, faces in zip(("train", "test"), small, strict=True):
        before = load_faces(data, split, 32)
        assert faces.names == before.names
        np.testing.assert_array_equal(faces.attributes, before.attributes)
        np.testing.assert_array_equal(faces.images, before.images)


def test_a_mistake_at_the_command_line_is_one_line(tmp_path):
    done = command("data_utils.py", "folder", tmp_path / "none", tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ") and "none: no such folder" in done.stderr
