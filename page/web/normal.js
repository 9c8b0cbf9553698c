// The noise of a seed, number by number that of numpy:
//   numpy.random.default_rng(seed).standard_normal(n)
// SeedSequence (O'Neill), PCG64, and a ziggurat of 256 levels (Marsaglia and Tsang 2000).
"use strict";

function normalNoise(seed, n) {
  const next = pcg64(seed), out = new Float32Array(n);
  for (let i = 0; i < n; i++) out[i] = normal(next);
  return out;
}

const M64 = (1n << 64n) - 1n, M128 = (1n << 128n) - 1n;

// Four words of 64 bits from a seed below 2**53.
function seedWords(seed) {
  const entropy = seed < 2 ** 32 ? [seed] : [seed >>> 0, Math.floor(seed / 2 ** 32)];
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const pool = Array.from({ length: 4 }, (_, i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
  }
  let again = 0x8b51f9dd;
  const words = Array.from({ length: 8 }, (_, i) => {
    let value = (pool[i % 4] ^ again) >>> 0;
    again = Math.imul(again, 0x58f38ded) >>> 0;
    value = Math.imul(value, again) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  });
  return [0, 2, 4, 6].map((i) => BigInt(words[i]) | (BigInt(words[i + 1]) << 32n));
}

function pcg64(seed) {
  const [a, b, c, d] = seedWords(seed), factor = 0x2360ed051fc65da44385df649fccf645n;
  const increment = ((((c << 64n) | d) << 1n) | 1n) & M128;
  let state = (increment + ((a << 64n) | b)) & M128;
  state = (state * factor + increment) & M128;
  return () => {
    state = (state * factor + increment) & M128;
    const turn = state >> 122n, x = ((state >> 64n) ^ state) & M64;
    return ((x >> turn) | (x << ((64n - turn) & 63n))) & M64;
  };
}

const ZIGGURAT = (() => {
  const R = 3.654152885361009, V = 0.00492867323399, f = (x) => Math.exp(-0.5 * x * x);
  const x = new Float64Array(257);
  x[256] = V / f(R);
  x[255] = R;
  for (let i = 254; i > 0; i--) x[i] = Math.sqrt(-2 * Math.log(V / x[i + 1] + f(x[i + 1])));
  const scale = 2 ** 52, w = new Float64Array(256), k = new Array(256), height = new Float64Array(256);
  for (let i = 1; i < 256; i++) {
    w[i] = x[i] / scale;
    k[i] = BigInt(Math.floor((x[i - 1] / x[i]) * scale));
    height[i] = f(x[i]);
  }
  k[1] = 0n;
  w[0] = x[256] / scale;
  k[0] = BigInt(Math.floor((R / x[256]) * scale));
  height[0] = 1;
  return { R, w, k, height };
})();

function normal(next) {
  const { R, w, k, height } = ZIGGURAT;
  const uniform = () => Number(next() >> 11n) / 2 ** 53;
  for (;;) {
    const bits = next(), level = Number(bits & 255n), negative = (bits >> 8n) & 1n;
    const size = (bits >> 9n) & ((1n << 52n) - 1n);
    const x = Number(size) * w[level] * (negative ? -1 : 1);
    if (size < k[level]) return x;
    if (level === 0) {
      for (;;) {
        const far = -Math.log1p(-uniform()) / R, y = -Math.log1p(-uniform());
        if (y + y > far * far) return (size >> 8n) & 1n ? -(R + far) : R + far;
      }
    }
    if ((height[level - 1] - height[level]) * uniform() + height[level] < Math.exp(-0.5 * x * x)) return x;
  }
}
