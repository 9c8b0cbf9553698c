"""Options that several command lines share: seeds, labels, sources of weights."""

import contextlib
import re

import numpy as np

from cli import UserError
from models import sampling
from models.recipe import RecipeError
from models.recipes import RECIPES
from models.trained import named

MOST = 100_000  # numbers in one list


def numbers(text, what="--seeds"):
    """ "0-3,7" -> [0, 1, 2, 3, 7], in the order written; UserError of anything else, or
    of more than 100,000 numbers."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
        first, last = (int(g or match[1]) for g in match.groups()) if match else (1, 0)
        if last < first:
            raise UserError(f"{what} '{text}': give numbers such as 0-99, or 1,5,9")
        if last - first >= MOST - len(found):
            raise UserError(f"{what} '{text}': more than {MOST:,}; give fewer")
        found.extend(range(first, last + 1))
    return found


def weights(word, root, fit, what):
    """The `Trained` weights that a word names (`models.trained.named`). UserError unless
    they are of a recipe in `fit`, those `what` they are, such as "that draws"."""
    trained = None
    if word in fit or word not in RECIPES:
        with contextlib.suppress(RecipeError):
            trained = named(word, root)
    if trained is None or trained.recipe.name not in fit:
        known = [name for name in fit if (root / name / "card.json").exists()]
        known = ", ".join(known) or f"none in {root}"
        raise UserError(f"'{word}' is no recipe {what}; there are: {known}")
    return trained


def of_vae(word, root):
    """As `weights`, of a VAE."""
    fit = [r.name for r in RECIPES.values() if r.traits.rebuilds]
    return weights(word, root, fit, "of a VAE")


def source(args, rebuilds=False):
    """The weights that a verb draws (or reconstructs) with; UserError also of a prior or
    truncation that they do not take."""
    if not 0 <= args.truncation <= 2:
        raise UserError(
            f"--truncation {args.truncation:g}: 0 to 2; 1 is the noise of training"
        )
    if rebuilds:
        trained = of_vae(args.recipe, args.weights)
    else:
        fit = [r.name for r in RECIPES.values() if r.traits.draws]
        trained = weights(args.recipe, args.weights, fit, "that draws")
    if args.prior == "fitted":
        if not trained.recipe.traits.rebuilds:
            raise UserError(f"--prior fitted: {trained.recipe.name} is no VAE; leave it")
        _ = trained.prior  # report a missing or changed file before anything is drawn
    return trained


def classes(trained, seeds, label=None):
    """The class that each seed is drawn with: a list of int or of lists of int; None
    for a recipe without condition.

    Args:
        label: "<attribute>=<0 or 1>", several of them with commas between for a recipe
            of several attributes, or "category=<number>" for an InfoGAN; the rest
            is as in `models.default_conditions`.

    Raises:
        UserError: a label that the recipe does not know.
    """
    recipe = trained.recipe
    if not recipe.condition:
        if label:
            raise UserError(f"--label {label}: {recipe.name} has no condition; leave it")
        return None
    found = np.array(sampling.conditions_of(trained, seeds))
    columns = found.reshape(len(seeds), -1)  # a view
    names, count = trained.attributes, 2
    if recipe.traits.conditioned_on == "category":
        names, count = ["category"], recipe.condition
    for part in label.split(",") if label else ():
        name, _, value = part.strip().partition("=")
        if name not in names or value not in map(str, range(count)):
            raise UserError(
                f"--label {label}: {recipe.name} takes <name>=0 to {count - 1}, "
                f"of {', '.join(names)}"
            )
        columns[:, names.index(name)] = int(value)
    return found.tolist()
