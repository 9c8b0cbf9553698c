"""A trained network as data for `web/engine.js`: a plan (JSON) and packed numbers."""

import gzip

import numpy as np

from cli import UserError
from models.keras_setup import keras, to_numpy
from models.sampling import run_network

BITS = (8, 10, 11, 12, 14, 16)  # of a number of a kernel, tried in this order
NEAR = 1 / 255  # how far a pixel may move


class Portable:
    """One network, ready for a page.

    Args:
        network: a built functional `keras.Model` with one input; of several outputs the
            first counts.

    Attributes:
        plan: what `engine.js` reads: input shape, layers in order, output.
        arrays: {index of a layer: {name: float32 array}}, the numbers of each.

    Raises:
        UserError: a layer that `engine.js` does not know.
    """

    def __init__(self, network):
        # Without the layers that only the other outputs need.
        wanted = network.outputs[0]
        self.network = keras.Model(network.inputs[0], wanted)
        self.arrays, self.layers = {}, {}
        ops, places = [], {id(network.inputs[0]): 0}
        for layer in self.network.operations:
            if not _inputs(layer):
                continue
            sources = [places[id(tensor)] for tensor in _inputs(layer)]
            for kind, settings, arrays in _translated(layer):
                shape = list(layer.output.shape[1:])
                ops.append({"kind": kind, "from": sources, "shape": shape} | settings)
                self.arrays[len(ops) - 1] = arrays
                self.layers[len(ops) - 1] = layer
                sources = [len(ops)]
            places[id(layer.output)] = sources[0]
        shape = list(network.inputs[0].shape[1:])
        self.plan = {"input": shape, "ops": ops, "output": places[id(wanted)]}

    def answer(self, arrays, inputs):
        """What the network makes of inputs with other kernels."""
        try:
            self._assign(arrays)
            return run_network(self.network, inputs)
        finally:
            self._assign(self.arrays)

    def _assign(self, arrays):
        for k, named in arrays.items():
            if "kernel" in named:
                self.layers[k].kernel.assign(named["kernel"])

    def packed(self, bits):
        """(plan, bytes, arrays as they come back): kernels as integers of `bits` bits,
        all else float32."""
        blob, back, ops = bytearray(), {}, []
        for k, op in enumerate(self.plan["ops"]):
            weights, back[k] = {}, {}
            for name, array in self.arrays[k].items():
                if array.ndim == 1:
                    weights[name] = {"bits": 32, "scale": 0, "at": _append(blob, array)}
                    back[k][name] = array
                else:
                    weights[name], back[k][name] = _kernel(blob, array, bits)
                weights[name]["shape"] = list(array.shape)
            ops.append(op | {"weights": weights})
        return self.plan | {"ops": ops}, bytes(blob), back


def smallest(portable, inputs, pixels):
    """Pack a network with the fewest of `BITS` that move no pixel by more than `NEAR`.

    Args:
        portable: a `Portable`.
        inputs: float32 `(n, ...)`, what it is tried on.
        pixels: function of what the network answers: images in [0, 1].

    Returns:
        (plan, gzip'd bytes, bits, the largest change of a pixel).
    """
    before = pixels(portable.answer(portable.arrays, inputs))
    for bits in BITS:
        plan, blob, back = portable.packed(bits)
        change = float(np.abs(pixels(portable.answer(back, inputs)) - before).max())
        if change <= NEAR:
            break
    return plan, gzip.compress(blob, 6, mtime=0), bits, change


def _append(blob, array):
    blob.extend(b"\0" * (-len(blob) % 4))
    at = len(blob)
    blob.extend(np.ascontiguousarray(array).tobytes())
    return at


