// The page: what the controls do. The networks run in workers (engine.js).
"use strict";

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const say = (text) => { element("status").textContent = text; };
const SIZE = data.generator.size;

// ------------------------------------------------------------------ networks

const engineUrl = URL.createObjectURL(new Blob([element("engine").textContent], { type: "text/javascript" }));

// A worker with some networks; `ask` resolves with images or codes, one an input.
function engine(names) {
  const worker = new Worker(engineUrl), waiting = new Map();
  let serial = 0, loaded = 0;
  const ready = new Promise((resolve, reject) => {
    worker.onmessage = ({ data: answer }) => {
      if (answer.loaded) { if (++loaded === names.length) resolve(); return; }
      if (answer.failed && !waiting.has(answer.id)) { reject(new Error(answer.failed)); return; }
      const [done, failed] = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (answer.failed) failed(new Error(answer.failed));
      else done(answer);
    };
    worker.onerror = (event) => reject(new Error(event.message || "no worker"));
  });
  for (const name of names) {
    const source = element(`network-${name}`);
    worker.postMessage({ load: name, plan: data.networks[name], text: source.textContent });
    source.remove();  // it is megabytes long
  }
  const ask = (run, inputs) => new Promise((done, failed) => {
    waiting.set(++serial, [done, failed]);
    worker.postMessage({ id: serial, run, inputs });
  });
  return { ready, ask };
}

// Only the last request counts: what was asked for meanwhile is never computed.
function latest(work) {
  let running = false, again = false;
  const start = async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      do { again = false; await work(() => again); } while (again);
    } catch (error) { say(`This went wrong: ${error.message}`); }
    running = false;
  };
  return start;
}

