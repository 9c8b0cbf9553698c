"""What the command lines read alike: seeds, labels, places to write to."""

import re

from cli import UserError
from models.recipes import RECIPES

MOST = 100_000  # numbers in one list


def numbers(text, what="--seeds"):
    """ "0-3,7" -> [0, 1, 2, 3, 7], in the order written.

    Raises:
        UserError: anything else, or more than 100,000 numbers.
    """
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", part.strip(), re.ASCII)
        first, last = (int(g or match[1]) for g in match.groups()) if match else (1, 0)
        if last < first:
            raise UserError(f"{what} '{text}': give numbers such as 0-99, or 1,5,9")
        if last - first >= MOST - len(found):
            raise UserError(f"{what} '{text}': more than {MOST:,}; ask for fewer")
        found.extend(range(first, last + 1))
    return found


def drawing_recipe(name, families=("vae", "gan", "acgan", "acgan3", "infogan")):
    """Check that a recipe is of one of these families; return its name.

    Raises:
        UserError: it is not, or there is none of that name.
    """
    fit = [r.name for r in RECIPES.values() if r.family in families]
    if name not in fit:
        raise UserError(f"'{name}' is no recipe for this; there are: {', '.join(fit)}")
    return name


def classes(recipe, seeds, label=None):
    """The class that each seed is drawn with.

    Args:
        recipe: a `Recipe`.
        seeds: integers.
        label: "<attribute>=<0 or 1>", or "category=<number>" of an InfoGAN; None
            lets the classes take turns: seed modulo their number.

    Returns:
        list of int, or None where the recipe has no condition.

    Raises:
        UserError: a label that the recipe does not know.
    """
    if not recipe.condition:
        if label:
            raise UserError(f"--label {label}: {recipe.name} has no condition; leave it")
        return None
    known = recipe.attribute if recipe.condition == 1 else "category"
    count = max(2, recipe.condition)
    if label is None:
        return [seed % count for seed in seeds]
    name, _, value = label.partition("=")
    if name != known or value not in map(str, range(count)):
        raise UserError(
            f"--label {label}: {recipe.name} takes {known}=0 to {known}={count - 1}"
        )
    return [int(value)] * len(seeds)


def spread(count, most):
    """At most `most` of `count` places, first and last among them, evenly spread."""
    if count <= most:
        return list(range(count))
    return [round(k * (count - 1) / (most - 1)) for k in range(most)]


def truncated(share):
    """Check a `--truncation`; return it.

    Raises:
        UserError: below 0, above 2, or no number.
    """
    if not 0 <= share <= 2:
        raise UserError(f"--truncation {share:g}: 0 to 2; 1 is the noise of training")
    return share


def source(args, families=None):
    """What a verb draws with: the weights of `args.recipe`, or `args.run`, the folder
    of a run that was not exported.

    Raises:
        UserError: both or neither, a recipe that is not of these families, or weights
            that cannot be used.
    """
    if (args.recipe is None) == (args.run is None):
        raise UserError("give a recipe, or --run and a run folder")
    known = {} if families is None else {"families": families}
    if args.run:
        from models.unexported import RunWeights

        trained = RunWeights(args.run)
        drawing_recipe(trained.recipe.name, **known)
        print(trained.origin())
        return trained
    drawing_recipe(args.recipe, **known)

    from models.trained import Trained

    return Trained(args.recipe, args.weights)
