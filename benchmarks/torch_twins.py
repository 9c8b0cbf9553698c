"""Training steps of `dcgan_c`, `vae_c` and `rpgan` in plain PyTorch, channels last, with
the same losses, optimizers, noise, averages and number of updates as ours."""

import copy

import torch
from torch import nn

from benchmarks.torch_report_c import VAE, dcgan_discriminator, dcgan_generator
from models import get_recipe


def make_step(name, precision, batch, device="cpu"):
    """A function that runs one training step on uint8 `(batch, 64, 64, 3)`.

    Args:
        name: "dcgan_c", "vae_c" or "rpgan".
        precision: "float32" or "bfloat16" (autocast).
        batch: images per update.
        device: "cpu", or "cuda", where the networks are compiled too.

    Returns:
        the step, which returns losses as scalar tensors; `step.average` is the averaged
        generator or decoder.
    """
    recipe = get_recipe(name)
    cast = torch.autocast(device, torch.bfloat16, enabled=precision == "bfloat16")
    with torch.device(device):
        step = makers()[name](recipe, cast, batch)

    def from_uint8(images):
        pixels = images.permute(0, 3, 1, 2)  # is channels last
        return step(pixels.float() * (2 / 255) - 1)

    from_uint8.average = step.average
    return from_uint8


def makers():
    from benchmarks.torch_today import rpgan

    return {"dcgan_c": dcgan, "vae_c": vae, "rpgan": rpgan}


def optimizer(module, spec):
    betas = (spec.beta_1, spec.beta_2)
    return torch.optim.Adam(module.parameters(), spec.learning_rate, betas, fused=True)


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
            ours = [v for v in getattr(self.kept, kind)() if v.is_floating_point()]
            live = [v for v in getattr(self.module, kind)() if v.is_floating_point()]
            torch._foreach_lerp_(ours, live, 1 - decay)


def dcgan(recipe, cast, batch):
    generator = dcgan_generator().to(memory_format=torch.channels_last)
    # Ends before the sigmoid: the loss reads logits, as ours does.
    network = dcgan_discriminator()[:-1].to(memory_format=torch.channels_last)
    g_optimizer = optimizer(generator, recipe.optimizers["generator"])
    d_optimizer = optimizer(network, recipe.optimizers["discriminator"])
    average = Average(generator, recipe.ema)
    if torch.get_default_device().type == "cuda":
        generator.compile()
        network.compile()
    bce = nn.BCEWithLogitsLoss()
    real_target = torch.full((batch, 1), recipe.real_target)
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    def noise():
        return torch.randn(batch, recipe.latent, device=ones.device)

    def discriminate(images):
        noisy = images + recipe.image_noise * torch.randn_like(images)
        return network(noisy).float()

    def step(real):
        with cast:
            fake = generator(noise()).detach()
            d_loss = bce(discriminate(real), real_target) + bce(discriminate(fake), zeros)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        for _ in range(recipe.g_steps):
            network.requires_grad_(False)
            with cast:
                g_loss = bce(discriminate(generator(noise())), ones)
            g_optimizer.zero_grad()
            g_loss.backward()
            g_optimizer.step()
            network.requires_grad_(True)
        average.update()
        return d_loss.detach(), g_loss.detach()

    step.average = average.kept
    return step


def vae(recipe, cast, batch):
    network = VAE().to(memory_format=torch.channels_last)
    adam = optimizer(network, recipe.optimizers["vae"])
    average = Average(network, recipe.ema)
    if torch.get_default_device().type == "cuda":
        network.encoder.compile()
        network.decoder.compile()

    def step(images):
        with cast:
            features = network.encoder(images)
            mean = network.muParametrize(features).float()
            log_var = network.logvarParametrize(features).float()
            code = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
            output = network.decoder(code).float()
        mse = nn.functional.mse_loss(output, images)
        kld = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1).mean()
        loss = mse + recipe.kl_weight * kld
        adam.zero_grad()
        loss.backward()
        adam.step()
        average.update()
        return (loss.detach(),)

    step.average = average.kept
    return step
