// The networks, each in a worker (engine.js), and what goes into the generator.
"use strict";

const engineUrl = URL.createObjectURL(new Blob([element("engine").textContent], { type: "text/javascript" }));

// A worker with some networks; `ask` resolves with images, codes or scores, one an input.
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
  const ask = async (run, inputs) => {
    await ready;
    return new Promise((done, failed) => {
      waiting.set(++serial, [done, failed]);
      worker.postMessage({ id: serial, run, inputs });
    });
  };
  return { ready, ask };
}

function spherical(a, b, share) {
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const norms = Math.sqrt(dot(a, a) * dot(b, b));
  const angle = norms ? Math.acos(Math.min(1, Math.max(-1, dot(a, b) / norms))) : 0;
  const sine = Math.sin(angle);
  const [p, q] = sine < 1e-3 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return a.map((v, i) => p * v + q * b[i]);
}

// The generator: noise and condition to faces.
const faces = (() => {
  const { latent, range, attributes, categories, table } = data.generator;
  const { ready, ask } = engine(["generator"]);
  // The condition of a seed by default, as in the command: rows of what faces of the
  // training data had, or classes in turns.
  const usual = (seed) => {
    if (table.length) return [...table[seed % table.length]].map(Number);
    if (categories) return many(categories, (k) => Number(k === seed % categories));
    return attributes.map(() => seed % 2);
  };
  const input = (noise, condition, truncation = TRUNCATION) => {
    const all = new Float32Array(latent + condition.length);
    for (let i = 0; i < latent; i++) all[i] = noise[i] * Math.fround(truncation);
    all.set(condition, latent);
    return all;
  };
  const ofSeed = (seed) => ({ seed, noise: normalNoise(seed, latent), condition: usual(seed) });
  const between = (a, b, share) => {
    const made = a.map((v, i) => v + share * (b[i] - v));
    made.set(spherical(a.subarray(0, latent), b.subarray(0, latent), share));
    return made;
  };
  const draw = async (inputs) => (await ask("generator", inputs)).outputs;
  // Faces on canvases, two at a time, until `stale` says that other faces are wanted.
  const fill = async (canvases, inputs, stale = () => false) => {
    for (let k = 0; k < canvases.length && !stale(); k += 2) {
      const outputs = await draw(inputs.slice(k, k + 2));
      outputs.forEach((pixels, i) => show(canvases[k + i], pixels, range));
    }
  };
  return { ready, usual, input, ofSeed, between, draw, fill, latent, range };
})();
