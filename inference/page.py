"""`python -m inference page`: one HTML file that runs the networks in a browser.

It works offline: `web/engine.js` runs the networks that `portable.py` packs,
`web/normal.js` draws the noise of a seed as numpy does.
"""

import base64
import csv
import io
import json
import re
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError, file_of_kind, replacing
from inference import options
from models.recipes import get_recipe

WEB = Path(__file__).resolve().parent / "web"
SAMPLE_DATA = Path(__file__).resolve().parent.parent / "sample_data"
GENERATORS = ("rpgan_attributes", "acgan_a")  # the first that there are weights of
VAE = "vae_c"
LIMIT = 20 * 10**6  # bytes of the whole page
AXES = 12  # sliders
MORE = 128  # axes that random faces vary along
FIRST = ("Smiling", "Bangs", "Wearing_Lipstick", "Blond_Hair")  # shown before others
FRAMES = 24  # of the film
CELEBA = "hw4_data"  # the name of the data that most shipped weights were trained on


def run(args):
    """Write the page.

    Raises:
        UserError: unusable weights, data, run or file, or a page over 20 MB.
    """
    file_of_kind(args.out, (".html", ".htm"))
    film = film_of(args.run) if args.run else None
    name = args.generator or next(
        (g for g in GENERATORS if (args.weights / g / "card.json").exists()),
        GENERATORS[-1],
    )
    options.drawing_recipe(args.vae, rebuilds=True)
    if get_recipe(options.drawing_recipe(name)).traits.draws != "generator":
        raise UserError(f"--generator {name}: it draws from codes; name it as --vae")

    from models.trained import Trained

    generator, vae = Trained(name, args.weights), Trained(args.vae, args.weights)
    faces = _faces(args.data or SAMPLE_DATA, vae.recipe.image_size)
    networks = {"generator": packed_generator(generator), **packed_vae(vae, faces)}
    data = {
        "networks": {key: plan for key, (plan, _, _, _) in networks.items()},
        "generator": about_generator(generator),
        "vae": about_vae(vae, faces),
        "film": film,
        "origin": [
            *origin(generator, "generator"),
            *origin(vae, "encoder", "decoder"),
        ],
        "licence": licence(generator, vae),
    }
    page = filled(data, {key: blob for key, (_, blob, _, _) in networks.items()})
    if len(page) > LIMIT:
        sizes = ", ".join(f"{k} {len(n[1]) / 1e6:.1f} MB" for k, n in networks.items())
        raise UserError(f"{args.out}: {len(page) / 1e6:.1f} MB, over 20 ({sizes})")
    with replacing(args.out) as file:
        file.write(page)
    for key, (_, blob, bits, change) in networks.items():
        print(
            f"{key}: {len(blob) / 1e6:.1f} MB, {bits} bits a number at most, "
            f"pixels {change:.4f} off at most"
        )
    print(f"{args.out}: {len(page) / 1e6:.1f} MB; open it in a browser")
    return 0


def _faces(folder, size):
    """The faces to compute codes from, with all their attributes."""
    split = "train" if (folder / "train").is_dir() else "test"
    faces = data_utils.load_faces(folder, split, size)
    return faces.first(min(10_000, len(faces.images)))


# --------------------------------------------------------------------- networks


def packed_generator(trained):
    """(plan, bytes, bits, largest change of a pixel), tried on ten seeds."""
    from inference.portable import Portable, smallest
    from models import latents, sampling

    recipe = trained.recipe
    if recipe.noise != "normal":
        raise UserError(f"{recipe.name}: the page draws normal noise, not {recipe.noise}")
    asked = sampling.asked_of(trained, range(10)) if recipe.condition else None
    low, high = recipe.pixel_range
    portable = Portable(trained.network("generator"))
    inputs = latents(recipe, range(10), asked)
    return smallest(portable, inputs, lambda images: (images - low) / (high - low))


def packed_vae(trained, faces):
    """Decoder and encoder, each as `packed_generator`; the encoder's pixels are those
    of reconstructions."""
    from inference.portable import Portable, smallest
    from models import sampling

    low, high = trained.recipe.pixel_range
    images = data_utils.from_uint8(faces.images[:10], trained.recipe.pixel_range)
    codes = sampling.encode(trained, faces.images[:10])

    def pixels(codes):
        return (sampling.decode(trained, codes) - low) / (high - low)

    decoder = Portable(trained.network("decoder"))
    encoder = Portable(trained.network("encoder"))
    return {
        "decoder": smallest(decoder, codes, lambda x: (x - low) / (high - low)),
        "encoder": smallest(encoder, images, pixels),
    }


def about_generator(trained):
    """What the page needs to know about the generator: the attributes it can be asked
    for, and which of them each seed has by default."""
    from models.sampling import label_table

    recipe = trained.recipe
    asked = recipe.traits.asked if recipe.condition else None
    about = {"attributes": [], "categories": 0, "table": []}
    if asked == "category":
        about["categories"] = recipe.condition
    elif asked == "attribute":
        about["attributes"] = [recipe.attribute]
    elif asked == "attributes":
        about["attributes"] = trained.attributes
        table = label_table(trained.folder, recipe)
        about["table"] = ["".join(map(str, row)) for row in table]
    return about | {
        "recipe": recipe.name,
        "latent": recipe.latent,
        "range": list(recipe.pixel_range),
        "size": recipe.image_size,
    }


