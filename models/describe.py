"""Layer tables and parameter counts."""

import math


def parameters(network):
    """Number of trainable parameters of a network or layer."""
    return sum(math.prod(v.shape) for v in network.trainable_variables)


def print_layers(network):
    """Print a line for each layer: name, kind, output shape, trainable parameters."""
    for layer in network.layers:
        shape, count = tuple(layer.output.shape[1:]), parameters(layer)
        print(f"  {layer.name:24}{describe(layer):46}{shape!s:16}{count:>12,}")


def describe(layer):
    """A layer as a row of a table: kind, kernel, filters, strides, padding."""
    config = layer.get_config()
    # BlockConvTranspose is the same layer, computed in another way.
    words = [type(layer).__name__.replace("BlockConvTranspose", "Conv2DTranspose")]
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
