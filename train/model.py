"""What every algorithm stands on: networks, optimizers, random numbers, one update.

An algorithm is a `keras.Model` with a short `train_step` (`train.gans`, `train.vae`,
`train.classifier`). `python -m train` and Keras' own `fit` call the same step. How
backends differ is in `train.backend`; a checkpoint holds `state()`.
"""

import importlib
import random

from cli import UserError
from models import RecipeError, build
from models.keras_setup import BACKEND, keras, to_numpy
from train.backend import Adam, approach, average_over_epoch, gradients
from train.job import ALONE

ops = keras.ops


def model_of(recipe, seed=0, job=ALONE):
    """A new model of a recipe; arguments and errors are those of `Algorithm`."""
    return algorithm_of(recipe)(recipe, seed, job)


def algorithm_of(recipe):
    """The class that `recipe.algorithm` names.

    Raises:
        RecipeError: there is none.
    """
    module, _, name = recipe.algorithm.partition(".")
    try:
        return getattr(importlib.import_module(f"train.{module}"), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise RecipeError(
            f"{recipe.name}: algorithm '{recipe.algorithm}': {error}"
        ) from None


def one_step(step):
    """What surrounds an algorithm's step: random numbers of this step before it, the
    averages, the count and the means of an epoch after it.

    `step(self, x, y)` takes float32 images `(d_steps * batch, height, width, 3)` in the
    recipe's pixel range and their labels or None; it returns {name: scalar}.
    """

    def train_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        if len(x.shape) == 5:  # `train.feed` has an axis for the updates of D
            x = ops.reshape(x, (-1, *x.shape[2:]))
            y = None if y is None else ops.reshape(y, (-1, *y.shape[2:]))
        rows = ops.shape(x)[0]
        larger = max if isinstance(rows, int) else ops.maximum
        self.batch = larger(rows // self.recipe.d_steps, 1)  # an epoch's last is smaller
        self.begin()
        logs = step(self, self.pixels(x), y)
        self.end()
        if self.fitting:
            average_over_epoch(self.means, logs)
        return logs

    return train_step


class Algorithm(keras.Model):
    """Networks of one recipe and the algorithm that trains them.

    A subclass has `train_step`, the names of its own `settings`, which become
    attributes, and `averaged`, the roles of which an average is kept.

    Args:
        recipe: a `models.Recipe`.
        seed: weights, noise and dropout are functions of (seed, step).
        job: the `train.job.Job` of several processes.

    Raises:
        RecipeError: the recipe lacks a setting of this class, or has others.

    Attributes:
        networks, average: {role: `keras.Model`}.
        optimized: {role of an optimizer: the variables that it updates}.
    """

    settings = ()
    averaged = ()

    def __init__(self, recipe, seed=0, job=ALONE):
        super().__init__(name=recipe.name)
        self.recipe, self.seed, self.job = recipe, seed, job
        self._check("settings", self.settings, recipe.settings)
        for name, value in recipe.settings.items():
            setattr(self, name, value)
        # Initializers draw their seeds from it. Keras' set_random_seed would import
        # TensorFlow on every backend.
        random.seed(seed)
        self.networks = {role: build(recipe, role) for role in recipe.networks}
        for network in self.networks.values():
            _keep_spectral_kernels(network)
        self.average = {role: build(recipe, role) for role in self.averaged}
        for role, network in self.average.items():
            network.trainable = False
            network.set_weights(self.networks[role].get_weights())
        self.noise_seed = keras.random.SeedGenerator(seed)
        self.step = keras.Variable(0, dtype="int32", trainable=False, name="step")
        inner = [v for n in self.networks.values() for v in n.variables]
        self.seeds = [self.noise_seed.state, *filter(_is_seed, inner)]
        # A loss may read and assign these; JAX treats all other variables as constants.
        self.state_variables = [*inner, self.noise_seed.state, self.step]
        self.optimized = self.optimized_variables()
        self._check("optimizers", self.optimized, recipe.optimizers)
        self.means, self.fitting = {}, False
        self.compile()
        self.built = True

    def _check(self, what, takes, has):
        if set(takes) != set(has):
            takes, has = (", ".join(names) or "none" for names in (takes, has))
            raise RecipeError(
                f"{self.recipe.name}: {self.recipe.algorithm} takes the {what} {takes}, "
                f"the recipe has {has}"
            )

    def optimized_variables(self):
        """{role: variables}: by default those of the network of its name."""
        return {role: n.trainable_variables for role, n in self.networks.items()}

    def compile(self, run_eagerly=False, **optimizers):
        """Take optimizers by role; the recipe's where none is given.

        Raises:
            UserError: a role that the recipe has not.
        """
        super().compile(optimizer=None, run_eagerly=run_eagerly, jit_compile=False)
        if unknown := set(optimizers) - set(self.optimized):
            raise UserError(
                f"no role {', '.join(unknown)}; roles: {', '.join(self.optimized)}"
            )
        self.optimizers = {
            role: optimizers.get(role) or make_optimizer(self.recipe, role)
            for role in self.optimized
        }
        for role, variables in self.optimized.items():
            # An unbuilt optimizer has no variables, so nothing would be restored.
            self.optimizers[role].build(variables)

    def fit(self, *args, **kwargs):
        """Keras' own `fit`, on TensorFlow: images uint8 or in the recipe's pixel range,
        labels where it learns from them; a batch has the images of all updates of D.

        Raises:
            UserError: on JAX, where Keras cannot call a step as a method.
        """
        if BACKEND != "tensorflow":
            raise UserError(f"fit: not on {BACKEND}; use 'python -m train'")
        self.fitting = True  # only then the means of an epoch are of use
        try:
            return super().fit(*args, **kwargs)
        finally:
            self.fitting = False

    @property
    def metrics(self):
        """The means of an epoch, which Keras resets and puts into its history."""
        return list(self.means.values())

    def call(self, noise, training=False):
        """Images of the averaged network: noise or codes `(n, latent + condition)` ->
        float32 `(n, height, width, 3)` in the recipe's pixel range."""
        return self.average[self.recipe.traits.draws](noise, training=False)

    # ---------------------------------------------------------------- a step

    def minimize(self, role, loss, *data):
        """Update the variables of optimizer `role` once by the gradient of `loss(*data)`,
        which returns (scalar, logs); return the logs."""
        variables = self.optimized[role]
        optimized = {id(v) for v in variables}
        state = [v for v in self.state_variables if id(v) not in optimized]
        logs, grads = gradients(lambda: loss(*data), variables, state)
        self.optimizers[role].apply(self.job.average(grads), variables)
        return logs

    def begin(self):
        """Make this step's random numbers a function of (seed, step).

        It sets the state of every generator of noise and dropout, so no random state
        carries over to the next step, and a checkpoint needs none.
        """
        for k, state in enumerate(self.seeds):
            k += self.job.replica * len(self.seeds)  # other numbers for other rows
            start = ops.stack([(self.seed * 1_000_003 + k) % 2**31, self.step * 256])
            state.assign(ops.cast(start, state.dtype))

    def end(self):
        """Update the averages of weights; count the step.

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
        return draw((self.batch, *shape), seed=self.noise_seed, **options)

    def noise(self):
        """The recipe's noise `(batch, latent)`."""
        if self.recipe.noise == "none":
            return ops.zeros((self.batch, self.recipe.latent))
        return self.random(getattr(keras.random, self.recipe.noise), self.recipe.latent)

    def pixels(self, images):
        """uint8 images in [0, 255] -> float32 in the recipe's pixel range; images of
        floats are in it already."""
        if "float" in keras.backend.standardize_dtype(images.dtype):
            return ops.cast(images, "float32")
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


def make_optimizer(recipe, role):
    """The `keras.optimizers` optimizer of a role of a recipe."""
    spec, schedules = recipe.optimizers[role], keras.optimizers.schedules
    rate = spec.learning_rate
    if spec.schedule == "staircase" and spec.decay_steps:
        rate = schedules.ExponentialDecay(rate, spec.decay_steps, spec.decay, True)
    if spec.schedule == "cosine":
        each = {"discriminator": recipe.d_steps, "generator": recipe.g_steps}
        updates = recipe.steps * each.get(role, 1)
        rate = schedules.CosineDecay(rate, updates, alpha=spec.floor)
    if spec.name == "sgd":
        return keras.optimizers.SGD(rate)
    if spec.name == "rmsprop":
        return keras.optimizers.RMSprop(rate, spec.rho, epsilon=spec.epsilon)
    pytorch = spec.name == "pytorch_adam"
    return Adam(rate, spec.beta_1, spec.beta_2, spec.epsilon, pytorch=pytorch)


def _keep_spectral_kernels(network):
    """Let Keras' spectral normalization compute in float32: it assigns the kernel what
    it computed, and in bfloat16 small updates of that would vanish."""
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.SpectralNormalization):
            layer.dtype_policy = layer.layer.dtype_policy = "float32"


def _is_seed(variable):
    return "seed_generator" in variable.path
