"""All numbers of the report, read from the files that they were measured into.

Recipes, cards, histories, metrics and the results of the studies become one dict, the
only input of `report.typ`. A number that is missing is None, and the report says so.
"""

import json

from inference.problems import PROBLEMS, STUDIES
from metrics import record
from metrics.registry import LAST, obtained, plain
from models import build, describe, parameters
from models.recipe import LOG_EVERY
from models.recipes import RECIPES, STAGES
from models.trained import shipped
from report import RESULTS
from report.seeds import RESULTS as SEEDS
from report.seesaw import RESULTS as SEESAW
from report.short_runs import RESULTS as SHORT_RUNS
from report.short_runs import STUDIES as SHORT


def gather(root):
    """All facts, JSON values, from the weights in `root`."""
    trained = shipped(root)
    recipes = [recipe for name, recipe in RECIPES.items() if name not in STAGES]

    def found(path):
        return json.loads(path.read_text()) if path.exists() else {}

    return {
        "recipes": {r.name: recipe_facts(r, trained.get(r.name)) for r in recipes},
        "defaults": PROBLEMS,
        "studies": STUDIES,
        "steps_of_end": LAST * LOG_EVERY,
        "results": found(RESULTS),
        "short_settings": {study: words for study, (_, words, _) in SHORT.items()},
        "short_runs": found(SHORT_RUNS),
        "seesaw": found(SEESAW) or None,
        "seeds": found(SEEDS) or None,
        "swing": swing(trained.get("acgan_a")),
        "course": course(trained.get("wgan_a")),
        "networks": networks(),
    }


def recipe_facts(recipe, trained):
    facts = {
        "report": recipe.report,
        "family": recipe.family,
        "reported": recipe.reported or None,
        "training": training_of(recipe),
        "chosen": recipe.chosen,
        "obtained": None,
        "metrics": {},
    }
    if not trained:
        return facts
    card, history = trained.card, trained.history()
    departures = [
        f"{key.replace('_', ' ')} {plain(here)} instead of {plain(report or 'none')}"
        for key, report, here, _ in recipe.departures()
        if key != "steps"
    ]
    return facts | {
        "obtained": obtained(trained),
        "card": {k: v for k, v in card.items() if k not in ("recipe", "files")},
        "trained": training_of(trained.recipe),
        "departures": departures,
        "start": {k: float(v) for k, v in history.head(LAST).mean().dropna().items()},
        "end": {k: float(v) for k, v in trained.at_end(LAST).dropna().items()},
        "last": {k: float(v) for k, v in history.tail(LAST).mean().dropna().items()},
        "least": {k: float(v) for k, v in history.min().dropna().items()},
        "evaluated": evaluated(history),
        "metrics": record.newest(trained),
    }


def course(trained):
    """The means of each loss over every `LAST` rows of a run; None without weights."""
    if not trained:
        return None
    history = trained.history()[["d_loss", "g_loss"]]
    return history.groupby(history.index // LAST).mean().to_dict("list")


def evaluated(history):
    """The best and the last Frechet distance of a run that was measured as it trained,
    or None."""
    if "test_frechet" not in history:
        return None
    rows = history[["step", "test_frechet"]].dropna()
    places = {"best": rows["test_frechet"].idxmin(), "last": rows.index[-1]}
    found = {
        name: {"step": int(row["step"]), "distance": float(row["test_frechet"])}
        for name, row in ((n, rows.loc[at]) for n, at in places.items())
    }
    return found | {"every": int(rows["step"].diff().median())}


def swing(trained):
    """How the critic's loss and the classifier's change together from row to row, where
    their trend does not count; None without weights."""
    if not trained:
        return None
    changes = trained.history().diff()
    critic = changes["score_fake"] - changes["score_real"]
    return {k: float(critic.corr(changes[f"c_loss_{k}"])) for k in ("real", "fake")}


def training_of(recipe):
    """The training settings of a recipe, in a few words."""
    rates = []
    for role, o in recipe.optimizers.items():
        beta = o.name.endswith("adam") and o.beta_1 != 0.9
        words = f"{role} {o.name} {o.learning_rate:g}"
        words += f" (β₁ {o.beta_1:g})" if beta else ""
        stairs = f", x{o.decay:g} every {o.decay_steps:,} steps"
        rates.append(words + (stairs if o.decay_steps else ""))
    counts = {"batch": recipe.batch_size, "steps": recipe.steps, "latent": recipe.latent}
    return {"optimizers": "; ".join(rates)} | counts


def networks():
    """The layer table of every network function, once each."""
    tables = {}
    for recipe in RECIPES.values():
        for role, function in recipe.networks.items():
            if function not in tables:
                network = build(recipe, role, probabilities=True)
                table = {"report": recipe.report, "function": function, "recipes": []}
                table |= {"parameters": parameters(network), "rows": rows(network)}
                tables[function] = table
            tables[function]["recipes"].append(recipe.name)
    return list(tables.values())


FOLLOWS = ("BatchNorm", "ReLU", "LeakyReLU", "Activation", "Dropout")


def rows(network):
    """Rows (layer, output shape, parameters); batch norm, activation and dropout are in
    the row of the layer before them."""
    found = {}  # identity of a layer's output -> its row
    for layer in network.layers[1:]:  # the first is the input
        words, numbers = describe(layer), parameters(layer)
        kind, _, rest = words.partition(" ")
        if kind in FOLLOWS:
            row = found[id(layer.output)] = found[id(layer.input)]
            words = rest if kind == "Activation" else words
            row["layer"] += f", {words.replace('BatchNorm', 'BN')}" if words else ""
            row["parameters"] += numbers
        else:
            shape = "x".join(str(n) for n in layer.output.shape[1:])
            row = {"layer": words, "shape": shape, "parameters": numbers}
            found[id(layer.output)] = row
    return list({id(row): row for row in found.values()}.values())