def _kernel(blob, array, bits):
    """Append a kernel to `blob`; (its entry, the kernel as it will be read)."""
    scale = np.abs(array).reshape(-1, array.shape[-1]).max(0) / (2 ** (bits - 1) - 1)
    scale = np.maximum(scale, 1e-12).astype("float32")
    whole = np.rint(array / scale).astype("<i2")
    entry = {"bits": 8 if bits <= 8 else 16, "scale": _append(blob, scale.astype("<f4"))}
    if bits <= 8:
        entry["at"] = _append(blob, whole.astype("i1"))
    else:  # low bytes, then high ones; most high bytes are equal
        entry["at"] = _append(blob, (whole & 255).astype("u1"))
        blob.extend((whole >> 8).astype("i1").tobytes())
    return entry, (whole * scale).astype("float32")


# Each of these returns [(kind of `engine.js`, settings, {name: array})] of a layer.


def _translated(layer):
    kind = layer.__class__.__name__
    _need(layer, kind in KINDS)
    return KINDS[kind](layer)


def _need(layer, fits):
    if not fits:
        raise UserError(
            f"{layer.name}: a page cannot run this {layer.__class__.__name__} yet; teach "
            "page/portable.py and page/web/engine.js"
        )


def _inputs(layer):
    """The tensors that a layer takes; none of an InputLayer."""
    if isinstance(layer, keras.layers.InputLayer):
        return []
    return layer.input if isinstance(layer.input, list) else [layer.input]


def _kernel_layer(kind, settings=lambda layer: {}):
    def translated(layer):
        _need(layer, max(getattr(layer, "dilation_rate", (1,))) == 1)
        _need(layer, getattr(layer, "groups", 1) == 1)
        arrays = {"kernel": to_numpy(layer.kernel)}
        if getattr(layer, "use_bias", False):
            arrays["bias"] = to_numpy(layer.bias)
        shape = {"kernel_shape": list(layer.kernel.shape)}
        after = _activation(layer) if hasattr(layer, "activation") else []
        return [(kind, shape | settings(layer), arrays), *after]

    return translated


def _conv(layer):
    """Strides, and the zeros above, left, below and right of the input."""
    ends = zip(layer.input.shape[1:3], layer.kernel_size, layer.strides, strict=True)
    total = [max(0, (-(-size // s) - 1) * s + kernel - size) for size, kernel, s in ends]
    if layer.padding != "same":
        total = [0, 0]
    pad = [t // 2 for t in total] + [t - t // 2 for t in total]
    return {"strides": list(layer.strides), "pad": pad}


def _conv_transpose(layer):
    """Strides, and what is cut off above and left of the output."""
    ends = zip(layer.kernel_size, layer.strides, strict=True)
    cut = [max(k - s, 0) // 2 if layer.padding == "same" else 0 for k, s in ends]
    return {"strides": list(layer.strides), "cut": cut}


def _norm(layer):
    gamma, beta, mean, variance = map(
        to_numpy, (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
    )
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


def _pair(kind):
    """Two tensors of one shape, or one of them a single place for all."""

    def translated(layer):
        shapes = sorted((t.shape[1:] for t in _inputs(layer)), key=np.prod)
        _need(layer, len(shapes) == 2)
        small, large = shapes
        one = small[-1] == large[-1] and np.prod(small[:-1]) == 1
        _need(layer, small == large or one)
        return [(kind, {}, {})]

    return translated


def _same(layer):
    """The same numbers, perhaps in another shape."""
    return [("reshape", {}, {})]


KINDS = {
    "Dense": _kernel_layer("dense"),
    "Conv2D": _kernel_layer("conv", _conv),
    "Conv2DTranspose": _kernel_layer("conv_transpose", _conv_transpose),
    "BlockConvTranspose": _kernel_layer("conv_transpose", _conv_transpose),
    "UpConv": _kernel_layer("up_conv"),
    "BatchNorm": _norm,
    "BatchNormalization": _norm,
    "Activation": lambda layer: _activation(layer) or _same(layer),
    "ReLU": _leaky,
    "LeakyReLU": _leaky,
    "AveragePooling2D": _average,
    "Reshape": _same,
    "Flatten": _same,
    "Dropout": _same,
    "Add": _pair("add"),
    "Multiply": _pair("multiply"),
}
