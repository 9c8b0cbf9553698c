"""A trained network as data for `web/engine.js`: a plan (JSON) and packed numbers."""

import gzip

import numpy as np

from cli import UserError
from models.keras_setup import to_numpy
from models.sampling import run_network

BITS = (8, 10, 11, 12, 14, 16)  # tried in this order
NEAR = 1 / 255  # how far a pixel may move


class Portable:
    """One network, ready for a page.

    Args:
        network: a built functional `keras.Model` with one input.
        output: which of its outputs; layers that only others need are left out.

    Attributes:
        plan: what `engine.js` reads: input shape, layers in order, output.
        arrays: {index of a layer: {name: float32 array}}, the numbers of each.

    Raises:
        UserError: a layer that `engine.js` does not know.
    """

    def __init__(self, network, output=0):
        wanted = network.outputs[output]
        needed, queue = set(), [wanted]
        while queue:
            operation = queue.pop()._keras_history.operation
            if id(operation) not in needed:
                needed.add(id(operation))
                queue += _inputs(operation)
        places = {id(network.inputs[0]): 0}
        self.network, self.output = network, output
        ops, self.arrays, self.layers = [], {}, {}
        for operation in network.operations:
            if (
                id(operation) not in needed
                or operation.__class__.__name__ == "InputLayer"
            ):
                continue
            sources = [places[id(tensor)] for tensor in _inputs(operation)]
            for op, arrays in _translated(operation):
                ops.append(op | {"from": sources, "shape": op.get("shape", [])})
                self.arrays[len(ops) - 1] = arrays
                self.layers[len(ops) - 1] = operation
                sources = [len(ops)]
            places[id(operation.output)] = sources[0]
        self.plan = {
            "input": list(network.inputs[0].shape[1:]),
            "ops": ops,
            "output": places[id(wanted)],
        }

    def answer(self, arrays, inputs):
        """What the network makes of inputs with other kernels."""
        before = self.arrays
        for numbers in (arrays, before):
            for k, named in numbers.items():
                if "kernel" in named:
                    self.layers[k].kernel.assign(named["kernel"])
            if numbers is arrays:
                outputs = run_network(self.network, inputs)
        return outputs[self.output] if isinstance(outputs, list) else outputs

    def packed(self, bits):
        """(plan, bytes, arrays as they come back): kernels as integers of `bits` bits,
        all else float32."""
        blob, back = bytearray(), {}
        ops = []
        for k, op in enumerate(self.plan["ops"]):
            entries, back[k] = {}, {}
            for name, array in self.arrays[k].items():
                if array.ndim == 1:
                    entries[name] = {"shape": list(array.shape), "bits": 32}
                    entries[name] |= {"scale": 0, "at": _append(blob, array)}
                    back[k][name] = array
                else:
                    entries[name], back[k][name] = _kernel(blob, array, bits)
            ops.append(op | ({"weights": entries} if entries else {}))
        return self.plan | {"ops": ops}, bytes(blob), back


