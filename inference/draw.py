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
    faces = {
        job: faces_of(job, data, trained[0].recipe.image_size)
        for job, trained in jobs.items()
        if SCRIPTS[job].split
    }
    for weights in (w for trained in jobs.values() for w in trained):
        weights.check()
        record.newest(weights)
    modules = {job: importlib.import_module(f"inference.{job}") for job in jobs}
    with contextlib.ExitStack() as stack:
        begun = {}
        for job, module in modules.items():
            given = subject(job, jobs[job]), faces.get(job)
            if hasattr(module, "check"):
                module.check(*given, **more)
            if hasattr(module, "begin"):
                begun[job] = {"begun": stack.enter_context(module.begin(*given))}
        for job in sorted(jobs, key=lambda job: job in begun):
            if sys.stderr.isatty():
                print(f"{SCRIPTS[job].title} ...", file=sys.stderr)
            trained, given = jobs.pop(job), more | begun.get(job, {})
            for stem in SCRIPTS[job].captions:  # of other weights
                (out / f"{stem}.jpg").unlink(missing_ok=True)
            found = modules[job].draw(subject(job, trained), faces.get(job), out, **given)
            record_results(out, job, entry(job, trained, data, faces.get(job), *found))
            tell(job, trained, *found[1:])
            del trained
            gc.collect()  # networks refer to each other; one problem's are in memory


def tell(job, trained, said, table):
    """Print what the numbers say; of a study, whose runs are compared, all of them."""
    if not SCRIPTS[job].study:
        print(f"{trained[0].recipe.name}: {said}")
        return
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for first, *cells in table:
        row = (f"{c:>{w}}" for c, w in zip(cells, widths[1:], strict=True))
        print("  ".join([f"{first:{widths[0]}}", *row]))
    print(f"{SCRIPTS[job].title}: {said}")


def subject(job, trained):
    """What `draw` of a script's module gets: the weights, or a study's list of them."""
    return trained if SCRIPTS[job].study else trained[0]


def weights_of(name, root, recipe=None):
    """{script: list of the `Trained` weights that it draws with}; arguments as in
    `draw`. Prints what is left out for lack of weights.

    Raises:
        UserError: a recipe that does not fit the problem, or no weights.
    """
    if name == ALL:
        jobs = {}
        for problem, default in PROBLEMS.items():
            if SCRIPTS[problem].missing(root):
                left = f"{problem}: left out, {root} has no weights of {default} yet"
                print(left, file=sys.stderr)
            else:
                jobs[problem] = [Trained(default, root)]
        if not jobs:
            names = ", ".join(PROBLEMS.values())
            raise UserError(f"{root}: no trained weights of {names}")
        return jobs
    script = SCRIPTS[name]
    if recipe:
        what = f"{name} figures"
        return {name: [options.weights(recipe, root, drawable(name), what)]}
    missing = script.missing(root)
    left = missing if script.partial and len(missing) < len(script.recipes) else ()
    return {name: [Trained(r, root) for r in script.recipes if r not in left]}


def check_out(out):
    """Make the folder of figures if need be.

    Raises:
        UserError: it cannot be written to, or has a page or numbers that this program
            did not write.
    """
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
    """The images that a script shows or measures, `size` pixels wide.

    Raises:
        UserError: an unusable folder, or too few images.
    """
    script = SCRIPTS[name]
    faces = data_utils.load_faces(data, script.split, size)
    if len(faces.images) < script.least:
        found = "one image" if len(faces.images) == 1 else f"{len(faces.images)} images"
        raise UserError(f"{faces.folder}: {found}; {script.least} or more are needed")
    if script.varied:
        try:
            collapse.unit(faces.images[: collapse.SAMPLES])
        except UserError as error:
            raise UserError(f"{faces.folder}: {error}") from None
    return faces


def entry(name, trained, data, faces, numbers, said, table):
    """What `results.json` says of a script."""
    study = SCRIPTS[name].study
    sources = [provenance(weights) for weights in trained]
    found = {
        "weights": sources if study else sources[0],
        "said": said,
        "table": table,
        **({"runs": numbers} if study else {"recipe": sources[0]["recipe"]} | numbers),
    }
    if faces:
        found |= {"data": data.resolve().name, "images_without_row": faces.without_row}
    return found


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


def record_results(out, name, numbers):
    """Merge the numbers of one script into `<out>/results.json` and rewrite
    `index.html` beside it; one process at a time."""
    path = out / "results.json"
    with locked(path):
        try:
            results = json.loads(path.read_text())
        except (OSError, ValueError):
            results = {}
        results = results if isinstance(results, dict) else {}
        results[name] = numbers
        with replacing(path, "w") as file:
            file.write(json.dumps(results, indent=1) + "\n")
        gallery.write(out, results)
