"""Data as people have it -> the course's layout."""

import json

import numpy as np
import pytest
from conftest import ATTRIBUTES, draw_face, refused
from PIL import Image

import data_utils
from data_tools import convert

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


@pytest.mark.parametrize("table", ["list_attr_celeba.txt", "list_attr_celeba.csv"])
def test_celeba_becomes_the_courses_layout(celeba, tmp_path, table):
    out = tmp_path / "data"
    convert.main(words(celeba, out, "--train", 8, "--test", 3, table=table))
    train, test = (data_utils.load_faces(out, split) for split in ("train", "test"))
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
    convert.main(words(celeba, out, *more))
    train, test = (data_utils.load_faces(out, split) for split in ("train", "test"))
    assert train.names == [f"{k:06d}.png" for k in (1, 4, 6, 7, 9)]
    assert test.names == [f"{k:06d}.png" for k in (2, 5, 10)]
    assert list(test.attributes.columns) == [EXTRA, *ATTRIBUTES]


def test_a_folder_that_is_half_made_is_finished(celeba, tmp_path, monkeypatch):
    out, more = tmp_path / "data", ["--train", 6, "--test", 2]
    read, made = convert.read_image, []

    def cut_off(source, size):
        if len(made) > 4:
            raise KeyboardInterrupt
        made.append(source)
        return read(source, size)

    with monkeypatch.context() as patch:
        patch.setattr(convert, "read_image", cut_off)
        with pytest.raises(KeyboardInterrupt):
            convert.main(words(celeba, out, *more))
    there = {p.name for p in (out / "train").glob("*.png")}
    assert 0 < len(there) < 6 and not (out / "train.csv").exists()
    again = []
    monkeypatch.setattr(convert, "read_image", lambda *a: again.append(a) or read(*a))
    convert.main(words(celeba, out, *more))
    assert len(again) == 8 - len(there)
    assert len(data_utils.load_faces(out).images) == 6
    other = words(celeba, out, "--train", 5, "--test", 2)
    refused(convert.main, *other, saying=["other train", out])


def test_what_cannot_be_done_says_why(celeba, tmp_path, monkeypatch):
    out = tmp_path / "data"
    many = words(celeba, out)
    refused(convert.main, *many, saying=["--train 40,000", "12 images", "fewer"])
    few = ["--train", 2, "--test", 2]
    alien = ["--attributes", "Smiling,Tail"]
    refused(convert.main, *words(celeba, out, *few, *alien), saying=["Tail", EXTRA])
    lost = tmp_path / "img"
    lost.mkdir()
    refused(convert.main, "folder", lost, out, saying=[lost, "no images"])
    refused(convert.main, "folder", tmp_path / "a.zip", out, saying=["unpack"])
    draw_face(np.random.default_rng(0))[0].save(lost / "000001.jpg")
    table = celeba / "list_attr_celeba.txt"
    refused(convert.main, "celeba", lost, table, out, saying=["11 of its 12"])
    refused(convert.main, "folder", lost, celeba, saying=["holds something else"])
    refused(convert.main, "folder", lost, lost / "out", saying=["outside it"])
    assert not out.exists()


def test_any_folder_becomes_the_courses_layout(tmp_path, capsys):
    images, out = tmp_path / "images", tmp_path / "data"
    for k in range(20):
        folder = images / ("a" if k % 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 40), (k, 0, 0)).save(folder / f"{k:02d}.png")
    (images / "a" / "07.png").write_bytes(b"not an image")
    convert.main(["folder", str(images), str(out), "--size", "32"])
    assert "left out" in (said := capsys.readouterr().out) and "a_07.png" in said
    train, test = (data_utils.load_faces(out, split, 32) for split in ("train", "test"))
    assert (len(train.images), len(test.images)) == (17, 2)
    assert test.names == ["b_16.png", "b_18.png"] and test.attributes is None
    assert test.images.shape[1:] == (32, 32, 3) and test.images[0, 0, 0, 0] == 16
    assert json.loads((out / convert.RECORD).read_text())["kind"] == "folder"


def test_the_command_line(command, fails, tmp_path):
    assert "celeba" in command("data_utils.py", "--help").stdout
    fails("data_utils.py", "folder", tmp_path / "none", tmp_path, saying=["no such"])


def test_a_table_may_name_images_of_subfolders(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        draw_face(np.random.default_rng(0))[0].save(tmp_path / "images" / name / "1.png")
    (tmp_path / "t.csv").write_text("image_name,Hat,Tie\nb/1.png,1,0\na/1.png,0,1\n")
    words = ["folder", tmp_path / "images", tmp_path / "data", "--test", 1]
    more = ["--table", tmp_path / "t.csv", "--attributes", "Hat"]
    convert.main([str(word) for word in words + more])
    test = data_utils.load_faces(tmp_path / "data", "test")
    assert test.names == ["b_1.png"]
    assert test.attributes.to_dict("records") == [{"Hat": 1}]


def folder_of(path, *names):
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 20), (len(name), 0, 0)).save(path / name)
    return path


def test_no_image_is_lost_without_a_word(tmp_path, capsys):
    both = folder_of(tmp_path / "both", "a_1.png", "a/1.png", "b.png")
    refused(convert.main, "folder", both, tmp_path / "out", saying=["a_1.png", "rename"])
    elsewhere = folder_of(tmp_path / "elsewhere", "1.png")
    linked = folder_of(tmp_path / "linked", "0.png", "2.png")
    (linked / "sub").symlink_to(elsewhere)
    (linked / "round").symlink_to(linked)
    words = ("folder", linked, tmp_path / "data", "--size", 32, "--test", 1)
    convert.main([str(word) for word in words])
    found = sorted(p.name for p in (tmp_path / "data").glob("t*/*.png"))
    assert found == ["0.png", "2.png", "sub_1.png"]
    assert "2 train and 1 test images" in capsys.readouterr().out


def test_only_images_that_were_written_count(tmp_path, capsys):
    images = folder_of(tmp_path / "images", "1.png", "2.png", "3.png")
    (images / "2.png").write_bytes(b"not an image")
    convert.main(["folder", str(images), str(tmp_path / "data"), "--test", "1"])
    assert "1 train and 1 test images" in capsys.readouterr().out
    (images / "3.png").write_bytes(b"not an image")
    words = ("folder", images, tmp_path / "more", "--test", 1)
    refused(convert.main, *words, saying=["no image for test can be read"])


def test_an_attribute_named_twice_is_refused(celeba, tmp_path):
    twice = ("--attributes", "Smiling,Smiling")
    refused(convert.main, *words(celeba, tmp_path / "out", *twice), saying=["twice"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / convert.RECORD).write_text("[]")
    few = words(celeba, tmp_path / "out", "--train", 8, "--test", 3)
    refused(convert.main, *few, saying=["made before"])
