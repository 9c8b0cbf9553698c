"""The page to play with: its networks in a browser give what Keras gives."""

import base64
import gzip
import io
import json

import numpy as np
import pytest
from conftest import refused
from PIL import Image

from inference import page
from inference.__main__ import main
from inference.portable import Portable, smallest
from models import sampling, today
from models.keras_setup import keras
from models.layers import BlockConvTranspose
from models.trained import Trained

layers = keras.layers


def evaluate(browser, script, *values):
    """The value of an async function's body, which sees `values`."""
    found = browser.execute_async_script(
        "const [values, done] = [[...arguments].slice(0, -1), [...arguments].at(-1)];"
        f"(async () => {{ {script} }})().then(done, (e) => done({{failed: String(e)}}));",
        *values,
    )
    assert not (isinstance(found, dict) and "failed" in found), found
    return found


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


# --------------------------------------------------------------------- networks


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


def test_numbers_on_a_grid_are_kept_as_they_are():
    codes = keras.Input((4,))
    network = keras.Model(codes, layers.Dense(6, use_bias=False)(codes))
    rng = np.random.default_rng(0)
    whole = rng.integers(-100, 101, (4, 6))
    whole[0] = 127
    for kernel in (
        whole * rng.random(6).astype("float32"),
        whole.astype("float32") / np.float32(1000),
    ):
        network.layers[-1].kernel.assign(kernel)
        portable = Portable(network)
        _, blob, back = portable.packed(8)
        assert np.allclose(back[0]["kernel"], kernel, rtol=1e-6, atol=0)
        assert len(blob) == whole.size + 6 * 4


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


# ------------------------------------------------------------------- whole page


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "faces.html"
    main(["page", "--out", str(path)])
    return path


@pytest.fixture(scope="module")
def opened(browser, built):
    browser.get(built.as_uri())
    assert evaluate(browser, "await started; return 1;") == 1
    assert browser.get_log("browser") == []
    return browser


def shown(browser, name):
    """The pixels of a canvas, uint8 `(size, size, 3)`."""
    rgba = evaluate(
        browser,
        "const c = document.getElementById(values[0]), pen = c.getContext('2d');"
        "return Array.from(pen.getImageData(0, 0, c.width, c.height).data);",
        name,
    )
    side = round((len(rgba) / 4) ** 0.5)
    return np.asarray(rgba, "uint8").reshape(side, side, 4)[..., :3]


def until(browser, condition):
    script = "while (!(%s)) await new Promise((r) => setTimeout(r, 30)); return 1;"
    assert evaluate(browser, script % condition) == 1


def test_the_page_is_one_small_file_that_loads_nothing(built):
    text = built.read_text()
    assert len(text) <= 20 * 10**6
    start = text.replace("http://www.w3.org", "")
    assert "http" not in start[: start.index('id="data"')]
    assert 'src="' not in start and "@import" not in start


def test_ten_seeds_look_as_keras_draws_them(opened):
    trained = Trained(evaluate(opened, "return data.generator.recipe"))
    assert trained.recipe.name in page.GENERATORS
    count = max(1, trained.recipe.condition)
    others = (np.arange(10)[:, None] >> np.arange(count)) & 1
    for asked, truncation in ((None, 1.0), (others.tolist(), 0.5)):
        script = "return (await drawSeeds(...values)).images"
        found = evaluate(opened, script, list(range(10)), asked, truncation)
        drawn = sampling.draw(trained, range(10), asked, truncation=truncation)
        difference = np.asarray(found).reshape(drawn.shape) - drawn.astype(int)
        assert np.abs(difference).max() <= 2


def test_pictures_are_rebuilt_as_keras_rebuilds_them(opened, faces):
    trained = Trained(page.VAE)
    low, high = trained.recipe.pixel_range
    pixels = page.data_utils.from_uint8(faces.images[:3], trained.recipe.pixel_range)
    flat = pixels.reshape(3, -1).tolist()
    script = "return await rebuild(values[0].map((x) => Float32Array.from(x)))"
    found = np.asarray(evaluate(opened, script, flat)).reshape(pixels.shape)
    expected = sampling.reconstruct(trained, faces.images[:3])[1]
    assert np.abs(found - expected).max() <= 2 / 255 * (high - low)


