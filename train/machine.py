"""The name of the hardware that a result was measured on."""

import contextlib
import os
import platform
from pathlib import Path


def processor():
    """The processor's name."""
    name = platform.processor() or "processor"
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(x.split(": ")[1] for x in lines if x.startswith("model name"))
    return name


def hardware():
    """The hardware a run computes on: its accelerators, or the processor."""
    from models.keras_setup import BACKEND

    if BACKEND == "jax":
        import jax

        devices = jax.local_devices()
        if devices[0].platform != "cpu":
            return f"{len(devices)} x {devices[0].device_kind}"
    elif BACKEND == "tensorflow":
        import tensorflow as tf

        if devices := tf.config.get_visible_devices("GPU"):
            details = tf.config.experimental.get_device_details(devices[0])
            return f"{len(devices)} x {details.get('device_name', 'GPU')}"
    return f"{os.cpu_count()} cores, {processor()}"
