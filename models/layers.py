"""Layers of the reports that Keras lacks, and helpers to stack layers."""

import math

from models.keras_setup import BACKEND, keras
from models.recipe import RecipeError

if BACKEND == "tensorflow":
    import tensorflow as tf

layers = keras.layers
ops = keras.ops


@keras.saving.register_keras_serializable("hw4")
class BatchNorm(layers.BatchNormalization):
    """Batch normalization over the last axis, with PyTorch's statistics.

    The momentum of `torch.nn.BatchNorm2d(eps=1e-5, momentum=0.1)` is 0.9 in Keras'
    terms. It updates the running variance with the *unbiased* batch variance, Keras
    with the biased one. Takes and returns a `(batch, ..., channels)` tensor in the
    layer's compute dtype; statistics are always float32.

    On TensorFlow one fused kernel does all; Keras' separate ops for mean, variance and
    scaling are slower.
    """

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=False):
        training = training and self.trainable  # as Keras' layer has it
        normalize = _fused if BACKEND == "tensorflow" else _composed
        outputs, mean, variance = normalize(self, inputs, training)
        if training:
            moving, share = (self.moving_mean, self.moving_variance), 1 - self.momentum
            for running, now in zip(moving, (mean, variance), strict=True):
                running.assign(running * self.momentum + now * share)
        return outputs


def _fused(bn, inputs, training):
    shape = tf.shape(inputs)
    image = inputs
    if len(inputs.shape) != 4:  # the kernel accepts only images
        image = tf.reshape(inputs, (-1, 1, 1, inputs.shape[-1]))
    empty = tf.zeros((0,), "float32")  # asks for the batch's own statistics
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=image,
        scale=tf.convert_to_tensor(bn.gamma),
        offset=tf.convert_to_tensor(bn.beta),
        mean=empty if training else tf.convert_to_tensor(bn.moving_mean),
        variance=empty if training else tf.convert_to_tensor(bn.moving_variance),
        epsilon=bn.epsilon,
        is_training=bool(training),
    )
    outputs = tf.reshape(outputs, shape)
    outputs.set_shape(inputs.shape)
    return outputs, mean, variance  # the kernel returns the unbiased variance


def _composed(bn, inputs, training):
    x = ops.cast(inputs, "float32")
    mean, variance = bn.moving_mean.value, bn.moving_variance.value
    unbiased = variance
    if training:
        axes = tuple(range(len(inputs.shape) - 1))
        mean, variance = ops.moments(x, axes)
        n = ops.cast(ops.size(x) / x.shape[-1], "float32")
        unbiased = variance * n / ops.maximum(n - 1, 1)
    x = (x - mean) * ops.rsqrt(variance + bn.epsilon) * bn.gamma + bn.beta
    return ops.cast(x, inputs.dtype), mean, unbiased


def conv(filters, kernel, strides, pad=None, **kwargs):
    """`Conv2D` with `pad` pixels of zeros on every side, as PyTorch counts them.

    `pad=None` is Keras' padding="same". The two differ for a 3x3 kernel with stride 2:
    PyTorch pads left and top, Keras right and bottom.

    Returns:
        a list of one layer, or of two.
    """
    # If "same" pads evenly it is the same as `pad`, and faster.
    same = pad is None or 2 * pad == kernel - strides
    row = layers.Conv2D(filters, kernel, strides, "same" if same else "valid", **kwargs)
    return [row] if same or pad == 0 else [layers.ZeroPadding2D(pad), row]


@keras.saving.register_keras_serializable("hw4")
class BlockConvTranspose(layers.Conv2DTranspose):
    """`Conv2DTranspose` with "same" padding whose kernel is a multiple of its stride.

    The kernel is cut into blocks of strides x strides, which are a few matrices. An
    input pixel times each matrix is a block of the output; overlapping blocks add up.
    For Report B's 16x16 kernel, forward and backward together take half of the time of
    Keras' layer, which computes the gradient of a convolution. Same variables, same
    output. The matrices keep the kernel's order of axes and are unstacked, not sliced:
    otherwise its gradient, 64 MiB in Report B, would be transposed and padded.
    """

    def call(self, inputs):
        side, _, filters, channels = self.kernel.shape
        step, (height, width) = self.strides[0], inputs.shape[1:3]
        many = side // step
        shape = (many, step, many, step * filters * channels)
        kernel = ops.transpose(ops.reshape(self.kernel, shape), (0, 2, 1, 3))
        matrices = ops.unstack(ops.reshape(kernel, (many * many, -1, channels)))
        pixels, total = ops.reshape(inputs, (-1, channels)), 0.0
        for k, matrix in enumerate(matrices):
            row, column = divmod(k, many)
            blocks = ops.einsum("pc,kc->pk", pixels, matrix)
            blocks = ops.reshape(blocks, (-1, height, width, blocks.shape[-1]))
            around = ((row, many - 1 - row), (column, many - 1 - column))
            total += ops.pad(blocks, ((0, 0), *around, (0, 0)))
        height, width = height + many - 1, width + many - 1
        x = ops.reshape(total, (-1, height, width, step, step, filters))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        x = ops.reshape(x, (-1, height * step, width * step, filters))
        cut = (side - step) // 2
        x = x[:, cut : x.shape[1] - (side - step - cut)]
        x = x[:, :, cut : x.shape[2] - (side - step - cut)]
        if self.use_bias:
            x = x + ops.cast(self.bias, x.dtype)
        return self.activation(x)