function show(canvas, pixels, [low, high], size = SIZE) {
  canvas.width = canvas.height = size;
  const image = new ImageData(size, size), scale = 255 / (high - low);
  for (let p = 0, q = 0; p < pixels.length; p += 3, q += 4) {
    for (let c = 0; c < 3; c++) image.data[q + c] = (pixels[p + c] - low) * scale;
    image.data[q + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const floats = (text) => {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Float32Array(bytes.buffer);
};
const words = (name) => name.replaceAll("_", " ");
const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;

function slider(parent, id, text, min, max, step, changed, format = (v) => v.toFixed(1)) {
  const box = document.createElement("div");
  box.className = "slider";
  box.innerHTML = '<label><span></span><output></output></label><input type="range">';
  const [label, input, output] = ["label", "input", "output"].map((name) => box.querySelector(name));
  label.htmlFor = input.id = id;
  output.htmlFor = id;
  box.querySelector("span").textContent = text;
  Object.assign(input, { min, max, step, value: 0 });
  const tell = () => { output.textContent = format(Number(input.value)); };
  input.addEventListener("input", () => { tell(); changed(); });
  tell();
  parent.append(box);
  return { get value() { return Number(input.value); }, set value(v) { input.value = v; tell(); } };
}

// ------------------------------------------------------------ a face from noise

function noiseSection() {
  const { latent, range, attributes, categories, table, recipe } = data.generator;
  const { ready, ask } = engine(["generator"]);
  element("noise-lead").textContent =
    `${latent} random numbers go in, a face comes out. A seed stands for its numbers: seed 42 here is seed 42 of “python -m inference sample ${recipe}”.`;
  const switches = element("switches");
  const choice = (type, text) => {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type, name: "condition" });
    if (type === "checkbox") input.setAttribute("role", "switch");
    input.addEventListener("change", () => {
      inputs.forEach((other, k) => { if (other === input || type === "radio") switched.set(k, Number(other.checked)); });
      draw();
      drawGrid();
    });
    label.append(input, text);
    switches.append(label);
    return input;
  };
  const inputs = [
    ...attributes.map((name) => choice("checkbox", words(name))),
    ...Array.from({ length: categories }, (_, k) => choice("radio", `category ${k}`)),
  ];
  element("condition").hidden = !inputs.length;
  const condition = () => inputs.map((input) => Number(input.checked));
  // What a seed shows unless told otherwise, as in the command: classes take turns, or
  // rows of what faces of the training data had.
  const usual = (its) => {
    if (table.length) return [...table[its % table.length]].map(Number);
    if (categories) return inputs.map((_, k) => Number(k === its % categories));
    return attributes.map(() => its % 2);
  };
  const switched = new Map();  // what the user has switched, for every seed
  const conditionOf = (its) => usual(its).map((on, k) => switched.get(k) ?? on);
  const switchTo = (its) => conditionOf(its).forEach((on, k) => { inputs[k].checked = Boolean(on); });
  const choose = (its) => { element("seed").value = its; switchTo(its); };
  const truncation = () => Number(element("truncation").value);
  const seed = () => Math.min(Math.max(0, Math.floor(Number(element("seed").value) || 0)), Number.MAX_SAFE_INTEGER);

  const withNoise = (noise, on, share = truncation()) => {
    const input = new Float32Array(latent + on.length);
    for (let i = 0; i < latent; i++) input[i] = noise[i] * Math.fround(share);
    input.set(on, latent);
    return input;
  };

  let walking = null;  // {from, to, share} on a walk
  const noiseNow = () => (walking ? spherical(walking.from, walking.to, walking.share) : normalNoise(seed(), latent));
  let grid = [], first = 0;
  const draw = latest(async () => {
    const { outputs } = await ask("generator", [withNoise(noiseNow(), condition())]);
    show(element("face"), outputs[0], range);
    for (const { button, seed: its } of grid) button.setAttribute("aria-current", String(!walking && its === seed()));
  });
  const drawGrid = latest(async (stale) => {
    for (let k = 0; k < grid.length && !stale(); k += 2) {
      const part = grid.slice(k, k + 2);
      const { outputs } = await ask("generator", part.map((g) => withNoise(normalNoise(g.seed, latent), conditionOf(g.seed))));
      outputs.forEach((pixels, i) => show(part[i].canvas, pixels, range));
    }
  });
  const label = () => {
    grid.forEach((g, k) => { g.seed = first + k; g.button.setAttribute("aria-label", `Show seed ${g.seed}`); g.button.title = `seed ${g.seed}`; });
  };
  grid = Array.from({ length: 16 }, () => {
    const button = document.createElement("button"), canvas = document.createElement("canvas"), cell = { button, canvas, seed: 0 };
    button.type = "button";
    canvas.className = "face";
    canvas.width = canvas.height = SIZE;
    button.append(canvas);
    button.addEventListener("click", () => { stop(); choose(cell.seed); draw(); });
    element("grid").append(button);
    return cell;
  });
  label();
  switchTo(seed());

  const stop = () => {
    walking = null;
    element("walk").setAttribute("aria-pressed", "false");
    element("walk").textContent = "Walk";
  };
  const steps = async () => {
    while (walking) {
      await new Promise(requestAnimationFrame);
      if (!walking) return;
      walking.share += 0.04;
      if (walking.share >= 1) {
        choose(walking.next);
        const next = randomSeed();
        walking = { from: walking.to, to: normalNoise(next, latent), share: 0, next };
      }
      const { outputs } = await ask("generator", [withNoise(noiseNow(), condition())]);
      show(element("face"), outputs[0], range);
    }
    draw();
  };
  element("walk").addEventListener("click", () => {
    if (walking) { stop(); return; }
    const next = randomSeed();
    walking = { from: normalNoise(seed(), latent), to: normalNoise(next, latent), share: 0, next };
    element("walk").setAttribute("aria-pressed", "true");
    element("walk").textContent = "Stop";
    steps();
  });
  element("another").addEventListener("click", () => { stop(); choose(randomSeed()); draw(); });
  element("seed").addEventListener("input", () => { stop(); switchTo(seed()); draw(); });
  element("truncation").addEventListener("input", () => {
    element("truncation-value").textContent = truncation().toFixed(2);
    draw();
    drawGrid();
  });
  element("as-it-was").addEventListener("click", () => { switched.clear(); switchTo(seed()); draw(); drawGrid(); });
  element("more").addEventListener("click", () => { first += 16; label(); drawGrid(); });

  const faces = async (seeds, share, conditions) => {
    await ready;
    const answer = await ask("generator", seeds.map((s, k) => withNoise(normalNoise(s, latent), conditions ? conditions[k] : usual(s), share)));
    return answer;
  };
  return { start: async () => { await ready; element("noise").hidden = false; draw(); drawGrid(); }, faces };
}

function spherical(a, b, share) {
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))));
  const sine = Math.sin(angle);
  const [p, q] = sine < 1e-3 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return a.map((v, i) => p * v + q * b[i]);
}

// ---------------------------------------------------------------- faces from codes

// A function that draws, along the main axes, from the mixture of Gaussians fitted to codes.
function mixture(prior) {
  const centres = floats(prior.centres), factors = floats(prior.factors), n = prior.share.length;
  return () => {
    let part = 0;
    for (let left = Math.random() - prior.shares[0]; left > 0 && part < prior.shares.length - 1;) left -= prior.shares[++part];
    const noise = normalNoise(randomSeed(), n);
    return noise.map((_, k) => {
      let sum = centres[part * n + k];
      for (let j = 0, row = (part * n + k) * n; j < n; j++) sum += factors[row + j] * noise[j];
      return sum;
    });
  };
}

