"""`python -m inference edit`: move real faces along attributes in a VAE's codes.

The direction of an attribute is the difference between the mean code of the faces with
it and that of the faces without it (Larsen et al. 2016). It also changes what correlates
with the attribute in the data.
"""

import numpy as np

import data_utils
from cli import UserError, file_of_kind
from inference import figures, options

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
    trained = options.weights(args.recipe, args.weights, options.drawable(rebuilds=True))

    from models import sampling  # takes seconds

    size = trained.recipe.image_size
    test = data_utils.load_faces(args.data, "test", size)
    if max(chosen) >= len(test.images):
        raise UserError(
            f"--faces {args.faces}: {test.folder} has 0 to {len(test.images) - 1}"
        )
    learned = test
    if (args.data / "train.csv").exists():
        learned = data_utils.load_faces(args.data, "train", size)
    learned = learned.first(min(MOST, len(learned.images)))
    names = args.attributes or attributes_of(learned)
    if len(chosen) * len(names) > ROWS:
        raise UserError(
            f"--faces {args.faces}: {len(chosen)} faces and {len(names)} attributes are "
            f"more than {ROWS} rows; give fewer"
        )
    labels = np.stack([two_classes(learned, name) for name in names], 1)

    axes = directions(sampling.encode(trained, learned.images), labels)
    codes = sampling.encode(trained, test.images[chosen])
    rows, images = [], []
    for name, move in zip(names, axes, strict=True):
        for k, code in zip(chosen, codes, strict=True):
            moved = sampling.render(trained, moved_by(code, move))
            images.append(np.concatenate([test.images[k : k + 1], moved]))
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


def attributes_of(faces):
    """Names of all attributes.

    Raises:
        DataError: there is no CSV, or none in it.
    """
    if faces.attributes is None or faces.attributes.empty:
        raise data_utils.DataError(
            f"{faces.folder}: no CSV beside it, or one without attributes"
        )
    return list(faces.attributes)


def two_classes(faces, name):
    """One attribute as int `(n,)`, with faces of both classes.

    Raises:
        DataError: unknown attribute, no CSV, or all faces alike.
    """
    label = faces.label(name)
    if label.min() == label.max():
        alike = f"{name} is {label[0]} of all {len(label):,} images"
        raise data_utils.DataError(f"{faces.folder}: {alike}; its direction needs both")
    return label


def directions(codes, labels):
    """Difference of class means: with the attribute minus without it.

    Args:
        codes: `(n, latent)`.
        labels: `(n, attributes)`, 0 and 1 in every column.

    Returns:
        float64 `(attributes, latent)`.
    """
    has = labels.astype(bool)
    return np.stack([codes[h].mean(0) - codes[~h].mean(0) for h in has.T])


def moved_by(code, move):
    """A code `(latent,)` at each of `STRENGTHS` times `move`: float32
    `(strengths, latent)`."""
    return (code + STRENGTHS[:, None] * move).astype("float32")