def about_vae(trained, faces):
    from models import sampling

    codes = sampling.encode(trained, faces.images).astype("float64")
    if "prior" in trained.card:
        prior, fitted_to = trained.prior, trained.card["data"]["images"]
        mean, axes = prior.mean, prior.axes.T[::-1]  # the longest first
        total = np.square(prior.factor.astype("float64")).sum()
        mixture = prior.shares, prior.centres[:, ::-1], prior.factors[:, ::-1, ::-1]
    elif len(codes) < 2:
        raise UserError(f"{faces.folder}: one image; two or more are needed")
    else:
        fitted_to = len(codes)
        mean, (axes, total) = codes.mean(0), principal(np.cov(codes, rowvar=False))
        mixture = np.ones(1), np.zeros((1, len(axes))), np.eye(len(axes))[None]
    share = np.square(axes.astype("float64")).sum(1) / total
    names, moves = attribute_moves(codes, faces)
    return {
        "recipe": trained.recipe.name,
        "latent": trained.recipe.latent,
        "range": list(trained.recipe.pixel_range),
        "size": trained.recipe.image_size,
        "prior": {
            "mean": _floats(mean),
            "axes": _floats(axes),
            "share": share.tolist(),
            "shown": min(AXES, len(axes)),
            "shares": mixture[0].tolist(),
            "centres": _floats(mixture[1]),
            "factors": _floats(mixture[2]),
            "of": f"{fitted_to:,} faces",
        },
        "directions": {"names": names, "codes": _floats(moves)},
    }


def principal(covariance):
    """The main axes of a covariance `(latent, latent)`, at most `MORE`, the longest
    first: (rows, as long as the standard deviations along them, the whole variance)."""
    from scipy.linalg import eigh

    latent = len(covariance)
    last = [max(0, latent - MORE), latent - 1]
    variance, axes = eigh(covariance, subset_by_index=last)
    keep = [k for k in range(len(variance) - 1, -1, -1) if variance[k] > 1e-9]
    return (axes[:, keep] * np.sqrt(variance[keep])).T, np.trace(covariance)


def attribute_moves(codes, faces):
    """(names, directions `(names, latent)`) of the attributes that differ between the
    faces; none without a CSV."""
    from inference.edit import directions

    table, names = faces.attributes, []
    if table is not None:
        names = [name for name in table if 0 < table[name].mean() < 1]
    if not names:
        return [], np.zeros((0, codes.shape[1]))
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return names, directions(codes, table[names].to_numpy())


def licence(*trained):
    """The terms of networks, in a sentence; what they were trained on decides."""
    names = sorted({weights.card["data"]["name"] for weights in trained})
    terms = (
        f"Trained on {' and '.join(names)}: the networks, and what they draw, inherit "
    )
    terms += "the terms of these images."
    if CELEBA in names:
        terms = "Trained on CelebA, whose agreement allows non-commercial research only: "
        terms += "the networks, and what they draw, inherit that."
    return terms + " Nobody in these faces exists."


def origin(trained, *roles):
    """Rows of the table at the foot of the page: how it was trained, which files."""
    files = [trained.card["files"][role] for role in roles]
    rows = [[entry["file"], f"sha256 {entry['sha256']}"] for entry in files]
    return [[trained.recipe.name, trained.origin()], *rows]


# ------------------------------------------------------------------------- film


def film_of(run):
    """The grids of a run folder as JPEG, and its curves.

    Raises:
        UserError: no grids there, or one that cannot be read.
    """
    from inference.film import grids_of, read_grid

    grids = grids_of(run)
    grids = [grids[k] for k in options.spread(len(grids), FRAMES)]
    frames = []
    for path in grids:
        file = io.BytesIO()
        read_grid(path).save(file, "JPEG", quality=80)
        frames.append("data:image/jpeg;base64," + _text(file.getvalue()))
    return {
        "about": f"The training of {run.resolve().name}",
        "steps": [int(path.stem) for path in grids],
        "frames": frames,
        "curves": curves_of(run / "history.csv"),
    }


def curves_of(history, most=300):
    """{"steps": [...], "values": {loss: [...]}} of a run's curves, thinned."""
    try:
        with open(history, newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError:
        rows = []
    rows = [rows[k] for k in options.spread(len(rows), most)]
    kinds = {"d_loss": "discriminator", "g_loss": "generator", "mse": "squared error"}
    values = {
        label: [float(row[name]) if row[name] else None for row in rows]
        for name, label in kinds.items()
        if rows and name in rows[0]
    }
    return {"steps": [int(row["step"]) for row in rows] or [0], "values": values}


# ------------------------------------------------------------------------- page


def filled(data, networks):
    """The page as bytes, from its parts in `web/`."""
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    scripts = [f'<script type="application/json" id="data">{text}</script>']
    for name, blob in networks.items():
        scripts.append(
            f'<script type="text/plain" id="network-{name}">{_text(blob)}</script>'
        )
    parts = {
        f"/*{name}*/": (WEB / f"{name}.js").read_text(encoding="utf-8")
        for name in SCRIPTS
    }
    parts |= {"/*style*/": (WEB / "style.css").read_text(encoding="utf-8")}
    parts |= {"<!--data-->": "\n".join(scripts)}
    pattern = "|".join(re.escape(part) for part in parts)
    page = (WEB / "page.html").read_text(encoding="utf-8")
    return re.sub(pattern, lambda found: parts[found[0]], page).encode()


SCRIPTS = ("engine", "normal", "page")


def _text(data):
    return base64.b64encode(data).decode()


def _floats(array):
    return _text(np.ascontiguousarray(array, "<f4").tobytes())
