"""`rpgan` in idiomatic PyTorch, to compare the speed: plain upsampling and 3x3
convolutions, channels last, autocast except for the penalties."""

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.torch_twins import Average, optimizer

LAST = torch.channels_last


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


class Generator(nn.Module):
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


def down(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 4, 2, 1), nn.LeakyReLU(0.2))


class Discriminator(nn.Module):
    """Images -> scores `(n,)`."""

    def __init__(self, width=32):
        super().__init__()
        w = width
        self.body = nn.Sequential(
            down(3, 2 * w), down(2 * w, 4 * w), down(4 * w, 8 * w), down(8 * w, 8 * w)
        )
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


def augment(x):
    """Brightness, saturation, contrast, translation (Zhao et al. 2020)."""
    n, _, _, side = x.shape
    device = {"device": x.device}
    x = x + torch.rand(n, 1, 1, 1, **device) - 0.5
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (2 * torch.rand(n, 1, 1, 1, **device)) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (torch.rand(n, 1, 1, 1, **device) + 0.5) + mean
    x = F.pad(x, (8, 8, 8, 8))
    i, j = torch.randint(0, 17, (2, n))
    parts = [x[k, :, i[k] : i[k] + side, j[k] : j[k] + side] for k in range(n)]
    return torch.stack(parts).contiguous(memory_format=LAST)


def rpgan(recipe, cast, batch):
    generator = Generator(recipe.latent).to(memory_format=LAST)
    network = Discriminator().to(memory_format=LAST)
    for module in [*generator.modules(), *network.modules()]:
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, 0.2)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    g_adam = optimizer(generator, recipe.optimizers["generator"])
    d_adam = optimizer(network, recipe.optimizers["discriminator"])
    average, done = Average(generator, recipe.ema), 0

    def noise():
        device = next(generator.parameters()).device
        return torch.randn(batch, recipe.latent, device=device)

    def penalty(seen):
        seen = seen.detach().requires_grad_()
        (slope,) = torch.autograd.grad(network(seen).sum(), seen, create_graph=True)
        return 0.5 * slope.square().sum((1, 2, 3)).mean()

    def step(real):
        nonlocal done
        with cast:
            fake = generator(noise()).float().detach()
            real_seen, fake_seen = augment(real), augment(fake)
            d_loss = F.softplus(network(fake_seen) - network(real_seen)).mean()
        if done % recipe.penalty_every == 0:
            both = recipe.r1 * penalty(real_seen) + recipe.r2 * penalty(fake_seen)
            d_loss = d_loss + recipe.penalty_every * both
        d_adam.zero_grad()
        d_loss.backward()
        d_adam.step()
        network.requires_grad_(False)
        with cast:
            with torch.no_grad():
                on_real = network(augment(real))
            unreal = network(augment(generator(noise()).float()))
            g_loss = F.softplus(on_real - unreal).mean()
        g_adam.zero_grad()
        g_loss.backward()
        g_adam.step()
        network.requires_grad_(True)
        done += 1
        average.update()
        return d_loss.detach(), g_loss.detach()

    step.average = average.kept
    return step
