"""Several machines: one job of several processes, each with its rows of every batch.

All of them hold the whole model, start alike and take the same steps. On TensorFlow
`tf.distribute` averages their gradients. On JAX a step is one program over all
processes. Process 0 alone writes. `ALONE` is the job of a single process.
"""

import contextlib
import hashlib
import json
import os
import signal
import sys
import traceback

import numpy as np

from cli import UserError
from models.keras_setup import BACKEND, quiet_stderr

if BACKEND == "jax":
    import jax
    from jax.experimental.multihost_utils import process_allgather
    from jax.sharding import NamedSharding, PartitionSpec
elif BACKEND == "tensorflow":
    import tensorflow as tf

VARIABLES = ("TF_CONFIG",)
if BACKEND == "jax":
    VARIABLES = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


class Job:
    """A process that trains alone.

    Attributes:
        rank, count: which process of the job this is, and of how many.
        parts: how many devices share a batch.
        replica, replicas: the same as rank and count where batch norm and dropout
            see the rows of one process only; 0 and 1 where they see the batch.
    """

    rank, count, parts = 0, 1, 1
    replica, replicas = 0, 1

    def mean(self, array):
        """Mean over the processes of a float32 numpy array."""
        return array

    def agree(self, what, value):
        """Wait for all processes; raise UserError if their values differ."""
        digest = hashlib.sha256(repr(value).encode()).digest()
        mine = np.frombuffer(digest, "uint8").astype("float32")
        if (self.mean(mine) != mine).any():
            with contextlib.suppress(Exception):  # no process leaves before all know it
                self.mean(mine)
            raise UserError(
                f"the processes of this job differ in: {what}; start all alike"
            )

    def anyone(self, flag):
        """Whether `flag` is true in any process."""
        return bool(self.mean(np.float32([bool(flag)]))[0] > 0)

    def average(self, tensors):
        """Inside a step: mean over the processes of float32 tensors; the same shapes."""
        return tensors

    def local_order(self, order):
        """`(d_steps, batch)` -> this process' columns, `(d_steps, batch / count)`."""
        return np.split(order, self.count, 1)[self.rank]

    def jit(self, function, data):
        """Compile a JAX function of (values, data, order, count): `data` are the same
        arrays in each call, each process has its columns of `order`.

        Returns:
            (values, order, count) -> what the function returns; `values` are used up.
        """
        compiled = jax.jit(function, donate_argnums=0)
        return lambda values, order, count: compiled(values, data, order, count)


ALONE = Job()


class TensorFlowJob(Job):
    """One process of those that TF_CONFIG describes."""

    def __init__(self, config):
        cluster, task = config["cluster"], config["task"]
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self.count = self.parts = self.replicas = sum(map(len, cluster.values()))
        if self.strategy.num_replicas_in_sync != self.count:
            raise UserError("one process a GPU; set CUDA_VISIBLE_DEVICES")
        before = len(cluster.get("chief", []))  # a chief comes first
        self.rank = task["index"] + (before if task["type"] == "worker" else 0)
        self.replica = self.rank
        self.compiled = tf.function(self.average)

    def mean(self, array):
        return self.compiled([tf.constant(array)])[0].numpy()

    def average(self, tensors):
        def reduce(flat):
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.identity(flat))

        # One message instead of one a tensor.
        flat = tf.concat([tf.reshape(t, [-1]) for t in tensors], 0)
        sizes = [t.shape.num_elements() for t in tensors]
        parts = tf.split(self.strategy.run(reduce, (flat,)), sizes)
        return [tf.reshape(p, t.shape) for p, t in zip(parts, tensors, strict=True)]


class JaxJob(Job):
    """One process of those that JAX_COORDINATOR_ADDRESS and its like describe."""

    def __init__(self):
        self.rank, self.count = jax.process_index(), jax.process_count()
        self.parts = jax.device_count()
        mesh = jax.sharding.Mesh(jax.devices(), ("batch",))
        self.same = NamedSharding(mesh, PartitionSpec())
        self.columns = NamedSharding(mesh, PartitionSpec(None, None, "batch"))

    def mean(self, array):
        return process_allgather(array).mean(0)

    def replicated(self, x):
        """An array that is the same in all processes -> a global one, without a copy."""
        pieces = [jax.device_put(x, d) for d in jax.local_devices()]
        return jax.make_array_from_single_device_arrays(x.shape, self.same, pieces)

    def jit(self, function, data):
        compiled = jax.jit(function, donate_argnums=0, out_shardings=self.same)
        data = jax.tree.map(self.replicated, data)
        from_local = jax.make_array_from_process_local_data

        def run(values, order, count):
            order = [from_local(self.columns, x) for x in order]
            values = jax.tree.map(self.replicated, values)
            found = compiled(values, data, order, count)
            return jax.tree.map(lambda x: x.addressable_data(0), found)

        return run


# ------------------------------------------------------------- joining, leaving


def join():
    """Wait for all processes of the job that the environment describes.

    TensorFlow reads TF_CONFIG, JAX its three variables; Slurm or Open MPI stand in for
    the last two of these if they are missing.

    Returns:
        a `Job`, `ALONE` if the environment describes none.

    Raises:
        UserError: the environment makes no sense, or processes do not reach each other.
    """
    if not any(map(os.environ.get, VARIABLES)):
        return ALONE
    print(f"{VARIABLES[0]}: waits for all processes of the job", flush=True)
    # Ctrl-C and SIGTERM end the wait, in native code, too.
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(n, signal.SIG_DFL) for n in numbers]
    try:
        with quiet_stderr():
            job = _described()
            job.mean(np.zeros(1, "float32"))  # connect all, while none is busy
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{VARIABLES[0]}: cannot join the job ({first})") from None
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    return job


def _described():
    if BACKEND == "jax":
        address, *numbers = map(os.environ.get, VARIABLES)
        jax.distributed.initialize(address, *(n and int(n) for n in numbers))
        return JaxJob() if jax.process_count() > 1 else ALONE
    config = json.loads(os.environ["TF_CONFIG"])
    processes = sum(map(len, config.get("cluster", {}).values()))
    return TensorFlowJob(config) if processes > 1 else ALONE


def leave_together(job, main):
    """Return `main()`; if it fails in a job of several processes, end this one at once
    with its status: an ordinary exit would wait for the others, who wait for this one."""
    try:
        return main()
    except BaseException as error:
        if job.count == 1:
            raise
        status, line = getattr(error, "status", 1), error
        if not isinstance(error, UserError):
            traceback.print_exc()
            line = "a process of the job failed; start all again to resume"
        sys.stdout.flush()
        print(f"error: {line}", file=sys.stderr, flush=True)
        os._exit(status)
