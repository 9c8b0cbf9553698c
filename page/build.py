"""The page, made of two trained recipes, faces and the files in `web/`.

`web/engine.js` runs the networks that `portable.py` packs, `web/normal.js` draws the
noise of a seed as numpy does; each other script there is a room of the page, or a tool.
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
TOOLS = ("tools", "picture", "normal", "networks", "address", "gif", "takeaway")
ROOMS = ("face", "mix", "guess", "film", "codes", "crop", "photo", "page")
TRUNCATION = 0.7  # to begin with: at 1 five faces of sixteen are broken, here hardly one
CANDIDATES = 100  # seeds that the first face is chosen of
# Of the numbers of a kernel. With fewer some pixel is off by more than 1/255, or a score
# of D by more than a quarter of what scores differ.
BITS = {"generator": 12, "discriminator": 7, "encoder": 10, "decoder": 11}
SLIDERS = 12  # axes of the code that have a slider
PROBES = 32  # random codes that name a slider
FACES = 10_000  # encoded at most
FIRST = ("Smiling", "Bangs", "Wearing_Lipstick", "Blond_Hair")  # sliders, in order


def build(generator, vae, judge, folder, film):
    """Make the page.

    Args:
        generator, vae: `Trained` weights, which draw from noise and from codes.
        judge: a `Judge`, which names the VAE's sliders.
        folder: faces to fit the VAE's sliders to, a data folder.
        film: of `page.film`.

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
    faces = faces.first(FACES)
    roles = [role for role in BITS if role in generator.card["files"]]  # D or not
    sources = dict.fromkeys(roles, generator) | {"encoder": vae, "decoder": vae}
    plans, blobs = {}, {}
    for role, trained in sources.items():
        plans[role], blob = packed(trained.network(role), BITS[role])
        blobs[role] = gzip.compress(blob, 6, mtime=0)
    terms = dict.fromkeys(trained.card["terms"] for trained in sources.values())
    scores, first = None, 0
    if "discriminator" in roles:
        scores = np.sort(realness(generator, 1)[1]).round(3).tolist()
        first = first_seed(generator, judge)
    data = {
        "networks": plans,
        "generator": about_generator(generator, first),
        "discriminator": {"scores": scores},  # of generated faces
        "vae": about_vae(vae, faces, judge),
        "film": film,
        "origin": origin(generator, *roles) + origin(vae, "encoder", "decoder"),
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
    codes = [(WEB / f"{name}.js").read_text() for name in (*TOOLS, *ROOMS)]
    parts = {
        "/*style*/": (WEB / "style.css").read_text(),
        "/*engine*/": (WEB / "engine.js").read_text(),
        "<!--data-->": "\n".join(scripts),
        "<!--scripts-->": "\n".join(f"<script>{code}</script>" for code in codes),
    }
    pattern = "|".join(map(re.escape, parts))
    page = (WEB / "page.html").read_text()
    return re.sub(pattern, lambda found: parts[found[0]], page).encode()


def realness(trained, truncation):
    """The faces of the first seeds, and the scores that D gives them: float32
    `(CANDIDATES,)`. It sees them as on the page: one at a time, without noise."""
    images = sampling.draw(trained, range(CANDIDATES), truncation=truncation)
    pixels = data_utils.from_uint8(images, trained.recipe.pixel_range)
    answers = sampling.run_network(trained.network("discriminator"), pixels, batch=1)
    return images, (answers[0] if isinstance(answers, list) else answers)[:, 0]


def first_seed(trained, judge):
    """The seed of a good first face: D prefers some that are broken, so it is the surest
    smile in D's best quarter."""
    images, scores = realness(trained, TRUNCATION)
    best = np.argsort(-scores)[: CANDIDATES // 4]
    smiling = [name == "Smiling" for name in judge.names]
    return int(best[judge.read(images[best])[:, smiling].sum(1).argmax()])


def _about(recipe):
    return {
        "recipe": recipe.name,
        "latent": recipe.latent,
        "range": list(recipe.pixel_range),
        "size": recipe.image_size,
    }


def about_generator(trained, first):
    """What the page needs to know about the generator: its conditions, which of them
    each seed has by default, and the seed of the first face."""
    recipe = trained.recipe
    kind = recipe.traits.conditioned_on if recipe.condition else None
    table = sampling.label_table(trained.folder, recipe)
    return _about(recipe) | {
        "first": first,
        "truncation": TRUNCATION,
        "attributes": trained.attributes if kind and kind != "category" else [],
        "categories": recipe.condition if kind == "category" else 0,
        "table": [] if table is None else ["".join(map(str, row)) for row in table],
    }


def about_vae(trained, faces, judge):
    """What the page needs to know about the VAE: the main axes of its codes and what
    they change, a density to draw random codes from, the directions of attributes."""
    codes = sampling.encode(trained, faces.images).astype("float64")
    prior, table = trained.prior, faces.attributes
    axes = prior.axes.T[::-1]  # the longest first
    factors = prior.factors[:, ::-1, ::-1]  # lower triangles, now upper ones
    # Attributes that differ between the faces; none without a CSV.
    names = [] if table is None else [n for n in table if 0 < table[n].mean() < 1]
    names.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    along = directions(codes, table[names].to_numpy()) if names else codes[:0]
    return _about(trained.recipe) | {
        "prior": {
            "mean": _floats(prior.mean),
            "axes": _floats(axes),
            "ends": ends(trained, axes[:SLIDERS], judge),
            "shares": prior.shares.tolist(),
            "centres": _floats(prior.centres[:, ::-1]),
            "factors": _floats(factors[:, *np.triu_indices(len(axes))]),  # row by row
            "of": f"{trained.card['data']['images']:,} faces",
        },
        "directions": {"names": names, "codes": _floats(along)},
    }


def ends(trained, axes, judge):
    """What the two ends of each slider are called: [name, name] for each axis.

    They are what changes most from two standard deviations below random codes to two
    above, and names no axis before it: the attributes that fall and rise, or light.
    """
    noise = np.random.default_rng(0).standard_normal((PROBES, trained.recipe.latent))
    codes = trained.prior.codes(noise.astype("float32"))
    named = []
    for axis in axes:
        low, high = (sampling.render(trained, codes + k * axis) for k in (-2, 2))
        change = (judge.read(high) - judge.read(low)).mean(0)
        change = dict(zip(judge.names, change.tolist(), strict=True))
        found = {(a, b): (change[b] - change[a]) / 2 for a in change for b in change}
        brighter = (light(high) - light(low)).mean(0)
        for (a, b), size in zip(LIGHTS, brighter, strict=True):
            found |= {(a, b): size, (b, a): -size}
        pairs = sorted(found, key=found.get, reverse=True)
        used = [set(pair) for pair in named]
        named.append(next(pair for pair in pairs if set(pair) not in used))
    return named


LIGHTS = (
    ("Dark_background", "Light_background"),
    ("Dark_clothes", "Light_clothes"),
    ("Face_in_shadow", "Face_in_light"),
    ("Light_from_the_right", "Light_from_the_left"),
    ("Cool_colours", "Warm_colours"),
)


def light(images):
    """How uint8 images are lit, by `LIGHTS`: `(n, 5)`, shares of the pixel range."""
    size = images.shape[1]
    share, edge, middle = images / 255, size // 6, slice(size // 3, 2 * size // 3)
    grey = share.mean(-1)
    top, bottom, face, left, right, red, blue = (
        part.mean((1, 2))
        for part in (
            *(grey[:, :edge], grey[:, -edge:], grey[:, middle, middle]),
            *(grey[..., : size // 2], grey[..., size // 2 :]),
            *(share[..., 0], share[..., 2]),
        )
    )
    return np.stack([top, bottom, face, left - right, red - blue], 1)


def origin(trained, *roles):
    """Rows at the foot of the page: how it was trained, which files."""
    files = [trained.card["files"][role] for role in roles]
    rows = [[entry["file"], f"sha256 {entry['sha256']}"] for entry in files]
    return [[trained.recipe.name, trained.origin()], *rows]


def _text(data):
    return base64.b64encode(data).decode()


def _floats(array):
    return _text(np.ascontiguousarray(array, "<f4").tobytes())
