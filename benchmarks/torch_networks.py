"""The networks of `dcgan_c`, `vae_c` and `rpgan` in PyTorch; those of Report C as its
printed modules have them."""

import torch
from torch import nn
from torch.nn import functional as F

LAST = torch.channels_last


def convolution(inputs, filters, kernel, stride, pad):
    return nn.Conv2d(inputs, filters, kernel, stride, pad, bias=False)


def transposed(inputs, filters, kernel, stride, pad=0):
    return nn.ConvTranspose2d(inputs, filters, kernel, stride, pad, bias=False)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        rows = []
        for i, o in ((3, 32), (32, 64), (64, 128), (128, 256)):
            rows += [convolution(i, o, 4, 2, 1), nn.BatchNorm2d(o), nn.ReLU()]
        self.encoder = nn.Sequential(*rows, nn.Flatten())
        rows = [nn.Linear(512, 4096), nn.Unflatten(1, (256, 4, 4))]
        for i, o in ((256, 128), (128, 64), (64, 32)):
            rows += [transposed(i, o, 6, 2), nn.BatchNorm2d(o), nn.LeakyReLU(0.01)]
        self.decoder = nn.Sequential(*rows, nn.ConvTranspose2d(32, 3, 5), nn.Tanh())
        self.muParametrize = nn.Linear(4096, 512)
        self.logvarParametrize = nn.Linear(4096, 512)

    def forward(self, images, noise):
        """(reconstructions, means, log variances)"""
        features = self.encoder(images)
        mean = self.muParametrize(features).float()
        log_var = self.logvarParametrize(features).float()
        code = mean + torch.exp(0.5 * log_var) * noise
        return self.decoder(code).float(), mean, log_var


def dcgan_generator():
    rows = []
    sizes = ((100, 512, 1, 0), (512, 256, 2, 1), (256, 128, 2, 1), (128, 64, 2, 1))
    for i, o, stride, pad in sizes:
        rows += [transposed(i, o, 4, stride, pad), nn.BatchNorm2d(o), nn.LeakyReLU(0.1)]
    return nn.Sequential(
        nn.Unflatten(1, (100, 1, 1)), *rows, transposed(64, 3, 4, 2, 1), nn.Tanh()
    )


def dcgan_discriminator():
    rows = [convolution(3, 64, 4, 2, 1), nn.LeakyReLU(0.2)]
    for i, o in ((64, 128), (128, 256), (256, 512)):
        rows += [convolution(i, o, 4, 2, 1), nn.BatchNorm2d(o), nn.LeakyReLU(0.2)]
    return nn.Sequential(*rows, convolution(512, 1, 4, 1, 0), nn.Flatten(), nn.Sigmoid())


def up(i, o):
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(i, o, 3, 1, 1, bias=False),
        nn.BatchNorm2d(o),
        nn.LeakyReLU(0.2),
    )


def excite(i, o):
    return nn.Sequential(
        nn.AdaptiveAvgPool2d(4),
        nn.Conv2d(i, o, 4),
        nn.LeakyReLU(0.2),
        nn.Conv2d(o, o, 1),
        nn.Sigmoid(),
    )


class RPGenerator(nn.Module):
    """Noise `(n, latent)` -> images `(n, 3, 64, 64)` in [-1, 1]."""

    def __init__(self, latent=128, width=32):
        super().__init__()
        self.width = w = width
        self.start, self.norm = nn.Linear(latent, 128 * w), nn.BatchNorm2d(8 * w)
        self.to8, self.to16 = up(8 * w, 8 * w), up(8 * w, 4 * w)
        self.to32, self.to64 = up(4 * w, 2 * w), up(2 * w, w)
        self.from4, self.from8 = excite(8 * w, 2 * w), excite(8 * w, w)
        self.rgb = nn.Conv2d(w, 3, 3, 1, 1)

    def forward(self, z):
        x4 = self.start(z).view(-1, 8 * self.width, 4, 4).contiguous(memory_format=LAST)
        x4 = F.leaky_relu(self.norm(x4), 0.2)
        x8 = self.to8(x4)
        x32 = self.to32(self.to16(x8)) * self.from4(x4)
        return torch.tanh(self.rgb(self.to64(x32) * self.from8(x8)))


class RPDiscriminator(nn.Module):
    """Images -> scores `(n,)`."""

    def __init__(self, width=32):
        super().__init__()
        w, rows = width, []
        for i, o in ((3, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w), (8 * w, 8 * w)):
            rows += [nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*rows)
        self.head = nn.Sequential(
            nn.Conv2d(8 * w + 1, 8 * w, 3, 1, 1),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(128 * w, 8 * w),
            nn.LeakyReLU(0.2),
            nn.Linear(8 * w, 1),
        )

    def forward(self, x):
        f = self.body(x)
        spread = (f.float().var(0, unbiased=False) + 1e-8).sqrt().mean()
        plane = spread.to(f.dtype).expand(len(x), 1, 4, 4)
        return self.head(torch.cat([f, plane], 1)).float().view(-1)


def kaiming(module):
    """The starting weights of `rpgan`."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, 0.2)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return module
