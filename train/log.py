"""A run's curves: `history.csv` and TensorBoard events, the same scalars.

TensorBoard's `RecordWriter` writes the events. Its `EventFileWriter` would name files by
the clock, which may go back, and import TensorFlow on JAX, too, where it is installed.
"""

import csv
import io
import socket
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.summary.writer.record_writer import RecordWriter

from cli import UserError, replacing


def means(steps, model, seconds):
    """One row of the curves.

    Args:
        steps: the logs of each step of the row, {name: float}, with `step_seconds`.
        model: the `train.model.Algorithm` after the last of them.
        seconds: seconds of training so far.
    """
    row = {k: float(np.mean([s[k] for s in steps])) for k in steps[0]}
    images = model.recipe.images_a_step
    row["images_per_second"] = images / row.pop("step_seconds")
    for role, rate in model.learning_rates().items():
        row[f"learning_rate_{role}"] = rate
    return row | {"seconds": seconds}


def tag(name):
    """TensorBoard's name of a column: one section of the dashboard for each group."""
    if "accuracy" in name:
        return f"accuracy/{name.replace('_accuracy', '')}"
    if name.startswith("learning_rate_"):
        return f"rate/{name.removeprefix('learning_rate_')}"
    if name in ("images_per_second", "seconds"):
        return f"speed/{name}"
    if name.startswith("test_") or name == "diversity":
        return f"quality/{name}"
    return f"loss/{name.replace('_loss', '')}"


class Log:
    """Appends scalars and images to a run folder.

    Args:
        run: the folder.
        step: the step that the run resumes from; later rows are dropped, in the CSV by
            cutting it, in TensorBoard by its purge event.
    """

    def __init__(self, run, step):
        self.path = Path(run) / "history.csv"
        self.columns = cut(self.path, step)
        # Numbered: TensorBoard reads files by name, and a clock may go back.
        before = sorted(Path(run).glob("events.out.tfevents.*"))
        number = int(before[-1].name.split(".")[3]) + 1 if before else 1
        name = f"events.out.tfevents.{number:06d}.{socket.gethostname()}"
        file = open(Path(run) / name, "wb")  # noqa: SIM115 - `close` does it
        self.events = RecordWriter(file)
        self.flush, self.close = self.events.flush, self.events.close
        self._event(0, file_version="brain.Event:2")
        self.resumed = bool(before)
        if before:
            self._event(step + 1, session_log=SessionLog(status=SessionLog.START))

    def scalars(self, step, values):
        """Write one row: {name: float}, None for a value that this step does not
        have."""
        self.columns = append(self.path, self.columns, step, values)
        have = {k: v for k, v in values.items() if v is not None}
        self._summary(step, *({"tag": tag(k), "simple_value": have[k]} for k in have))
        self.flush()  # so that a curve is seen while it grows

    def image(self, step, name, pixels):
        """Write one uint8 image `(height, width, 3)`."""
        png = io.BytesIO()
        iio.imwrite(png, pixels, extension=".png")
        picture = Summary.Image(
            height=pixels.shape[0],
            width=pixels.shape[1],
            colorspace=3,
            encoded_image_string=png.getvalue(),
        )
        self._summary(step, {"tag": name, "image": picture})

    def text(self, name, markdown):
        """Write a card of text."""
        about = SummaryMetadata(plugin_data={"plugin_name": "text"})
        text = markdown.encode(errors="replace")
        tensor = TensorProto(dtype=DT_STRING, string_val=[text])
        self._summary(0, {"tag": name, "metadata": about, "tensor": tensor})

    def _summary(self, step, *values):
        self._event(step, summary=Summary(value=[Summary.Value(**v) for v in values]))

    def _event(self, step, **content):
        event = Event(wall_time=time.time(), step=step, **content)
        self.events.write(event.SerializeToString())


def append(path, columns, step, values):
    """Add a row to the CSV, whose columns are `columns`; the first row names them, if
    there are none yet. Return them."""
    have = {k: f"{v:.6g}" for k, v in values.items() if v is not None}
    row = {"step": step} | dict.fromkeys(values, "") | have
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, columns or list(row), restval="")
        if not columns:
            writer.writeheader()
        writer.writerow(row)
    return writer.fieldnames


def cut(path, step):
    """Drop the rows after `step`, and one that a crash cut short; return the column
    names, [] if no row is left."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        head, *rows = [*file] or ["step,"]
    if not head.startswith("step,"):
        raise UserError(
            f"{path}: no column 'step' (a spreadsheet saved it?); restore it, or "
            "remove it, and the curves begin at this step"
        )
    whole = [row for row in rows if row.endswith("\n") and row.strip()]
    rows = [row for row in whole if int(row.partition(",")[0]) <= step]
    if not rows:
        path.unlink()
        return []
    with replacing(path, "w") as file:
        file.write(head + "".join(rows))
    return head.strip().split(",")
