"""Draw the figures of a script, and record their numbers beside them."""

import contextlib
import gc
import importlib
import json
import sys

import data_utils
from cli import UserError, locked, replacing, writable
from inference import gallery, options
from inference.problems import ALL, PROBLEMS, SCRIPTS, drawable
from metrics import collapse, record
from models import WEIGHTS
from models.trained import Trained


def run(args):
    """`bash hw*.sh`: the figures of one script, or of all problems."""
    script = SCRIPTS.get(args.command)
    more = {name: getattr(args, name) for name in (script.options if script else ())}
    more = {name: value for name, value in more.items() if value is not None}
    recipe = getattr(args, "recipe", None)
    draw(args.command, args.data, args.out, args.weights, recipe, **more)
    print(f"figures and results.json are in {args.out}; open index.html there")
    return 0


def draw(name, data, out, root=WEIGHTS, recipe=None, **more):
    """Draw figures and record their numbers in `<out>/results.json`.

    Args:
        name: of `SCRIPTS`, or `ALL` for all problems.
        data: the data folder, a `Path`, for a script that reads images.
        out: folder of the figures, a `Path`; made if missing.
        root: the folder of all weights.
        recipe: in place of a problem's default; or a folder with weights of one.
        more: options of the script's `draw`.

    Raises:
        UserError: unusable data, weights, recipe or folder.
    """
    jobs = weights_of(name, root, recipe)
    check_out(out)
    faces = {job: faces_of(job, data, jobs[job][0].recipe.image_size) for job in jobs}
    for weights in (w for trained in jobs.values() for w in trained):
        weights.check()
        record.newest(weights)
    modules = {job: importlib.import_module(f"inference.{job}") for job in jobs}
    for job, module in modules.items():
        if hasattr(module, "check"):
            module.check(subject(job, jobs[job]), faces[job], **more)
    for job, module in modules.items():
        if sys.stderr.isatty():
            print(f"{SCRIPTS[job].title} ...", file=sys.stderr)
        for stem in SCRIPTS[job].captions:  # of other weights
            (out / f"{stem}.jpg").unlink(missing_ok=True)
        trained = jobs.pop(job)
        found = module.draw(subject(job, trained), faces[job], out, **more)
        record_results(out, job, entry(job, trained, data, faces[job], *found))
        tell(job, trained, *found[1:])
        del trained
        gc.collect()  # networks refer to each other; one problem's are in memory


def subject(job, trained):
    """What `draw` of a script's module gets: the weights, or a study's list of them."""
    return trained if SCRIPTS[job].study else trained[0]


def weights_of(name, root, recipe=None):
    """{script: list of the `Trained` weights that it draws with}. Prints what is left
    out for lack of weights; UserError if there is nothing to draw with."""
    if recipe:
        fit = drawable(name)
        return {name: [options.weights(recipe, root, fit, f"with {name} figures")]}
    jobs = {}
    for job in PROBLEMS if name == ALL else (name,):
        names = SCRIPTS[job].recipes
        if name == ALL and not (root / names[0] / "card.json").exists():
            left = f"{job}: left out, {root} has no weights of {names[0]} yet"
            print(left, file=sys.stderr)
        else:
            jobs[job] = [Trained(r, root) for r in names]
    if not jobs:
        names = ", ".join(PROBLEMS.values())
        raise UserError(f"{root}: no trained weights of {names}")
    return jobs


def check_out(out):
    """Make the folder of figures if need be; UserError if it cannot be written to, or has
    a page or numbers that this program did not write."""
    writable(out)
    numbers, page = out / "results.json", out / "index.html"
    foreign = page if page.exists() and not numbers.exists() else None
    with contextlib.suppress(OSError, ValueError):  # cut short: written anew
        results = json.loads(numbers.read_text())
        if not isinstance(results, dict) or results.keys() - SCRIPTS.keys():
            foreign = numbers
    if foreign:
        raise UserError(
            f"{foreign}: not written by this program; name another folder for the figures"
        )


def faces_of(name, data, size):
    """The images that a script draws or measures, `size` pixels wide, or None; UserError
    if there are too few, or if they repeat in a study, which measures their diversity."""
    script = SCRIPTS[name]
    if not script.split:
        return None
    faces = data_utils.load_faces(data, script.split, size)
    if (count := len(faces.images)) < script.least:
        found = "one image" if count == 1 else f"{count} images"
        raise UserError(f"{faces.folder}: {found}; {script.least} or more are needed")
    if script.study:
        collapse.check(faces)
    return faces


def entry(name, trained, data, faces, numbers, said, table):
    """What `results.json` says of a script: its weights, numbers and data."""
    sources = [
        {
            "recipe": weights.recipe.name,
            "report": weights.recipe.report,
            "steps": weights.card["steps"],
            "training": weights.origin(),
            "sha256": {
                role: file["sha256"]
                for role, file in weights.card["files"].items()
                if "/" not in role
            },
        }
        for weights in trained
    ]
    found = {"weights": subject(name, sources), "said": said, "table": table}
    if SCRIPTS[name].study:
        found["runs"] = numbers
    else:
        found |= {"recipe": sources[0]["recipe"]} | numbers
    if faces:
        found |= {"data": data.resolve().name, "images_without_row": faces.without_row}
    return found


def record_results(out, name, numbers):
    """Merge the numbers of one script into `<out>/results.json` and rewrite
    `index.html` beside it; one process at a time."""
    path = out / "results.json"
    with locked(path):
        try:
            results = dict(json.loads(path.read_text()))
        except (OSError, ValueError, TypeError):
            results = {}
        results[name] = numbers
        with replacing(path, "w") as file:
            file.write(json.dumps(results, indent=1) + "\n")
        gallery.write(out, results)


def tell(job, trained, said, table):
    """Print what the numbers say; of a study, whose runs are compared, all of them."""
    script = SCRIPTS[job]
    if script.study:
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for first, *cells in table:
            row = (f"{c:>{w}}" for c, w in zip(cells, widths[1:], strict=True))
            print("  ".join([f"{first:{widths[0]}}", *row]))
    print(f"{script.title if script.study else trained[0].recipe.name}: {said}")
