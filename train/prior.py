"""Fit the density of a VAE's codes."""

import data_utils
from cli import replacing
from models import sampling
from models.prior import Fitted
from models.trained import sha256
from train.feed import digests


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
