"""The problems and studies of the reports, and the weights that each draws with."""

import contextlib
import gc
import importlib
import json
import sys
from inspect import signature

from cli import UserError, locked, replacing, writable
from inference import gallery
from inference.options import coloured
from inference.tsne import Embedding
from metrics import collapse
from models import WEIGHTS
from models.recipes import RECIPES, get_recipe

# problem -> the recipe it draws by default
PROBLEMS = {
    "vae": "vae_c",
    "gan": "dcgan_c",
    "acgan": "acgan_a",
    "infogan": "infogan_b",
}
# study -> the recipes it compares
STUDIES = {
    "kl": ("vae_e", "vae_e_kl0", "vae_e_kl100"),
    "anime": (
        "dcgan_d",
        "wgan_gp_d",
        "wgan_gp_same_d",
        "lsgan_d",
        "dcgan_dropout_d",
        "dcgan_dropout_g_d",
    ),
    "today": ("rpgan", "rpgan_attributes"),
}
PARTIAL = ("today",)  # studies that leave out recipes without weights


def drawable(problem):
    """Names of the recipes that a problem can draw; without those of the study of
    collapse, because their discriminators do not ship."""
    known = [r.name for r in RECIPES.values() if r.traits.figures == problem]
    return [name for name in known if name not in STUDIES["anime"]]


def trained_defaults(root):
    """{problem: default recipe} for recipes with weights; prints which have none.

    Raises:
        UserError: none of them has weights.
    """
    chosen = {p: d for p, d in PROBLEMS.items() if (root / d / "card.json").exists()}
    if not chosen:
        raise UserError(f"{root}: no trained weights of {', '.join(PROBLEMS.values())}")
    for problem in PROBLEMS.keys() - chosen.keys():
        print(
            f"{problem}: left out, {root} has no weights of {PROBLEMS[problem]} yet",
            file=sys.stderr,
        )
    return chosen


def compared(study, root):
    """The recipes that a study shows.

    Raises:
        UserError: none of them has weights.
    """
    names = STUDIES[study]
    if study in PARTIAL:
        names = [name for name in names if (root / name / "card.json").exists()]
    if not names:
        raise UserError(f"{root}: no trained weights of {', '.join(STUDIES[study])}")
    return names


def check(trained, root):
    """Check all weights before the first figure.

    Raises:
        UserError: weights that are missing, damaged, or lack an epoch that their
            figures show.
    """
    from metrics import record
    from metrics.judge import attribute_network

    if any(problem in STUDIES["kl"] for problem in trained):
        trained = trained | {"attributes": attribute_network(root)}
    for problem, weights in trained.items():
        weights.check()
        record.newest(weights)
        if problem == "gan" and "discriminator" not in weights.card["files"]:
            raise UserError(
                f"{weights.folder}: its discriminator did not ship, and fig2_4 asks it "
                "how real samples are; export the run again"
            )
        if problem in STUDIES["kl"]:
            there = [*weights.snapshots(), weights.end()]
            lacking = [e for e in weights.recipe.snapshots if e not in there]
            if lacking:
                cure = "train it on"
                if weights.card.get("checkpoint") == "best":
                    cure += ", or export its last checkpoint (train.export --last)"
                raise UserError(
                    f"{weights.folder}: nothing of epoch {lacking[0]}; {cure}"
                )


def chosen_for(problem, root, recipe):
    """{problem, or recipe of a study: name of the recipe to draw with}.

    Raises:
        UserError: a recipe that does not fit the problem, or no weights at all.
    """
    if problem == "hw4":
        return trained_defaults(root)
    if problem in STUDIES:
        return {name: name for name in compared(problem, root)}
    recipe = recipe or PROBLEMS[problem]
    if recipe not in drawable(problem):
        raise UserError(
            f"'{recipe}' is no recipe for {problem} figures; "
            f"there are: {', '.join(drawable(problem))}"
        )
    return {problem: recipe}


def draw(problem, data, out, root=WEIGHTS, recipe=None, **options):
    """Draw figures and record their numbers in `<out>/results.json`.

    Args:
        problem: of `PROBLEMS` or `STUDIES`, or "hw4" for all of `PROBLEMS`.
        data: the data folder, a `Path`; for the study of collapse a folder of images.
            Figures of GANs do not read it.
        out: folder of the figures, a `Path`; made if missing.
        root: the folder of all weights.
        recipe: in place of the problem's default.
        options: of its `draw`: `attribute`, that colours the codes of a VAE;
            `categories` of an InfoGAN, two that are mixed.

    Raises:
        UserError: unusable data, weights, recipe or folder.
    """
    chosen = chosen_for(problem, root, recipe)
    check_out(out)
    with Embedding() if "vae" in chosen else contextlib.nullcontext() as embedding:
        _draw(problem, chosen, data, out, root, embedding, options)


