"""`<out>/index.html`: the figures of an output folder with captions, the numbers of its
`results.json`, which weights drew them, and what is missing.

The page is static: it has no script and loads only the figures beside it.
"""

import html
from pathlib import Path

from cli import replacing

WIDE = 2.2  # a figure of this ratio of width to height gets a row of its own
SHOWN = 10  # rows of a table that are not folded
STYLE = Path(__file__).resolve().parent / "gallery.css"

TITLES = {
    "vae": "Problem 1: a variational autoencoder",
    "gan": "Problem 2: a generative adversarial network",
    "acgan": "Problem 3: a generator that is asked for an attribute",
    "infogan": "Bonus: categories found without labels",
    "anime": "Report D: mode collapse and its cures",
    "kl": "Report E: what the KL term does",
    "today": "The same data today",
}
# Captions; {data} is the data folder. A file without a caption is shown under its name.
CAPTIONS = {
    "vae": {
        "fig1_2": "Training: KL divergence and squared error by step.",
        "fig1_3": "Test images of {data}, and below each its reconstruction.",
        "fig1_4": "32 images decoded from the prior N(0, I), image k from seed k.",
        "fig1_5": "t-SNE of the codes of the test images of {data}, by an attribute.",
        "fig1_6": "32 images decoded from the density fitted to the codes of the "
        "training images, the same seeds.",
    },
    "gan": {
        "fig2_2": "Training: losses and the discriminator's accuracy by step.",
        "fig2_3": "32 images from random noise, image k from seed k.",
        "fig2_4": "Boxed: of 256 random images the 8 that the discriminator finds "
        "least real, among the 24 that it finds most real.",
    },
    "acgan": {
        "fig3_2": "Training: losses and accuracies on real and on generated images.",
        "fig3_3": "10 pairs from the same noise: asked for the attribute above, not "
        "asked below.",
    },
    "infogan": {
        "fig4_2": "Training: losses, accuracy, and categories read back, by step.",
        "fig4_3": "5 random faces, one a row, in each of the categories.",
        "fig4_4": "Two categories mixed in one code, in steps.",
    },
    "anime": {
        "fig5_1": "The first 100 training images of {data}.",
        "fig5_2": "16 images of the DCGAN before it collapsed.",
        "fig5_3": "16 images of the WGAN-GP.",
        "fig5_4": "Before and after the collapse, the same noise in a column.",
        "fig5_5": "The cures side by side, the same noise in a column.",
        "fig5_6": "The collapse meter of every run, by epoch and by step.",
        "fig5_7": "16 images of the DCGAN after it collapsed.",
    },
    "kl": {
        "fig6_1": "Negative ELBO, the loss that was minimised, squared error and KL "
        "divergence by epoch.",
        "fig6_2": "Reconstructions of test images of {data} by epoch.",
        "fig6_3": "Samples from the prior and from a fitted mixture beside images of "
        "{data}.",
        "fig6_4": "From the code of one image of {data} to that of another.",
        "fig6_5": "KL divergence of each unit of the code, sorted.",
    },
    "today": {
        "fig7_1": "Training: losses by step.",
        "fig7_2": "32 images from random noise, image k from seed k.",
        "fig7_3": "Faces by row; each attribute switched over, one a column.",
    },
}


def provenance(trained):
    """The weights as `results.json` describes them: recipe, report, steps, sha256."""
    files = {r: e["sha256"] for r, e in trained.card["files"].items() if "/" not in r}
    return {
        "recipe": trained.recipe.name,
        "report": trained.recipe.report,
        "steps": trained.card["steps"],
        "training": trained.origin(),
        "sha256": files,
    }


