"""Fit the density of a VAE's codes, and write it beside its weights.

`python -m train.prior <recipe> --data <dir> [--weights <dir>]`; `train.export` does the
same if the data folder has the training images.
"""

import argparse
import json
from pathlib import Path

import data_utils
from cli import UserError, replacing, run_cli
from models import WEIGHTS


def parse(words=None):
    parser = argparse.ArgumentParser(prog="python -m train.prior", description=__doc__)
    parser.add_argument("recipe", help="a VAE that has weights")
    parser.add_argument("--data", required=True, help="the data it was trained on")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    return parser.parse_args(words)


def main(words=None):
    args = parse(words)
    from models.trained import Trained

    trained = Trained(args.recipe, args.weights)
    if "encoder" not in trained.recipe.networks:
        raise UserError(f"{args.recipe}: no VAE; only codes have a density to fit")
    card = trained.card | {"prior": fit(trained, args.data, trained.folder)}
    with replacing(trained.folder / "card.json", "w") as file:
        file.write(json.dumps(card, indent=1) + "\n")
    print(
        f"{trained.folder / card['prior']['file']}: of {card['prior']['images']:,} codes"
    )
    return 0


def fit(trained, data, folder):
    """Fit the density to the codes of the training images; write `prior.npz`.

    Args:
        trained: `Trained` weights of a VAE.
        data: a data folder with the images it was trained on.
        folder: where to write the file.

    Returns:
        its entry of the card: file, sha256, images.

    Raises:
        data_utils.DataError: no training images, or others than in training.
    """
    from models import sampling
    from models.prior import Fitted
    from models.trained import sha256
    from train.feed import digests

    about = trained.card["data"]
    faces = data_utils.load_faces(data, "train", trained.recipe.image_size)
    faces = faces.first(about["images"])
    if digests(faces)["pixels"] != about.get("digests", {}).get("pixels"):
        raise data_utils.DataError(
            f"{faces.folder}: not the images of {about['name']} that "
            f"{trained.recipe.name} was trained on; only their codes have its density"
        )
    path = folder / "prior.npz"
    with replacing(path) as file:
        Fitted.of_codes(*sampling.posterior(trained, faces.images)).save(file)
    return {"file": path.name, "sha256": sha256(path), "images": len(faces.images)}


if __name__ == "__main__":
    run_cli(main)
