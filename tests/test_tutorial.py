"""The notebook, from its first cell to its last."""

import nbclient
import nbformat
import pytest
from conftest import REPOSITORY


@pytest.mark.slow
def test_the_tutorial_draws_trains_and_switches_in_a_running_tensorflow():
    book = nbformat.read(REPOSITORY / "tutorial.ipynb", 4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    code[0].source = "import tensorflow as tf\ntf.constant(1) + 1\n" + code[0].source
    for cell in code:  # a step an epoch, one epoch
        cell.source = cell.source.replace("range(3)", "range(1)")
        cell.source = cell.source.replace("epochs=5", "epochs=1, steps_per_epoch=1")
    client = nbclient.NotebookClient(book, resources={"metadata": {"path": REPOSITORY}})
    client.execute()
    pictures = [
        output
        for cell in code
        for output in cell.outputs
        if "image/jpeg" in output.get("data", {})
    ]
    assert len(pictures) == 8
