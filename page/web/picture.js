// Pixels on a canvas; large ones by a Lanczos filter, which keeps edges that the browser's blurs.
"use strict";

const LOBES = 3, TIMES = 6;

// A network's pixels in [low, high] on a canvas. `canvas.rgb` keeps them as they were drawn.
function show(canvas, pixels, [low, high], size = SIZE) {
  const rgb = new Uint8ClampedArray(pixels.length), scale = 255 / (high - low);
  for (let i = 0; i < rgb.length; i++) rgb[i] = (pixels[i] - low) * scale;
  canvas.rgb = rgb;
  paint(canvas, rgb, size, canvas.classList.contains("large") ? TIMES : 1);
}

function paint(canvas, rgb, size, times) {
  const side = size * times, image = new ImageData(side, side);
  const full = times === 1 ? rgb : enlarged(rgb, size, times);
  for (let p = 0, q = 0; p < full.length; p += 3, q += 4) {
    image.data[q] = full[p];
    image.data[q + 1] = full[p + 1];
    image.data[q + 2] = full[p + 2];
    image.data[q + 3] = 255;
  }
  if (canvas.width !== side) canvas.width = canvas.height = side;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const lanczos = (x) => {
  if (x === 0) return 1;
  const t = Math.PI * x;
  return Math.abs(x) < LOBES ? (LOBES * Math.sin(t) * Math.sin(t / LOBES)) / (t * t) : 0;
};

// For each output pixel along one side: [index of an input pixel, its weight], six of them.
function taps(size, times) {
  return many(size * times, (i) => {
    const centre = (i + 0.5) / times - 0.5, first = Math.floor(centre) - LOBES + 1;
    const weights = many(2 * LOBES, (k) => lanczos(centre - first - k));
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((w, k) => [Math.min(size - 1, Math.max(0, first + k)), w / sum]);
  });
}

// RGB of `size x size` pixels, `times` larger: first downwards, then along each row.
function enlarged(rgb, size, times) {
  const wide = size * times, row = 3 * size, places = taps(size, times);
  const tall = new Float32Array(wide * row), out = new Float32Array(3 * wide * wide);
  for (let y = 0; y < wide; y++) {
    for (const [from, weight] of places[y]) {
      for (let i = 0; i < row; i++) tall[y * row + i] += weight * rgb[from * row + i];
    }
  }
  for (let y = 0, p = 0; y < wide; y++) {
    for (let x = 0; x < wide; x++, p += 3) {
      for (const [from, weight] of places[x]) {
        const q = y * row + 3 * from;
        out[p] += weight * tall[q];
        out[p + 1] += weight * tall[q + 1];
        out[p + 2] += weight * tall[q + 2];
      }
    }
  }
  return Uint8ClampedArray.from(out);
}
