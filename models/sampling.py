"""From noise or codes to images, and back, with trained networks."""

import itertools
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError
from models import default_conditions, latents
from models.keras_setup import keras, to_numpy

PART = 256  # images that `rebuilt` makes at a time
BATCHES = (16, 128)  # for batch-norm statistics: batches, images in each


def run_network(network, inputs, batch=64, prepare=None, compiled=None):
    """Apply a network in inference mode, in batches.

    Args:
        network: a `keras.Model`.
        inputs: array `(n, ...)`, float32 unless `prepare` makes it so.
        batch: inputs at a time.
        prepare: called with each batch of inputs, such as uint8 images.
        compiled: whether to compile the network first; default: if there is much to do.

    Returns:
        float32 array `(n, ...)`, or a list of them for several outputs.
    """
    if compiled is None:
        compiled = len(inputs) > 512
    parts = []
    for k in range(0, len(inputs), batch):
        x = inputs[k : k + batch] if prepare is None else prepare(inputs[k : k + batch])
        out = network.predict_on_batch(x) if compiled else network(x, training=False)
        out = out if isinstance(out, (list, tuple)) else [out]
        parts.append([to_numpy(o) for o in out])
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return joined if len(joined) > 1 else joined[0]


def reconstruct(trained, images, at=None):
    """Encode and decode uint8 images with a VAE, by the posterior mean: float32, the
    images' shape, in the recipe's pixel range. `at` is as in `draw`."""
    return decode(trained, posterior(trained, images, at)[0], at)


def encode(trained, images):
    """The codes (posterior means) of uint8 images: float32 `(n, latent)`."""
    return posterior(trained, images)[0]


def posterior(trained, images, at=None):
    """Means and log variances of the codes of uint8 images: float32 `(n, latent)`."""
    encoder = trained.network("encoder", at)
    # Not compiled, however many: an image's code is then the same to the last bit.
    return tuple(run_network(encoder, images, prepare=_pixels(trained), compiled=False))


def _pixels(trained):
    """uint8 images -> what a network of these weights takes."""
    return lambda images: data_utils.from_uint8(images, trained.recipe.pixel_range)


def decode(trained, codes, at=None):
    """Images that a VAE decodes from codes: float32, in the recipe's pixel range."""
    return run_network(trained.network("decoder", at), codes)


def rebuilt(trained, codes):
    """As `decode`, in parts of `PART` images: a test set is never all in memory."""
    decoder, many = trained.network("decoder"), len(codes) > PART
    for k in range(0, len(codes), PART):
        yield run_network(decoder, codes[k : k + PART], compiled=many)


def label_table(folder, recipe):
    """`labels.csv` beside the weights of a recipe of several attributes at once: int
    `(rows, attributes)`, the attributes of training images; None for other recipes.

    Raises:
        UserError: missing or unreadable.
    """
    if recipe.traits.conditioned_on != "attributes":
        return None
    path = Path(folder) / "labels.csv"
    try:
        return np.loadtxt(path, "int32", delimiter=",", skiprows=1, ndmin=2)
    except (OSError, ValueError):
        wrong = "unreadable" if path.exists() else "missing"
        cure = "git checkout restores that of weights, resuming that of a run"
        raise UserError(f"{path}: {wrong}; {cure}") from None


def conditions_of(trained, seeds):
    """The condition of each seed's image by default; see `models.default_conditions`.

    Raises:
        UserError: the recipe needs `labels.csv`, and it is not there.
    """
    table = label_table(trained.folder, trained.recipe)
    return default_conditions(trained.recipe, seeds, table)


def draw(trained, seeds, labels=None, at=None, truncation=1.0, prior="normal"):
    """Draw images with a generator or decoder; image k is a function of seed k.

    Args:
        trained: `Trained` weights.
        seeds: integers, one an image.
        labels: their conditions, see `models.latents`; default: `conditions_of`.
        at: the epoch of a snapshot; None for the networks of the end.
        truncation: see `models.latents`.
        prior: of a VAE: "normal" is N(0, I), "fitted" the density of `models.prior`.

    Returns:
        uint8 `(n, height, width, 3)`.
    """
    if labels is None and trained.recipe.condition:
        labels = conditions_of(trained, seeds)
    noise = latents(trained.recipe, seeds, labels, truncation)
    if prior == "fitted":
        noise = trained.prior.codes(noise)
    return render(trained, noise, at)


def render(trained, noise, at=None):
    """Like `draw`, but from noise or codes, float32 `(n, latent + condition)`."""
    network = trained.network(trained.recipe.traits.draws, at)
    return as_images(trained, run_network(network, noise, batch=16))


def as_images(trained, outputs):
    """Outputs of a generator or decoder, in its pixel range -> uint8 images."""
    return data_utils.to_uint8(outputs, trained.recipe.pixel_range)


def judged(trained, images):
    """All answers of the discriminator to uint8 images: [float32 `(n, units)`].

    It sees them as in training: with the recipe's `image_noise`, the same on each image.
    """
    network, pixels = trained.network("discriminator"), _pixels(trained)
    noise = np.random.default_rng(0).standard_normal(images.shape[1:], "float32")
    noise *= trained.recipe.noise_on_pixels
    answers = run_network(network, images, prepare=lambda x: pixels(x) + noise)
    return answers if isinstance(answers, list) else [answers]


def realness(trained, images):
    """The discriminator's answer to uint8 images: float32 `(n,)`, a probability or a
    critic's score; higher is more real."""
    return judged(trained, images)[0][:, 0]


def walk(keys, steps, between):
    """`steps` points from each key `(n, d)` to the next, by `linear` or `spherical`:
    float32 `((n - 1) * steps + 1, d)`; every `steps`-th row is a key."""
    shares = np.arange(steps) / steps
    legs = [between(a, b, t) for a, b in itertools.pairwise(keys) for t in shares]
    return np.stack([*legs, keys[-1]]).astype("float32")


def linear(a, b, share):
    return (1 - share) * a + share * b


def spherical(a, b, share):
    """The point between a and b at `share` of the angle between them."""
    norms = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / norms, -1, 1)) if norms else 0.0
    if np.sin(angle) < 1e-3:  # the same direction, the opposite one, or none
        return linear(a, b, share)
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


def recompute_batch_norm(generator, recipe, table=None):
    """Recompute the batch-norm statistics of an averaged generator (Brock et al. 2019)
    from `BATCHES` batches of noise and conditions.

    The statistics averaged in training are those of other weights. Their variances are
    larger than those of the averaged weights, which greys the images. The noise comes
    from seeds that no figure draws.
    """
    kind = keras.layers.BatchNormalization  # those of the reports are of it, too
    norms = [x for x in generator._flatten_layers() if isinstance(x, kind)]
    batches, size = BATCHES if norms else (0, 0)
    before = [(norm.momentum, norm.trainable) for norm in norms]
    for k in range(batches):
        for norm in norms:
            norm.momentum = k / (k + 1)  # so it is the mean over batches
            norm.trainable = True  # Keras' layer ignores batches if it is frozen
        seeds = range(10**9 + k * size, 10**9 + (k + 1) * size)
        conditions = default_conditions(recipe, seeds, table)
        generator(latents(recipe, seeds, conditions), training=True)
    for norm, values in zip(norms, before, strict=True):
        norm.momentum, norm.trainable = values
