"""The few layers that Keras does not have as the reports need them."""

from models.keras_setup import BACKEND, keras

layers = keras.layers
ops = keras.ops


@keras.saving.register_keras_serializable("hw4")
class BatchNorm(layers.BatchNormalization):
    """Batch normalization over the last axis, with PyTorch's statistics.

    `torch.nn.BatchNorm2d(eps=1e-5, momentum=0.1)` is Keras' momentum 0.9, and
    it moves its running variance by the *unbiased* batch variance, which
    Keras does not. Takes and returns a `(batch, ..., channels)` tensor in the
    layer's compute dtype; statistics are float32 whatever that dtype is.

    On TensorFlow both come from the fused kernel, which is also the faster
    one (Keras takes the mean, the variance and the scaling in separate ops).
    """

    def __init__(self, momentum=0.9, epsilon=1e-5, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, **kwargs)

    def call(self, inputs, training=False):
        normalize = _fused if BACKEND == "tensorflow" else _composed
        outputs, mean, variance = normalize(self, inputs, training)
        if training:
            for running, now in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                running.assign(running * self.momentum + now * (1 - self.momentum))
        return outputs


def _fused(bn, inputs, training):
    import tensorflow as tf

    shape = tf.shape(inputs)
    image = inputs
    if len(inputs.shape) != 4:  # the kernel takes images only
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
    return outputs, mean, variance  # the variance comes unbiased


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
    """`Conv2D`; `pad` pixels of zeros on every side, as PyTorch counts them.

    `pad=None` is Keras' own padding="same". The two differ for a 3x3 kernel
    with stride 2: PyTorch pads left and top, Keras right and bottom.
    Returns the list of layers that does it.
    """
    if pad is None:
        return [layers.Conv2D(filters, kernel, strides, "same", **kwargs)]
    if pad == 0:
        return [layers.Conv2D(filters, kernel, strides, "valid", **kwargs)]
    if 2 * pad == kernel - strides:  # then "same" pads evenly, and is faster
        return [layers.Conv2D(filters, kernel, strides, "same", **kwargs)]
    return [
        layers.ZeroPadding2D(pad),
        layers.Conv2D(filters, kernel, strides, "valid", **kwargs),
    ]


@keras.saving.register_keras_serializable("hw4")
class TiledConvTranspose(layers.Conv2DTranspose):
    """`Conv2DTranspose` whose kernel is as large as its stride.

    Its output windows do not overlap, so it is one matrix product per image
    position. As a convolution's gradient, the 16x16 layer of Report B took two
    thirds of a training step's time in convolutions. Same
    variables, same output `(batch, height * strides, width * strides, filters)`.
    """

    def call(self, inputs):
        size, _, filters, channels = self.kernel.shape
        height, width = inputs.shape[1:3]
        kernel = ops.reshape(self.kernel, (-1, channels))
        x = ops.matmul(ops.reshape(inputs, (-1, channels)), ops.transpose(kernel))
        x = ops.reshape(x, (-1, height, width, size, size, filters))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        x = ops.reshape(x, (-1, height * size, width * size, filters))
        if self.use_bias:
            x = x + ops.cast(self.bias, x.dtype)
        return self.activation(x)


def conv_transpose(filters, kernel, strides, padding="same", **kwargs):
    """`Conv2DTranspose` as a list of one layer, to stand beside `conv`."""
    kind = TiledConvTranspose if kernel == strides else layers.Conv2DTranspose
    return [kind(filters, kernel, strides, padding, **kwargs)]


def stack(x, *rows):
    """Apply rows of layers, each row one line of a report's table, to `x`."""
    for row in rows:
        for layer in row if isinstance(row, (list, tuple)) else [row]:
            x = layer(x)
    return x


def output(kind, name=None):
    """The activation at a network's end, in float32 whatever came before."""
    return layers.Activation(kind, dtype="float32", name=name)


def logits(network):
    """The same network, ended before its last sigmoid or softmax.

    Losses take logits, because log(sigmoid(x)) of a large negative x is -inf.
    The layers are shared, so training one trains the other.

    Returns:
        A `keras.Model` with one output per output of `network`, each
        `(batch, units)`.
    """
    ends = []
    for tensor in network.outputs:
        last = tensor._keras_history.operation
        ends_in_activation = isinstance(last, layers.Activation)
        ends.append(last.input if ends_in_activation else tensor)
    return keras.Model(network.input, ends, name=network.name + "_logits")
