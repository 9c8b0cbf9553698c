"""`<out>/index.html`: a table of the problems, then the figures of each with captions and
numbers, and the weights that drew them.

The page is static: it has no script and loads only the figures beside it.
"""

import string
from html import escape
from pathlib import Path

from PIL import Image

from cli import replacing
from inference.problems import SCRIPTS

PAGE = Path(__file__).resolve().with_suffix(".html")
FOLDED = 15  # rows; a longer table is folded
HEAD = ("Problem", "Asked for", "Figures", "Result", "Weights")
KEYS = {"weights", "said", "table"}  # of an entry that `inference.draw` wrote


def write(out, results):
    """Write the page of a folder of figures; `results` is the contents of `results.json`,
    {script: entry}."""
    found = {name: results[name] for name in SCRIPTS if {*results.get(name, ())} >= KEYS}
    drawn = {
        name: [stem for stem in script.captions if (out / f"{stem}.jpg").exists()]
        for name, script in SCRIPTS.items()
    }
    parts = {
        "style": PAGE.with_suffix(".css").read_text(encoding="utf-8"),
        "head": "".join(f"<th scope='col'>{h}</th>" for h in HEAD),
        "rows": "".join(_row(name, found.get(name), drawn[name]) for name in SCRIPTS),
        "sections": "".join(_section(out, n, e, drawn[n]) for n, e in found.items()),
        "network": _attribute_network(found),
    }
    page = string.Template(PAGE.read_text(encoding="utf-8"))
    with replacing(out / "index.html", "w") as file:
        file.write(page.substitute(parts))


def _sources(entry):
    """The weights of an entry, a list also of a problem's one."""
    sources = entry["weights"]
    return sources if isinstance(sources, list) else [sources]


def _row(name, entry, drawn):
    """The line of a script in the table of all."""
    script = SCRIPTS[name]
    title, cells, rest = escape(script.title), [escape(script.asks)], ""
    if entry is None:
        example = f"<code>{escape(script.command)} &lt;data&gt; &lt;out&gt;</code>"
        rest = f'<td colspan="3">not drawn here; {example} draws it</td>'
    else:
        title = f'<a href="#{name}">{title}</a>'
        cells.append(" ".join(f'<a href="#{stem}">{stem}</a>' for stem in drawn))
        weights = [f"{s['recipe']} ({s['steps']:,} steps)" for s in _sources(entry)]
        cells += [escape(entry["said"]), escape(", ".join(weights))]
    pairs = zip(HEAD[1:], cells, strict=False)
    cells = "".join(f'<td data-head="{head}">{cell}</td>' for head, cell in pairs)
    return f"<tr><th scope='row'>{title}</th>{cells}{rest}</tr>"


def _section(out, name, entry, drawn):
    """The figures of a script, its table and the origin of its weights."""
    script, figures = SCRIPTS[name], ""
    for stem in drawn:
        with Image.open(out / f"{stem}.jpg") as image:
            width, height = image.size
        data = entry.get("data") or "the data folder"
        caption = escape(script.captions[stem].format(data=data))
        figures += (
            f'<figure id="{stem}" style="--ratio: {width / height:.2f}">'
            f'<a href="{stem}.jpg" class="scroll"><img src="{stem}.jpg" width="{width}" '
            f'height="{height}" alt="{caption}"></a>'
            f"<figcaption><b>{stem}</b> {caption}</figcaption></figure>"
        )
    hints = [source["training"] for source in _sources(entry)]
    absent = ", ".join(stem for stem in script.captions if stem not in drawn)
    absent = f"<p class='hint'>Not drawn with these weights: {absent}.</p>" * bool(absent)
    weights = "".join(f"<p class='hint'>{escape(hint)}</p>" for hint in hints)
    return (
        f'<section id="{name}"><h2>{escape(script.title)}</h2>'
        f'<div class="figures">{figures}<div class="facts">{absent}'
        f"{_table(entry['table'])}{weights}</div></div></section>"
    )


def _table(rows):
    """A table of text, the first row and column its heads; folded if it is long."""
    if not rows:
        return ""
    (corner, *names), *lines = [[escape(cell) for cell in row] for row in rows]
    head = f"<th scope='col'>{corner}</th>" if corner else "<td></td>"
    head += "".join(f"<th scope='col'>{name}</th>" for name in names)
    body = ""
    for first, *cells in lines:
        cells = "".join(f"<td>{cell}</td>" for cell in cells)
        body += f"<tr><th scope='row'>{first}</th>{cells}</tr>"
    table = "<div class='scroll'><table class='numbers'><thead>"
    table += f"<tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    if len(lines) <= FOLDED:
        return table
    return f"<details><summary>{corner}</summary>{table}</details>"


def _attribute_network(found):
    """The accuracy of the network that read attributes, once for all problems."""
    network = next(_networks(found), None)
    if network is None:
        return ""
    rows = [["attribute", "right", "a constant answer"]]
    for name, share in network["accuracy"].items():
        constant = network["commoner_answer"][name]
        rows.append([name.replace("_", " "), f"{share:.1%}", f"{constant:.1%}"])
    return (
        "<section><h2>The attribute network</h2><p class='hint'>Its accuracy on "
        f"{network['n']:,} real faces of {escape(network['data'])}.</p>"
        f"{_table(rows)}</section>"
    )


def _networks(value):
    """What entries say of attribute networks, wherever in them."""
    if isinstance(value, dict):
        if "attribute_network" in value:
            yield value["attribute_network"]
        for part in value.values():
            yield from _networks(part)