def write(out, results, missing):
    """Write `<out>/index.html`.

    Args:
        out: folder of the figures.
        results: the contents of `results.json`, {problem: entry}.
        missing: {problem: why it has no figures}.
    """
    shown = [name for name in (*TITLES, *results) if isinstance(results.get(name), dict)]
    shown = list(dict.fromkeys(shown))
    links = "".join(f'<a href="#{_text(n)}">{_text(_title(n))}</a>' for n in shown)
    sections = "".join(_section(out, name, results[name]) for name in shown)
    rows = "".join(
        f"<li><b>{_text(_title(name))}</b>: {_text(why)}</li>"
        for name, why in missing.items()
        if name not in shown
    )
    lacking = f"<section><h2>Not here</h2><ul>{rows}</ul></section>" if rows else ""
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Figures</title>
<link rel="icon" href="data:,">
<style>{STYLE.read_text(encoding="utf-8")}</style>
</head>
<body>
<header><h1>Figures</h1>
<p>Drawn by trained weights; the numbers are those of
<a href="results.json">results.json</a>.</p>
<nav>{links}</nav></header>
<main>{sections}{lacking}</main>
</body>
</html>
"""
    with replacing(out / "index.html") as file:
        file.write(page.encode("utf-8", "surrogateescape"))


def _title(problem):
    return TITLES.get(problem, problem)


def _text(value):
    return html.escape(str(value))


def _section(out, problem, entry):
    captions = CAPTIONS.get(problem, {})
    prefix = next(iter(captions), problem).partition("_")[0]
    found = sorted(path.stem for path in out.glob(f"{prefix}_*.jpg"))
    data = entry.get("data") or "the data folder"
    figures = "".join(_figure(out, stem, captions, data) for stem in found)
    lacking = [stem for stem in captions if stem not in found]
    absent = ""
    if lacking:
        absent = f"<p class='hint'>Not drawn of these weights: {', '.join(lacking)}.</p>"
    sources = entry.get("weights")
    sources = sources if isinstance(sources, list) else [sources]
    return (
        f'<section id="{_text(problem)}"><h2>{_text(_title(problem))}</h2>'
        f'<div class="figures">{figures}</div>{absent}'
        f"<h3>Numbers</h3>{_numbers(entry)}"
        f"<h3>Weights</h3>{''.join(_weights(source) for source in sources)}</section>"
    )


def _figure(out, stem, captions, data):
    from PIL import Image

    with Image.open(out / f"{stem}.jpg") as image:
        width, height = image.size
    caption = _text(captions.get(stem, stem).format(data=data))
    wide = " class='wide'" if width > WIDE * height else ""
    size = f'width="{width}" height="{height}"'
    return (
        f'<figure id="{stem}"{wide}><a href="{stem}.jpg">'
        f'<img src="{stem}.jpg" {size} alt="{caption}"></a>'
        f"<figcaption><b>{stem}</b> {caption}</figcaption></figure>"
    )


def _weights(source):
    if not isinstance(source, dict):
        return f"<p>{_text(source or 'not recorded')}</p>"
    hashes = "".join(
        f"<li>{_text(role)}: sha256 <code>{_text(digest)}</code></li>"
        for role, digest in source.get("sha256", {}).items()
    )
    training = _text(source.get("training", "not recorded"))
    return f"<p>{training}</p><ul class='hint'>{hashes}</ul>"


def _numbers(entry):
    """The numbers of an entry: single ones as rows; groups with the same names, such
    as several runs, as columns of one table."""
    plain, groups = {}, []
    inner = {k: v for k, v in entry.items() if k not in ("weights", "recipe", "data")}
    _gather(inner, "", plain, groups)
    few = dict(list(plain.items())[:SHOWN])
    parts = [_table({"": few})] if few else []
    if len(plain) > SHOWN:
        rest = {name: value for name, value in plain.items() if name not in few}
        parts.append(_folded(f"{len(rest)} more", _table({"": rest})))
    for columns in groups:
        table, what = _table(columns), ", ".join(name for name in columns)
        rows = len(next(iter(columns.values())))
        small = len(columns) > 1 and rows * len(columns) <= 4 * SHOWN
        parts.append(table if small else _folded(what.replace("_", " "), table))
    return "".join(parts) or "<p>None.</p>"


def _folded(what, table):
    return f"<details><summary>{_text(what)}</summary>{table}</details>"


def _gather(entry, path, plain, groups):
    """Sort the values of an entry into single ones (`plain`) and tables of columns
    (`groups`)."""
    entry = {name: _numbered(name, value) for name, value in entry.items()}
    inner = {name: value for name, value in entry.items() if isinstance(value, dict)}
    alike = {}
    for name, value in inner.items():
        alike.setdefault(tuple(_flat(value)), {})[name] = value
    for keys, members in alike.items():
        if len(members) > 1 < len(keys) or (len(keys) > SHOWN and _scalars(members)):
            groups.append({name: _flat(value) for name, value in members.items()})
        else:
            for name, value in members.items():
                _gather(value, f"{path}{name} · ", plain, groups)
    plain |= {path + name: value for name, value in entry.items() if name not in inner}


def _numbered(name, value):
    """A list of dicts, such as one for each category, as a dict of them."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {f"{name} {k}": part for k, part in enumerate(value)}
    return value


def _scalars(members):
    return not any(isinstance(v, dict) for one in members.values() for v in one.values())


def _flat(value, path=""):
    found = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            found |= _flat(inner, f"{path}{name} · ")
        else:
            found[path + name] = inner
    return found


def _table(columns):
    """A table of columns {name: {key: value}} with the same keys; the last part of a key
    names its row if it is unique."""
    named = [name for name in columns if name]
    head = "".join(f"<th scope='col'>{_text(_words(name))}</th>" for name in named)
    head = f"<thead><tr><td></td>{head}</tr></thead>" if named else ""
    keys = list(next(iter(columns.values())))
    last = [key.split(" · ")[-1] for key in keys]
    rows = "".join(
        f"<tr><th scope='row'>{_text(_words(end if last.count(end) == 1 else key))}</th>"
        + "".join(f"<td>{_text(_value(column[key]))}</td>" for column in columns.values())
        + "</tr>"
        for key, end in zip(keys, last, strict=True)
    )
    return f"<div class='scroll'><table class='numbers'>{head}{rows}</table></div>"


def _words(name):
    return name.replace("_", " ")


def _value(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(str(_value(part)) for part in value)
    return "-" if value is None else value
