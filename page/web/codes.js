// A face from the main axes of a variational autoencoder's codes.
"use strict";

const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const plus = (code, vector, times) => code.map((v, i) => v + times * vector[i]);

// A function that draws, along the main axes, from the mixture of Gaussians fitted to codes.
function mixture(prior) {
  const centres = floats(prior.centres), factors = floats(prior.factors), n = centres.length / prior.shares.length;
  return () => {
    let part = 0;
    for (let left = Math.random() - prior.shares[0]; left > 0 && part < prior.shares.length - 1;) left -= prior.shares[++part];
    const noise = normalNoise(randomSeed(), n);
    let at = (part * n * (n + 1)) / 2;  // upper triangles, row by row
    return noise.map((_, k) => {
      let sum = centres[part * n + k];
      for (let j = k; j < n; j++) sum += factors[at++] * noise[j];
      return sum;
    });
  };
}

function codesRoom(ask) {
  const { latent, range, size, prior, recipe } = data.vae;
  const mean = floats(prior.mean), axes = floats(prior.axes), drawn = mixture(prior);
  const axis = (k) => axes.subarray(k * latent, (k + 1) * latent);
  element("codes-lead").textContent =
    `A variational autoencoder (${recipe}) stores a face as ${latent} numbers. These are the ${prior.ends.length} directions in which ${prior.of} differ most, named by what they change most.`;
  let base = mean;  // what the sliders leave as it is
  const draw = latest(async () => {
    let code = base;
    sliders.forEach((s, k) => { code = plus(code, axis(k), s.value); });
    const { outputs: [pixels] } = await ask("decoder", [code]);
    show(element("coded"), pixels, range, size);
  });
  const sliders = prior.ends.map((ends, k) => slider(element("axes"), `axis-${k}`, ends.map(words), [-3, 3, 0.1], draw));
  const random = () => {
    const along = drawn();
    base = mean;
    for (let k = sliders.length; k < along.length; k++) base = plus(base, axis(k), along[k]);
    sliders.forEach((s, k) => { s.value = Math.min(3, Math.max(-3, along[k])); });
    return draw();
  };
  element("random").addEventListener("click", random);
  element("mean").addEventListener("click", () => {
    base = mean;
    sliders.forEach((s) => { s.value = 0; });
    draw();
  });
  return { begin: random };
}