def test_a_random_face_is_of_the_fitted_density(opened):
    draw = "const drawn = mixture(data.vae.prior);"
    draw += "return Array.from({ length: 4000 }, () => Array.from(drawn()));"
    found = np.asarray(evaluate(opened, draw))
    prior = Trained(page.VAE).prior
    noise = np.random.default_rng(0).standard_normal((4000, len(prior.mean)))
    codes = prior.codes(noise.astype("float32")) - prior.mean
    expected = codes @ (prior.axes / np.square(prior.axes).sum(0))[:, ::-1]
    np.testing.assert_allclose(found.mean(0), expected.mean(0), atol=0.12)
    np.testing.assert_allclose(np.cov(found.T), np.cov(expected.T), atol=0.2)
    # Of one Gaussian the squared distances from the mean would spread less.
    spread, wanted = (np.square(x).sum(1).std() for x in (found, expected))
    assert abs(spread - wanted) < 0.1 * wanted
    assert spread > 1.15 * np.sqrt(2 * np.square(np.cov(found.T)).sum())


def test_switches_sliders_and_files_do_what_they_say(opened, tmp_path):
    keys = pytest.importorskip("selenium.webdriver").Keys

    def find(name):
        return opened.find_element("id", name)

    seed = find("seed")
    seed.clear()
    seed.send_keys("7")
    generator = json.loads(evaluate(opened, "return JSON.stringify(data.generator)"))
    trained = Trained(generator["recipe"])
    asked = sampling.latents(trained.recipe, [7], sampling.asked_of(trained, [7]))
    asked = asked[:, trained.recipe.latent :].astype(int)

    def drawn(asked, truncation=1.0):
        return sampling.draw(trained, [7], asked, truncation=truncation)[0].astype(int)

    until(opened, "document.querySelector('#grid button:nth-child(8)').ariaCurrent")
    until(opened, "document.querySelector('#grid [aria-current=true]').title == 'seed 7'")
    assert np.abs(shown(opened, "face") - drawn(asked)).max() <= 2
    before = shown(opened, "face")
    opened.find_element("css selector", "#switches input").send_keys(keys.SPACE)
    asked[0, 0] ^= 1
    pixels = "element('face').getContext('2d').getImageData(9, 9, 40, 40).data"
    until(opened, f"String({pixels}) != '{flat(before)}'")
    assert np.abs(shown(opened, "face") - drawn(asked)).max() <= 2


def flat(pixels):
    part = pixels[9:49, 9:49]
    alpha = np.full((*part.shape[:2], 1), 255, "uint8")
    return ",".join(map(str, np.concatenate([part, alpha], -1).ravel()))


def test_a_picture_of_ones_own_is_cropped_to_a_square(opened, tmp_path):
    keys = pytest.importorskip("selenium.webdriver").Keys
    image = Image.new("RGB", (400, 200), (250, 0, 0))  # its left is red, its middle
    image.paste((0, 0, 250), (100, 0, 300, 200))  # blue, its right red again
    image.save(tmp_path / "wide.png")
    opened.find_element("id", "picture-a-file").send_keys(str(tmp_path / "wide.png"))
    middle = "element('seen').getContext('2d').getImageData(32, 5, 1, 1).data[2] > 200"
    until(opened, middle)
    assert shown(opened, "seen")[..., 0].max() < 40
    canvas = opened.find_element("css selector", "#picture-a canvas")
    canvas.send_keys(keys.ARROW_RIGHT * 16)  # 64 of the 256 pixels seen
    until(
        opened, "element('seen').getContext('2d').getImageData(10, 5, 1, 1).data[0] > 200"
    )
    seen = shown(opened, "seen")
    assert seen[:, :14, 0].min() > 200 and seen[:, 20:, 0].max() < 40
    until(opened, "element('rebuilt').width == 64")


def test_a_person_without_a_mouse_or_without_eyes_can_use_it(opened):
    unnamed = evaluate(
        opened,
        "const all = document.querySelectorAll('button, input, canvas, img');"
        "return [...all].filter((e) => !e.labels?.[0]?.textContent.trim()"
        " && !e.ariaLabel && !e.textContent.trim() && !e.closest('button')?.ariaLabel"
        " && !e.closest('#between') && !e.closest('[hidden]')).map((e) => e.outerHTML);",
    )
    assert unnamed == []
    reached = evaluate(
        opened,
        "return [...document.querySelectorAll('button, input')].every((e) =>"
        " e.tabIndex >= 0)",
    )
    assert reached
    # No line wider than a phone.
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    opened.set_window_size(500, 800)
    wide, window = evaluate(opened, script)
    assert wide <= window
    assert [e for e in opened.get_log("browser") if e["level"] == "SEVERE"] == []


