"""Command line: list the recipes, or print a recipe's layer tables."""

import argparse
import math

from cli import run_cli
from models import build
from models.recipes import RECIPES, get_recipe


def parse():
    parser = argparse.ArgumentParser(
        prog="python -m models",
        description="List the recipes with their trainable parameters; with a name, "
        "print its networks layer by layer.",
    )
    parser.add_argument("recipe", nargs="?")
    return parser.parse_args()


def main():
    name = parse().recipe
    if name is None:
        print_recipes()
    else:
        print_recipe(get_recipe(name))
    return 0


def parameters(network):
    """How many trainable numbers a network has."""
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def print_recipes():
    print(f"{'recipe':11}{'report':8}{'trainable parameters':48}about")
    for recipe in RECIPES.values():
        counts = ", ".join(
            f"{role} {parameters(build(recipe, role)):,}" for role in recipe.networks
        )
        print(f"{recipe.name:11}{recipe.report:8}{counts:48}{recipe.about}")


def print_recipe(recipe):
    print(f"{recipe.name}, Report {recipe.report}: {recipe.about}")
    for key, value in recipe.resolved().items():
        if key == "optimizers":
            for role, spec in recipe.optimizers.items():
                print(f"  optimizer {role}: {spec}")
        elif key not in ("name", "report", "about"):
            print(f"  {key}: {value}")
    for role in recipe.networks:
        network = build(recipe, role)
        print(f"\n{role}: {parameters(network):,} trainable parameters")
        print_layers(network)


def print_layers(network):
    """One line a layer: name, what it is, output shape, trainable parameters."""
    for layer in network.layers:
        shape = tuple(layer.output.shape[1:])
        print(
            f"  {layer.name:24}{describe(layer):46}{shape!s:16}{parameters(layer):>12,}"
        )


def describe(layer):
    """A layer as a row of a table: kind, kernel, filters, strides, padding."""
    config = layer.get_config()
    words = [type(layer).__name__]
    if "kernel_size" in config:
        rows, columns = config["kernel_size"]
        words.append(f"{rows}x{columns} / {config['filters']} / {config['strides'][0]}")
        words.append(config["padding"])
    for key in ("units", "negative_slope", "rate"):
        if config.get(key):
            words.append(str(config[key]))
    if "pool_size" in config:
        words.append(f"{config['pool_size'][0]}x{config['pool_size'][1]}")
        words.append(f"/ {config['strides'][0]}")
    if config.get("activation", "linear") != "linear":
        words.append(config["activation"])
    return " ".join(words)


if __name__ == "__main__":
    run_cli(main)
