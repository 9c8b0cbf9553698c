"""From noise or codes to images, and back: what trained networks make of arrays."""

import itertools
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError
from models import asked, latents
from models.keras_setup import to_numpy
from models.trained import Trained

PART = 512  # images that are float at a time


def run_network(network, inputs, batch=64):
    """Apply a network in inference mode, in batches.

    Args:
        network: a `keras.Model`.
        inputs: float32 array `(n, ...)`.

    Returns:
        float32 array `(n, ...)`, or a list of them for several outputs.
    """
    if len(inputs) > 8 * batch:  # enough to be worth compiling
        return network.predict(inputs, batch, verbose=0)
    parts = []
    for k in range(0, len(inputs), batch):
        out = network(inputs[k : k + batch], training=False)
        out = out if isinstance(out, (list, tuple)) else [out]
        parts.append([to_numpy(o) for o in out])
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return joined if len(joined) > 1 else joined[0]


def reconstruct(trained, images, at=None):
    """Code and rebuild images with a VAE; the code is the posterior mean.

    Args:
        trained: `Trained` weights of a VAE.
        images: uint8 `(n, height, width, 3)`.
        at: an epoch, for the networks as they were then (a snapshot).

    Returns:
        (codes float32 `(n, latent)`, reconstructions float32, the images'
        shape, in the recipe's pixel range).
    """
    codes, _ = posterior(trained, images, at)
    return codes, decode(trained, codes, at)


def encode(trained, images):
    """The codes (posterior means) of uint8 images: float32 `(n, latent)`."""
    return posterior(trained, images)[0]


def posterior(trained, images, at=None):
    """Means and log variances of the codes of uint8 images: float32 `(n, latent)`.

    `at` is an epoch, for the network as it was then (a snapshot).
    """
    encoder, pixel_range = trained.network("encoder", at), trained.recipe.pixel_range
    parts = [
        run_network(encoder, data_utils.from_uint8(images[k : k + PART], pixel_range))
        for k in range(0, len(images), PART)
    ]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def decode(trained, codes, at=None):
    """What a VAE makes of codes: float32 images in the recipe's pixel range."""
    return run_network(trained.network("decoder", at), codes)


def reconstruction_error(images, outputs, pixel_range):
    """Error over all images, pixels and channels.

    Args:
        images: uint8 `(n, height, width, 3)`.
        outputs: float `(n, height, width, 3)` in `pixel_range`.

    Returns:
        dict: n, mse in [-1, 1] and in [0, 1] (one quarter of it), psnr in dB
        (of the mean squared error over the set, peak 1 in [0, 1]), code.
    """
    low, high = pixel_range
    total = 0.0
    for k in range(0, len(images), 256):
        part = data_utils.from_uint8(images[k : k + 256], (0.0, 1.0)).astype("float64")
        other = (outputs[k : k + 256].astype("float64") - low) / (high - low)
        total += float(np.square(part - other).sum())
    mse = total / images.size
    return {
        "n": len(images),
        "mse_minus1_1": 4 * mse,
        "mse_0_1": mse,
        "psnr_db": float(-10 * np.log10(max(mse, 1e-12))),
        "code": "posterior mean",
    }


def label_table(folder):
    """`labels.csv` beside weights: int `(rows, attributes)`, what training images had;
    None where the recipe does not have it.

    Raises:
        UserError: unreadable.
    """
    path = Path(folder) / "labels.csv"
    if not path.exists():
        return None
    try:
        return np.loadtxt(path, "int32", delimiter=",", skiprows=1, ndmin=2)
    except (OSError, ValueError):
        raise UserError(f"{path}: unreadable; restore it with git checkout") from None


def asked_of(trained, seeds):
    """What each seed's image is asked to show by default; see `models.asked`.

    Raises:
        UserError: the recipe needs `labels.csv`, and it is not there.
    """
    table = label_table(trained.folder)
    if trained.recipe.family == "attribute_gan" and table is None:
        raise UserError(f"{trained.folder}/labels.csv: missing; git checkout restores it")
    return asked(trained.recipe, seeds, table)


def draw(trained, seeds, labels=None, at=None, truncation=1.0):
    """Images of a generator or decoder; image k is a function of seed k.

    `labels` is what they are asked to show, see `models.latents`; default:
    `asked_of`.

    `at` is an epoch, for the network as it was then (a snapshot); `truncation` is
    that of `models.latents`.

    Returns:
        uint8 `(n, height, width, 3)`.
    """
    if labels is None and trained.recipe.condition:
        labels = asked_of(trained, seeds)
    noise = latents(trained.recipe, seeds, labels, truncation)
    return render(trained, noise, at)


