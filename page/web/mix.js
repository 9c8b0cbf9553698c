// Two faces and nine children; a pad between four faces.
"use strict";

const MUTATION = 0.06;  // share of a child's numbers that are of neither parent

// Each number is of one parent: the child's noise is as normal as theirs.
function childOf(a, b) {
  const fresh = normalNoise(randomSeed(), faces.latent);
  const noise = a.noise.map((v, i) => {
    const dice = Math.random();
    return dice < MUTATION ? fresh[i] : dice < (1 + MUTATION) / 2 ? v : b.noise[i];
  });
  return { noise, condition: a.condition.map((on, k) => (Math.random() < 0.5 ? on : b.condition[k])) };
}

function childrenRoom() {
  let parents = [], children = [], chosen = [], generation = 1;
  const inputOf = (face) => faces.input(face.noise, face.condition);
  const couple = many(2, (k) => {
    const canvas = make("canvas", { className: "face", width: SIZE, height: SIZE });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", k ? "Second parent" : "First parent");
    return canvas;
  });
  element("parents").append(couple[0], make("span", { textContent: "×", ariaHidden: "true" }), couple[1]);
  const cells = many(9, (k) => faceButton(`Child ${k + 1}`, () => choose(k)));
  element("children").append(...cells.map(({ button }) => button));
  const draw = latest((stale) => faces.fill(
    [...couple, ...cells.map((c) => c.canvas)], [...parents, ...children].map(inputOf), stale));
  const tell = () => {
    cells.forEach(({ button }, k) => button.setAttribute("aria-pressed", String(chosen.includes(k))));
    const what = chosen.length ? "Choose one more." : "Choose two: they become the next parents.";
    element("generation").textContent = `Generation ${generation}. ${what}`;
  };
  const breed = () => {
    children = many(9, () => childOf(...parents));
    chosen = [];
    tell();
    return draw();
  };
  const choose = (k) => {
    chosen = chosen.includes(k) ? chosen.filter((other) => other !== k) : [...chosen, k];
    if (chosen.length === 2) {
      parents = chosen.map((which) => children[which]);
      generation++;
      breed();
    } else tell();
  };
  const begin = () => {
    parents = many(2, () => faces.ofSeed(randomSeed()));
    generation = 1;
    return breed();
  };
  element("nine").addEventListener("click", breed);
  element("couple").addEventListener("click", begin);
  return { begin };
}

function padRoom() {
  const pad = element("pad"), knob = element("knob");
  let corners = [], x = 0.5, y = 0.5;
  const small = many(4, (k) => {
    const canvas = make("canvas", { className: `face corner corner-${k}`, width: SIZE, height: SIZE });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `Face of corner ${k + 1}`);
    element("corners").append(canvas);
    return canvas;
  });
  // The mean of noises is nearer to zero than any of them: it is scaled to be normal again.
  const mixed = () => {
    const shares = [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
    const norm = Math.sqrt(shares.reduce((sum, s) => sum + s * s, 0));
    const sum = (key, i, over) => shares.reduce((all, s, k) => all + s * corners[k][key][i], 0) / over;
    const { noise, condition } = corners[0];
    return faces.input(noise.map((_, i) => sum("noise", i, norm)), condition.map((_, i) => sum("condition", i, 1)));
  };
  const draw = latest(async () => {
    knob.style.left = `${100 * x}%`;
    knob.style.top = `${100 * y}%`;
    const [pixels] = await faces.draw([mixed()]);
    show(pad, pixels, faces.range);
  });
  const go = (to) => {
    [x, y] = to.map((v) => Math.min(1, Math.max(0, v)));
    if (corners.length) draw();
  };
  const follow = (event) => {
    const box = pad.getBoundingClientRect();
    go([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); follow(event); });
  pad.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
  pad.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.05, 0], ArrowRight: [0.05, 0], ArrowUp: [0, -0.05], ArrowDown: [0, 0.05] }[event.key];
    if (!step) return;
    event.preventDefault();
    go([x + step[0], y + step[1]]);
  });
  const begin = async () => {
    corners = many(4, () => faces.ofSeed(randomSeed()));
    await draw();
    await faces.fill(small, corners.map(({ noise, condition }) => faces.input(noise, condition)));
  };
  element("four").addEventListener("click", begin);
  return { begin };
}
