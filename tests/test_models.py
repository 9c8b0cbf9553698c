"""Networks against the reports' tables."""

import functools

import numpy as np
import pytest

from models import RECIPES, build, get_recipe, layers, parameters, rpgan
from models.keras_setup import keras, to_numpy
from models.layers import BatchNorm, BlockConvTranspose, MinibatchStd, UpConv


@functools.cache
def built(name, role):
    """A network that tests read and must not change."""
    return build(get_recipe(name), role, probabilities=True)


# Rows as in the tables: kernel / filters / strides / output shape, or for dense
# layers units. Written from the reports, not from the code.
def plain(kind, *shape):
    return kind, None, None, None, shape


def norms(*shapes):
    return [plain("BatchNorm", side, side, filters) for side, filters in shapes]


def dense(*units):
    return [("Dense", None, u, None, (u,)) for u in units]


def convolutions(kind, kernel, *shapes):
    """Rows of stride 2 (the last side and filters of each)."""
    return [(kind, kernel, f, 2, (s, s, f)) for s, f in shapes]


def up(*filters):
    """Rows of transposed convolutions from 8x8 on, with batch norm but after the last."""
    shapes = [(8 * 2**k, f) for k, f in enumerate(filters)]
    return convolutions("Conv2DTranspose", 5, *shapes) + norms(*shapes[:-1])


