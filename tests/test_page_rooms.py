"""The rooms of the page, as a visitor uses them, with small networks in it."""

import base64
import gzip
import io

import numpy as np
import pytest
from conftest import evaluate
from PIL import Image
from test_page import keys, pixels_of, small_generator, until

from models import rpgan
from models.keras_setup import keras
from page import build, film
from page.portable import packed

TRAITS = 13


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with 30 grids and two rows of curves, saved by a spreadsheet."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    (folder / "samples").mkdir(parents=True)
    for step in range(0, 3000, 100):
        grid = Image.new("RGB", (20, 10), (step // 20, 0, 0))
        grid.save(folder / "samples" / f"{step:08d}.png")
    (folder / "samples" / "00000500 (1).png").write_bytes(b"a copy")
    (folder / "history.csv").write_text("\ufeffstep,d_loss,g_loss\n25,1.5,2.5\n50,,2\n")
    return folder


@pytest.fixture(scope="module")
def page(browser, run, tmp_path_factory):
    """(browser, its page's address, generator, discriminator): 13 attributes, a film."""
    keras.utils.set_random_seed(3)
    networks = {
        "generator": small_generator(TRAITS),
        "discriminator": rpgan.discriminator(width=2),
    }
    made = {name: packed(network, 16) for name, network in networks.items()}
    generator = {"recipe": "small", "latent": 5, "range": [-1, 1], "size": 64}
    generator |= {"first": 0, "truncation": 1.0, "categories": 0}
    generator["attributes"] = [f"{'ABCDEFGHIJKLM'[k]}_trait" for k in range(TRAITS)]
    generator["table"] = ["0" * 13, "10" * 6 + "1"]
    data = {"networks": {name: plan for name, (plan, _) in made.items()}}
    data |= {"generator": generator, "vae": None, "discriminator": {"scores": [0, 1]}}
    data |= {"film": film.film_of(run), "origin": [["a<b", "c"]], "licence": "-"}
    path = tmp_path_factory.mktemp("many") / "page.html"
    blobs = {name: gzip.compress(blob) for name, (_, blob) in made.items()}
    path.write_bytes(build.filled(data, blobs))
    return browser, path.as_uri(), *networks.values()


@pytest.fixture
def opened(page):
    """The page at the face of seed 0: (browser, generator, discriminator)."""
    browser, address, *networks = page
    browser.get("about:blank")
    browser.get(address)
    assert evaluate(browser, "await started; await face.settled(); return 1;") == 1
    return browser, *networks


def drawn(network, seed, condition, truncation=1.0):
    """What Keras draws of a seed: int `(64, 64, 3)`."""
    noise = np.random.default_rng(seed).standard_normal(5) * truncation
    image = network(np.concatenate([noise, condition])[None].astype("float32"))[0]
    return np.rint((np.asarray(image) + 1) * 127.5).astype(int)


def looks(browser, network, *what):
    evaluate(browser, "await face.settled()")
    off = np.abs(pixels_of(browser, "large") - drawn(network, *what)).max()
    assert off <= 2, what


def row(seed, **switched):
    """The condition of a seed, with some attributes switched."""
    bits = [float(seed % 2 and k % 2 == 0) for k in range(TRAITS)]
    for name, on in switched.items():
        bits["ABCDEFGHIJKLM".index(name)] = float(on)
    return bits


def checked(browser):
    script = (
        "return [...document.querySelectorAll('#switches input')].map((i) => i.checked)"
    )
    return [float(on) for on in evaluate(browser, script)]


def test_an_attribute_that_is_switched_stays_for_every_seed(opened):
    browser, network, _ = opened

    def choose(place):
        browser.find_element("css selector", f"#grid button:nth-child({place})").click()
        return checked(browser)

    assert choose(1) == row(0) and choose(2) == row(1)
    looks(browser, network, 1, row(1))
    undo = browser.find_element("id", "as-it-was")
    assert not undo.is_enabled()
    second = browser.find_elements("css selector", "#switches input")[1]
    second.send_keys(keys().SPACE)
    looks(browser, network, 1, row(1, B=1))
    assert choose(1) == row(0, B=1)
    undo.click()
    assert checked(browser) == row(0)
    looks(browser, network, 0, row(0))


def test_a_switch_morphs_the_face_and_the_one_before_stays_beside_it(opened):
    browser, network, _ = opened
    script = """
        const canvas = element('large'), seen = [canvas.rgb];
        document.querySelector('#switches input').click();
        for (let moving = true; moving; moving = face.settled()) {
            await frame();
            if (canvas.rgb !== seen.at(-1)) seen.push(canvas.rgb);
        }
        return [...seen, canvas.rgb].map((rgb) => Array.from(rgb));"""
    seen = np.asarray(evaluate(browser, script)).reshape(-1, 64, 64, 3)
    before, after = drawn(network, 0, row(0)), drawn(network, 0, row(0, A=1))
    assert np.abs(seen[-1] - after).max() <= 2 and len(seen) > 3
    way = [np.abs(image - after).mean() for image in seen]
    assert way[0] > way[len(way) // 2] > way[-1]
    assert np.abs(pixels_of(browser, "before") - before).max() <= 2


def test_a_link_holds_seed_switches_and_truncation(page):
    browser, address, network, _ = page
    browser.get("about:blank")
    browser.get(f"{address}#seed=5&b_trait=1&c_tr=0&t=0.5")
    evaluate(browser, "await started")
    looks(browser, network, 5, row(5, B=1, C=0), 0.5)
    assert checked(browser) == row(5, B=1, C=0)
    browser.find_elements("css selector", "#switches input")[3].send_keys(keys().SPACE)
    link = browser.current_url.partition("#")[2]
    assert link == "seed=5&b_trait=1&c_trait=0&d_trait=1&t=0.5"
    browser.get(f"{address}#seed=2&t=1&room=mix")  # the same page: only the hash changes
    looks(browser, network, 2, row(2))
    assert browser.find_element("id", "mix").is_displayed()
    assert not browser.find_element("id", "face").is_displayed()
    browser.get(f"{address}#seed=-1&t=0.5")
    evaluate(browser, "await face.settled()")
    assert "whole number" in browser.find_element("id", "seed-error").text


def test_a_face_is_taken_away_as_png_and_as_gif(opened):
    browser, network, _ = opened
    script = """
        const files = new Promise((done) => {
            window.download = (name, blob) => done([name, blob]);
        });
        element(values[0]).click();
        const [name, blob] = await files;
        const bytes = new Uint8Array(await blob.arrayBuffer());
        const letters = Array.from(bytes, (b) => String.fromCharCode(b));
        return [name, blob.type, btoa(letters.join(''))];"""

    def taken(kind):
        name, mime, text = evaluate(browser, script, kind)
        assert (name, mime) == (f"face-0.{kind}", f"image/{kind}")
        return Image.open(io.BytesIO(base64.b64decode(text)))

    def near(image, expected, most):
        small = np.asarray(image.convert("RGB").resize((64, 64), Image.BOX)).astype(int)
        assert np.abs(small - expected).mean() < most

    before, after = drawn(network, 0, row(0)), drawn(network, 0, row(0, A=1))
    png = taken("png")
    assert png.size == (384, 384)
    near(png, before, 2)
    walk = taken("gif")
    assert walk.size == (192, 192) and walk.n_frames == 36
    browser.find_elements("css selector", "#switches input")[0].send_keys(keys().SPACE)
    gif = taken("gif")
    assert gif.n_frames == 24 and gif.info["loop"] == 0
    near(gif, before, 4)
    gif.seek(12)
    near(gif, after, 4)


def test_two_of_nine_children_become_the_next_parents(opened):
    browser, *_ = opened
    evaluate(browser, "enter('mix')")
    canvases = "[...document.querySelectorAll('#parents canvas, #children canvas')]"
    full = f"{canvases}.every((c) => c.rgb) && element('pad').rgb"
    until(browser, full)
    read = f"return {canvases}.map((c) => Array.from(c.rgb))"
    family = np.asarray(evaluate(browser, read))
    children = family[2:]
    assert len(children) == 9 and len(np.unique(children, axis=0)) > 3
    buttons = browser.find_elements("css selector", "#children button")
    buttons[2].send_keys(keys().ENTER)
    assert buttons[2].get_attribute("aria-pressed") == "true"
    buttons[7].click()
    said = browser.find_element("id", "generation").text
    assert said.startswith("Generation 2") and "Choose two" in said
    for place, child in (("first", 2), ("last", 7)):
        canvas = f"document.querySelector('#parents canvas:{place}-of-type')"
        until(
            browser, f"{canvas}.rgb.every((v, i) => v === {children[child].tolist()}[i])"
        )


def test_a_pad_is_dragged_between_four_faces(opened):
    browser, *_ = opened
    evaluate(browser, "enter('mix')")
    corners = "[...document.querySelectorAll('.corner')]"
    until(browser, f"{corners}.every((c) => c.rgb)")
    pad = browser.find_element("id", "pad")
    wanted = evaluate(browser, f"return {corners}.map((c) => Array.from(c.rgb))")
    at_corner = "element('pad').rgb.every((v, i) => Math.abs(v - %s[i]) < 2)"
    pad.send_keys(keys().ARROW_LEFT * 10 + keys().ARROW_UP * 10)
    until(browser, at_corner % wanted[0])
    actions = pytest.importorskip("selenium.webdriver").ActionChains(browser)
    half = pad.size["width"] // 2 + 9  # past the edge
    actions.move_to_element(pad).click_and_hold().move_by_offset(half, half)
    actions.release().perform()
    until(browser, at_corner % wanted[3])


def test_the_discriminator_answers_after_the_visitor(opened):
    browser, _, network = opened
    evaluate(browser, "enter('guess')")
    streak = 0
    for turn in range(4):
        until(
            browser,
            "element('next').disabled && /Neither/.test(element('outcome').textContent)",
        )
        read = "return [...document.querySelectorAll('#pair canvas')]"
        read += ".map((c) => Array.from(c.rgb))"
        faces = np.asarray(evaluate(browser, read)).reshape(2, 1, 64, 64, 3)
        left, right = (float(network(face / 127.5 - 1.0)[0, 0]) for face in faces)
        buttons = browser.find_elements("css selector", "#pair button")
        assert not browser.find_elements("css selector", "#pair .winner")
        buttons[turn % 2].click()
        its = int(right > left)
        assert "winner" in buttons[its].get_attribute("class")
        streak = streak + 1 if its == turn % 2 else 0
        assert browser.find_element("id", "streak").text.startswith(f"Streak {streak} ")
        browser.find_element("id", "next").send_keys(keys().ENTER)


def test_a_run_becomes_a_film_that_plays_over_both_losses(opened, run):
    made = film.film_of(run)
    assert len(made["frames"]) == len(made["steps"]) == film.FRAMES
    assert (made["steps"][0], made["steps"][-1]) == (0, 2900)
    assert made["curves"]["steps"] == [25, 50]
    losses = {"discriminator": [1.5, None], "generator": [2.5, 2.0]}
    assert made["curves"]["values"] == losses
    last = base64.b64decode(made["frames"][-1].partition(",")[2])
    assert abs(np.asarray(Image.open(io.BytesIO(last)))[0, 0, 0].astype(int) - 145) < 4

    browser, *_ = opened
    evaluate(browser, "enter('film')")
    frame = browser.find_element("id", "frame")
    red = "element('frame').getContext('2d').getImageData(5, 5, 1, 1).data[0]"
    until(browser, f"Math.abs({red} - 145) < 6")
    assert frame.accessible_name == "Grid of faces at step 2,900"
    bar = browser.find_element("id", "film-step")
    bar.send_keys(keys().HOME)
    assert frame.accessible_name == "Grid of faces at step 0"
    until(browser, f"{red} < 6")
    assert len(browser.find_elements("css selector", "#curves polyline")) == 2
    keyed = browser.find_element("css selector", "#curves .keys").text
    assert "discriminator 1.50" in keyed and "generator 2.50" in keyed
    play = browser.find_element("id", "film-play")
    play.send_keys(keys().ENTER)
    assert play.text == "Pause"
    until(browser, "Number(element('film-step').value) > 1")
    play.send_keys(keys().ENTER)
    assert play.text == "Play"
    browser.find_element("css selector", "footer summary").click()
    assert "a<b" in browser.find_element("id", "weights").text


def test_the_film_that_ships_shows_faces_and_two_losses():
    shipped = film.shipped()
    assert len(shipped["frames"]) == len(shipped["steps"]) > 10
    assert set(shipped["curves"]["values"]) == {"discriminator", "generator"}
    for text in shipped["frames"]:
        image = Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2])))
        assert image.size == (530, film.TALL)
    assert film.SHIPPED.stat().st_size < 10**6


def test_a_page_takes_another_run_with_one_command(run, tmp_path, capsys):
    film.main(["--run", str(run), "--out", str(tmp_path / "film.json")])
    assert "24 grids of run" in capsys.readouterr().out
