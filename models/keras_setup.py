"""Import Keras in one place, quietly where a command of the project does it.

Every module imports Keras from here (`from models.keras_setup import keras`). A process
that has imported Keras before keeps its settings.
"""

import contextlib
import gc
import os
import re
import subprocess
import sys

import numpy as np

from cli import COMMAND, UserError

HOLDER = 'lines=$(cat); [ -z "$lines" ] || printf "%s\\n" "$lines" >&2'


@contextlib.contextmanager
def quiet_stderr():
    """Hold back what native code writes to stderr. It comes out if the process ends
    within the body, or this raises anything but a `UserError`, whose one line says all.

    TF_CPP_MIN_LOG_LEVEL has no effect on lines that are logged before absl is
    initialised, hence the file descriptor itself.
    """
    # Another process, because native code may end this one: abort(), exit().
    holder = subprocess.Popen(["sh", "-c", HOLDER], stdin=subprocess.PIPE)
    sys.stderr.flush()
    saved = os.dup(2)
    os.dup2(holder.stdin.fileno(), 2)
    holder.stdin.close()
    try:
        yield
        holder.kill()
    except UserError:
        holder.kill()
        raise
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        holder.wait()


def _import_keras():
    """Import Keras with the settings that the networks need, whatever keras.json says."""
    mine = "keras" not in sys.modules
    try:
        import keras
    except (ImportError, ValueError, AttributeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"KERAS_BACKEND={os.environ.get('KERAS_BACKEND')}"
        cure = "pip install -r requirements.txt (TensorFlow) or requirements-jax.txt"
        if "configuration" in reason or "'get'" in reason:
            what = f"{os.environ.get('KERAS_HOME', '~/.keras')}/keras.json"
            cure = "mend or remove it"
        elif isinstance(error, AttributeError):
            raise
        elif re.search("memory|failed to map", reason, re.I):
            cure = "free memory, or raise its limit (ulimit -v)"
        raise UserError(f"{what}: {reason}; {cure}") from None
    if mine:
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.set_epsilon(1e-7)
        keras.config.set_dtype_policy("float32")
    return keras


def _import_for_a_command():
    """Import Keras and its backend, quietly; a device that is not there is one line."""
    # The imports make hundreds of thousands of objects that stay; searching them for
    # garbage again and again is a tenth of the processor time of `hw4.sh sample_data`.
    gc.disable()
    # Where JAX is installed, Keras and TensorFlow import it for adapters that nothing
    # here uses: a tenth of the memory.
    unused = os.environ["KERAS_BACKEND"] == "tensorflow" and "jax" not in sys.modules
    if unused:
        sys.modules["jax"] = None
    with quiet_stderr():
        keras = _import_keras()
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.list_physical_devices()  # prints most of its start-up messages
        elif (
            keras.backend.backend() == "jax"
            and "JAX_COORDINATOR_ADDRESS" not in os.environ  # a job comes before devices
        ):
            import jax

            try:
                jax.devices()
            except (AssertionError, RuntimeError) as error:
                reason = (str(error) or "no such device").splitlines()[0]
                what = f"JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS')}"
                raise UserError(f"{what}: {reason}; unset it or use cpu") from None
    if unused:
        del sys.modules["jax"]
    gc.freeze()
    gc.enable()
    return keras


keras = _import_for_a_command() if COMMAND else _import_keras()
BACKEND = keras.backend.backend()


def set_precision(precision):
    """Choose the compute dtype of networks built from now on: "float32", or "bfloat16"
    for bf16 arithmetic with float32 variables, outputs and losses."""
    policies = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
    keras.config.set_dtype_policy(policies[precision])


@contextlib.contextmanager
def in_float32(network):
    """Let a network built for bf16 compute in float32 within the block."""
    layers = list(network._flatten_layers())  # itself, its layers, those inside layers
    policies = [layer.dtype_policy for layer in layers]
    for layer in layers:
        layer.dtype_policy = "float32"
    try:
        yield
    finally:
        for layer, policy in zip(layers, policies, strict=True):
            layer.dtype_policy = policy


def to_numpy(x):
    """A tensor or variable as a numpy array; Keras' function makes NumPy 2 warn."""
    return np.asarray(keras.ops.convert_to_tensor(x))
