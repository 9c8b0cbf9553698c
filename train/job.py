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
    from jax.sharding import NamedSharding, PartitionSpec
elif BACKEND == "tensorflow":
    import tensorflow as tf

JAX = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
VARIABLE = JAX[0] if BACKEND == "jax" else "TF_CONFIG"


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

    def begin(self, batch):
        """Wait for all processes; raise UserError if they do not reach each other, or if
        `batch`, the images of a step of all together, does not divide."""
        if batch % self.parts:
            raise UserError(
                f"batch_size={batch} does not divide into {self.parts}: it is the batch "
                "of all processes together; set a multiple"
            )
        if self.count > 1:
            with joining():
                self.mean(np.zeros(1, "float32"))  # connect all, while none is busy

    def agree(self, **what):
        """Wait for all processes; raise UserError if their values differ."""
        digests = [hashlib.sha256(repr(v).encode()).digest() for v in what.values()]
        mine = np.stack([np.frombuffer(d, "uint8") for d in digests]).astype("float32")
        same = (self.mean(mine) == mine).all(1)
        if not same.all():
            with contextlib.suppress(Exception):  # no process leaves before all know it
                self.mean(mine)
            names = ", ".join(name for name, s in zip(what, same, strict=True) if not s)
            raise UserError(
                f"the processes of this job differ in: {names}; start all alike"
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

    # ------------------------------------------------- around a step on JAX

    def jit(self, function, **options):
        """`jax.jit`; every process gets the whole of each output."""
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


class TensorFlowJob(Job):
    """One process of those that TF_CONFIG describes."""

    def __init__(self, config):
        cluster, task = config["cluster"], config["task"]
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy()
        self.count = sum(map(len, cluster.values()))
        self.replicas = self.parts = self.strategy.num_replicas_in_sync
        before = len(cluster.get("chief", []))  # a chief comes first
        self.rank = task["index"] + (before if task["type"] == "worker" else 0)
        self.replica = self.rank
        self.compiled = tf.function(self.average)

    def begin(self, batch):
        if self.parts != self.count:
            raise UserError("TF_CONFIG: one process a GPU; set CUDA_VISIBLE_DEVICES")
        super().begin(batch)

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
        self.sharding = lambda *axes: NamedSharding(mesh, PartitionSpec(*axes))

    def mean(self, array):
        from jax.experimental.multihost_utils import process_allgather

        return process_allgather(array).mean(0)

    def jit(self, function, **options):
        return jax.jit(function, **options, out_shardings=self.sharding())

    def replicated(self, tree):
        def one(x):
            pieces = [jax.device_put(x, d) for d in jax.local_devices()]
            make = jax.make_array_from_single_device_arrays
            return make(x.shape, self.sharding(), pieces)

        return jax.tree.map(one, tree)

    def global_batch(self, tree, axis):
        sharding = self.sharding(*[None] * axis, "batch")
        make = jax.make_array_from_process_local_data
        return jax.tree.map(lambda x: make(sharding, x), tree)

    def addressable(self, tree):
        return jax.tree.map(lambda x: x.addressable_data(0), tree)


# ------------------------------------------------------------- joining, leaving


def join():
    """The `Job` that the environment describes, `ALONE` if it describes none.

    TensorFlow reads TF_CONFIG, JAX its three variables; Slurm or Open MPI stand in for
    the last two of these if they are missing. `begin` then waits for all processes.

    Raises:
        UserError: the environment makes no sense.
    """
    other = "TF_CONFIG" if BACKEND == "jax" else JAX[0]
    if other in os.environ and VARIABLE not in os.environ:
        # Each process would train alone, all into the same folder.
        raise UserError(f"{other} is set, but KERAS_BACKEND is {BACKEND}: unset one")
    if not any(map(os.environ.get, JAX if BACKEND == "jax" else [VARIABLE])):
        return ALONE
    with joining():
        if BACKEND == "jax":
            address, *numbers = map(os.environ.get, JAX)
            jax.distributed.initialize(address, *(n and int(n) for n in numbers))
            return JaxJob() if jax.process_count() > 1 else ALONE
        config = json.loads(os.environ[VARIABLE])
        processes = sum(map(len, config.get("cluster", {}).values()))
        return TensorFlowJob(config) if processes > 1 else ALONE


@contextlib.contextmanager
def joining():
    """Say what is waited for, let Ctrl-C and SIGTERM end the wait, in native code, too,
    and turn a failure into one line that names the variable."""
    print(f"{VARIABLE}: waits for all processes of the job", flush=True)
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(n, signal.SIG_DFL) for n in numbers]
    try:
        with quiet_stderr():
            yield
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"{VARIABLE}: cannot join the job ({first})") from None
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def leave_together(job, main):
    """Return `main()`; if it fails in a job of several processes, end this one at once
    with its status: an ordinary exit would wait for the others, who wait for this one."""
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
