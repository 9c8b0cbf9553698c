"""Report C's networks in PyTorch, written from its printed modules, and a function that
copies their weights into ours."""

import numpy as np
from torch import nn

from benchmarks.torch_twins import VAE, convolution, transposed


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        vae = VAE()
        self.body, self.mean = vae.encoder, vae.muParametrize
        self.log_var = vae.logvarParametrize

    def forward(self, x):
        x = self.body(x)
        return self.mean(x), self.log_var(x)


def acgan_generator():
    rows = []
    sizes = ((101, 384, 1, 0), (384, 192, 2, 1), (192, 96, 2, 1), (96, 48, 2, 1))
    for i, o, stride, pad in sizes:
        rows += [transposed(i, o, 4, stride, pad), nn.BatchNorm2d(o), nn.ReLU()]
    return nn.Sequential(
        nn.Unflatten(1, (101, 1, 1)), *rows, transposed(48, 3, 4, 2, 1), nn.Tanh()
    )


class ACGANDiscriminator(nn.Module):
    """Without dropout, the last layer of each block in the report; the caller adds it."""

    def __init__(self):
        super().__init__()
        rows = [convolution(3, 16, 3, 2, 1), nn.LeakyReLU(0.2)]
        sizes = (
            (16, 32, 1, 1),
            (32, 64, 2, 1),
            (64, 128, 1, 0),
            (128, 256, 2, 0),
            (256, 512, 1, 0),
        )
        for i, o, stride, pad in sizes:
            rows += [
                convolution(i, o, 3, stride, pad),
                nn.BatchNorm2d(o),
                nn.LeakyReLU(0.2),
            ]
        self.body = nn.Sequential(*rows, nn.Flatten())
        self.fc_dis, self.fc_aux = nn.Linear(8192, 1), nn.Linear(8192, 2)

    def forward(self, x):
        x = self.body(x)
        return self.fc_dis(x).sigmoid(), self.fc_aux(x).softmax(-1)


def port(theirs, ours, flattened=None, unflattened=None):
    """Copy the weights of a PyTorch module into a Keras network.

    Args:
        theirs: the module; its layers with weights are in the order of our network.
        ours: the `keras.Model`.
        flattened: (channels, side) of the image that Linear layers read.
        unflattened: (channels, side) of the image that a Linear layer returns.
    """
    layers = [x for x in ours.layers if x.weights and "dropout" not in x.name]
    modules = [m for m in theirs.modules() if isinstance(m, WEIGHTED)]
    for layer, module in zip(layers, modules, strict=True):
        weight = module.weight.detach().numpy()
        values = [] if module.bias is None else [module.bias.detach().numpy()]
        if isinstance(module, nn.BatchNorm2d):
            values = [weight, *values, module.running_mean, module.running_var]
            values = [np.asarray(v) for v in values]
        elif isinstance(module, nn.Linear):
            weight = weight.T
            if flattened:
                weight = channels_last(weight, *flattened)
            if unflattened:
                weight = channels_last(weight.T, *unflattened).T
                values = [channels_last(v, *unflattened) for v in values]
            values = [weight, *values]
        else:  # (out, in, h, w) -> (h, w, in, out); the transposed: (h, w, out, in)
            values = [weight.transpose(2, 3, 1, 0), *values]
        layer.set_weights(values)


WEIGHTED = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.Linear)


def channels_last(rows, channels, side):
    """Rows ordered (channel, row, column) -> (row, column, channel)."""
    cube = rows.reshape(channels, side, side, *rows.shape[1:])
    return np.moveaxis(cube, 0, 2).reshape(rows.shape)
