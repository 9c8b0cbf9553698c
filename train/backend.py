"""What differs between backends in a step: gradients, the update of Adam, and how steps
are compiled.

On TensorFlow one step is compiled and gets each batch from the host. On JAX with an
accelerator the images stay on the device, batches are gathered there, and one call runs
many steps.
"""

import numpy as np

from cli import UserError
from models.keras_setup import BACKEND, keras

if BACKEND == "tensorflow":
    import tensorflow as tf
elif BACKEND == "jax":
    import jax
    import jax.numpy as jnp
else:
    raise UserError(f"KERAS_BACKEND={BACKEND}: training needs tensorflow or jax")


def gradients(loss_fn, variables, state):
    """Run `loss_fn() -> (loss, logs)` and differentiate.

    Args:
        loss_fn: reads `variables`, may read and assign `state`.
        variables: list of `keras.Variable`s to differentiate by.
        state: all other variables that it may use: batch-norm statistics, seeds, the
            step, and networks that do not train now.

    Returns:
        (logs, [d loss / d variable]).
    """
    values = [v.value for v in variables]
    if BACKEND == "tensorflow":
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            loss, logs = loss_fn()
        return logs, tape.gradient(loss, values)

    rest = [(v, v.value) for v in state]

    def pure(values):
        # A scope does not see the values of the scope around it, so pass all of them.
        with keras.StatelessScope([*zip(variables, values, strict=True), *rest]):
            loss, logs = loss_fn()
            return loss, (logs, [v.value for v in state])

    (_, (logs, after)), grads = jax.value_and_grad(pure, has_aux=True)(values)
    _assign(state, after)
    return logs, grads


def input_gradient(fn, x, state):
    """d sum(fn(x)) / dx, which can be differentiated again.

    Args:
        fn: `(batch, ...)` -> `(batch, 1)`; may read the variables `state`, and assign
            those that are not trainable.
        x: float32 `(batch, ...)`.

    Returns:
        float32, the shape of `x`.
    """
    if BACKEND == "jax":
        pure, assigned = _in_scope(lambda x: keras.ops.sum(fn(x)), state)
        gradient, after = jax.grad(pure, has_aux=True)(x)
        _assign(assigned, after)
        return gradient

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = fn(x)
    return tape.gradient(y, x)


def _in_scope(fn, state):
    """(pure, assigned): pure(*args) -> (fn(*args), the values of the variables `assigned`
    after it). They are those of `state` that are not trainable."""
    scope = [(v, v.value) for v in state]
    assigned = [v for v in state if not v.trainable]

    def pure(*args):
        with keras.StatelessScope(scope):
            return fn(*args), [v.value for v in assigned]

    return pure, assigned


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def now_and_then(now, make, state):
    """`make()`, a pair of float32 scalars, if `now` is true, else zeros without calling
    it. `make` may use the variables `state` as in `input_gradient`."""

    def nothing():
        return tuple(keras.ops.zeros(()) for _ in range(2))

    if BACKEND == "tensorflow":
        return tf.cond(keras.ops.convert_to_tensor(now), make, nothing)

    (made, assigned), (unmade, _) = _in_scope(make, state), _in_scope(nothing, state)
    pair, after = jax.lax.cond(now, made, unmade)
    _assign(assigned, after)
    return pair


class Adam(keras.optimizers.Adam):
    """Adam, with Keras' epsilon or with PyTorch's (see `models.Optimizer`). On
    TensorFlow the update is one fused kernel: the same formula in a quarter of the time,
    because memory is the limit."""

    def __init__(self, *args, pytorch=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.pytorch = pytorch

    def epsilon_at(self, step):
        """The epsilon to add to the uncorrected root at update `step`, from 1 on."""
        if not self.pytorch:
            return self.epsilon
        return self.epsilon * keras.ops.sqrt(1.0 - self.beta_2**step)

    def update_step(self, gradient, variable, learning_rate):
        step = keras.ops.cast(self.iterations + 1, "float32")
        if BACKEND != "tensorflow":
            given, self.epsilon = self.epsilon, self.epsilon_at(step)
            super().update_step(gradient, variable, learning_rate)
            self.epsilon = given
            return

        k = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[k].handle,
            v=self._velocities[k].handle,
            beta1_power=tf.pow(float(self.beta_1), step),
            beta2_power=tf.pow(float(self.beta_2), step),
            lr=tf.cast(learning_rate, "float32"),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon_at(step),
            grad=gradient,
        )