def check_out(out):
    """Make the folder of figures if need be.

    Raises:
        UserError: it cannot be written to, or has a page or numbers of something else,
            which these would take the place of.
    """
    writable(out)
    numbers, page = out / "results.json", out / "index.html"
    foreign = page if page.exists() and not numbers.exists() else None
    with contextlib.suppress(OSError, ValueError):  # cut short: written anew
        results = json.loads(numbers.read_text())
        if not isinstance(results, dict) or set(results) - {*PROBLEMS, *STUDIES}:
            foreign = numbers
    if foreign:
        raise UserError(f"{foreign}: not from here; name another folder for the figures")


def _draw(problem, chosen, data, out, root, embedding, options):
    """As `draw`; `embedding` is the t-SNE of a VAE's codes."""
    faces = None
    if "vae" in chosen or (problem in STUDIES and problem != "today"):
        faces = faces_of(problem, data, get_recipe(next(iter(chosen.values()))))
    if "vae" in chosen:  # may lack it: say so before seconds of work
        coloured(get_recipe(chosen["vae"]), faces, options.get("attribute"))

    from models.trained import Trained  # takes seconds

    trained = {p: Trained(name, root) for p, name in chosen.items()}
    check(trained, root)
    if problem in STUDIES:
        study = importlib.import_module(f"inference.{problem}")
        with only_new_figures(problem, out):
            runs = study.draw([*trained.values()], faces, out)
        numbers = {
            "weights": [gallery.provenance(weights) for weights in trained.values()],
            "runs": runs,
        }
        if faces:
            numbers["data"] = data.resolve().name
            numbers["images_without_row"] = faces.without_row
        record_results(out / "results.json", problem, numbers, root)
        return
    if embedding:
        from inference import vae

        trained["vae"] = trained.pop("vae")  # the last: others are drawn meanwhile
        options["begun"] = vae.begin(trained["vae"], faces, embedding)
    for name in list(trained):
        weights = trained.pop(name)  # and with it, its networks, when it is drawn
        module = importlib.import_module(f"inference.{name}")
        own = {k: v for k, v in options.items() if k in signature(module.draw).parameters}
        with only_new_figures(name, out):
            numbers = module.draw(weights, faces, out, **own)
        origin = {
            "recipe": weights.recipe.name,
            "weights": gallery.provenance(weights),
        }
        if weights.recipe.traits.rebuilds:
            origin["data"] = data.resolve().name
        record_results(out / "results.json", name, origin | numbers, root)
        del weights
        gc.collect()  # the networks of one problem at a time: they refer to each other


@contextlib.contextmanager
def only_new_figures(problem, out):
    """After the body, remove the figures of a problem in `out` that it did not draw anew:
    they show other weights."""
    figures = [out / f"{stem}.jpg" for stem in gallery.CAPTIONS[problem]]

    def state(path):
        return path.stat().st_ino, path.stat().st_mtime_ns

    before = {path: state(path) for path in figures if path.exists()}
    yield
    for path, then in before.items():
        if state(path) == then:
            path.unlink()


def faces_of(problem, data, recipe):
    """The images that the figures of a problem show or measure.

    Raises:
        UserError: an unusable folder, or too few images.
    """
    import data_utils

    # A plain folder of images has no test images.
    split = "train" if problem == "anime" else "test"
    faces = data_utils.load_faces(data, split, recipe.image_size)
    # For t-SNE and the collapse meter; for the kernel distance's error.
    if len(faces.images) < (least := 4 if problem == "kl" else 2):
        found = "one image" if len(faces.images) == 1 else f"{len(faces.images)} images"
        raise UserError(f"{faces.folder}: {found}; {least} or more are needed")
    if problem in STUDIES:  # they show the diversity of samples
        try:
            collapse.unit(faces.images[: collapse.SAMPLES])
        except UserError as error:
            raise UserError(f"{faces.folder}: {error}") from None
    return faces


def record_results(path, problem, numbers, root=WEIGHTS):
    """Merge the numbers of one problem into `results.json` and rewrite `index.html`
    beside it; one process at a time."""
    with locked(path):
        try:
            results = json.loads(path.read_text())
        except (OSError, ValueError):
            results = {}
        results = results if isinstance(results, dict) else {}
        results[problem] = numbers
        with replacing(path, "w") as file:
            file.write(json.dumps(results, indent=1) + "\n")
        gallery.write(path.parent, results, missing(results, root))


def missing(results, root):
    """{problem: why it has no figures} for all problems that are not in `results`."""
    found = {}
    for problem in (*PROBLEMS, *STUDIES):
        names = STUDIES.get(problem) or (PROBLEMS[problem],)
        lacking = [n for n in names if not (root / n / "card.json").exists()]
        script = f"hw_{problem}.sh" if problem in STUDIES else f"hw4_{problem}.sh"
        if problem not in results:
            found[problem] = f"not asked for; bash {script} draws it"
            if len(lacking) == len(names) or (lacking and problem not in PARTIAL):
                found[problem] = f"there are no weights of {', '.join(lacking)} yet"
    return found
