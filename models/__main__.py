"""Command line: list the recipes, or print a recipe's layer tables."""

import argparse

from cli import run_cli
from models import RECIPES, WEIGHTS, build, describe, get_recipe, parameters


def parse(words=None):
    about = "List the recipes with their trainable parameters; with a name, print its "
    about += "networks layer by layer."
    parser = argparse.ArgumentParser(prog="python -m models", description=about)
    parser.add_argument("recipe", nargs="?")
    return parser.parse_args(words)


def main(words=None):
    name = parse(words).recipe
    if name is None:
        print_recipes()
    else:
        print_recipe(get_recipe(name))
    return 0


def print_recipes():
    print(f"{'recipe':19}{'report':8}{'trainable parameters':48}about")
    for recipe in RECIPES.values():
        counts = ", ".join(
            f"{role} {parameters(build(recipe, role)):,}" for role in recipe.networks
        )
        print(f"{recipe.name:19}{recipe.report:8}{counts:48}{recipe.about}")


def print_recipe(recipe):
    print(f"{recipe.name}, Report {recipe.report}: {recipe.about}")
    for key, value in recipe.resolved().items():
        if key == "optimizers":
            for role, spec in recipe.optimizers.items():
                print(f"  optimizer {role}: {spec}")
        elif key not in ("name", "report"):
            print(f"  {key}: {value}")
    print("chosen here, where the report leaves it open:")
    for words in recipe.chosen:
        print(f"  {words}")
    if rows := recipe.departures():
        print("\ntrained here with other settings (`--as-reported` undoes that):")
        for row in (("setting", "as reported", "here", "why"), *rows):
            print("  {:32}{!s:>12}{!s:>12}  {}".format(*row))
    for role in recipe.networks:
        network = build(recipe, role, probabilities=True)
        print(f"\n{role}: {parameters(network):,} trainable parameters")
        for layer in network.layers:
            output = getattr(layer, "output", None)  # none in a subclass of Model
            shape = "" if output is None else tuple(output.shape[1:])
            count = f"{parameters(layer):>12,}"
            print(f"  {layer.name:24}{describe(layer):46}{shape!s:16}{count}")
    role = recipe.traits.draws or next(iter(recipe.networks))
    path = WEIGHTS / recipe.name / f"{role}.weights.h5"
    if path.exists():
        print("\nits weights, in Keras:\nfrom models import build, get_recipe")
        print(f'{role} = build(get_recipe("{recipe.name}"), "{role}")')
        print(f'{role}.load_weights("{path}")')


if __name__ == "__main__":
    run_cli(main)
