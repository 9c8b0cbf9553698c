"""One table, in every form that people bring it in."""

import numpy as np
import pytest

from cli import DataError
from data_tools.tables import read_attributes, read_partition

RIGHT = "image_name,Bangs,Smiling\na.png,0.0,1.0\nb.png,1.0,0.0\nc.png,1.0,1.0\n"
LIST = "3\nBangs Smiling \na.png -1  1\nb.png  1 -1\nc.png  1  1\n"
SAME = {
    "space after comma": RIGHT.replace(",", ", "),
    "space before comma": RIGHT.replace(",", " ,"),
    "trailing comma on rows": RIGHT.replace(".0\n", ".0,\n"),
    "trailing comma everywhere": RIGHT.replace("\n", ",\n"),
    "index column": ",image_name,Bangs,Smiling\n0,a.png,0,1\n1,b.png,1,0\n2,c.png,1,1\n",
    "index column named by pandas": "Unnamed: 0,image_name,Bangs,Smiling\n"
    "7,a.png,0,1\n8,b.png,1,0\n9,c.png,1,1\n",
    "CelebA's CSV": "image_id,Bangs,Smiling\na.png,-1,1\nb.png,1,-1\nc.png,1,1\n",
    "CelebA's list": LIST,
    "CelebA's list with tabs": LIST.replace("  ", "\t").replace(" ", "\t"),
    "CelebA's list, CRLF and BOM": "\ufeff" + LIST.replace("\n", "\r\n"),
    "a count above a CSV": "3\n" + RIGHT,
    "BOM and space": "\ufeff " + RIGHT,
    "CRLF": RIGHT.replace("\n", "\r\n"),
    "CR": RIGHT.replace("\n", "\r"),
    "booleans": "image_name,Bangs,Smiling\na.png,False,TRUE\n"
    "b.png,true,false\nc.png,True,True",
    "digits of another width": RIGHT.replace("1.0", "\uff11"),
    "quoted": '"image_name","Bangs","Smiling"\n"a.png","0","1"\n"b.png", "1","0"\n'
    '"c.png","1","1"\n',
    "names last": "Bangs,Smiling,Image_Name\n0,1,a.png\n1,0,b.png\n1,1,c.png\n",
    "empty lines": "\n" + RIGHT.replace("\n", "\n\n") + ",,\n",
    "semicolons": RIGHT.replace(",", ";"),
    "semicolons and decimal commas": RIGHT.replace(",", ";").replace(".0", ",0"),
    "tabs": RIGHT.replace(",", "\t"),
    "Excel's first line": "sep=,\n" + RIGHT,
    "Excel's first line, saved again": "sep=,,,\n" + RIGHT,
    "Excel's first line, quoted": '\ufeff"sep=;"\r\n' + RIGHT.replace(",", ";"),
    "comments": "# attributes, by hand\n#\n" + RIGHT + "# end, of the table\n",
    "a comment names the columns": "# " + RIGHT,
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_the_same_table(text, tmp_path):
    (tmp_path / "t.csv").write_bytes(text.encode())
    frame = read_attributes(tmp_path / "t.csv")
    assert list(frame.index) == ["a.png", "b.png", "c.png"]
    assert list(frame.columns) == ["Bangs", "Smiling"]
    np.testing.assert_array_equal(frame, [[0, 1], [1, 0], [1, 1]])
    assert set(frame.dtypes) == {np.dtype("int8")}


def test_attributes_have_one_spelling(tmp_path):
    """Also where macOS has taken their letters apart."""
    (tmp_path / "t.csv").write_text("image_name,Fre\u0301mir\na.png,1\n")
    assert list(read_attributes(tmp_path / "t.csv")) == ["Fr\u00e9mir"]


NAMES = ["my face.png", "a#1.png", "#2.png", 'a "b", c.png', "臉.png", "NA", "007"]


def test_names_are_kept_as_they_are(tmp_path):
    quoted = ('"' + n.replace('"', '""') + '"' if '"' in n else n for n in NAMES)
    text = "\n".join(["image_name,source", *(f"{name},1" for name in quoted)])
    (tmp_path / "t.csv").write_text(text)
    frame = read_attributes(tmp_path / "t.csv")
    assert list(frame.index) == NAMES and list(frame["source"]) == [1] * len(NAMES)


REFUSED = {
    "a cell too many": (RIGHT.replace("a.png,", "a.png,1,"), "column 4 has no name"),
    "a cell too few": (RIGHT.replace(",0.0\n", "\n"), "Smiling of b.png is empty"),
    "NaN": (RIGHT.replace("0.0\n", "NaN\n"), "Smiling of b.png is empty"),
    "infinite": (RIGHT.replace("0.0\n", "inf\n"), "Smiling of b.png is 'inf'"),
    "two": (RIGHT.replace("0.0\n", "2\n"), "b.png is '2'; .* 1 such cells"),
    "a word": (RIGHT.replace("0.0\n", "yes\n"), "b.png is 'yes'; attributes are 0 or 1"),
    "0 and -1": (RIGHT.replace("1.0\n", "-1\n"), "both 0 and -1 in it"),
    "a column twice": (RIGHT.replace("Bangs", "Smiling"), "Smiling is listed twice"),
    "names twice": (RIGHT.replace("Bangs", "image_name"), "image_name is listed twice"),
    "a row twice": (RIGHT.replace("b.png", "a.png"), "a.png is listed twice"),
    "nameless": (RIGHT.replace("Bangs", ""), "column 2 has no name"),
    "no names": (RIGHT.replace("image_", ""), "no column image_name; its first line"),
    "not UTF-8": (RIGHT.replace("Bangs", "Fr\udce9ange"), "not UTF-8"),
    "a quote that stays open": (RIGHT.replace("a.png", '"a.png'), "not a CSV file"),
    "nothing": ("", r"not a CSV file \(an empty file\)"),
    "blank": ("\n \n", r"not a CSV file \(nothing in it\)"),
    "a comment alone": ("# none\n", r"not a CSV file \(nothing in it\)"),
    "no rows": ("image_name,Bangs\n", "no rows; list one image a row"),
    "a count alone": ("3\n", "no rows"),
    "a web page": ("<!DOCTYPE html>\n<html>", r"not a CSV file \(a web page\)"),
    "an LFS pointer": ("version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    "a workbook": ("PK\x03\x04\0\0", r"a ZIP archive, as \.xlsx files are"),
    "UTF-16": (RIGHT.encode("utf-16"), r"not a CSV file \(UTF-16\?\)"),
    "a folder": (None, r"cannot be read \(Is a directory\)"),
}


@pytest.mark.parametrize(("text", "saying"), REFUSED.values(), ids=REFUSED)
def test_tables_that_are_no_use(text, saying, tmp_path):
    path = tmp_path / "t.csv"
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogateescape")
    path.mkdir() if text is None else path.write_bytes(text)
    with pytest.raises(DataError, match=rf"t\.csv: .*{saying}") as error:
        read_attributes(path)
    assert "\n" not in str(error.value)


PARTS = {
    "list": "a.jpg 0\nb.jpg 2\n",
    "CSV": "image_id,partition\na.jpg,0\nb.jpg,2",
    "BOM": "\ufeffimage_id, partition\r\na.jpg, 0\r\nb.jpg, 2\r\n\r\n",
}


@pytest.mark.parametrize("text", PARTS.values(), ids=PARTS)
def test_the_same_partition(text, tmp_path):
    (tmp_path / "p.csv").write_bytes(text.encode())
    assert read_partition(tmp_path / "p.csv").to_dict() == {"a.jpg": 0, "b.jpg": 2}


@pytest.mark.parametrize(
    "text", ["", "image_id,partition\n", "a.jpg 3\n", "a\nb 1", RIGHT]
)
def test_partitions_that_are_no_use(text, tmp_path):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DataError, match=r"p\.csv: not (a CSV|CelebA's partition) file"):
        read_partition(tmp_path / "p.csv")
