"""The page, made of two trained recipes, faces and the files in `web/`.

`web/engine.js` runs the networks that `portable.py` packs, `web/normal.js` draws the
noise of a seed as numpy does.
"""

import base64
import gzip
import json
import re
from pathlib import Path

import numpy as np

import data_utils
from cli import UserError
from inference.edit import directions
from models import sampling
from page.portable import packed

WEB = Path(__file__).resolve().parent / "web"
SCRIPTS = ("engine", "normal", "page")
SLIDERS = 12  # axes of the code that have a slider
FACES = 10_000  # encoded at most
FIRST = ("Smiling", "Bangs", "Wearing_Lipstick", "Blond_Hair")  # sliders, in order


def build(generator, vae, folder):
    """Make the page.

    Args:
        generator, vae: `Trained` weights, which draw from noise and from codes.
        folder: faces to fit the VAE's sliders to, a data folder.

    Returns:
        (the page, bytes; the size of each network, in words).

    Raises:
        UserError: unusable weights or faces, or a network that a page cannot run.
    """
    if (noise := generator.recipe.noise) != "normal":
        name = generator.recipe.name
        raise UserError(f"{name}: the page draws normal noise, not {noise}")
    split = "train" if (folder / "train").is_dir() else "test"
    faces = data_utils.load_faces(folder, split, vae.recipe.image_size)
    faces = faces.first(min(FACES, len(faces.images)))
    sources = {"generator": generator, "encoder": vae, "decoder": vae}
    plans, blobs = {}, {}
    for role, trained in sources.items():
        plans[role], blob = packed(trained.network(role))
        blobs[role] = gzip.compress(blob, 6, mtime=0)
    terms = dict.fromkeys(trained.card["terms"] for trained in sources.values())
    data = {
        "networks": plans,
        "generator": about_generator(generator),
        "vae": about_vae(vae, faces),
        "origin": origin(generator, "generator") + origin(vae, "encoder", "decoder"),
        "licence": " ".join([*terms, "No face here is of a real person."]),
    }
    sizes = (f"{role} {len(blob) / 1e6:.1f} MB" for role, blob in blobs.items())
    return filled(data, blobs), ", ".join(sizes)


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
    prior, table = trained.prior, faces.attributes
    axes = prior.axes.T[::-1]  # the longest first
    total = np.square(prior.factor.astype("float64")).sum()
    # Attributes that differ between the faces; none without a CSV.
    names = [] if table is None else [n for n in table if 0 < table[n].mean() < 1]
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    along = directions(codes, table[names].to_numpy()) if names else codes[:0]
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


def origin(trained, *roles):
    """Rows of the table at the foot of the page: how it was trained, which files."""
    files = [trained.card["files"][role] for role in roles]
    rows = [[entry["file"], f"sha256 {entry['sha256']}"] for entry in files]
    return [[trained.recipe.name, trained.origin()], *rows]


def _text(data):
    return base64.b64encode(data).decode()


def _floats(array):
    return _text(np.ascontiguousarray(array, "<f4").tobytes())