def render(trained, noise, at=None):
    """As `draw`, from noise or codes: float32 `(n, latent + condition)`."""
    role = "decoder" if trained.recipe.family == "vae" else "generator"
    images = run_network(trained.network(role, at), noise)
    return data_utils.to_uint8(images, trained.recipe.pixel_range)


def realness(trained, images):
    """What D says of uint8 images: float32 `(n,)`, higher is more real (a
    probability, or a critic's score)."""
    pixels = data_utils.from_uint8(images, trained.recipe.pixel_range)
    answer = run_network(trained.network("discriminator"), pixels)
    return (answer[0] if isinstance(answer, list) else answer)[:, 0]


def category_read_back(trained, count=350):
    """How often an InfoGAN's own classifier reads the category asked for.

    Returns:
        dict: n, accuracy, chance.
    """
    wanted = np.arange(count) % trained.recipe.condition
    images = draw(trained, range(1000, 1000 + count), wanted)
    pixels = data_utils.from_uint8(images, trained.recipe.pixel_range)
    read = run_network(trained.network("discriminator"), pixels)[1].argmax(1)
    accuracy, chance = float((read == wanted).mean()), 1 / trained.recipe.condition
    return {"n": count, "accuracy": accuracy, "chance": chance}


def attribute_names(judge):
    """The attributes the attribute network reads, in its outputs' order."""
    return judge.card["data"]["attributes"]


def read_attributes(judge, images):
    """Probabilities of the attributes of uint8 images: float32 `(n, attributes)`."""
    pixels = data_utils.from_uint8(images, judge.recipe.pixel_range)
    return run_network(judge.network("classifier"), pixels)


def asked_and_read(trained, root, count=1000):
    """How often generated faces show the attribute they were asked for, as the
    attribute network reads them.

    Args:
        trained: `Trained` weights of a conditional recipe with one attribute.
        root: where the attribute network's weights lie.
        count: images, image k from seed k; half are asked to have it, half not to.

    Returns:
        dict: n, agreement of both kinds, of those asked on and asked off, and
        the attribute network's own accuracy on real test faces.
    """
    judge = Trained("attributes", root)
    asked = np.arange(count) % 2
    images = draw(trained, range(count), asked)
    return agreement(
        judge, trained.recipe.attribute, asked, read_attributes(judge, images)
    )


def agreement(judge, attribute, asked, read):
    """`asked_and_read`, from classes `(n,)` and what the judge read, `(n, attributes)`.

    Raises:
        UserError: the judge does not read this attribute.
    """
    names = attribute_names(judge)
    if attribute not in names:
        raise UserError(
            f"the attribute network does not read '{attribute}', only {', '.join(names)}"
        )
    agrees = (read[:, names.index(attribute)] > 0.5) == asked
    return {
        "attribute": attribute,
        "n": len(asked),
        "agreement": float(agrees.mean()),
        "agreement_on": float(agrees[asked == 1].mean()),
        "agreement_off": float(agrees[asked == 0].mean()),
        "judge_accuracy_on_real": judge.card["test"]["accuracy"][attribute],
        "judge_n_real": judge.card["test"]["n"],
    }


def attribute_accuracy(judge, faces):
    """The attribute network's accuracy on labelled faces, per attribute.

    Args:
        judge: `Trained` weights of the attribute network.
        faces: `data_utils.Faces` with attributes.

    Returns:
        dict: n, accuracy by attribute, their mean.
    """
    read = read_attributes(judge, faces.images) > 0.5
    accuracy = {
        name: float((read[:, k] == faces.label(name)).mean())
        for k, name in enumerate(attribute_names(judge))
    }
    mean = float(np.mean(list(accuracy.values())))
    return {"n": len(faces.images), "accuracy": accuracy, "mean_accuracy": mean}


def walk(keys, steps, between):
    """From each key to the next in so many steps.

    Args:
        keys: `(n, d)`.
        between: `linear` or `spherical`.

    Returns:
        float32 `((n - 1) * steps + 1, d)`; every `steps`-th row is a key.
    """
    shares = np.arange(steps) / steps
    legs = [between(a, b, t) for a, b in itertools.pairwise(keys) for t in shares]
    return np.stack([*legs, keys[-1]]).astype("float32")


def linear(a, b, share):
    return (1 - share) * a + share * b


def spherical(a, b, share):
    """The point at `share` of the way from a to b at an even angle."""
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if np.sin(angle) < 1e-3:  # the same direction, or the opposite one
        return linear(a, b, share)
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)