function codeSections(faces) {
  const { latent, range, size, prior, directions, recipe } = data.vae;
  const { ready, ask } = engine(["decoder", "encoder"]);
  const mean = floats(prior.mean), axes = floats(prior.axes), drawn = mixture(prior);
  const axis = (k) => axes.subarray(k * latent, (k + 1) * latent);
  const plus = (code, vector, times) => code.map((v, i) => v + times * vector[i]);
  const decode = async (codes) => (await ask("decoder", codes)).outputs;

  element("codes-lead").textContent =
    `A variational autoencoder (${recipe}) stores a face as ${latent} numbers. These are the ${prior.sliders} directions in which the codes of ${prior.of} differ most, with their shares of all differences; a slider counts standard deviations from the mean code. A random face is of the mixture of ${prior.shares.length} Gaussians fitted to those codes.`;
  let base = mean;  // what the sliders do not move
  const drawCode = latest(async () => {
    let code = base;
    sliders.forEach((s, k) => { code = plus(code, axis(k), s.value); });
    show(element("coded"), (await decode([code]))[0], range, size);
  });
  const sliders = Array.from({ length: prior.sliders }, (_, k) =>
    slider(element("axes"), `axis-${k}`, `Axis ${k + 1} (${(100 * prior.share[k]).toFixed(0)} %)`, -3, 3, 0.1, drawCode));
  element("random").addEventListener("click", () => {
    const along = drawn();
    base = mean;
    for (let k = prior.sliders; k < along.length; k++) base = plus(base, axis(k), along[k]);
    sliders.forEach((s, k) => { s.value = Math.min(3, Math.max(-3, along[k])); });
    drawCode();
  });
  element("mean").addEventListener("click", () => {
    base = mean;
    sliders.forEach((s) => { s.value = 0; });
    drawCode();
  });

  // Two pictures: cropped, coded, rebuilt, changed, and the way between them.
  const code = [null, null];
  const drawEdit = latest(async () => {
    if (!code[0]) return;
    let changed = code[0];
    edits.forEach((s, k) => { changed = plus(changed, along[k], s.value); });
    const way = code[1] ? Array.from({ length: 7 }, (_, k) => changed.map((v, i) => v + (k / 6) * (code[1][i] - v))) : [];
    const [rebuilt, edited, ...between] = await decode([code[0], changed, ...way]);
    show(element("rebuilt"), rebuilt, range, size);
    show(element("edited"), edited, range, size);
    between.forEach((pixels, k) => show(strip[k], pixels, range, size));
  });
  const strip = Array.from({ length: 7 }, () => {
    const canvas = document.createElement("canvas");
    canvas.className = "face";
    element("between").append(canvas);
    return canvas;
  });
  const numbers = directions.codes ? floats(directions.codes) : new Float32Array();
  const along = directions.names.map((_, k) => numbers.subarray(k * latent, (k + 1) * latent));
  const edits = directions.names.map((name, k) =>
    slider(element(k < 4 ? "edits" : "edits-rest"), `edit-${k}`, words(name), -2, 2, 0.1, drawEdit));
  element("edits-more").hidden = directions.names.length <= 4;
  element("undo").addEventListener("click", () => { edits.forEach((s) => { s.value = 0; }); drawEdit(); });

  const encode = async (which, pixels) => {
    if (which === 0) show(element("seen"), pixels, range, size);
    code[which] = (await ask("encoder", [pixels])).outputs[0];
    drawEdit();
  };
  const crops = ["First picture", "Second picture"].map((title, which) =>
    cropper(element(which ? "picture-b" : "picture-a"), title, size, range, (pixels) => encode(which, pixels)));
  const start = async () => {
    await ready;
    element("codes").hidden = element("pictures").hidden = false;
    drawCode();
    const { outputs } = await faces([3, 5], 0.8, null);
    outputs.forEach((pixels, which) => crops[which].give(pixels, data.generator.range));
  };
  return { start, ask };
}