@pytest.fixture(scope="module")
def of_many(browser, tmp_path_factory):
    """(a page of a small generator with 13 attributes and a film, the generator)."""
    keras.utils.set_random_seed(3)
    network = today.generator(latent=5, condition=13, size=64, width=2)
    portable = Portable(network)
    plan, blob, _ = portable.packed(16)
    names = [f"Trait_{k}" for k in range(13)]
    generator = {"recipe": "small", "latent": 5, "range": [-1, 1], "size": 64}
    generator |= {
        "attributes": names,
        "categories": 0,
        "table": ["0" * 13, "10" * 6 + "1"],
    }
    curves = {"steps": [0, 50], "values": {"generator": [2.0, 1.0]}}
    film = {"about": "Training", "steps": [0, 50], "frames": ["data:,0", "data:,1"]}
    data = {"networks": {"generator": plan}, "generator": generator, "vae": None}
    data |= {"film": film | {"curves": curves}, "origin": [["a<b", "c"]], "licence": "-"}
    path = tmp_path_factory.mktemp("many") / "page.html"
    path.write_bytes(page.filled(data, {"generator": gzip.compress(blob)}))
    browser.get(path.as_uri())
    assert evaluate(browser, "await started; return 1;") == 1
    return browser, network


def test_many_attributes_are_switches_that_stay(of_many):
    browser, network = of_many
    read = (
        "return [...document.querySelectorAll('#switches input')].map((i) => i.checked)"
    )

    def choose(place):
        browser.find_element("css selector", f"#grid button:nth-child({place})").click()
        return evaluate(browser, read)

    def drawn(seed, row):
        noise = np.random.default_rng(seed).standard_normal(5)
        image = network(np.concatenate([noise, row])[None].astype("float32"))[0]
        return np.rint((np.asarray(image) + 1) * 127.5)

    def looks(seed, row):
        pick = "element('face').getContext('2d').getImageData(32, 32, 1, 1).data"
        wanted = [int(v) for v in drawn(seed, row)[32, 32]]
        until(
            browser,
            f"[...{pick}].every((v, c) => c > 2 || Math.abs(v - {wanted}[c]) < 3)",
        )
        assert np.abs(shown(browser, "face") - drawn(seed, row)).max() <= 2

    row = [k % 2 == 0 for k in range(13)]
    assert choose(1) == [False] * 13 and choose(2) == row
    looks(1, row)
    browser.find_elements("css selector", "#switches input")[1].click()
    row[1] = True
    looks(1, row)
    assert choose(1) == [k == 1 for k in range(13)]  # what was switched stays
    browser.find_element("id", "as-it-was").click()
    assert evaluate(browser, read) == [False] * 13
    looks(0, [False] * 13)


def test_the_film_has_a_slider_over_steps(of_many):
    browser, _ = of_many
    keys = pytest.importorskip("selenium.webdriver").Keys
    frame = browser.find_element("id", "frame")
    assert frame.get_attribute("alt") == "Grid of faces at step 50"
    browser.find_element("id", "film-step").send_keys(keys.ARROW_LEFT)
    assert frame.get_attribute("alt") == "Grid of faces at step 0"
    assert frame.get_attribute("src") == "data:,0"
    assert "a<b" in browser.find_element("id", "origin").text


def test_a_run_becomes_a_film_in_the_page(tmp_path):
    samples = tmp_path / "run" / "samples"
    samples.mkdir(parents=True)
    for step in range(0, 3000, 100):
        Image.new("RGB", (20, 10), (step // 20, 0, 0)).save(samples / f"{step:08d}.png")
    rows = ["step,d_loss,g_loss", "25,1.5,2.5", "50,,2"]
    (tmp_path / "run" / "history.csv").write_text("\n".join(rows) + "\n")
    film = page.film_of(tmp_path / "run")
    assert len(film["frames"]) == len(film["steps"]) == page.FRAMES
    assert (film["steps"][0], film["steps"][-1]) == (0, 2900)
    assert film["curves"]["steps"] == [25, 50]
    assert film["curves"]["values"] == {
        "discriminator": [1.5, None],
        "generator": [2.5, 2.0],
    }
    last = base64.b64decode(film["frames"][-1].partition(",")[2])
    assert abs(np.asarray(Image.open(io.BytesIO(last)))[0, 0, 0].astype(int) - 145) < 4


def test_what_makes_no_page_is_one_line(tmp_path):
    out = ["page", "--out", tmp_path / "a.html"]
    refused(main, "page", "--out", tmp_path / "a.pdf", saying=[".html"])
    refused(main, *out, "--generator", "vae_c", saying=["vae_c"])
    refused(main, *out, "--vae", "acgan_a", saying=["acgan_a"])
    refused(main, *out, "--run", tmp_path, saying=["no grids"])
    refused(main, *out, "--weights", tmp_path, saying=["no trained weights"])
    assert not (tmp_path / "a.html").exists()