def approach(average, variable, share):
    """average += share * (variable - average)"""
    if BACKEND != "tensorflow":
        average.assign(average + share * (variable - average))
        return

    # The same in two passes over memory instead of three, 5 % of a step of vae_c.
    tf.raw_ops.ResourceApplyGradientDescent(
        var=average.value.handle, alpha=share, delta=average.value - variable.value
    )


def average_over_epoch(means, logs):
    """Count the logs of a step of TensorFlow in `means`, {name: `keras.metrics.Mean`}."""
    for name, value in logs.items():
        if name not in means:
            with tf.init_scope():  # a variable of no function that is being compiled
                means[name] = keras.metrics.Mean(name)
        means[name].update_state(value)


def compiled(model, feed, most):
    """The training steps of `model` on batches of `feed`, compiled.

    Args:
        model: a `train.model.Algorithm`.
        feed: a `train.feed.Feed`.
        most: the largest number of steps in one call.

    Returns:
        (advance, most): `advance(first, count)` runs the steps `first` to
        `first + count - 1` and returns their logs, a dict of floats each;
        `most` is the largest count that pays, which is 1 on a processor.
    """
    if BACKEND == "jax":
        most = 1 if jax.default_backend() == "cpu" else most
        return _jax_steps(model, feed, most), most

    step = tf.function(_tensorflow_step(model), autograph=False)

    def advance(first, count):
        logs = [step(feed(k)) for k in range(first, first + count)]
        return [{name: float(v) for name, v in row.items()} for row in logs]

    return advance, 1


def _tensorflow_step(model):
    """`model.train_step`; in a job, its logs and batch-norm statistics become the means
    over all processes."""
    if model.job.count == 1:
        return model.train_step
    moving = [v for name, v in model.state().items() if "/moving_" in name]

    def step(batch):
        logs = model.train_step(batch)
        means = model.job.average([*logs.values(), *(v.value for v in moving)])
        for variable, mean in zip(moving, means[len(logs) :], strict=True):
            variable.assign(mean)
        return dict(zip(logs, means, strict=False))

    return step


def _jax_steps(model, feed, most):
    """`most` steps a call at the most, on images that stay on the device."""
    variables = [*model.state().values(), *model.seeds]

    def pure(values, batch):
        with keras.StatelessScope(list(zip(variables, values, strict=True))):
            logs = model.train_step(batch)
            return [v.value for v in variables], logs

    def loop(values, data, order, count):
        def one(k, values):
            return pure(values, feed.gather(data, *(x[k] for x in order), xp=jnp))

        def body(k, carry):
            values, logs = one(k, carry[0])
            return values, {name: carry[1][name].at[k].set(v) for name, v in logs.items()}

        _, logs = jax.eval_shape(one, 0, values)
        table = {name: jnp.zeros(most, v.dtype) for name, v in logs.items()}
        if most == 1:  # convolutions in a loop are slow on a processor
            return body(0, (values, table))
        return jax.lax.fori_loop(0, count, body, (values, table))

    loop = model.job.jit(loop, tuple(map(jnp.asarray, feed.data)))

    def advance(first, count):
        # Always `most` rows, so that JAX compiles once.
        order = [feed.order(first + min(k, count - 1)) for k in range(most)]
        order = [np.stack(column) for column in zip(*order, strict=True)]
        values, table = loop([v.value for v in variables], order, count)
        _assign(variables, values)
        table = {name: np.asarray(column) for name, column in table.items()}
        return [{n: float(c[k]) for n, c in table.items()} for k in range(count)]

    return advance
