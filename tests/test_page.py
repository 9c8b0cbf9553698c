"""The page with networks inside, as a person uses it: in a browser they give what Keras
and numpy give."""

import base64
import re

import numpy as np
import pytest
from conftest import evaluate, refused
from PIL import Image

import data_utils
from cli import UserError
from models import rpgan, sampling
from models.keras_setup import keras
from models.layers import BlockConvTranspose, MinibatchStd
from models.trained import Trained
from page import build
from page.__main__ import GENERATORS, LIMIT, VAE, main
from page.portable import packed

layers = keras.layers


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "faces.html"
    main(["--out", str(path)])
    return path


@pytest.fixture(scope="module")
def opened(browser, built):
    browser.get_log("browser")  # what pages before this one said
    browser.get(built.as_uri())
    assert evaluate(browser, "await started; return 1;") == 1
    assert browser.get_log("browser") == []
    return browser


def pixels_of(browser, name):
    """The pixels that a canvas was given, before it enlarged them: int `(64, 64, 3)`."""
    rgb = evaluate(browser, "return Array.from(element(values[0]).rgb)", name)
    side = round((len(rgb) / 3) ** 0.5)
    return np.asarray(rgb).reshape(side, side, 3)


def until(browser, condition):
    script = "while (!(%s)) await new Promise((r) => setTimeout(r, 30)); return 1;"
    assert evaluate(browser, script % condition) == 1


def keys():
    return pytest.importorskip("selenium.webdriver").Keys


def small_generator(condition=2):
    return rpgan.generator(latent=5, condition=condition, size=64, width=2)


def of_the_reports():
    """Strides, paddings and transposed convolutions of every kind."""
    image = keras.Input((13, 13, 3))
    x = MinibatchStd()(image)
    x = layers.Conv2D(6, 5, 2, "same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(9, 4, 2, "valid", use_bias=False)(x)
    x = layers.Conv2DTranspose(8, 6, 2, "valid")(x)
    x = layers.Conv2DTranspose(5, 5, 2, "same")(x)
    x = BlockConvTranspose(5, 4, 4, "same")(x)
    other = BlockConvTranspose(5, 16, 4, "same")(layers.AveragePooling2D(4)(x))
    x = layers.Add()([x, other])
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(10)(x))


@pytest.mark.parametrize("network", [small_generator, of_the_reports])
def test_every_layer_gives_what_keras_gives(browser, network):
    keras.utils.set_random_seed(1)
    network = network()
    rng = np.random.default_rng(0)
    for variable in network.variables:  # running variances among them
        variable.assign(np.abs(variable) + 0.1 * rng.random(variable.shape))
    inputs = rng.standard_normal((3, *network.input_shape[1:])).astype("float32")
    plan, blob = packed(network, 16)
    script = (build.WEB / "engine.js").read_text()
    script += """
        const [plan, text, inputs] = values;
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        const run = build(plan, bytes);
        return inputs.map((x) => Array.from(run(Float32Array.from(x))));"""
    text = base64.b64encode(blob).decode()
    flat = inputs.reshape(3, -1).tolist()
    found = np.asarray(evaluate(browser, script, plan, text, flat))
    one_by_one = [sampling.run_network(network, x[None]) for x in inputs]
    expected = np.concatenate(one_by_one).reshape(3, -1)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 5e-4 * np.abs(expected).max()


@pytest.mark.parametrize(
    "layer",
    [
        layers.MaxPooling2D(name="top"),
        layers.ReLU(max_value=6, name="top"),
        layers.Conv2D(3, 3, dilation_rate=2, name="top"),
        layers.Conv2D(3, 3, activation="gelu", name="top"),
        layers.AveragePooling2D(2, padding="same", name="top"),
        layers.Dense(4, name="top"),  # of a map
        layers.Conv2DTranspose(2, 4, (2, 1), name="top"),
        layers.Conv2DTranspose(2, 4, 2, output_padding=1, name="top"),
        layers.BatchNormalization(axis=1, name="top"),
        layers.BatchNormalization(scale=False, name="top"),
    ],
)
def test_a_layer_that_a_page_cannot_run_is_named(layer):
    image = keras.Input((5, 5, 3))
    kind = layer.__class__.__name__
    with pytest.raises(UserError, match=f"top: a page cannot run this {kind}"):
        packed(keras.Model(image, layer(image)), 16)


