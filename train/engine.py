"""The base class of all families: networks, optimizers, randomness, one update.

A family is a subclass with a short `train_step` in Keras ops (`train.families`). What
differs between backends is in `train.backend`; a checkpoint holds `state()`.
"""

import random

from cli import UserError
from models import build
from models.keras_setup import BACKEND, keras, to_numpy
from train.backend import Adam, approach, gradients
from train.job import ALONE

ops = keras.ops


def make_optimizer(spec, updates):
    """A `keras.optimizers` optimizer from a recipe's `Optimizer`; a run has so many
    `updates` by it."""
    rate, schedules = spec.learning_rate, keras.optimizers.schedules
    if spec.schedule == "staircase" and spec.decay_steps:
        rate = schedules.ExponentialDecay(rate, spec.decay_steps, spec.decay, True)
    if spec.schedule == "cosine":
        rate = schedules.CosineDecay(rate, updates, alpha=spec.floor)
    if spec.name == "sgd":
        return keras.optimizers.SGD(rate)
    if spec.name == "rmsprop":
        return keras.optimizers.RMSprop(rate, spec.rho, epsilon=spec.epsilon)
    pytorch = spec.name == "pytorch_adam"
    return Adam(rate, spec.beta_1, spec.beta_2, spec.epsilon, pytorch=pytorch)


class Family(keras.Model):
    """Networks of one recipe and the algorithm that trains them.

    Subclasses define `train_step(data)`, `owned()` (the variables of each optimizer),
    `drawing` (the roles of which an exponential moving average is kept) and
    `sample(noise)`.

    Args:
        recipe: a `models.Recipe`.
        seed: weights, noise and dropout are functions of (seed, step).
        job: the `train.job.Job` of several processes.
    """

    drawing = ()

    def __init__(self, recipe, seed=0, job=ALONE):
        super().__init__(name=recipe.name)
        self.recipe = recipe
        self.seed, self.job = seed, job
        # Initializers draw their seeds from it. Keras' set_random_seed would import
        # TensorFlow on every backend.
        random.seed(seed)
        self.networks = {role: build(recipe, role) for role in recipe.networks}
        self.average = {role: build(recipe, role) for role in self.drawing}
        for role, network in self.average.items():
            network.trainable = False
            network.set_weights(self.networks[role].get_weights())
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.step = keras.Variable(0, dtype="int32", trainable=False, name="step")
        inner = [v for n in self.networks.values() for v in n.variables]
        self.seeds = [self.noise_seed.state, *filter(_is_seed, inner)]
        # A loss may read and assign these. On JAX any other is a constant to it.
        self.touched = [*inner, self.noise_seed.state, self.step]
        self.setup()
        self.moves = self.owned()
        self.optimizers = {}
        for role, variables in self.moves.items():
            each = {"discriminator": recipe.d_steps, "generator": recipe.g_steps}
            updates = recipe.steps * each.get(role, 1)
            self.optimizers[role] = make_optimizer(recipe.optimizers[role], updates)
            # An unbuilt optimizer has no variables, so nothing would be restored.
            self.optimizers[role].build(variables)
        self.built = True

    def fit(self, *args, **kwargs):
        """Keras' own `fit`, with batches from `train.feed.Batches`; on TensorFlow only.

        Raises:
            UserError: on JAX, where Keras cannot call a step as a method.
        """
        if BACKEND != "tensorflow":
            raise UserError(f"fit: not on {BACKEND}; use 'python -m train'")
        return super().fit(*args, **kwargs)

    def setup(self):
        """Called once the networks are built; a family may derive things from them."""

    # ---------------------------------------------------------------- a step

    def minimize(self, role, loss_fn):
        """Update the variables of optimizer `role` once; return the logs of `loss_fn`."""
        variables = self.moves[role]
        owned = {id(v) for v in variables}
        others = [v for v in self.touched if id(v) not in owned]
        logs, grads = gradients(loss_fn, variables, others)
        self.optimizers[role].apply(self.job.average(grads), variables)
        return logs

    def begin(self):
        """Make this step's random numbers a function of (seed, step).

        It sets the state of every generator of noise and dropout, so no random state
        carries over to the next step, and a checkpoint needs none.
        """
        for k, state in enumerate(self.seeds):
            if k:  # dropout of a replica sees its own rows only: another mask for each
                k += self.job.replica * len(self.seeds)
            start = ops.stack([(self.seed * 1_000_003 + k) % 2**31, self.step * 256])
            state.assign(ops.cast(start, state.dtype))

    def end(self):
        """Move the averages of the drawing networks; count the step.

        Batch-norm statistics are averaged too, which Keras' own `use_ema` does not do.
        """
        self.step.assign_add(1)
        seen = ops.cast(self.step, "float32")
        decay = ops.minimum(self.recipe.ema, (1.0 + seen) / (10.0 + seen))
        for role, average in self.average.items():
            pairs = zip(average.variables, self.networks[role].variables, strict=True)
            for a, v in pairs:
                if not _is_seed(a):
                    approach(a, v, 1.0 - decay)

    def random(self, draw, *shape, **options):
        """Random numbers `(batch, *shape)`; `draw` is a function of `keras.random`."""
        shape = (self.recipe.batch_size, *shape)
        return self.job.local_rows(draw(shape, seed=self.noise_seed, **options))

    def noise(self):
        """The recipe's noise `(batch, latent)`."""
        if self.recipe.noise == "none":
            shape = (self.recipe.batch_size, self.recipe.latent)
            return self.job.local_rows(ops.zeros(shape))
        return self.random(getattr(keras.random, self.recipe.noise), self.recipe.latent)

    def pixels(self, images):
        """uint8 images in [0, 255] -> float32 in the recipe's pixel range."""
        low, high = self.recipe.pixel_range
        return ops.cast(images, "float32") * ((high - low) / 255.0) + low

    # ------------------------------------------------------------- its state

    def state(self):
        """Every variable that the next step depends on, by unique name; random state
        is not needed, see `begin`."""
        found = {"step": self.step}
        for kind, group in (("net", self.networks), ("ema", self.average)):
            for role, network in group.items():
                for k, v in enumerate(network.variables):
                    if not _is_seed(v):  # v.name: paths count earlier layers
                        found[f"{kind}/{role}/{k:03d}/{v.name}"] = v
        for role, optimizer in self.optimizers.items():
            # The rate is a setting; Keras lists it only if it has no schedule.
            held = [v for v in optimizer.variables if v.name != "learning_rate"]
            for k, v in enumerate(held):
                found[f"optimizer/{role}/{k:03d}"] = v
        return found

    def learning_rates(self):
        """{role of an optimizer: learning rate of its next update}."""
        return {
            role: float(to_numpy(optimizer.learning_rate))
            for role, optimizer in self.optimizers.items()
        }


def _is_seed(variable):
    return "seed_generator" in variable.path
