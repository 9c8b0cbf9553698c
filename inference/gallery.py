"""`<out>/index.html`: a table of the problems, then the figures of each with captions and
numbers, and the weights that drew them.

The page is static: it has no script and loads only the figures beside it.
"""

import html
from pathlib import Path

from PIL import Image

from cli import replacing
from inference.problems import SCRIPTS

STYLE = Path(__file__).resolve().parent / "gallery.css"
FOLDED = 15  # rows; a longer table is folded


def write(out, results):
    """Write the page.

    Args:
        out: folder of the figures.
        results: the contents of `results.json`, {script: entry}.
    """
    found = {n: results[n] for n in SCRIPTS if isinstance(results.get(n), dict)}
    rows = "".join(_row(out, name, found.get(name)) for name in SCRIPTS)
    sections = "".join(_section(out, name, entry) for name, entry in found.items())
    head = "".join(f"<th scope='col'>{h}</th>" for h in HEAD)
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
<p>Drawn with trained weights. All numbers: <a href="results.json">results.json</a>.</p>
<table class="overview"><thead><tr>{head}</tr></thead>
<tbody>{rows}</tbody></table></header>
<main>{sections}{_attribute_network(found)}</main>
</body>
</html>
"""
    with replacing(out / "index.html") as file:
        file.write(page.encode("utf-8", "surrogateescape"))


HEAD = ("Problem", "Asked for", "Figures", "Result", "Weights")


def _text(value):
    return html.escape(str(value))


def _drawn(out, name):
    """Names of a script's figures that are in the folder, in the order of captions."""
    return [stem for stem in SCRIPTS[name].captions if (out / f"{stem}.jpg").exists()]


def _sources(entry):
    """The weights of an entry, a list of what `inference.draw.provenance` said."""
    sources = entry.get("weights")
    sources = sources if isinstance(sources, list) else [sources]
    return [source for source in sources if isinstance(source, dict)]


def _row(out, name, entry):
    """The line of a script in the table of all."""
    script = SCRIPTS[name]
    cells = [_text(script.title), _text(script.asks)]
    if entry is None:
        example = f"<code>{_text(script.command)} &lt;data&gt; &lt;out&gt;</code>"
        rest = f'<td colspan="3">not drawn here; {example} draws it</td>'
    else:
        cells[0] = f'<a href="#{name}">{cells[0]}</a>'
        links = [f'<a href="#{stem}">{stem}</a>' for stem in _drawn(out, name)]
        weights = [
            f"{s.get('recipe')} ({s.get('steps', 0):,} steps)" for s in _sources(entry)
        ]
        said = _text(entry.get("said", ""))
        cells += [" ".join(links), said, _text(", ".join(weights))]
        rest = ""
    first, *cells = cells
    cells = "".join(
        f'<td data-head="{head}">{cell}</td>'
        for head, cell in zip(HEAD[1:], cells, strict=False)
    )
    return f"<tr><th scope='row'>{first}</th>{cells}{rest}</tr>"


def _section(out, name, entry):
    script, drawn = SCRIPTS[name], _drawn(out, name)
    data = entry.get("data") or "the data folder"
    figures = "".join(
        _figure(out / f"{stem}.jpg", script.captions[stem].format(data=data))
        for stem in drawn
    )
    absent = ", ".join(stem for stem in script.captions if stem not in drawn)
    absent = f"<p class='hint'>Not drawn with these weights: {absent}.</p>" * bool(absent)
    weights = "".join(
        f"<p class='hint'>{_text(source.get('training', 'weights without a card'))}</p>"
        for source in _sources(entry)
    )
    return (
        f'<section id="{name}"><h2>{_text(script.title)}</h2>'
        f'<div class="figures">{figures}<div class="facts">{absent}'
        f"{_table(entry.get('table') or [])}{weights}</div></div></section>"
    )


def _figure(path, caption):
    with Image.open(path) as image:
        width, height = image.size
    name, caption = path.stem, _text(caption)
    return (
        f'<figure id="{name}" style="--ratio: {width / height:.2f}">'
        f'<a href="{path.name}" class="scroll"><img src="{path.name}" width="{width}" '
        f'height="{height}" alt="{caption}"></a>'
        f"<figcaption><b>{name}</b> {caption}</figcaption></figure>"
    )


def _table(rows):
    """A table of text, the first row its head; folded if it is long."""
    if not rows:
        return ""
    (corner, *names), *lines = rows
    head = "".join(f"<th scope='col'>{_text(name)}</th>" for name in names)
    body = "".join(
        f"<tr><th scope='row'>{_text(first)}</th>"
        + "".join(f"<td>{_text(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in lines
    )
    about = f"<th scope='col'>{_text(corner)}</th>" if corner else "<td></td>"
    table = (
        f"<div class='scroll'><table class='numbers'><thead><tr>{about}{head}</tr>"
        f"</thead><tbody>{body}</tbody></table></div>"
    )
    if len(lines) <= FOLDED:
        return table
    return f"<details><summary>{_text(corner)}</summary>{table}</details>"


def _attribute_network(found):
    """The accuracy of the network that read attributes, once for all problems."""
    network = next(_networks(found), None)
    if network is None:
        return ""
    rows = [["attribute", "right", "a constant answer"]]
    for name, share in network["accuracy"].items():
        constant = network.get("commoner_answer", {}).get(name, float("nan"))
        rows.append([name.replace("_", " "), f"{share:.1%}", f"{constant:.1%}"])
    return (
        "<section><h2>The attribute network</h2><p class='hint'>Its accuracy on "
        f"{network.get('n', 0):,} real faces of {_text(network.get('data', '-'))}.</p>"
        f"{_table(rows)}</section>"
    )


def _networks(value):
    """What entries say of attribute networks, wherever in them."""
    if isinstance(value, dict):
        network = value.get("attribute_network")
        if isinstance(network, dict) and isinstance(network.get("accuracy"), dict):
            yield network
        for part in value.values():
            yield from _networks(part)