def conv_transpose(filters, kernel, strides, padding="same", **kwargs):
    """`Conv2DTranspose` as a list of one layer, like `conv`; a large kernel becomes a
    `BlockConvTranspose`, which is faster."""
    large = kernel >= 16 and kernel % strides == 0 and padding == "same"
    kind = BlockConvTranspose if large else layers.Conv2DTranspose
    return [kind(filters, kernel, strides, padding, **kwargs)]


@keras.saving.register_keras_serializable("hw4")
class UpConv(layers.Layer):
    """Nearest-neighbour upsampling by 2, then a 3x3 convolution without bias.

    Computed as one transposed 4x4 convolution with stride 2: an output pixel reads four
    input pixels instead of nine copies of them. The 4x4 kernel sums the 3x3 taps that
    read the same input pixel. Same kernel and output as `UpSampling2D(2)` and
    `Conv2D(filters, 3, padding="same")`.
    `(batch, height, width, channels)` -> `(batch, 2 height, 2 width, filters)`.
    """

    def __init__(self, filters, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, shape):
        self.kernel = self.add_weight(
            (3, 3, shape[-1], self.filters), self.kernel_initializer, name="kernel"
        )

    def call(self, inputs):
        taps = [[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]]
        taps = ops.cast(ops.array(taps, "float32"), self.compute_dtype)
        kernel = ops.einsum("ai,bj,ijcf->abfc", taps, taps, self.kernel)
        return ops.conv_transpose(inputs, kernel, 2, "same")

    def compute_output_shape(self, shape):
        batch, height, width, _ = shape
        return (batch, height and 2 * height, width and 2 * width, self.filters)

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        config = {"filters": self.filters, "kernel_initializer": initializer}
        return super().get_config() | config


@keras.saving.register_keras_serializable("hw4")
class MinibatchStd(layers.Layer):
    """Append one channel: the standard deviation within the batch (Karras et al. 2018).

    It is taken over the batch and averaged over all features and positions, in float32.
    `(batch, height, width, channels)` -> `(batch, height, width, channels + 1)`.
    """

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        spread = ops.mean(ops.sqrt(ops.var(x, 0) + 1e-8))
        plane = ops.zeros_like(inputs[..., :1]) + ops.cast(spread, inputs.dtype)
        return ops.concatenate([inputs, plane], -1)

    def compute_output_shape(self, shape):
        return (*shape[:-1], shape[-1] + 1)


def pytorch_init(network):
    """Initialise the weights of a network as PyTorch's layers do by default.

    Kernels and biases are uniform within ±1/sqrt(fan in); PyTorch counts the fan in of
    a transposed convolution over its output channels.

    Returns:
        the same `keras.Model`.
    """
    for layer in network.layers:
        if hasattr(layer, "kernel"):
            bound = math.prod(layer.kernel.shape[:-1]) ** -0.5
            draw = keras.initializers.RandomUniform
            for v in layer.trainable_variables:
                v.assign(draw(-bound, bound)(v.shape))
    return network


def stack(x, *rows):
    """Apply rows of layers to `x`; a row is a line of a report's table."""
    for row in rows:
        for layer in row if isinstance(row, (list, tuple)) else [row]:
            x = layer(x)
    return x


def output(kind, name=None, applied=True):
    """The activation at the end of a network, in float32 at every precision; the last row
    of a table whose network ends in scores is not `applied`, but for probabilities."""
    return layers.Activation(kind if applied else "linear", dtype="float32", name=name)


def without_head(network, head):
    """The trainable variables of a network but those of one of its heads.

    Args:
        network: a `keras.Model` with several answers.
        head: what the names of that head's layers begin with.

    Raises:
        RecipeError: no layer has such a name.
    """
    of_head = [layer for layer in network.layers if layer.name.startswith(head)]
    left_out = {id(v) for layer in of_head for v in layer.trainable_variables}
    if not left_out:
        raise RecipeError(
            f"{network.name}: no head '{head}'; name its layers '{head}_...', so that "
            "each optimizer finds its variables"
        )
    return [v for v in network.trainable_variables if id(v) not in left_out]
