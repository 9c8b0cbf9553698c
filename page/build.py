"""The page, made of two trained recipes, faces and the files in `web/`.

`web/engine.js` runs the networks that `portable.py` packs, `web/normal.js` draws the
noise of a seed as numpy does.
"""

import base64
import json
import re
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError
from inference.edit import directions
from models import latents, sampling
from page.portable import Portable, smallest

WEB = Path(__file__).resolve().parent / "web"
SCRIPTS = ("engine", "normal", "page")
SLIDERS = 12  # axes of the code that have a slider
FACES = 10_000  # encoded at most
FIRST = ("Smiling", "Bangs", "Wearing_Lipstick", "Blond_Hair")  # sliders, in order
CELEBA = "hw4_data"  # the data that most shipped weights were trained on


def build(generator, vae, folder, film=None):
    """Make the page.

    Args:
        generator, vae: `Trained` weights, which draw from noise and from codes.
        folder: faces to fit the VAE's sliders to, a data folder.
        film: of `page.film.film_of`.

    Returns:
        (the page, bytes; the size of each network, in words).

    Raises:
        UserError: unusable weights or faces, or a network that a page cannot run.
    """
    split = "train" if (folder / "train").is_dir() else "test"
    faces = data_utils.load_faces(folder, split, vae.recipe.image_size)
    faces = faces.first(min(FACES, len(faces.images)))
    packed = {"generator": packed_generator(generator), **packed_vae(vae, faces)}
    sources = ((generator, ("generator",)), (vae, ("encoder", "decoder")))
    data = {
        "networks": {role: plan for role, (plan, *_) in packed.items()},
        "generator": about_generator(generator),
        "vae": about_vae(vae, faces),
        "film": film,
        "origin": [row for weights, roles in sources for row in origin(weights, roles)],
        "licence": licence(generator, vae),
    }
    sizes = ", ".join(
        f"{role} {len(blob) / 1e6:.1f} MB in {bits} bits"
        for role, (_, blob, bits, _) in packed.items()
    )
    return filled(data, {role: blob for role, (_, blob, *_) in packed.items()}), sizes


def filled(data, networks):
    """The page as bytes, from its parts in `web/`."""
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    scripts = [f'<script type="application/json" id="data">{text}</script>']
    scripts += [
        f'<script type="text/plain" id="network-{name}">{_text(blob)}</script>'
        for name, blob in networks.items()
    ]
    parts = {f"/*{name}*/": (WEB / f"{name}.js").read_text() for name in SCRIPTS}
    parts["/*style*/"] = (WEB / "style.css").read_text()
    parts["<!--data-->"] = "\n".join(scripts)
    pattern = "|".join(map(re.escape, parts))
    page = (WEB / "page.html").read_text()
    return re.sub(pattern, lambda found: parts[found[0]], page).encode()


def packed_generator(trained):
    """(plan, bytes, bits, largest change of a pixel), tried on ten seeds."""
    recipe = trained.recipe
    if recipe.noise != "normal":
        raise UserError(f"{recipe.name}: the page draws normal noise, not {recipe.noise}")
    conditions = sampling.conditions_of(trained, range(10)) if recipe.condition else None
    inputs = latents(recipe, range(10), conditions)
    return smallest(Portable(trained.network("generator")), inputs, in_01(recipe))


def packed_vae(trained, faces):
    """Decoder and encoder, each as `packed_generator`, tried on ten faces; the encoder's
    pixels are those of reconstructions."""
    images = data_utils.from_uint8(faces.images[:10], trained.recipe.pixel_range)
    codes = sampling.encode(trained, faces.images[:10])
    decoder, encoder = (Portable(trained.network(r)) for r in ("decoder", "encoder"))
    pixels = in_01(trained.recipe)
    return {
        "decoder": smallest(decoder, codes, pixels),
        "encoder": smallest(
            encoder, images, lambda z: pixels(sampling.decode(trained, z))
        ),
    }


def in_01(recipe):
    """A function from a network's images to pixels in [0, 1]."""
    low, high = recipe.pixel_range
    return lambda images: (images - low) / (high - low)


def _about(recipe):
    return {
        "recipe": recipe.name,
        "latent": recipe.latent,
        "range": list(recipe.pixel_range),
        "size": recipe.image_size,
    }


def about_generator(trained):
    """What the page needs to know about the generator: its conditions, and which of them
    each seed has by default."""
    recipe = trained.recipe
    kind = recipe.traits.conditioned_on if recipe.condition else None
    table = sampling.label_table(trained.folder, recipe)
    return _about(recipe) | {
        "attributes": trained.attributes if kind and kind != "category" else [],
        "categories": recipe.condition if kind == "category" else 0,
        "table": [] if table is None else ["".join(map(str, row)) for row in table],
    }


def about_vae(trained, faces):
    """What the page needs to know about the VAE: the main axes of its codes, a density
    to draw random codes from, and the directions of attributes."""
    codes = sampling.encode(trained, faces.images).astype("float64")
    prior = trained.prior
    axes = prior.axes.T[::-1]  # the longest first
    total = np.square(prior.factor.astype("float64")).sum()
    names, along = attribute_directions(codes, faces)
    return _about(trained.recipe) | {
        "prior": {
            "mean": _floats(prior.mean),
            "axes": _floats(axes),
            "share": (np.square(axes.astype("float64")).sum(1) / total).tolist(),
            "sliders": min(SLIDERS, len(axes)),
            "shares": prior.shares.tolist(),
            "centres": _floats(prior.centres[:, ::-1]),
            "factors": _floats(prior.factors[:, ::-1, ::-1]),
            "of": f"{trained.card['data']['images']:,} faces",
        },
        "directions": {"names": names, "codes": _floats(along)},
    }


def attribute_directions(codes, faces):
    """(names, directions `(names, latent)`) of the attributes that differ between the
    faces; none without a CSV."""
    table = faces.attributes
    names = [] if table is None else [n for n in table if 0 < table[n].mean() < 1]
    if not names:
        return [], np.zeros((0, codes.shape[1]))
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    return names, directions(codes, table[names].to_numpy())


def licence(*trained):
    """The terms of networks, in words; what they were trained on decides."""
    names = sorted({weights.card["data"]["name"] for weights in trained})
    heirs = "the networks, and what they draw, inherit"
    terms = f"Trained on {' and '.join(names)}: {heirs} the terms of these images."
    if CELEBA in names:
        terms = "Trained on CelebA, whose agreement allows non-commercial research only: "
        terms += f"{heirs} that."
    return terms + " No face here is of a real person."


def origin(trained, roles):
    """Rows of the table at the foot of the page: how it was trained, which files."""
    files = [trained.card["files"][role] for role in roles]
    rows = [[entry["file"], f"sha256 {entry['sha256']}"] for entry in files]
    return [[trained.recipe.name, trained.origin()], *rows]


def _text(data):
    return base64.b64encode(data).decode()


def _floats(array):
    return _text(np.ascontiguousarray(array, "<f4").tobytes())
