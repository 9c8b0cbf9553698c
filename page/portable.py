"""A trained network as data for `web/engine.js`: a plan (JSON) and packed numbers."""

import numpy as np

from cli import UserError
from models.keras_setup import keras, to_numpy


def packed(network, bits):
    """One network, ready for a page.

    Args:
        network: a built functional `keras.Model` with one input; of several outputs the
            first counts.
        bits: of the numbers of kernels, at most 16; all else is float32.

    Returns:
        (plan, bytes): what `engine.js` reads. The plan has the input's shape, the layers
        in order, each with the places of its numbers in the bytes, and the output.

    Raises:
        UserError: a layer that `engine.js` does not know.
    """
    # Without the layers that only the other outputs need.
    network = keras.Model(network.inputs[0], network.outputs[0])
    blob, ops, places = bytearray(), [], {id(network.inputs[0]): 0}
    for layer in network.operations:
        if not _inputs(layer):
            continue
        sources = [places[id(tensor)] for tensor in _inputs(layer)]
        for kind, settings, arrays in _translated(layer):
            op = {"kind": kind, "from": sources, "shape": list(layer.output.shape[1:])}
            weights = {name: _stored(blob, a, bits) for name, a in arrays.items()}
            ops.append(op | settings | {"weights": weights})
            sources = [len(ops)]
        places[id(layer.output)] = sources[0]
    shape = list(network.inputs[0].shape[1:])
    plan = {"input": shape, "ops": ops, "output": places[id(network.outputs[0])]}
    return plan, bytes(blob)


def _stored(blob, array, bits):
    """Append an array to `blob`; its entry. A kernel is stored as integers, each times
    the scale of its place along the last axis."""
    entry = {"shape": list(array.shape), "scale": 0}
    if array.ndim > 1:
        most = np.abs(array).reshape(-1, array.shape[-1]).max(0) / (2 ** (bits - 1) - 1)
        scale = np.maximum(most, 1e-12).astype("<f4")
        entry["scale"] = _append(blob, scale)
        whole = np.rint(array / scale).astype("<i2")
        # The upper eight bits, which gzip shortens; then each lower one, eight in a byte.
        entry["planes"] = planes = max(0, bits - 8)
        rest = (np.packbits(whole >> k & 1, bitorder="little") for k in range(planes))
        array = np.concatenate([(whole >> planes).astype("i1").view("u1").ravel(), *rest])
    return entry | {"at": _append(blob, array)}


def _append(blob, array):
    blob.extend(b"\0" * (-len(blob) % 4))
    at = len(blob)
    blob.extend(np.ascontiguousarray(array).tobytes())
    return at


def _inputs(layer):
    """The tensors that a layer takes; none of an InputLayer."""
    if isinstance(layer, keras.layers.InputLayer):
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _need(layer, fits):
    if not fits:
        raise UserError(
            f"{layer.name}: a page cannot run this {layer.__class__.__name__} yet; teach "
            "page/portable.py and page/web/engine.js"
        )


# Each of these returns [(kind of `engine.js`, settings, {name: array})] of a layer.


def _translated(layer):
    kind = layer.__class__.__name__
    _need(layer, kind in KINDS)
    return KINDS[kind](layer)


def _kernel(layer, kind, **settings):
    _need(layer, max(getattr(layer, "dilation_rate", (1,))) == 1)
    _need(layer, getattr(layer, "groups", 1) == 1)
    arrays = {"kernel": to_numpy(layer.kernel)}
    if getattr(layer, "use_bias", False):
        arrays["bias"] = to_numpy(layer.bias)
    settings["kernel_shape"] = list(layer.kernel.shape)
    after = _activation(layer) if hasattr(layer, "activation") else []
    return [(kind, settings, arrays), *after]


def _conv(layer):
    """With the zeros above, left, below and right of the input."""
    ends = zip(layer.input.shape[1:3], layer.kernel_size, layer.strides, strict=True)
    total = [max(0, (-(-size // s) - 1) * s + kernel - size) for size, kernel, s in ends]
    if layer.padding != "same":
        total = [0, 0]
    pad = [t // 2 for t in total] + [t - t // 2 for t in total]
    return _kernel(layer, "conv", strides=list(layer.strides), pad=pad)


def _dense(layer):
    _need(layer, len(layer.input.shape) == 2)
    return _kernel(layer, "dense")


def _conv_transpose(layer):
    """With what is cut off above and left of the output."""
    _need(layer, len(set(layer.strides)) == 1)
    _need(layer, getattr(layer, "output_padding", None) is None)
    ends = zip(layer.kernel_size, layer.strides, strict=True)
    cut = [max(k - s, 0) // 2 if layer.padding == "same" else 0 for k, s in ends]
    return _kernel(layer, "conv_transpose", strides=list(layer.strides), cut=cut)


def _norm(layer):
    _need(layer, layer.axis in (-1, len(layer.input.shape) - 1))
    _need(layer, layer.center and layer.scale)
    variables = layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance
    gamma, beta, mean, variance = map(to_numpy, variables)
    scale = gamma / np.sqrt(variance + layer.epsilon)
    shift = beta - mean * scale
    return [("affine", {}, {"scale": scale.astype("f4"), "shift": shift.astype("f4")})]


def _activation(layer):
    name = layer.activation.__name__
    slopes = {"relu": 0.0, "leaky_relu": 0.2}
    _need(layer, name in ("linear", "tanh", "sigmoid", *slopes))
    if name in slopes:
        return [("leaky", {"slope": slopes[name]}, {})]
    return [] if name == "linear" else [(name, {}, {})]


def _leaky(layer):
    _need(layer, not getattr(layer, "max_value", None))
    _need(layer, not getattr(layer, "threshold", 0))
    return [("leaky", {"slope": float(layer.negative_slope)}, {})]


def _average(layer):
    _need(layer, layer.padding == "valid")
    settings = {"pool": list(layer.pool_size), "strides": list(layer.strides)}
    return [("average", settings, {})]


def _spread(layer):
    """A channel with the standard deviation within a batch, here of one image."""
    return [("channel", {"value": 1e-8**0.5}, {})]


def _pair(layer):
    """Two tensors of one shape, or one of them a single place for all."""
    shapes = sorted((t.shape[1:] for t in _inputs(layer)), key=np.prod)
    _need(layer, len(shapes) == 2)
    small, large = shapes
    one = small[-1] == large[-1] and np.prod(small[:-1]) == 1
    _need(layer, small == large or one)
    return [(layer.__class__.__name__.lower(), {}, {})]


def _same(layer):
    """The same numbers, perhaps in another shape."""
    return [("reshape", {}, {})]


KINDS = {
    "Dense": _dense,
    "Conv2D": _conv,
    "Conv2DTranspose": _conv_transpose,
    "BlockConvTranspose": _conv_transpose,
    "UpConv": lambda layer: _kernel(layer, "up_conv"),
    "BatchNorm": _norm,
    "BatchNormalization": _norm,
    "Activation": lambda layer: _activation(layer) or _same(layer),
    "ReLU": _leaky,
    "LeakyReLU": _leaky,
    "AveragePooling2D": _average,
    "MinibatchStd": _spread,
    "Reshape": _same,
    "Flatten": _same,
    "Dropout": _same,
    "Add": _pair,
    "Multiply": _pair,
}
