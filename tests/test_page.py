"""The page to play with, as a person uses it."""

import base64
import gzip
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import evaluate, refused
from PIL import Image

from inference import page
from inference.__main__ import main
from inference.portable import Portable
from models import sampling, today
from models.keras_setup import keras
from models.trained import Trained


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


def test_the_terms_are_those_of_the_data():
    def of(name):
        return SimpleNamespace(card={"data": {"name": name}})

    assert "CelebA" in page.licence(of("mine"), of("hw4_data"))
    mine = page.licence(of("mine"), of("mine"))
    assert "Trained on mine:" in mine and "CelebA" not in mine
