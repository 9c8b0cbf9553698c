"""Training steps of `dcgan_c` and `vae_c` in PyTorch as a user would write them:
channels last, fused Adam, autocast, compiled; the same losses, noise, averages and number
of updates as ours."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.steps import AT_ONCE, IMAGES, timed
from models import get_recipe

# ------------------------------------- networks, as the printed modules have them


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


# ---------------------------------------------------------------- training steps


def make_step(name, precision, batch, device="cpu", compiler=None):
    """A function that runs one training step of "dcgan_c" or "vae_c" on uint8 images
    `(batch, 64, 64, 3)` and returns losses, scalar tensors; in "float32", or "bfloat16"
    by autocast. `compiler` makes a module faster, `torch.compile`."""
    recipe, make = get_recipe(name), {"dcgan_c": dcgan, "vae_c": vae}
    cast = torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")
    with torch.device(device):
        step = make[name](recipe, cast, batch, compiler or (lambda module: module))

    def from_uint8(images):
        pixels = images.permute(0, 3, 1, 2)  # is channels last
        return step(pixels.float() * (2 / 255) - 1)

    return from_uint8


def make_run(name, precision, batch):
    """As `benchmarks.ours.make_run`, on CUDA if there is one; compiled if that works here
    and is faster."""
    torch.set_num_interop_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    side = get_recipe(name).image_size
    images = torch.randint(256, (IMAGES, side, side, 3), dtype=torch.uint8, device=device)
    many = AT_ONCE if device == "cuda" else 1

    def runner(compiler):
        step = make_step(name, precision, batch, device, compiler)

        def run(k):
            for j in range(k, k + many):
                chosen = torch.arange(j * batch, (j + 1) * batch, device=device) % IMAGES
                logs = step(images[chosen])
            return [float(x) for x in logs]  # waits for the device

        return run

    runs = {"seconds_plain": runner(None)}
    if compiler := working_compiler(device):
        runs["seconds_compiled"] = runner(compiler)
    seconds = {}
    for key, run in runs.items():
        run(0), run(many)  # the first steps compile
        seconds[key] = min(timed(run, many * k) for k in range(2, 5)) / many
    best = min(seconds, key=seconds.get)
    about = {f"torch_{key}": round(value, 5) for key, value in seconds.items()}
    return runs[best], many, about | {"torch_compiled": best == "seconds_compiled"}


def working_compiler(device):
    """`torch.compile`, or None where it finds no compiler of C++ or Triton."""
    try:
        torch.compile(lambda x: x + 1)(torch.ones(2, device=device))
    except Exception:  # whatever is missing, there is a step without it
        return None
    return torch.compile


def optimizer(module, spec):
    betas = (spec.beta_1, spec.beta_2)
    return torch.optim.Adam(module.parameters(), spec.learning_rate, betas, fused=True)


def descend(adam, loss):
    adam.zero_grad()
    loss.backward()
    adam.step()


class Average:
    """The exponential moving average of a module, as our steps compute it."""

    def __init__(self, module, decay):
        self.module, self.decay, self.seen = module, decay, 0
        self.kept = copy.deepcopy(module)

    @torch.no_grad()
    def update(self):
        self.seen += 1
        decay = min(self.decay, (1 + self.seen) / (10 + self.seen))
        for kind in ("parameters", "buffers"):
            kept, live = (
                [v for v in getattr(m, kind)() if v.is_floating_point()]
                for m in (self.kept, self.module)
            )
            torch._foreach_lerp_(kept, live, 1 - decay)


def dcgan(recipe, cast, batch, compiler):
    generator = dcgan_generator().to(memory_format=torch.channels_last)
    # Ends before the sigmoid: the loss reads logits, as ours does.
    network = dcgan_discriminator()[:-1].to(memory_format=torch.channels_last)
    g_adam = optimizer(generator, recipe.optimizers["generator"])
    d_adam = optimizer(network, recipe.optimizers["discriminator"])
    average = Average(generator, recipe.ema)
    generate, answer = compiler(generator), compiler(network)
    real_target = torch.full((batch, 1), recipe.settings["real_target"])
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
    bce = F.binary_cross_entropy_with_logits

    def noise():
        return torch.randn(batch, recipe.latent, device=ones.device)

    def discriminate(images):
        noisy = images + recipe.image_noise * torch.randn_like(images)
        return answer(noisy).float()

    def step(real):
        with cast:
            fake = generate(noise()).detach()
            d_loss = bce(discriminate(real), real_target) + bce(discriminate(fake), zeros)
        descend(d_adam, d_loss)
        for _ in range(recipe.g_steps):
            network.requires_grad_(False)
            with cast:
                g_loss = bce(discriminate(generate(noise())), ones)
            descend(g_adam, g_loss)
            network.requires_grad_(True)
        average.update()
        return d_loss.detach(), g_loss.detach()

    return step


def vae(recipe, cast, batch, compiler):
    network = VAE().to(memory_format=torch.channels_last)
    adam = optimizer(network, recipe.optimizers["vae"])
    average, forward = Average(network, recipe.ema), compiler(network)

    def step(images):
        noise = torch.randn(batch, recipe.latent, device=images.device)
        with cast:
            output, mean, log_var = forward(images, noise)
        mse = F.mse_loss(output, images)
        kld = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1).mean()
        loss = mse + recipe.settings["kl_weight"] * kld
        descend(adam, loss)
        average.update()
        return (loss.detach(),)

    return step