def smallest(portable, inputs, pixels):
    """Pack a network with the fewest of `BITS` that move no pixel by more than `NEAR`.

    Args:
        portable: a `Portable`.
        inputs: what it is tried on.
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
    whole = np.rint(array / scale)
    small = np.abs(whole).max() <= 127
    entry = {"shape": list(array.shape), "bits": 8 if small else 16}
    entry["scale"] = _append(blob, scale.astype("<f4"))
    if small:
        entry["at"] = _append(blob, whole.astype("i1"))
    else:  # low bytes, then high ones; most high bytes are equal
        integers = whole.astype("<i2")
        entry["at"] = _append(blob, (integers & 255).astype("u1"))
        blob.extend((integers >> 8).astype("i1").tobytes())
    return entry, (whole * scale).astype("float32")


# ------------------------------------------------------------------ translation


def _inputs(operation):
    value = getattr(operation, "input", None)
    if operation.__class__.__name__ == "InputLayer":
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _translated(operation):
    """A layer as [(op of the plan, {name: array})]."""
    kind = operation.__class__.__name__
    if kind == "BlockConvTranspose":
        kind = "Conv2DTranspose"
    if kind in ("BatchNorm", "BatchNormalization"):
        return [({"kind": "affine"}, _affine(operation))]
    if kind in ("Dropout", "GaussianNoise", "GaussianDropout", "SpatialDropout2D"):
        return [({"kind": "reshape", "shape": _shape(operation)}, {})]
    if kind in ("Dense", "Conv2D", "Conv2DTranspose"):
        op = {"kind": {"Dense": "dense", "Conv2D": "conv"}.get(kind, "conv_transpose")}
        kernel = to_numpy(operation.kernel)
        op |= {"shape": _shape(operation), "kernel_shape": list(kernel.shape)}
        arrays = {"kernel": kernel}
        if operation.use_bias:
            arrays["bias"] = to_numpy(operation.bias)
        if kind != "Dense":
            op["strides"] = list(operation.strides)
            op |= _padding(operation, kind)
            if max(operation.dilation_rate) > 1 or getattr(operation, "groups", 1) > 1:
                raise _unknown(operation)
        return [(op, arrays), *_activation(operation)]
    if kind == "UpConv":
        kernel = to_numpy(operation.kernel)
        op = {"kind": "up_conv", "shape": _shape(operation)}
        return [(op | {"kernel_shape": list(kernel.shape)}, {"kernel": kernel})]
    if kind in ("Activation", "ReLU", "LeakyReLU"):
        return _activation(operation) or [
            ({"kind": "reshape", "shape": _shape(operation)}, {})
        ]
    if kind in ("Reshape", "Flatten"):
        return [({"kind": "reshape", "shape": _shape(operation)}, {})]
    if kind == "ZeroPadding2D":
        (above, below), (left, right) = operation.padding
        return [({"kind": "pad", "pad": [above, left, below, right]}, {})]
    if kind == "UpSampling2D" and operation.interpolation == "nearest":
        return [({"kind": "enlarge", "by": list(operation.size)}, {})]
    if kind == "AveragePooling2D" and operation.padding == "valid":
        op = {"kind": "average", "shape": _shape(operation)}
        op |= {"pool": list(operation.pool_size), "strides": list(operation.strides)}
        return [(op, {})]
    if kind in ("GlobalAveragePooling2D", "AdaptiveAveragePooling2D"):
        height, width, channels = operation.input.shape[1:]
        rows, columns = (1, 1) if kind[0] == "G" else operation.output.shape[1:3]
        if not height % rows and not width % columns:
            pool = [height // rows, width // columns]
            op = {"kind": "average", "shape": [rows, columns, channels]}
            flat = {"kind": "reshape", "shape": _shape(operation)}
            return [(op | {"pool": pool, "strides": pool}, {}), (flat, {})]
    pairs = {"Multiply": "multiply", "Add": "add", "Concatenate": "join"}
    shapes = [list(tensor.shape[1:]) for tensor in _inputs(operation)]
    if kind in pairs and len(shapes) == 2 and _fit(kind, *shapes):
        return [({"kind": pairs[kind]}, {})]
    raise _unknown(operation)


def _fit(kind, one, other):
    """Whether two shapes are alike, or one is a single place to be repeated."""
    if kind == "Concatenate":
        return one[:-1] == other[:-1]
    small, large = sorted((one, other), key=np.prod)
    return small == large or (small[-1] == large[-1] and np.prod(small[:-1]) == 1)


def _unknown(operation):
    return UserError(
        f"{operation.name}: a page cannot run this {operation.__class__.__name__} yet; "
        "teach inference/portable.py and web/engine.js"
    )


def _shape(operation):
    return list(operation.output.shape[1:])


def _affine(norm):
    root = np.sqrt(to_numpy(norm.moving_variance) + norm.epsilon)
    scale = to_numpy(norm.gamma) / root
    return {
        "scale": scale.astype("float32"),
        "shift": (to_numpy(norm.beta) - to_numpy(norm.moving_mean) * scale).astype("f4"),
    }


def _padding(operation, kind):
    """Zeros around a convolution's input; what a transposed one cuts off its output."""
    same = operation.padding == "same"
    if kind == "Conv2DTranspose":
        pairs = zip(operation.kernel_size, operation.strides, strict=True)
        return {"cut": [max(k - s, 0) // 2 if same else 0 for k, s in pairs]}
    if not same:
        return {"pad": [0, 0, 0, 0]}
    before, after = [], []
    for size, kernel, stride in zip(
        operation.input.shape[1:3], operation.kernel_size, operation.strides, strict=True
    ):
        total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
        before.append(total // 2)
        after.append(total - total // 2)
    return {"pad": [*before, *after]}


def _activation(operation):
    kind = operation.__class__.__name__
    if kind == "ReLU" and operation.max_value is None and not operation.threshold:
        return [({"kind": "leaky", "slope": float(operation.negative_slope)}, {})]
    if kind == "LeakyReLU":
        return [({"kind": "leaky", "slope": float(operation.negative_slope)}, {})]
    name = getattr(operation.activation, "__name__", "?") if kind != "ReLU" else "?"
    known = {
        "linear": [],
        "relu": [({"kind": "leaky", "slope": 0.0}, {})],
        "leaky_relu": [({"kind": "leaky", "slope": 0.2}, {})],
        "tanh": [({"kind": "tanh"}, {})],
        "sigmoid": [({"kind": "sigmoid"}, {})],
    }
    if name not in known:
        raise _unknown(operation)
    return known[name]