def test_a_seed_has_the_noise_that_numpy_gives_it(browser):
    seeds = [0, 1, 42, 999, 2**32 - 1, 2**32, 2**53 - 1]
    script = (build.WEB / "normal.js").read_text()
    script += "return values[0].map((s) => Array.from(normalNoise(s, 2000)));"
    found = evaluate(browser, script, seeds)
    expected = [np.random.default_rng(s).standard_normal(2000) for s in seeds]
    assert np.abs(np.asarray(found) - expected).max() < 1e-6


def test_the_page_is_one_small_file_that_loads_nothing(built):
    text = built.read_text()
    assert len(text.encode()) <= LIMIT == 20 * 10**6
    packed = r'<script type="[a-z/]*" id="(data|network-[a-z]+)">[^<]*</script>'
    rest, count = re.subn(packed, "", text)
    assert count == 5 and len(rest) < 10**5
    for far in ("http", 'src="', "@import", "url(", "fetch("):
        assert far not in rest.replace("http://www.w3.org/2000/svg", ""), far


def test_ten_seeds_look_as_keras_draws_them(opened):
    trained = Trained(evaluate(opened, "return data.generator.recipe"))
    assert trained.recipe.name in GENERATORS
    count = max(1, trained.recipe.condition)
    switched = (np.arange(10)[:, None] >> np.arange(count)) & 1
    for conditions, truncation in ((None, 1.0), (switched.tolist(), 0.5)):
        script = "return await drawSeeds(...values)"
        found = evaluate(opened, script, list(range(10)), conditions, truncation)
        drawn = sampling.draw(trained, range(10), conditions, truncation=truncation)
        difference = np.asarray(found).reshape(drawn.shape) - drawn.astype(int)
        assert np.abs(difference).max() <= 2


def test_pictures_are_rebuilt_as_keras_rebuilds_them(opened, faces):
    trained = Trained(VAE)
    low, high = trained.recipe.pixel_range
    pixels = data_utils.from_uint8(faces.images[:3], trained.recipe.pixel_range)
    flat = pixels.reshape(3, -1).tolist()
    script = "return await rebuild(values[0].map((x) => Float32Array.from(x)))"
    found = np.asarray(evaluate(opened, script, flat)).reshape(pixels.shape)
    expected = sampling.reconstruct(trained, faces.images[:3])
    assert np.abs(found - expected).max() <= 2 / 255 * (high - low)


def test_a_random_face_is_of_the_fitted_density(opened):
    draw = "const drawn = mixture(data.vae.prior);"
    draw += "return Array.from({ length: 4000 }, () => Array.from(drawn()));"
    found = np.asarray(evaluate(opened, draw))
    prior = Trained(VAE).prior
    noise = np.random.default_rng(0).standard_normal((4000, len(prior.mean)))
    codes = prior.codes(noise.astype("float32")) - prior.mean
    expected = codes @ (prior.axes / np.square(prior.axes).sum(0))[:, ::-1]
    np.testing.assert_allclose(found.mean(0), expected.mean(0), atol=0.12)
    np.testing.assert_allclose(np.cov(found.T), np.cov(expected.T), atol=0.2)
    # Of one Gaussian the squared distances from the mean would spread less.
    spread, wanted = (np.square(x).sum(1).std() for x in (found, expected))
    assert abs(spread - wanted) < 0.1 * wanted
    assert spread > 1.15 * np.sqrt(2 * np.square(np.cov(found.T)).sum())


def test_the_discriminator_says_what_it_says_in_keras(opened):
    trained = Trained(evaluate(opened, "return data.generator.recipe"))
    images = sampling.draw(trained, range(4))
    flat = data_utils.from_uint8(images, trained.recipe.pixel_range).reshape(4, -1)
    script = "return await judged(values[0].map((x) => Float32Array.from(x)))"
    found = np.asarray(evaluate(opened, script, flat.tolist()))
    expected = np.concatenate([sampling.realness(trained, x[None]) for x in images])
    scores = evaluate(opened, "return data.discriminator.scores")
    assert np.abs(found - expected).max() < 0.2 * np.std(scores)


def test_sliders_of_the_vae_say_what_they_change(opened):
    ends = evaluate(opened, "return data.vae.prior.ends")
    assert len(ends) == build.SLIDERS == len({tuple(sorted(pair)) for pair in ends})
    assert all(low != high and not low.startswith("Axis") for low, high in ends)
    evaluate(opened, "enter('codes')")
    first = opened.find_element("id", "axis-0")
    name = f"{ends[0][0]} to {ends[0][1]}".replace("_", " ")
    assert first.accessible_name == name
    before = pixels_of(opened, "coded")
    first.send_keys(keys().HOME)
    until(opened, f"Math.abs(element('coded').rgb[0] - {before[0, 0, 0]}) > 9")


