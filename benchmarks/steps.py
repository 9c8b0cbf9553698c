"""Training steps, ours beside PyTorch's, each in its own process; they take turns."""

import dataclasses
import multiprocessing
import time

import numpy as np
import pandas as pd

from cli import UserError
from data_utils import Faces
from models import build, get_recipe

IMAGES = 1024  # random ones, in memory
AT_ONCE = 25  # steps in a call on an accelerator, as in training


def ours(name, precision, batch):
    """(run, n, about): `run(k)` runs n steps of a recipe from step k on, on random
    images, and waits for them; `about` is what to record."""
    from models import keras_setup
    from train.backend import compiled
    from train.feed import Feed
    from train.model import model_of

    keras_setup.set_precision(precision)
    recipe = dataclasses.replace(get_recipe(name), batch_size=batch)
    rng = np.random.default_rng(0)
    side = recipe.image_size
    images = rng.integers(0, 256, (IMAGES, side, side, 3), "uint8")
    table = pd.DataFrame({recipe.attribute: rng.integers(0, 2, IMAGES)})
    feed = Feed(recipe, Faces(images, table, [], None), 0)
    advance, most = compiled(model_of(recipe, 0), feed, AT_ONCE)
    return lambda k: advance(k, most), most, {}


def pytorch(name, precision, batch):
    """The same of its PyTorch twin, on CUDA if there is one; compiled if that works here
    and is faster."""
    import torch

    from benchmarks.torch_twins import make_step, working_compiler

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

    def seconds(run):
        run(0), run(many)  # the first steps compile
        return min(_timed(run, many * k) for k in range(2, 5))

    runs = {False: runner(None)}
    if compiler := working_compiler(device):
        runs[True] = runner(compiler)
    compiled = min(runs, key=lambda key: seconds(runs[key]))
    return runs[compiled], many, {"torch_compiled": compiled}


def _timed(run, k):
    began = time.perf_counter()
    run(k)
    return time.perf_counter() - began


def matmul(precision, side):
    """The same of a product of two square matrices, an upper limit for the rate of a
    step on this machine."""
    import keras

    shape, many = (side, side), 10
    a, b = (keras.random.normal(shape, dtype=precision, seed=k) for k in (0, 1))

    def run(k):
        for _ in range(many):
            c = keras.ops.matmul(a, b)
        return float(c[0, 0])  # waits for the device

    return run, many, {}


class Worker:
    """A process that makes `run` and times it; `about` is what it says of itself."""

    def __init__(self, make, *words):
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make, *words))
        self.process.start()
        theirs.close()
        self.about = self._answer()

    def time(self, steps):
        """Run so many calls; return the median seconds of a step."""
        self.pipe.send(steps)
        return self._answer()

    def _answer(self):
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            raise UserError("a worker died; its own message is above") from None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.pipe.close()
        self.process.join()


def _serve(pipe, make, *words):
    run, many, about = make(*words)
    pipe.send(about)
    k = 0
    while True:
        try:
            count = pipe.recv()
        except EOFError:
            return
        times = []
        for _ in range(count):
            times.append(_timed(run, k) / many)
            k += many
        pipe.send(float(np.median(times)))


def compare(name, precision, batch, pairs, steps):
    """Time PyTorch and ours in turn; a row with images/s of both and the ratio."""
    recipe = get_recipe(name)
    images, words = batch * recipe.d_steps, (name, precision, batch)
    with Worker(pytorch, *words) as theirs, Worker(ours, *words) as mine:
        theirs.time(2), mine.time(2)  # compiling
        times = [(theirs.time(steps), mine.time(steps)) for _ in range(pairs)]
    ratios = [x / y for x, y in times]
    rates = [images / float(np.median(column)) for column in zip(*times, strict=True)]
    row = {
        "recipe": name,
        "batch": batch,
        "precision": precision,
        "torch_images_per_second": round(rates[0], 2),
        "images_per_second": round(rates[1], 2),
        "ratio": round(float(np.median(ratios)), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "pairs": pairs,
        "steps": steps,
    } | theirs.about
    print(
        f"{name:8} batch {batch:4d} {precision:8}  PyTorch {rates[0]:8.1f} img/s"
        f"  ours {rates[1]:8.1f} img/s  {row['ratio']:.2f}x"
        f" [{min(ratios):.2f}, {max(ratios):.2f}]",
        flush=True,
    )
    return row


def share_of_matmul(row, side):
    """Our rate as a share of that of an N x N matrix product, counted in the operations
    of the layers; {} for recipes that `flops` does not count."""
    work = flops(get_recipe(row["recipe"]))
    if not work:
        return {}
    with Worker(matmul, row["precision"], side) as product:
        product.time(1)
        rate = 2 * side**3 / product.time(3)
    share = work * row["images_per_second"] / rate
    print(f"{'':8} {share:.1%} of {rate / 1e12:.2f} TFLOP/s of a {side}-square product")
    return {
        "flops_per_image": work,
        "matmul": {"side": side, "tflops": round(rate / 1e12, 3)},
        "share_of_matmul": round(share, 3),
    }


def flops(recipe):
    """Floating-point operations of a training step for each image of its batch, in
    convolutions and dense layers; 0 with penalties, which are not counted.

    A pass forward, one back to the inputs and one to the weights cost the same.
    """
    cost = {role: forward_flops(build(recipe, role)) for role in recipe.networks}
    if recipe.traits.rebuilds:
        return 3 * sum(cost.values())
    if recipe.settings.get("r1"):
        return 0
    d, g = cost["discriminator"], cost["generator"]
    return (6 * d + g) + recipe.g_steps * (2 * d + 3 * g)


def forward_flops(network):
    """Of one image."""
    total = 0
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        transposed = "Transpose" in type(layer).__name__
        image = layer.input.shape if transposed else layer.output.shape
        places = int(np.prod(image[1:-1])) if len(kernel.shape) == 4 else 1
        total += 2 * int(np.prod(kernel.shape)) * places
    return total
