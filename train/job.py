"""Several machines: one job of several processes, each with its rows of every batch.

All of them hold the whole model, start alike and take the same steps. On TensorFlow
each computes its rows, and gradients are averaged. On JAX a step is one program over
all processes, and each holds its rows of the batch. Process 0 alone writes. `ALONE` is
the job of a single process; its methods change nothing.
"""

import contextlib
import json
import os
import sys
import traceback

import numpy as np

from cli import UserError
from models.keras_setup import BACKEND, quiet_stderr

_JAX = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")


class Job:
    """A process that trains alone, and what it would share with others.

    Attributes:
        rank, count: which process of the job this is, and of how many.
        parts: how many devices share a batch.
        replica, replicas: the same as rank and count where batch norm and dropout
            see the rows of one process only; 0 and 1 where they see the batch.
    """

    rank, count, parts = 0, 1, 1
    replica, replicas = 0, 1

    def begin(self, batch):
        """Wait for all processes.

        Args:
            batch: images a step, of all processes together.

        Raises:
            UserError: the processes do not reach each other, or `batch` does not
                divide.
        """
        if batch % self.parts:
            raise UserError(
                f"batch_size={batch} does not divide into {self.parts}: it is the batch "
                "of all processes together; set a multiple"
            )

    # --------------------------------------------------------------- agreement

    def agree(self, **what):
        """Wait for all processes; raise UserError if their values differ."""

    def anyone(self, flag):
        """Whether `flag` is true in any process."""
        return bool(flag)

    # ---------------------------------------------------------- inside a step

    def average(self, tensors):
        """Mean over the processes of float32 tensors; the same shapes."""
        return tensors

    # ---------------------------------------------------------- around a step

    def local_order(self, order):
        """`(d_steps, batch)` -> this process' columns, `(d_steps, batch / count)`."""
        return np.split(order, self.count, 1)[self.rank]

    def jit(self, function, **options):
        """`jax.jit`; every process gets the whole of each output."""
        import jax

        return jax.jit(function, **options)

    def replicated(self, tree):
        """Arrays that are the same in all processes -> global arrays, without a copy."""
        return tree

    def global_batch(self, tree, axis):
        """Each process' rows of a batch, along `axis` -> global arrays."""
        return tree

    def addressable(self, tree):
        """Outputs of `jit` -> arrays of this process alone, without a copy."""
        return tree


ALONE = Job()


class Several(Job):
    """One process of several. Subclasses give `_mean(array)`, the mean over the
    processes of a float32 numpy array, and `variable`, where their environment is."""

    def begin(self, batch):
        with reached(self.variable):
            self._mean(np.zeros(1, "float32"))  # connect all, while none is busy
        super().begin(batch)

    def agree(self, **what):
        import hashlib

        digests = [hashlib.sha256(repr(v).encode()).digest() for v in what.values()]
        mine = np.stack([np.frombuffer(d, "uint8") for d in digests]).astype("float32")
        same = (self._mean(mine) == mine).all(1)
        if not same.all():
            with contextlib.suppress(Exception):  # nobody leaves before all know it
                self._mean(mine)
            other = ", ".join(name for name, s in zip(what, same, strict=True) if not s)
            raise UserError(
                f"the processes of this job differ in: {other}; start all alike"
            )

    def anyone(self, flag):
        return bool(self._mean(np.float32([bool(flag)]))[0] > 0)


