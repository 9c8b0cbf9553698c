// A face from a seed: switches morph it, truncation calms it, sixteen more beside it.
"use strict";

const MORPH = 500;  // milliseconds

function faceRoom() {
  const { attributes, categories, first } = data.generator, { latent, range, usual, input } = faces;
  const field = element("seed"), bar = element("truncation"), large = element("large");
  const switched = new Map();  // what the visitor has switched, for every seed
  let seed = first, at = "face";
  const truncation = () => Number(bar.value);
  const conditionOf = (its) => usual(its).map((on, k) => switched.get(k) ?? on);
  const goal = (condition = conditionOf(seed)) => input(normalNoise(seed, latent), condition, truncation());
  const isChanged = () => conditionOf(seed).some((on, k) => on !== usual(seed)[k]);

  // What is seen becomes what is wanted, in `length` milliseconds.
  let seen = null, from, to, began, length, moving = null;
  const move = (time) => {
    [from, to, began, length] = [seen ?? goal(), goal(), performance.now(), seen && !calm.matches ? time : 0];
    moving ??= (async () => {
      try {
        while (seen !== to) {
          await frame();
          const share = length ? Math.min(1, (performance.now() - began) / length) : 1;
          seen = share < 1 ? faces.between(from, to, share * share * (3 - 2 * share)) : to;
          const [pixels] = await faces.draw([seen]);
          show(large, pixels, range);
        }
      } catch (error) { say(`This went wrong: ${error.message}`); }
      moving = null;
    })();
    return moving;
  };
  const drawBefore = latest(async () => {
    const [pixels] = await faces.draw([goal(usual(seed))]);
    show(element("before"), pixels, range);
  });

  const sixteen = sixteenFaces((its) => { stop(); choose(its); }, (its) => input(normalNoise(its, latent), conditionOf(its), truncation()));
  const address = () => addressOf({ seed, truncation: truncation(), room: at, on: switched });
  const inputs = switches(attributes, categories, (changes) => {
    for (const [k, on] of changes) switched.set(k, on);
    update();
    sixteen.draw();
  });
  const tell = () => {
    conditionOf(seed).forEach((on, k) => { inputs[k].checked = Boolean(on); });
    element("as-it-was").disabled = !isChanged();
    element("truncation-value").textContent = truncation().toFixed(2);
    sixteen.mark(seed);
    if (location.hash !== address()) location.replace(address());
  };
  const update = (time = MORPH) => {
    tell();
    drawBefore();
    return move(time);
  };
  const choose = (its) => {
    seed = its;
    field.value = its;
    complain(field);
    return update();
  };
  const typed = () => {
    const its = Number(field.value);
    if (!/^\s*\d+\s*$/.test(field.value) || !Number.isSafeInteger(its)) {
      complain(field, "A seed is a whole number from 0 to 9007199254740991.");
      return;
    }
    complain(field);
    seed = its;
    update();
  };

  let walking = false;
  const pressed = () => {
    element("walk").setAttribute("aria-pressed", String(walking));
    element("walk").textContent = walking ? "Stop" : "Walk";
  };
  const stop = () => { walking = false; pressed(); };
  element("walk").addEventListener("click", async () => {
    walking = !walking;
    pressed();
    while (walking) {
      choose(randomSeed());
      await move(2000);
    }
  });
  element("another").addEventListener("click", () => { stop(); choose(randomSeed()); });
  field.addEventListener("input", () => { stop(); typed(); });
  bar.addEventListener("input", () => { update(0); sixteen.draw(); });
  element("as-it-was").addEventListener("click", () => {
    switched.clear();
    update();
    sixteen.draw();
  });

  // Takes over what an address says; answers the room it names.
  const read = () => {
    const said = readAddress();
    switched.clear();
    for (const [k, on] of said.on) switched.set(k, on);
    if (said.truncation !== undefined && said.truncation !== "" && Number.isFinite(Number(said.truncation))) {
      bar.value = Number(said.truncation);
    }
    field.value = said.seed ?? first;
    typed();
    sixteen.draw();
    return said.room;
  };
  const enter = (room) => {
    at = room;
    if (room !== "face") stop();
    tell();
  };
  bar.value = TRUNCATION;
  takeaway(() => ({ seed, before: goal(usual(seed)), after: goal(), isChanged: isChanged(), truncation: truncation() }));
  return { read, enter, address, settled: () => moving };
}

// Switches of attributes, or a choice of one category; `changed` takes [index, 0 or 1] pairs.
function switches(attributes, categories, changed) {
  const choice = (type, text) => {
    const input = make("input", { type, name: "condition" });
    if (type === "checkbox") input.setAttribute("role", "switch");
    input.addEventListener("change", () => {
      const all = inputs.map((other, k) => [k, Number(other.checked)]);
      changed(all.filter(([k]) => type === "radio" || inputs[k] === input));
    });
    element("switches").append(make("label", { className: "chip" }, input, text));
    return input;
  };
  const inputs = [
    ...attributes.map((name) => choice("checkbox", words(name))),
    ...many(categories, (k) => choice("radio", `Category ${k}`)),
  ];
  element("condition").hidden = !inputs.length;
  return inputs;
}

// Sixteen seeds in a row, each a button.
function sixteenFaces(chosen, inputOf) {
  let first = 0, marked = -1;
  const cells = many(16, (k) => faceButton("", () => chosen(first + k)));
  element("grid").append(...cells.map(({ button }) => button));
  const mark = (seed) => {
    marked = seed;
    cells.forEach(({ button }, k) => {
      button.title = `seed ${first + k}`;
      button.setAttribute("aria-label", `Seed ${first + k}`);
      button.setAttribute("aria-current", String(first + k === seed));
    });
  };
  const draw = latest((stale) => faces.fill(cells.map((c) => c.canvas), cells.map((_, k) => inputOf(first + k)), stale));
  element("more").addEventListener("click", () => { first += 16; mark(marked); draw(); });
  return { mark, draw };
}
