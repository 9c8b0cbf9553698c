"""Where a training step's time goes, operation by operation: TensorFlow's profiler
around some steps of a recipe, its trace summed by kind of operation.

One thread runs the operations one after the other, each over all cores, so that
their times add up to the step's.
"""

import collections
import tempfile
from pathlib import Path

from cli import UserError

# What a line of the table gathers, by the ends of TensorFlow's kernel names. A
# transposed convolution is made of a plain one's gradient, and the other way round.
KINDS = {
    "convolution, weights' gradient": ("Conv2DBackpropFilter", "FilterWithBias"),
    "convolution": ("Conv2D", "FusedConv2D", "Conv2DBackpropInput"),
    "batch norm": ("FusedBatchNormV3", "FusedBatchNormGradV3", "FusedBatchNormEx"),
    "matrix product": ("MatMul", "FusedMatMul"),
    "activation": ("Relu", "ReluGrad", "LeakyRelu", "LeakyReluGrad", "Tanh", "TanhGrad"),
    "optimizer": ("ResourceApplyAdam", "ResourceApplyRMSProp"),
    "cast": ("Cast",),
}


def profile(name, precision, batch, steps):
    """Run `steps` steps of a recipe under the profiler.

    Returns:
        {"step_seconds", "operations": {kind: seconds a step}, "slowest":
        [[operation, seconds a step]]}, kinds and operations from the slowest on. The
        kinds add up to the step.
    """
    from models.keras_setup import BACKEND

    if BACKEND != "tensorflow":
        raise UserError(f"KERAS_BACKEND={BACKEND}: the profile is TensorFlow's")
    import tensorflow as tf

    from benchmarks.worker import ours

    step, _ = ours(name, precision, batch)  # one at a time on TensorFlow
    for k in range(2):  # compiling
        step(k)
    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=3)
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder, options):
            for k in range(2, 2 + steps):
                step(k)
        (trace,) = Path(folder).rglob("*.xplane.pb")
        whole, operations = read(trace)
    kinds = collections.Counter()
    for operation, seconds in operations.items():
        kinds[kind_of(operation)] += seconds
    shown = collections.Counter(dict(kinds.most_common(12)))
    shown["other operations"] = sum(operations.values()) - sum(shown.values())
    shown["between operations"] = whole - sum(operations.values())
    return {
        "step_seconds": round(whole / steps, 4),
        "operations": {k: round(s / steps, 4) for k, s in shown.most_common()},
        "slowest": [[k, round(s / steps, 4)] for k, s in operations.most_common(12)],
    }


def read(trace):
    """(seconds of all steps, Counter {"name:kernel": seconds}) of a trace."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(trace.read_bytes())
    whole, operations = 0.0, collections.Counter()
    for plane in space.planes:
        names = {key: entry.name for key, entry in plane.event_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                name, seconds = names[event.metadata_id], event.duration_ps / 1e12
                if name == "ExecutorState::Process":
                    whole += seconds
                elif ":" in name and "::" not in name and "__inference" not in name:
                    operations[name] += seconds
    return whole, operations


def kind_of(operation):
    """The line of `KINDS` that "scope/name:kernel" belongs to, or its kernel."""
    kernel = operation.rpartition(":")[2].removeprefix("_MklNative").removeprefix("_")
    for kind, ends in KINDS.items():
        if kernel.endswith(ends):
            if kind != "convolution":
                return kind
            back = operation.startswith("gradient_tape/")
            return "convolution, images' gradient" if back else "convolution, forward"
    return kernel


def show(row):
    print(
        f"{row['recipe']}, batch {row['batch']}, {row['precision']}: "
        f"{row['step_seconds']:.3f} s a step"
    )
    for kind, seconds in row["operations"].items():
        print(f"  {seconds:8.4f} s {seconds / row['step_seconds']:6.1%}  {kind}")
    print("the slowest operations:")
    for name, seconds in row["slowest"]:
        print(f"  {seconds:8.4f} s {seconds / row['step_seconds']:6.1%}  {name}")


def line(name, precision, batch, steps):
    """`profile` as the line that is appended to the results; also shown."""
    row = {"recipe": name, "precision": precision, "batch": batch, "steps": steps}
    row |= profile(name, precision, batch, steps)
    show(row)
    return row