class TensorFlowJob(Several):
    """A job that TF_CONFIG describes."""

    variable = "TF_CONFIG"

    def __init__(self, config):
        import tensorflow as tf

        cluster, task = config["cluster"], config["task"]
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self.count = sum(map(len, cluster.values()))
        self.replicas = self.parts = self.strategy.num_replicas_in_sync
        before = len(cluster.get("chief", []))  # a chief comes first
        self.rank = task["index"] + (before if task["type"] == "worker" else 0)
        self.replica = self.rank
        self._average = tf.function(self.average)

    def begin(self, batch):
        if self.parts != self.count:
            raise UserError("TF_CONFIG: one process a GPU; set CUDA_VISIBLE_DEVICES")
        super().begin(batch)

    def _mean(self, array):
        import tensorflow as tf

        return self._average([tf.constant(array)])[0].numpy()

    def average(self, tensors):
        import tensorflow as tf

        def mean(flat):
            context = tf.distribute.get_replica_context()
            return context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.identity(flat))

        # One message instead of one a tensor.
        flat = tf.concat([tf.reshape(t, [-1]) for t in tensors], 0)
        parts = tf.split(
            self.strategy.run(mean, (flat,)), [t.shape.num_elements() for t in tensors]
        )
        return [tf.reshape(p, t.shape) for p, t in zip(parts, tensors, strict=True)]


class JaxJob(Several):
    """A job that JAX_COORDINATOR_ADDRESS and its like describe; already initialized."""

    variable = _JAX[0]

    def __init__(self):
        import jax

        self.rank, self.count = jax.process_index(), jax.process_count()
        self.parts = jax.device_count()
        self.mesh = jax.sharding.Mesh(jax.devices(), ("batch",))

    def _mean(self, array):
        from jax.experimental.multihost_utils import process_allgather

        return process_allgather(array).mean(0)

    def _sharding(self, *axes):
        import jax

        return jax.sharding.NamedSharding(self.mesh, jax.sharding.PartitionSpec(*axes))

    def jit(self, function, **options):
        return super().jit(function, **options, out_shardings=self._sharding())

    def replicated(self, tree):
        import jax

        def one(x):
            pieces = [jax.device_put(x, d) for d in jax.local_devices()]
            return jax.make_array_from_single_device_arrays(
                x.shape, self._sharding(), pieces
            )

        return jax.tree.map(one, tree)

    def global_batch(self, tree, axis):
        import jax

        sharding = self._sharding(*[None] * axis, "batch")
        return jax.tree.map(
            lambda x: jax.make_array_from_process_local_data(sharding, x), tree
        )

    def addressable(self, tree):
        import jax

        return jax.tree.map(lambda x: x.addressable_data(0), tree)


# ------------------------------------------------------------- joining, leaving


def join():
    """The `Job` that the environment describes, `ALONE` if it describes none.

    TensorFlow reads TF_CONFIG, JAX its three variables; Slurm or Open MPI stand in for
    the last two of these if they are missing. `begin` then waits for all processes.

    Raises:
        UserError: the environment makes no sense.
    """
    wanted, other = "TF_CONFIG", _JAX[0]
    if BACKEND == "jax":
        wanted, other = other, wanted
    if other in os.environ and wanted not in os.environ:
        # Each process would train alone, all into the same folder.
        raise UserError(f"{other} is set, but KERAS_BACKEND is {BACKEND}: unset one")
    with reached(wanted):
        return _join_jax() if BACKEND == "jax" else _join_tensorflow()


def _join_tensorflow():
    config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    processes = sum(map(len, config.get("cluster", {}).values()))
    return TensorFlowJob(config) if processes > 1 else ALONE


def _join_jax():
    address, *numbers = map(os.environ.get, _JAX)
    if not (address or any(numbers)):
        return ALONE
    import jax

    jax.distributed.initialize(address, *(n and int(n) for n in numbers))
    return JaxJob() if jax.process_count() > 1 else ALONE


@contextlib.contextmanager
def reached(variable):
    """Turn a failure to join or to connect into one line that names the variable."""
    with quiet_stderr():
        try:
            yield
        except Exception as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UserError(f"{variable}: cannot join the job ({first})") from None


def leave_together(job, main):
    """Return `main()`; if it fails in a job of several processes, end this one at once
    with its status.

    An ordinary exit would wait for the others, who wait for this one.
    """
    try:
        return main()
    except BaseException as error:
        if job.count == 1:
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