def down(*filters):
    shapes = [(32 // 2**k, f) for k, f in enumerate(filters)]
    return convolutions("Conv2D", 5, *shapes) + norms(*shapes)


B_GENERATOR = [
    ("Conv2D", 1, 4096, 1, (1, 1, 4096)),
    ("Conv2DTranspose", 4, 512, 2, (4, 4, 512)),
    ("Conv2DTranspose", 4, 256, 2, (8, 8, 256)),
    ("Conv2DTranspose", 9, 128, 4, (32, 32, 128)),
    ("Conv2DTranspose", 16, 128, 8, (32, 32, 128)),
    ("Conv2DTranspose", 5, 64, 2, (64, 64, 64)),
    ("Conv2D", 1, 3, 1, (64, 64, 3)),
    *norms((4, 512), (32, 128), (32, 128)),
]
B_EXTRACTOR = [
    ("Conv2D", 5, 256, 2, (32, 32, 256)),
    ("Conv2D", 3, 128, 1, (32, 32, 128)),
    ("AveragePooling2D", 3, None, 2, (16, 16, 128)),
    ("Conv2D", 3, 64, 1, (16, 16, 64)),
    ("Conv2D", 3, 64, 2, (8, 8, 64)),
    ("Dense", None, 256, None, (256,)),
]
B_HEAD = dense(64, 1)
D_GENERATOR = [
    ("Conv2DTranspose", 6, 512, 1, (6, 6, 512)),
    *convolutions("Conv2DTranspose", 4, (12, 256), (24, 128), (48, 64), (96, 3)),
    *norms((6, 512), (12, 256), (24, 128), (48, 64)),
]
D_DISCRIMINATOR = [
    *convolutions("Conv2D", 4, (48, 64), (24, 128), (12, 256), (6, 512)),
    ("Conv2D", 6, 1, 1, (1, 1, 1)),
]
E_DOWN = convolutions("Conv2D", 4, (32, 32), (16, 64), (8, 64), (4, 128))
E_UP = convolutions("Conv2DTranspose", 4, (8, 64), (16, 64), (32, 32), (64, 3))

LEAKY, RELU = {("LeakyReLU", 0.2)}, {("ReLU", 0.0)}
LEAKY_01 = {("LeakyReLU", 0.1)}
DOWN_A = down(64, 128, 256, 512)
DECODER_A = dense(4 * 4 * 512) + up(256, 128, 64, 3)
GENERATOR_A = DECODER_A + norms((4, 512))
# network: its rows, what stands at its end, the hidden activations it may have
TABLES = {
    "vae_a encoder": (DOWN_A + dense(512, 512), "linear linear", LEAKY),
    "vae_a decoder": (DECODER_A, "sigmoid", RELU),
    "wgan_a generator": (GENERATOR_A, "tanh", LEAKY),
    "wgan_a discriminator": (DOWN_A + dense(1), "linear", LEAKY),
    "acgan_a generator": (GENERATOR_A, "tanh", LEAKY),
    "acgan_a discriminator": (DOWN_A + dense(1, 1), "linear sigmoid", LEAKY),
    "vae_b encoder": (
        *(down(32, 64, 128, 256) + dense(1024, 1024), "linear linear", LEAKY),
    ),
    "vae_b decoder": (dense(4 * 4 * 256) + up(128, 64, 32, 3), "tanh", LEAKY),
    "gan_b generator": (B_GENERATOR, "tanh", LEAKY),
    "acgan_b generator": (B_GENERATOR, "tanh", LEAKY),
    "infogan_b generator": (B_GENERATOR, "tanh", LEAKY),
    "gan_b discriminator": (B_EXTRACTOR + B_HEAD, "sigmoid", LEAKY),
    "acgan_b discriminator": (B_EXTRACTOR + 2 * B_HEAD, "sigmoid sigmoid", LEAKY),
    "infogan_b discriminator": (
        *(B_EXTRACTOR + B_HEAD + dense(64, 7), "sigmoid softmax", LEAKY),
    ),
    "vae_e encoder": (E_DOWN + dense(20, 20), "linear linear", RELU),
    "vae_e decoder": (dense(4 * 4 * 128) + E_UP, "sigmoid", RELU),
}
for name, recipe in RECIPES.items():
    if recipe.report == "D":
        critic = "gradient_penalty" in recipe.settings
        more = [] if critic else norms((24, 128), (12, 256), (6, 512))
        more += [plain("Dropout", 6, 6, 512)] if "dropout" in name else []
        end = "linear" if critic else "sigmoid"
        TABLES[f"{name} discriminator"] = D_DISCRIMINATOR + more, end, LEAKY
        more = [plain("Dropout", 48, 48, 64)] if "dropout_g" in name else []
        TABLES[f"{name} generator"] = D_GENERATOR + more, "tanh", LEAKY_01


def row(layer):
    """A layer as a table's row, or None where tables have no row for it."""
    config, shape = layer.get_config(), tuple(layer.output.shape[1:])
    if type(layer).__name__ in ("BatchNorm", "Dropout"):
        return plain(type(layer).__name__, *shape)
    if isinstance(layer, keras.layers.Dense):
        return "Dense", None, config["units"], None, shape
    for kind in ("Conv2DTranspose", "Conv2D", "AveragePooling2D"):
        if isinstance(layer, getattr(keras.layers, kind)):
            side = (config.get("kernel_size") or config["pool_size"])[0]
            return kind, side, config.get("filters"), config["strides"][0], shape


@pytest.mark.parametrize("name", TABLES)
def test_networks_layer_by_layer(name):
    rows, ends, hidden = TABLES[name]
    network = built(*name.split())
    found = [r for r in map(row, network.layers) if r]
    # the two branches of B's generator, and its heads, may interleave
    assert sorted(map(str, found)) == sorted(map(str, rows)) and found[0] == rows[0]
    last = [x for out in network.outputs for x in network.layers if x.output is out]
    assert [layer.activation.__name__ for layer in last] == ends.split()
    kinds = {
        (type(x).__name__, float(x.get_config().get("negative_slope", 0.0)))
        for x in network.layers
        if type(x).__name__ in ("ReLU", "LeakyReLU")
    }
    assert kinds == hidden
    between = (x.get_config() for x in network.layers if x not in last)
    assert {config.get("activation") for config in between} <= {"linear", None}


def twins():
    """name -> (our network, its PyTorch twin, how features were flattened)."""
    torch_c = pytest.importorskip("torch_report_c")
    networks = pytest.importorskip("benchmarks.torch_twins")
    return {
        "vae_c-encoder": (torch_c.Encoder, {"flattened": (256, 4)}),
        "vae_c-decoder": (lambda: networks.VAE().decoder, {"unflattened": (256, 4)}),
        "dcgan_c-generator": (networks.dcgan_generator, {}),
        "dcgan_c-discriminator": (networks.dcgan_discriminator, {}),
        "acgan_c-generator": (torch_c.acgan_generator, {}),
        "acgan_c-discriminator": (torch_c.ACGANDiscriminator, {"flattened": (512, 4)}),
    }


@pytest.mark.parametrize(
    "name",
    [f"{r}-{role}" for r in RECIPES for role in RECIPES[r].networks if r.endswith("_c")],
)
def test_report_c_equals_pytorch(name):
    torch = pytest.importorskip("torch")
    port = pytest.importorskip("torch_report_c").port
    make, order = twins()[name]
    recipe, role = name.split("-")
    torch.manual_seed(1)
    theirs, ours = make(), build(get_recipe(recipe), role, probabilities=True)
    assert parameters(ours) == sum(p.numel() for p in theirs.parameters())
    for module in theirs.modules():  # statistics and scales away from 0 and 1
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
            module.running_mean.uniform_(-0.3, 0.3)
            module.running_var.uniform_(0.5, 2.0)
    port(theirs, ours, **order)
    for layer in ours.layers:  # its random mask differs, the rest must not
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    shape = (8, *ours.input.shape[1:])
    inputs = np.random.default_rng(0).standard_normal(shape).astype("float32")
    for training in (True, False):  # the second also sees the moved statistics
        theirs.train(training)
        x = torch.from_numpy(inputs)
        with torch.no_grad():
            expected = theirs(x.permute(0, 3, 1, 2) if x.ndim == 4 else x)
        found = ours(inputs, training=training)
        if not isinstance(found, (list, tuple)):
            expected, found = [expected], [found]
        for a, b in zip(expected, found, strict=True):
            a = a.permute(0, 2, 3, 1) if a.ndim == 4 else a
            difference = np.abs(a.numpy() - to_numpy(b)).max()
            assert difference <= 1e-4, (training, difference)
    statistics = [m for m in theirs.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    ours_too = [x for x in ours.layers if isinstance(x, BatchNorm)]
    for a, b in zip(statistics, ours_too, strict=True):
        for x, y in ((a.running_mean, b.moving_mean), (a.running_var, b.moving_variance)):
            np.testing.assert_allclose(x, to_numpy(y), atol=1e-4)


def test_batch_norm_moves_by_the_unbiased_variance_on_every_backend():
    x = np.random.default_rng(0).normal(3.0, 2.0, (2, 2, 2, 5)).astype("float32")
    for normalize in (layers._composed, layers._fused):
        if normalize is layers._fused and keras.backend.backend() != "tensorflow":
            continue
        bn = BatchNorm()
        bn.build(x.shape)
        y, mean, variance = normalize(bn, keras.ops.convert_to_tensor(x), True)
        np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-5)
        np.testing.assert_allclose(variance, x.var((0, 1, 2), ddof=1), rtol=1e-4)
        np.testing.assert_allclose(
            y, (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5), atol=1e-4
        )


def transposed(kernel, strides):
    kinds = (BlockConvTranspose, keras.layers.Conv2DTranspose)
    return [kind(5, kernel, strides, "same") for kind in kinds]


def upsampled():
    plain = keras.layers.Conv2D(5, 3, padding="same", use_bias=False)
    return UpConv(5), keras.Sequential([keras.layers.UpSampling2D(2), plain])


@pytest.mark.parametrize(
    ("make", "words"),
    [(transposed, w) for w in ((16, 8), (6, 2), (4, 4), (9, 3))] + [(upsampled, ())],
)
def test_a_faster_layer_equals_keras(make, words):
    ours, theirs = make(*words)
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 7)).astype("float32")
    ours(x), theirs(x)
    theirs.set_weights([w + 0.1 for w in ours.get_weights()])
    ours.set_weights(theirs.get_weights())
    found = ours(x)
    np.testing.assert_allclose(found, theirs(x), atol=1e-5)
    assert ours.compute_output_shape(x.shape) == found.shape


