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
    try:
        # Another process, because native code may end this one: abort(), exit().
        holder = subprocess.Popen(["sh", "-c", HOLDER], stdin=subprocess.PIPE)
    except OSError:  # no shell here
        yield
        return
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


@contextlib.contextmanager
def _without(*packages):
    """Let imports of packages fail within the block, unless they are imported already.

    Keras and TensorFlow import scikit-learn and JAX wherever these are installed, for
    adapters that nothing here uses: 5 % of the processor time of `hw4.sh sample_data`
    and 180 MB. What needs them imports them itself, later.
    """
    absent = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


@contextlib.contextmanager
def _uncollected():
    """Collect no garbage within the block; freeze what the imports made.

    They make hundreds of thousands of objects that stay; searching them for garbage again
    and again is a tenth of the processor time of `hw4.sh sample_data`.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _import_keras():
    mine = "keras" not in sys.modules
    try:
        import keras
    except (ImportError, ValueError, AttributeError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        if "configuration" in reason or "'get'" in reason:
            home = os.environ.get("KERAS_HOME", "~/.keras")
            raise UserError(f"{home}/keras.json: {reason}; mend or remove it") from None
        if isinstance(error, AttributeError):
            raise
        cure = "pip install -r requirements.txt (TensorFlow) or requirements-jax.txt"
        if re.search("memory|failed to map", reason, re.I):
            cure = "free memory, or raise its limit (ulimit -v)"
        raise UserError(
            f"KERAS_BACKEND={os.environ.get('KERAS_BACKEND')}: {reason}; {cure}"
        ) from None
    if mine:  # these override ~/.keras/keras.json
        keras.config.set_floatx("float32")
        keras.config.set_image_data_format("channels_last")
        keras.config.set_epsilon(1e-7)
        keras.config.set_dtype_policy("float32")
    return keras


def _import_for_a_command():
    # Keras has no JAX arrays to take on TensorFlow.
    unused = ["sklearn"] + ["jax"] * (os.environ["KERAS_BACKEND"] == "tensorflow")
    with quiet_stderr(), _uncollected(), _without(*unused):
        keras = _import_keras()
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.config.list_physical_devices()  # prints most of its start-up messages
        elif "JAX_COORDINATOR_ADDRESS" not in os.environ:  # a job comes before devices
            _check_jax_devices()
        return keras


def _check_jax_devices():
    import jax

    try:
        jax.devices()
    except (AssertionError, RuntimeError) as error:
        platforms, reason = (
            os.environ.get("JAX_PLATFORMS"),
            str(error) or "no such device",
        )
        raise UserError(
            f"JAX_PLATFORMS={platforms}: {reason.splitlines()[0]}; unset it or use cpu"
        ) from None


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


@contextlib.contextmanager
def zeros_at_first():
    """Let layers built within the block start at zero, where Keras' default is random.

    For networks whose weights are read from a file: random numbers are 4 % of the
    processor time of `hw4.sh sample_data`, and 75 MB.
    """
    kind = keras.initializers.VarianceScaling
    drawn = kind.__call__
    kind.__call__ = lambda self, shape, dtype=None: keras.ops.zeros(shape, dtype)
    try:
        yield
    finally:
        kind.__call__ = drawn


def to_numpy(x):
    """A tensor or variable as a numpy array; Keras' function makes NumPy 2 warn."""
    return np.asarray(keras.ops.convert_to_tensor(x))
