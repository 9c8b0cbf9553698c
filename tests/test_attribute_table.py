"""One table, in every dress that people bring it in."""

import numpy as np
import pytest

from cli import DataError
from data_tools.tables import read_attributes

RIGHT = "image_name,Bangs,Smiling\na.png,0.0,1.0\nb.png,1.0,0.0\nc.png,1.0,1.0\n"
SAME = {
    "space after comma": RIGHT.replace(",", ", "),
    "space before comma": RIGHT.replace(",", " ,"),
    "trailing comma on rows": RIGHT.replace(".0\n", ".0,\n"),
    "trailing comma everywhere": RIGHT.replace("\n", ",\n"),
    "index column": ",image_name,Bangs,Smiling\n0,a.png,0,1\n1,b.png,1,0\n2,c.png,1,1\n",
    "index column named by pandas": "Unnamed: 0,image_name,Bangs,Smiling\n"
    "7,a.png,0,1\n8,b.png,1,0\n9,c.png,1,1\n",
    "CelebA's CSV": "image_id,Bangs,Smiling\na.png,-1,1\nb.png,1,-1\nc.png,1,1\n",
    "CelebA's list": "3\nBangs Smiling \na.png -1  1\nb.png  1 -1\nc.png  1  1\n",
    "a count above a CSV": "3\n" + RIGHT,
    "BOM and space": "\ufeff " + RIGHT,
    "CRLF": RIGHT.replace("\n", "\r\n"),
    "CR": RIGHT.replace("\n", "\r"),
    "booleans": "image_name,Bangs,Smiling\na.png,False,TRUE\n"
    "b.png,true,false\nc.png,True,True",
    "quoted": '"image_name","Bangs","Smiling"\n"a.png","0","1"\n"b.png", "1","0"\n'
    '"c.png","1","1"\n',
    "names last": "Bangs,Smiling,Image_Name\n0,1,a.png\n1,0,b.png\n1,1,c.png\n",
    "semicolons": RIGHT.replace(",", ";"),
    "tabs": RIGHT.replace(",", "\t"),
    "empty lines": RIGHT.replace("\n", "\n\n") + ",,\n",
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_the_same_table(text, tmp_path):
    (tmp_path / "t.csv").write_bytes(text.encode())
    frame = read_attributes(tmp_path / "t.csv")
    assert list(frame.index) == ["a.png", "b.png", "c.png"]
    assert list(frame.columns) == ["Bangs", "Smiling"]
    np.testing.assert_array_equal(frame, [[0, 1], [1, 0], [1, 1]])
    assert set(frame.dtypes) == {np.dtype("int8")}


REFUSED = {
    "a cell too many": (RIGHT.replace("a.png,", "a.png,1,"), "column 4 has no name"),
    "a cell too few": (RIGHT.replace(",0.0\n", "\n"), "Smiling of b.png is empty"),
    "NaN": (RIGHT.replace("0.0\n", "NaN\n"), "Smiling of b.png is empty"),
    "infinite": (RIGHT.replace("0.0\n", "inf\n"), "Smiling of b.png is 'inf'"),
    "a column twice": (RIGHT.replace("Bangs", "Smiling"), "Smiling is listed twice"),
    "a row twice": (RIGHT.replace("b.png", "a.png"), "a.png is listed twice"),
    "nameless": (RIGHT.replace("Bangs", ""), "column 2 has no name"),
    "not UTF-8": (RIGHT.replace("Bangs", "Fr\udce9ange"), "not UTF-8"),
    "blank": ("\n \n", "not a CSV file"),
    "a count alone": ("3\n", "no rows"),
}


@pytest.mark.parametrize(("text", "saying"), REFUSED.values(), ids=REFUSED)
def test_tables_that_are_no_use(text, saying, tmp_path):
    (tmp_path / "t.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=saying) as error:
        read_attributes(tmp_path / "t.csv")
    assert "\n" not in str(error.value) and "t.csv: " in str(error.value)


def test_utf_16_and_a_folder(tmp_path):
    (tmp_path / "t.csv").write_bytes(RIGHT.encode("utf-16"))
    with pytest.raises(DataError, match="UTF-16"):
        read_attributes(tmp_path / "t.csv")
    with pytest.raises(DataError, match="Is a directory"):
        read_attributes(tmp_path)
