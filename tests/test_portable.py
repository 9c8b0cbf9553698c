"""The networks and the noise of a page: in a browser they give what Keras and numpy
give."""

import base64

import numpy as np
import pytest
from conftest import evaluate

from inference import page
from inference.portable import Portable, smallest
from models import today
from models.keras_setup import keras
from models.layers import BlockConvTranspose

layers = keras.layers


def in_browser(browser, portable, inputs, bits=16):
    """What `engine.js` makes of a network and inputs."""
    plan, blob, _ = portable.packed(bits)
    engine = (page.WEB / "engine.js").read_text()
    script = f"""{engine}
        const [plan, text, inputs] = values;
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const run = build(plan, bytes);
        return inputs.map((x) => Array.from(run(Float32Array.from(x))));"""
    flat = inputs.reshape(len(inputs), -1).tolist()
    text = base64.b64encode(blob).decode()
    return np.asarray(evaluate(browser, script, plan, text, flat), "float32")


def of_today():
    """The generator of today, small."""
    return today.generator(latent=5, condition=2, size=64, width=2)


def of_the_reports():
    """Strides, paddings and transposed convolutions of every kind."""
    image = keras.Input((13, 13, 3))
    x = layers.Conv2D(6, 5, 2, "same", activation="relu")(image)
    x = layers.BatchNormalization()(layers.ZeroPadding2D(1)(x))
    x = layers.Conv2D(9, 4, 2, "valid", use_bias=False)(x)
    x = layers.Conv2DTranspose(8, 6, 2, "valid")(x)
    x = layers.Conv2DTranspose(5, 5, 2, "same")(x)
    x = BlockConvTranspose(5, 4, 4, "same")(x)
    small = layers.AveragePooling2D(4)(x)
    other = BlockConvTranspose(5, 16, 4, "same")(small)
    x = layers.Add()([x, other])
    x = layers.Add()([x, layers.UpSampling2D(4)(small)])
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.Flatten()(x)])
    return keras.Model(image, layers.Dense(10)(layers.Dropout(0.5)(x)))


@pytest.mark.parametrize("network", [of_today, of_the_reports])
def test_every_layer_answers_as_keras_does(browser, network):
    keras.utils.set_random_seed(1)
    network = network()
    rng = np.random.default_rng(0)
    for variable in network.variables:  # running variances among them
        variable.assign(np.abs(variable) + 0.1 * rng.random(variable.shape))
    inputs = rng.standard_normal((3, *network.input_shape[1:])).astype("float32")
    portable = Portable(network)
    _, _, back = portable.packed(16)
    expected = portable.answer(back, inputs).reshape(3, -1)
    found = in_browser(browser, portable, inputs)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 2e-4 * np.abs(expected).max()


def test_bits_are_as_few_as_leave_the_pixels_alone():
    keras.utils.set_random_seed(1)
    network = of_today()
    noise = np.random.default_rng(0).standard_normal((4, 7)).astype("float32")  # 5 + 2
    before = network(noise).numpy()
    portable = Portable(network)
    found = []
    for loud in (0.1, 1.0, 10.0):  # the louder, the farther a pixel moves
        _, _, bits, change = smallest(portable, noise, lambda x, k=loud: x * k)
        found.append(bits)
        assert change <= 1 / 255
    assert found[0] == 8 < found[1] < found[2]
    assert np.array_equal(network(noise).numpy(), before)


def test_a_layer_that_a_page_cannot_run_is_named():
    image = keras.Input((4, 4, 3))
    with pytest.raises(page.UserError, match=r"top: .*MaxPooling2D"):
        Portable(keras.Model(image, layers.MaxPooling2D(name="top")(image)))


def test_a_seed_has_the_noise_that_numpy_gives_it(browser):
    seeds = [0, 1, 42, 999, 2**32 - 1, 2**32, 2**53 - 1]
    script = (page.WEB / "normal.js").read_text()
    script += "return values[0].map((s) => Array.from(normalNoise(s, 2000)));"
    found = evaluate(browser, script, seeds)
    expected = [np.random.default_rng(s).standard_normal(2000) for s in seeds]
    assert np.abs(np.asarray(found) - expected).max() < 1e-6
