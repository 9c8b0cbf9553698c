"""`python -m inference edit`: move real faces along attributes in a VAE's codes.

The direction of an attribute is the difference between the mean code of the faces with
it and that of the faces without it (Larsen et al. 2016). It also changes what correlates
with the attribute in the data.
"""

import numpy as np

import data_utils
from cli import DataError, UserError, file_of_kind
from inference import figures, options
from models import sampling

MOST = 10_000  # faces to compute directions from
ROWS = 300  # of a sheet; JPEG ends at 65,500 pixels
STRENGTHS = np.arange(-2, 2.1, 0.5)  # 1 is the difference of the means


def run(args):
    """Draw test faces, one row an attribute, strength from left to right.

    Raises:
        UserError: unusable recipe, data, faces, attributes or file.
    """
    file_of_kind(args.out, (".jpg", ".jpeg"))
    chosen = options.numbers(args.faces, "--faces")
    trained = options.of_vae(args.recipe, args.weights)
    size = trained.recipe.image_size
    test = data_utils.load_faces(args.data, "test", size)
    if max(chosen) >= len(test.images):
        last = len(test.images) - 1
        raise UserError(f"--faces {args.faces}: {test.folder} has 0 to {last}")
    learned = test
    if (args.data / "train.csv").exists():
        learned = data_utils.load_faces(args.data, "train", size)
    learned = learned.first(MOST)
    names = args.attributes or learned.columns
    if len(chosen) * len(names) > ROWS:
        raise UserError(
            f"--faces {args.faces}: {len(chosen)} faces and {len(names)} attributes are "
            f"more than {ROWS} rows; give fewer"
        )
    labels = np.stack([learned.label(name) for name in names], 1)
    for name, alike in zip(names, np.ptp(labels, axis=0) == 0, strict=True):
        if alike:
            why = f"{name} is the same in all {len(labels):,} images; give others"
            raise DataError(f"{learned.folder}: {why}")

    axes = directions(sampling.encode(trained, learned.images), labels)
    codes = sampling.encode(trained, test.images[chosen])
    rows, images = [], []
    for name, axis in zip(names, axes, strict=True):
        for k, code in zip(chosen, codes, strict=True):
            moved = sampling.render(trained, along(code, axis))
            images += [test.images[k : k + 1], moved]
            rows.append(name if len(chosen) == 1 else f"{name}, {k}")
    places = ", ".join(map(str, chosen))
    title = (
        f"Codes of test faces {places} moved along attributes; 1 is the difference of\n"
        f"the class means of {len(learned.images):,} images of {learned.folder.name}"
    )
    columns = ["test image", *(f"{s:+g}" if s else "0" for s in STRENGTHS)]
    figure = figures.sheet(np.concatenate(images), len(columns), title, rows, columns)
    figures.save(figure, args.out, trained.origin())
    print(f"{len(names)} attributes of {len(chosen)} faces are in {args.out}")
    return 0


def directions(codes, labels):
    """Difference of class means, with the attribute minus without it: codes `(n, latent)`
    and labels `(n, attributes)` of 0 and 1 -> float64 `(attributes, latent)`."""
    has = labels.astype(bool)
    return np.stack([codes[h].mean(0) - codes[~h].mean(0) for h in has.T])


def along(code, axis):
    """A code `(latent,)` plus each of `STRENGTHS` times an axis: float32
    `(strengths, latent)`."""
    return (code + STRENGTHS[:, None] * axis).astype("float32")