def test_minibatch_deviation_is_one_channel_of_the_batch():
    x = np.random.default_rng(0).standard_normal((8, 4, 4, 3)).astype("float32")
    y = to_numpy(MinibatchStd()(x))
    np.testing.assert_array_equal(y[..., :3], x)
    np.testing.assert_allclose(y[..., 3], x.std(0).mean(), rtol=1e-4)


def test_report_c_starts_as_pytorch_does():
    recipe = get_recipe("acgan_c")
    for role in recipe.networks:
        for layer in built("acgan_c", role).layers:
            if hasattr(layer, "kernel"):
                kernel = to_numpy(layer.kernel)
                bound = np.prod(kernel.shape[:-1]) ** -0.5
                assert 0.98 * bound < np.abs(kernel).max() < 1.001 * bound
                most = 3 / kernel.size**0.5  # five standard deviations of the mean
                assert np.abs(kernel).mean() == pytest.approx(bound / 2, rel=most)


def test_probabilities_are_scores_under_the_tables_last_row():
    x = np.random.default_rng(0).standard_normal((4, 64, 64, 3)).astype("float32")
    network = built("acgan_c", "discriminator")
    scores = build(get_recipe("acgan_c"), "discriminator")
    scores.set_weights(network.get_weights())
    real, label = network(x)
    real_score, label_score = scores(x)
    np.testing.assert_allclose(keras.ops.sigmoid(real_score), real, atol=1e-6)
    np.testing.assert_allclose(keras.ops.softmax(label_score), label, atol=1e-6)


@pytest.mark.parametrize("size", [96, 160])  # by a sliding window, by tiles
def test_the_recent_generator_draws_other_sizes(size):
    network = rpgan.generator(latent=4, size=size, width=2)
    assert network(np.zeros((1, 4), "float32")).shape == (1, size, size, 3)