// A picture in a square that the user moves: a file, a canvas, a zoom.
function cropper(parent, title, size, range, changed) {
  const id = parent.id, view = 256;
  parent.innerHTML = `<h3></h3><canvas width="${view}" height="${view}" tabindex="0" role="application"></canvas><label class="hint" for="${id}-file">Choose a file</label><input type="file" id="${id}-file" accept="image/*">`;
  parent.querySelector("h3").textContent = title;
  const canvas = parent.querySelector("canvas"), pen = canvas.getContext("2d", { willReadFrequently: true });
  canvas.setAttribute("aria-label", `${title}: arrow keys move it, plus and minus zoom`);
  let image = null, x = 0, y = 0, scale = 1;
  const zoom = slider(parent, `${id}-zoom`, "Zoom", 0, 2, 0.02, () => redraw(), (v) => `x ${(2 ** v).toFixed(2)}`);

  const place = () => {
    scale = (view / Math.min(image.width, image.height)) * 2 ** zoom.value;
    x = Math.min(0, Math.max(view - image.width * scale, x));
    y = Math.min(0, Math.max(view - image.height * scale, y));
    pen.imageSmoothingQuality = "high";
    pen.clearRect(0, 0, view, view);
    pen.drawImage(image, x, y, image.width * scale, image.height * scale);
  };
  const finish = latest(async () => {
    const small = document.createElement("canvas");
    small.width = small.height = size;
    const brush = small.getContext("2d");
    place();
    brush.imageSmoothingQuality = "high";
    brush.drawImage(canvas, 0, 0, size, size);
    const { data: rgba } = brush.getImageData(0, 0, size, size), [low, high] = range;
    const pixels = new Float32Array(size * size * 3);
    for (let p = 0, q = 0; p < pixels.length; q++) if (q % 4 !== 3) pixels[p++] = low + (rgba[q] / 255) * (high - low);
    marks();
    await changed(pixels);
  });
  const marks = () => {
    pen.lineWidth = 2;
    for (const [color, shift] of [["rgba(0,0,0,.6)", 1], ["rgba(255,255,255,.9)", 0]]) {
      pen.strokeStyle = color;
      for (const side of [0.384, 0.616]) {
        pen.beginPath();
        pen.arc(view * side + shift, view * 0.511 + shift, 9, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
  };
  const redraw = () => { if (image) finish(); };
  const take = (picture) => {
    image = picture;
    zoom.value = 0;
    x = y = 0;
    place();
    x = (view - image.width * scale) / 2;
    y = (view - image.height * scale) / 2;
    finish();
  };
  const open = async (file) => {
    try { take(await createImageBitmap(file)); } catch { say(`${file.name}: not a picture that this browser can read`); }
  };
  parent.querySelector("input[type=file]").addEventListener("change", ({ target }) => { if (target.files[0]) open(target.files[0]); });
  canvas.addEventListener("dragover", (event) => event.preventDefault());
  canvas.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]); });
  let held = null;
  canvas.addEventListener("pointerdown", (event) => { held = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const times = view / canvas.clientWidth;
    x += (event.clientX - held[0]) * times;
    y += (event.clientY - held[1]) * times;
    held = [event.clientX, event.clientY];
    redraw();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { held = null; });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] };
    if (moves[event.key]) { x += moves[event.key][0]; y += moves[event.key][1]; }
    else if (event.key === "+" || event.key === "=") zoom.value += 0.1;
    else if (event.key === "-") zoom.value -= 0.1;
    else return;
    event.preventDefault();
    redraw();
  });
  const give = async (pixels, its) => {  // a face that a network drew
    const drawn = document.createElement("canvas");
    show(drawn, pixels, its);
    take(await createImageBitmap(drawn));
  };
  return { give };
}

// --------------------------------------------------------------------------- begin

const noise = noiseSection();
// For a console, or a test: RGB of 0 to 255 of seeds, each with its condition.
const drawSeeds = async (seeds, conditions, truncation = 1) => {
  const { outputs, milliseconds } = await noise.faces(seeds, truncation, conditions);
  const [low, high] = data.generator.range;
  return { milliseconds, images: outputs.map((o) => Array.from(Uint8ClampedArray.from(o, (v) => ((v - low) * 255) / (high - low)))) };
};
const origin = element("origin");
origin.innerHTML = "<h3>Where these networks come from</h3><table></table>";
for (const row of data.origin) {
  const line = origin.querySelector("table").insertRow();
  for (const text of row) line.insertCell().textContent = text;
}
const licence = document.createElement("p");
licence.textContent = data.licence;
origin.append(licence);
let rebuild = null;  // what the second network makes of pixels, for a test
const began = performance.now();
const started = (async () => {
  await noise.start();
  const codes = data.vae ? codeSections(noise.faces) : null;
  if (codes) await codes.start();
  rebuild = codes && (async (pixels) => (await codes.ask("decoder", (await codes.ask("encoder", pixels)).outputs)).outputs.map((o) => Array.from(o)));
  say(`Ready in ${((performance.now() - began) / 1000).toFixed(1)} s. Works without a network.`);
})().catch((error) => {
  say(`This browser cannot run the networks (${error.message}). A current Chrome, Edge, Firefox or Safari can.`);
  throw error;
});
