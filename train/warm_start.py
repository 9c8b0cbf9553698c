"""Weights from which a GAN's generator starts as a decoder, so that it does not begin by
drawing one image for every noise.

`python -m train.warm_start <recipe> --data <dir> --weights <dir> [--epochs 1]`, then
`python -m train <recipe> --from <dir>/<recipe> ...`

Images are projected on as many principal components as the noise has numbers, each
scaled to variance 1, so codes have the mean and covariance of the noise. The generator
learns to draw each image from its code (mean squared error). It then draws soft but
different images from noise, and the discriminator's first gradients find something to
improve in each. Starting a GAN from a decoder against mode collapse: Mariani et al. 2018
(BAGAN); principal components of faces: Turk and Pentland 1991.
"""

import argparse
import itertools
import json
import tempfile
from math import inf
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError, run_cli, writable
from models import build, get_recipe
from train.feed import describe, fitted

BATCH = 32
FITTED = 10_000  # images that components are found in: a float copy of them is 0.5 GB
LEVELS = 250  # finest rounding of kernels on disk; training goes on from it at once


def parse(words=None):
    parser = argparse.ArgumentParser(
        prog="python -m train.warm_start", description=__doc__.partition("\n\n")[0]
    )
    parser.add_argument("recipe", help="a recipe with a generator, see python -m models")
    parser.add_argument("--data", required=True, help="data folder, or plain images")
    parser.add_argument("--weights", required=True, type=Path, help="where to write")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=5e-4, help="Adam's, at the start")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    recipe = get_recipe(args.recipe)
    if "generator" not in recipe.networks:
        raise UserError(f"{recipe.name}: no GAN; only a generator has a warm start")
    if args.epochs < 1 or not 0 < args.rate < inf or not 0 <= args.seed < 2**32:
        raise UserError("--epochs and --rate must be above 0, --seed in 0 to 2**32 - 1")
    folder = args.weights / recipe.name
    if folder.exists():
        raise UserError(f"{folder}: exists; give --weights another folder")
    writable(args.weights)
    faces = data_utils.load_faces(args.data, "train", recipe.image_size)
    if len(faces.images) < 2:
        raise UserError(f"{faces.folder}: one image; components need two or more")
    recipe = fitted(recipe, faces)
    card = warm_start(recipe, faces, folder, args.epochs, args.rate, args.seed)
    last = card["warm_start"]
    print(f"{folder}: {card['steps']:,} steps, squared error {last['loss']:.4f}")
    print(f"python -m train {recipe.name} --from {folder} --data ... --run ...")
    return 0


def warm_start(recipe, faces, folder, epochs=1, rate=5e-4, seed=0):
    """Train a new generator as a decoder; write `folder`, whole or not at all.

    Args:
        recipe: a GAN's `Recipe`.
        faces: `data_utils.Faces`, to learn from.
        folder: a new folder with the recipe's name, for `--from`.
        epochs: passes over the images, in batches of 32.
        rate: Adam's learning rate at the start; it falls to 0 along a cosine.
        seed: of the weights and the order.

    Returns:
        the card, a dict.

    Raises:
        UserError: a weight is no longer a number; a smaller rate helps.
    """
    from models.keras_setup import keras
    from models.trained import save, sha256

    keras.utils.set_random_seed(seed)
    generator = build(recipe, "generator")
    images = faces.images
    codes, explained = principal_codes(images, recipe.latent, seed)
    labels = generator.input_shape[-1] - recipe.latent  # these inputs stay unknown: 0
    codes = np.pad(codes, ((0, 0), (0, labels)))

    def batches():
        for step in itertools.count():
            chosen = data_utils.indices(len(images), BATCH, step, seed)
            pixels = data_utils.from_uint8(images[chosen], recipe.pixel_range)
            yield codes[chosen], pixels

    each = -(-len(images) // BATCH)
    steps = epochs * each
    generator.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)), "mse"
    )
    history = generator.fit(
        batches(), epochs=epochs, steps_per_epoch=each, shuffle=False, verbose=2
    ).history
    if not all(np.isfinite(w).all() for w in generator.get_weights()):
        raise UserError(f"--rate {rate:g}: a weight is no longer a number; try a tenth")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".warm-") as made:
        made = Path(made) / folder.name
        made.mkdir()
        path = made / "generator.weights.h5"
        save(generator, path, LEVELS)
        card = {
            "recipe": recipe.resolved(),
            "data": describe(recipe, faces),
            "steps": steps,
            "epochs": epochs,
            "seed": seed,
            "warm_start": {
                "components": min(recipe.latent, len(images) - 1),
                "explained": round(float(explained), 4),
                "loss": round(history["loss"][-1], 5),
            },
            "files": {"generator": {"file": path.name, "sha256": sha256(path)}},
        }
        (made / "card.json").write_text(json.dumps(card, indent=1) + "\n")
        made.rename(folder)
    return card


def principal_codes(images, count, seed=0):
    """(codes, explained): each image's principal components, scaled to variance 1.

    Args:
        images: uint8 `(n, height, width, 3)`; of more than `FITTED`, evenly chosen ones
            give the components.
        count: how many components; the n-th and those after it, which n images do not
            have, are drawn from N(0, 1).
        seed: of the search for the components, and of those draws.

    Returns:
        float32 `(n, count)`, and the share of the images' variance in the components.
    """
    from sklearn.decomposition import PCA

    flat = images.reshape(len(images), -1)
    some = flat[:: -(-len(flat) // FITTED)]
    known = min(count, len(some) - 1)
    mapper = PCA(known, whiten=True, svd_solver="randomized", random_state=seed)
    mapper.fit(some.astype("float32"))
    parts = (flat[k : k + 1000].astype("float32") for k in range(0, len(flat), 1000))
    codes = np.concatenate([mapper.transform(part) for part in parts])
    rest = np.random.default_rng(seed).standard_normal((len(images), count - known))
    codes = np.concatenate([codes, rest], 1).astype("float32")
    return codes, mapper.explained_variance_ratio_.sum()


if __name__ == "__main__":
    run_cli(main)
