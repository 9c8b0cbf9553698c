"""Several machines: one job of several processes, each with one share of every batch.

All of them hold the whole model, start alike and take the same steps. On TensorFlow
each computes its rows and gradients are averaged. On JAX a step is one program over
all processes, whose batch is one array with rows on each. Process 0 alone writes.
A single process skips all of this.
"""

import contextlib
import json
import os
import sys
import traceback

import numpy as np

from cli import UserError
from models.keras_setup import BACKEND, quiet_stderr

rank, count = 0, 1  # which process of the job this is, and of how many
replica, replicas = 0, 1  # the same where batch norm and dropout see a share alone
_strategy = _average = _mesh = None  # TensorFlow's two, JAX' one
_JAX = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


def join(batch):
    """Become a process of the job that the environment describes, if it does.

    TensorFlow reads TF_CONFIG, JAX its three variables (of which the last two come
    from Slurm or Open MPI where they are missing). Waits until all are there.

    Args:
        batch: images a step, of all processes together.

    Raises:
        UserError: the environment makes no sense, or `batch` does not divide.
    """
    wanted, other = "TF_CONFIG", "JAX_COORDINATOR_ADDRESS"
    if BACKEND == "jax":
        wanted, other = other, wanted
    if other in os.environ and wanted not in os.environ:
        # Each process would train alone, all into the same folder.
        raise UserError(f"{other} is set, but KERAS_BACKEND is {BACKEND}: unset one")
    with quiet_stderr():
        try:
            parts = _join_tensorflow() if BACKEND == "tensorflow" else _join_jax()
            if count > 1:
                _mean(np.zeros(1, "float32"))  # connects all with all, while none is busy
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(f"{wanted}: cannot join the job ({first})") from None
    if batch % parts:
        raise UserError(
            f"batch_size={batch} does not divide into {parts}: it is the batch of all "
            "processes together; set a multiple"
        )


def _join_tensorflow():
    global rank, count, replica, replicas, _strategy, _average
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    cluster = config.get("cluster", {})
    if sum(map(len, cluster.values())) > 1:
        import tensorflow as tf

        _strategy = tf.distribute.MultiWorkerMirroredStrategy()
        count = replicas = _strategy.num_replicas_in_sync
        if count != sum(map(len, cluster.values())):
            raise ValueError("one process a GPU: set CUDA_VISIBLE_DEVICES")
        task, before = config["task"], len(cluster.get("chief", []))  # a chief is first
        rank = replica = task["index"] + (before if task["type"] == "worker" else 0)
        _average = tf.function(average)
    return count


def _join_jax():
    global rank, count, _mesh
    address, *numbers = map(os.environ.get, _JAX)
    if not (address or any(numbers)):
        return 1
    import jax

    jax.distributed.initialize(address, *(n and int(n) for n in numbers))
    rank, count = jax.process_index(), jax.process_count()
    if count == 1:
        return 1
    _mesh = jax.sharding.Mesh(jax.devices(), ("batch",))
    return jax.device_count()


def leave_together(main):
    """Return `main()`; if it fails in a job, end the process at once with its status.

    An ordinary exit would wait for the others, who wait for this one.
    """
    try:
        return main()
    except BaseException as error:
        if count == 1:
            raise
        status, line = getattr(error, "status", 1), f"error: {error}"
        if isinstance(error, KeyboardInterrupt):
            status, line = 130, "stopped"
        elif not isinstance(error, UserError):
            traceback.print_exc()
            line = "error: a process of the job failed; start all again to resume"
        sys.stdout.flush()
        print(line, file=sys.stderr, flush=True)
        os._exit(status)


# ------------------------------------------------------------------- agreement


def agree(**what):
    """Wait for all processes; raise UserError where they do not hold the same."""
    if count == 1:
        return
    import hashlib

    digests = [hashlib.sha256(repr(value).encode()).digest() for value in what.values()]
    mine = np.stack([np.frombuffer(d, "uint8") for d in digests]).astype("float32")
    same = (_mean(mine) == mine).all(1)
    if not same.all():
        with contextlib.suppress(Exception):  # nobody leaves before all know it
            _mean(mine)
        other = ", ".join(name for name, s in zip(what, same, strict=True) if not s)
        raise UserError(f"the processes of this job differ in: {other}; start all alike")


def anyone(flag):
    """Whether `flag` is true in any process."""
    return bool(flag) if count == 1 else bool(_mean(np.float32([bool(flag)]))[0] > 0)


def _mean(array):
    """Mean over the processes of a float32 array of numpy."""
    if BACKEND == "jax":
        from jax.experimental.multihost_utils import process_allgather

        return process_allgather(array).mean(0)
    import tensorflow as tf

    return _average([tf.constant(array)])[0].numpy()


# ---------------------------------------------------------- inside of a step


def local_rows(x):
    """Of an array `(batch, ...)` the rows to compute here: on JAX the array itself,
    spread over the processes."""
    if count == 1:
        return x
    if BACKEND == "jax":
        import jax

        return jax.lax.with_sharding_constraint(x, _sharding("batch"))
    import tensorflow as tf

    return tf.split(x, count)[rank]


def average(tensors):
    """Mean over the processes of float32 tensors, on TensorFlow; same shapes."""
    if count == 1:
        return tensors
    import tensorflow as tf

    def mean(flat):
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.identity(flat))

    # One message instead of one a tensor.
    flat = tf.concat([tf.reshape(t, [-1]) for t in tensors], 0)
    parts = tf.split(
        _strategy.run(mean, (flat,)), [t.shape.num_elements() for t in tensors]
    )
    return [tf.reshape(p, t.shape) for p, t in zip(parts, tensors, strict=True)]


# ------------------------------------------- between processes and JAX' program


def local_order(order):
    """`(d_steps, batch)` -> this process' part of it, `(d_steps, batch / count)`."""
    return np.split(order, count, 1)[rank]


def _sharding(*axes):
    import jax

    return jax.sharding.NamedSharding(_mesh, jax.sharding.PartitionSpec(*axes))


def jit(function, **options):
    """`jax.jit`, whose outputs are whole on every process."""
    import jax

    return jax.jit(
        function, **options | ({"out_shardings": _sharding()} if _mesh else {})
    )


def replicated(tree):
    """Arrays that all processes hold alike -> global arrays, without a copy."""
    if _mesh is None:
        return tree
    import jax

    def one(x):
        pieces = [jax.device_put(x, d) for d in jax.local_devices()]
        return jax.make_array_from_single_device_arrays(x.shape, _sharding(), pieces)

    return jax.tree.map(one, tree)


def global_batch(tree, axis):
    """Each process' rows of a batch -> global arrays, rows along `axis`."""
    if _mesh is None:
        return tree
    import jax

    sharding = _sharding(*[None] * axis, "batch")
    return jax.tree.map(
        lambda x: jax.make_array_from_process_local_data(sharding, x), tree
    )


def addressable(tree):
    """Outputs of `jit` -> arrays of this process alone, without a copy."""
    if _mesh is None:
        return tree
    import jax

    return jax.tree.map(lambda x: x.addressable_data(0), tree)
