"""The hardware that a result was measured on."""

import os
import platform
from pathlib import Path


def processor():
    """The processor's name."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text().splitlines() if names.exists() else []
    named = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    return (named or [platform.processor() or "processor"])[0]


def cores():
    """How many of the processor's cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def hardware():
    """The hardware a run computes on: its accelerators, or the processor."""
    from models.keras_setup import BACKEND  # `processor` needs no Keras

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
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    used = min(cores(), int(threads) or cores()) if threads.isdigit() else cores()
    return f"{used} core{'s' * (used != 1)}, {processor()}"