def test_a_seed_that_is_typed_is_drawn(opened):
    trained = Trained(evaluate(opened, "return data.generator.recipe"))
    evaluate(opened, "enter('face')")
    seed = opened.find_element("id", "seed")
    for wrong in ("-7", "7.5", "x", "9" * 17):
        seed.clear()
        seed.send_keys(wrong)
        said = opened.find_element("id", "seed-error").text
        assert "whole number" in said and seed.get_attribute("aria-invalid") == "true"
    seed.clear()
    seed.send_keys("7")
    assert opened.find_element("id", "seed-error").text == ""
    evaluate(opened, "await face.settled()")
    drawn = sampling.draw(trained, [7], truncation=build.TRUNCATION)[0].astype(int)
    assert np.abs(pixels_of(opened, "large") - drawn).max() <= 2


def test_a_picture_is_cropped_to_a_square_and_zoomed_about_the_eyes(opened, tmp_path):
    image = Image.new("RGB", (400, 200), (250, 0, 0))  # its left is red, its middle
    image.paste((0, 0, 250), (100, 0, 300, 200))  # blue, its right red again
    image.save(tmp_path / "wide.png")
    (tmp_path / "cut.png").write_bytes(b"cut")
    evaluate(opened, "enter('photo')")
    file = opened.find_element("id", "picture-a-file")
    error = opened.find_element("id", "picture-a-file-error")
    file.send_keys(str(tmp_path / "cut.png"))
    until(opened, "element('picture-a-file-error').textContent")
    assert "cut.png is not a picture" in error.text
    file.send_keys(str(tmp_path / "wide.png"))
    pixel = "element('seen').getContext('2d').getImageData(%d, 5, 1, 1).data[%d] > 200"
    until(opened, pixel % (32, 2))
    assert pixels_of(opened, "seen")[..., 0].max() < 40 and error.text == ""
    canvas = opened.find_element("css selector", "#picture-a canvas")
    canvas.send_keys(keys().ARROW_RIGHT * 16)  # 64 of the 256 pixels seen
    until(opened, pixel % (10, 0))
    seen = pixels_of(opened, "seen")
    assert seen[:, :14, 0].min() > 200 and seen[:, 20:, 0].max() < 40
    # Twice as large about the marks: the border is as far from them again, at the edge.
    wheel = "new WheelEvent('wheel', {deltaY: -500, cancelable: true})"
    evaluate(
        opened, f"document.querySelector('#picture-a canvas').dispatchEvent({wheel})"
    )
    until(opened, pixel % (10, 2))
    assert pixels_of(opened, "seen")[:, 2:, 0].max() < 40
    until(opened, "element('rebuilt').width == 64")


def test_a_person_without_a_mouse_or_without_eyes_can_use_it_also_on_a_phone(opened):
    unnamed = evaluate(
        opened,
        "const all = document.querySelectorAll('button, input, canvas, img');"
        "return [...all].filter((e) => !e.labels?.[0]?.textContent.trim()"
        " && !e.ariaLabel && !e.textContent.trim() && !e.closest('button')?.ariaLabel"
        " && !e.closest('#between')).map((e) => e.outerHTML);",
    )
    assert unnamed == []
    inputs = "[...document.querySelectorAll('button, input')]"
    assert evaluate(opened, f"return {inputs}.every((e) => e.tabIndex >= 0)")
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    for name in evaluate(opened, "return rooms"):
        script = f"enter('{name}'); const all = document.documentElement;"
        script += "return [all.scrollWidth, all.scrollHeight];"
        wide, tall = evaluate(opened, script)
        assert wide <= 390 and tall <= 3 * 844, name
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert [e for e in opened.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.mark.parametrize(
    ("words", "saying"),
    [
        ("--out a.pdf", ".html"),
        ("--out a.html --generator vae_c", "vae_c: it has no generator"),
        ("--out a.html --vae acgan_a", "acgan_a: it has no decoder"),
        ("--out a.html --run none", "no grids"),
        ("--out a.html --run cut", "00000500.png: not a readable image"),
        ("--out a.html --weights none", "no trained weights"),
    ],
)
def test_what_makes_no_page_is_one_line(words, saying, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut" / "samples").mkdir(parents=True)
    (tmp_path / "cut" / "samples" / "00000500.png").write_bytes(b"cut")
    refused(main, *words.split(), saying=[saying])
    assert [p.name for p in tmp_path.iterdir()] == ["cut"]
