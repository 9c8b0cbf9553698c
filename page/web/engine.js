// Runs a network that `page/portable.py` wrote. Everything heavy is one matrix
// product in WebAssembly SIMD, assembled below; tensors are float32, channels last.
"use strict";

// ---------------------------------------------------------------- the kernel
// tiles_<rows>x<columns>(a, lda, k, b, c, ldc, n): for n tiles of `rows` rows,
//   C[r, 0..columns) += sum over i < k of A[r, i] * B[i, 0..columns).
// Rows of A and C lie `lda` and `ldc` bytes apart; B is packed, k x columns.

const I32 = 0x7f, V128 = 0x7b;
const uleb = (n) => { const out = []; do { const low = n & 127; n >>>= 7; out.push(n ? low | 128 : low); } while (n); return out; };
const sleb = (n) => { const out = []; for (;;) { const low = n & 127; n >>= 7; if ((n === 0 && !(low & 64)) || (n === -1 && low & 64)) { out.push(low); return out; } out.push(low | 128); } };
const get = (x) => [0x20, ...uleb(x)], set = (x) => [0x21, ...uleb(x)], constant = (n) => [0x41, ...sleb(n)];
const ADD = [0x6a], SUB = [0x6b], MUL = [0x6c];
const simd = (op, ...more) => [0xfd, ...uleb(op), ...more];
const load = (offset) => simd(0, 2, ...uleb(offset)), store = (offset) => simd(11, 2, ...uleb(offset));
const splat = (offset) => simd(9, 2, ...uleb(offset));  // load one float into all lanes
const FMUL = simd(230), FADD = simd(228);

function tile(rows, columns) {
  const lanes = columns / 4;
  const [A, LDA, K, B, C, LDC, N] = [0, 1, 2, 3, 4, 5, 6];
  const count = 7, b = 8, pa = 9, pc = pa + rows;  // i32 locals
  const panel = pc + rows, one = panel + lanes, acc = one + 1;  // v128 locals
  const each = (n, f) => Array.from({ length: n }, (_, i) => f(i)).flat();
  const step = (depth) => [
    ...each(depth, (u) => [
      ...each(lanes, (j) => [...get(b), ...load(u * columns * 4 + j * 16), ...set(panel + j)]),
      ...each(rows, (i) => [
        ...get(pa + i), ...splat(u * 4), ...set(one),
        ...each(lanes, (j) => [
          ...get(acc + i * lanes + j), ...get(one), ...get(panel + j), ...FMUL, ...FADD, ...set(acc + i * lanes + j)]),
      ]),
    ]),
    ...each(rows, (i) => [...get(pa + i), ...constant(4 * depth), ...ADD, ...set(pa + i)]),
    ...get(b), ...constant(4 * depth * columns), ...ADD, ...set(b),
  ];
  // while (count) { step; count -= 1 }
  const repeat = (body) => [0x02, 0x40, ...get(count), 0x45, 0x0d, 0, 0x03, 0x40, ...body,
    ...get(count), ...constant(1), ...SUB, 0x22, ...uleb(count), 0x0d, 0, 0x0b, 0x0b];
  const body = [
    0x03, 0x40,  // loop over tiles
    ...each(rows, (i) => [...get(A), ...get(LDA), ...constant(i), ...MUL, ...ADD, ...set(pa + i),
      ...get(C), ...get(LDC), ...constant(i), ...MUL, ...ADD, ...set(pc + i)]),
    ...each(rows * lanes, (t) => [...get(pc + Math.floor(t / lanes)), ...load((t % lanes) * 16), ...set(acc + t)]),
    ...get(B), ...set(b),
    ...get(K), ...constant(2), 0x76, ...set(count), ...repeat(step(4)),  // k / 4
    ...get(K), ...constant(3), 0x71, ...set(count), ...repeat(step(1)),  // k % 4
    ...each(rows * lanes, (t) => [...get(pc + Math.floor(t / lanes)), ...get(acc + t), ...store((t % lanes) * 16)]),
    ...get(A), ...get(LDA), ...constant(rows), ...MUL, ...ADD, ...set(A),
    ...get(C), ...get(LDC), ...constant(rows), ...MUL, ...ADD, ...set(C),
    ...get(N), ...constant(1), ...SUB, 0x22, ...uleb(N), 0x0d, 0, 0x0b,
    0x0b];
  const locals = [2, ...uleb(2 + 2 * rows), I32, ...uleb(lanes + 1 + rows * lanes), V128];
  return [...locals, ...body];
}

const SHAPES = [[4, 8], [4, 4], [1, 8], [1, 4]];

function kernels(memory) {
  const section = (id, bytes) => [id, ...uleb(bytes.length), ...bytes];
  const name = (text) => [text.length, ...[...text].map((c) => c.charCodeAt(0))];
  const vector = (items) => [...uleb(items.length), ...items.flat()];
  const label = ([r, c]) => `tiles_${r}x${c}`;
  const code = SHAPES.map((s) => { const body = tile(...s); return [...uleb(body.length), ...body]; });
  const module = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0,
    ...section(1, vector([[0x60, ...vector(Array(7).fill([I32])), 0]])),
    ...section(2, vector([[...name("e"), ...name("m"), 2, 0, 1]])),
    ...section(3, vector(SHAPES.map(() => [0]))),
    ...section(7, vector(SHAPES.map((s, i) => [...name(label(s)), 0, i]))),
    ...section(10, vector(code))]);
  const made = new WebAssembly.Instance(new WebAssembly.Module(module), { e: { m: memory } });
  return SHAPES.map((s) => made.exports[label(s)]);
}

// ------------------------------------------------------------- memory, weights

const memory = new WebAssembly.Memory({ initial: 64 });
const [wide4, narrow4, wide1, narrow1] = kernels(memory);
let top = 64;  // the next free byte

function reserve(floats) {
  const at = top;
  top += Math.ceil(floats / 4) * 16 + 64;
  const missing = Math.ceil(top / 65536) - memory.buffer.byteLength / 65536;
  if (missing > 0) memory.grow(missing);
  return at;
}
const view = (at, floats) => new Float32Array(memory.buffer, at, floats);

// Floats, or integers, each times the scale of its place along the last axis: their upper
// eight bits, then each lower bit of all of them, the lowest first.
function weights(bytes, { shape, at, scale, planes }) {
  const size = shape.reduce((a, b) => a * b, 1), last = shape.at(-1);
  if (shape.length === 1) return new Float32Array(bytes.buffer.slice(at, at + 4 * size));
  const scales = new Float32Array(bytes.buffer.slice(scale, scale + 4 * last));
  const upper = new Int8Array(bytes.buffer, at, size), plane = Math.ceil(size / 8), out = new Float32Array(size);
  for (let i = 0, c = 0; i < size; i++) {
    let whole = upper[i] << planes;
    for (let k = 0; k < planes; k++) whole |= ((bytes[at + size + k * plane + (i >> 3)] >> (i & 7)) & 1) << k;
    out[i] = whole * scales[c];
    if (++c === last) c = 0;
  }
  return out;
}

// A matrix `rows x n` as panels of 8 columns (the last may have 4), row by row each;
// n is rounded up to a multiple of 4. `value(i, j)` gives its numbers.
function pack(rows, n, value) {
  const wide = Math.ceil(n / 4) * 4, at = reserve(rows * wide), out = view(at, rows * wide);
  let p = 0;
  for (let left = 0; left < wide; left += 8) {
    const columns = Math.min(8, wide - left);
    for (let i = 0; i < rows; i++) for (let j = left; j < left + columns; j++) out[p++] = j < n ? value(i, j) : 0;
  }
  return at;
}

// C (m rows, n columns rounded up to 4) += A (m x k) times a packed B.
function multiply(a, lda, k, b, c, ldc, m, n) {
  const four = m >> 2, rest = m & 3;
  for (let left = 0; left < n; left += 8) {
    const wide = n - left > 4, panel = b + 4 * left * k, to = c + 4 * left;
    if (four) (wide ? wide4 : narrow4)(a, lda, k, panel, to, ldc, four);
    if (rest) (wide ? wide1 : narrow1)(a + 4 * four * lda, lda, k, panel, to + 4 * four * ldc, ldc, rest);
  }
}

// ------------------------------------------------------------------- layers
// Each takes (op, inputs [{at, shape}], weights by name) and returns {at, shape, run}.

const volume = (shape) => shape.reduce((a, b) => a * b, 1);

function result(shape, run) {
  const at = reserve(volume(shape)), size = volume(shape);
  return { shape, at, run: () => run(view(at, size)) };
}

// A matrix product's output, whose channels are rounded up to 4 while it is made.
function product(shape, bias, fill) {
  const n = shape.at(-1), wide = Math.ceil(n / 4) * 4, places = volume(shape) / n;
  const at = reserve(places * wide);
  const run = () => {
    const out = view(at, places * wide);
    if (bias) for (let p = 0; p < places; p++) out.set(bias, p * wide);
    else out.fill(0);
    fill(at, 4 * wide);
    if (wide !== n) for (let p = 1; p < places; p++) out.copyWithin(p * n, p * wide, p * wide + n);
  };
  return { shape, at, run };
}

// The input with zeros around it; itself where there are none.
function padded(x, above, left, below, right) {
  const [h, w, c] = x.shape, [H, W] = [h + above + below, w + left + right];
  if (H === h && W === w) return { at: x.at, shape: x.shape, run: () => {} };
  const at = reserve(H * W * c);
  const run = () => {
    const from = view(x.at, h * w * c), to = view(at, H * W * c);
    for (let y = 0; y < h; y++) to.set(from.subarray(y * w * c, (y + 1) * w * c), ((y + above) * W + left) * c);
  };
  return { at, shape: [H, W, c], run };
}

const LAYERS = {
  dense(op, [x], { kernel, bias }) {
    const [k, n] = op.kernel_shape, b = pack(k, n, (i, j) => kernel[i * n + j]);
    return product([n], bias, (at, ldc) => multiply(x.at, 4 * k, k, b, at, ldc, 1, n));
  },
  conv(op, [x], { kernel, bias }) {
    const [kh, kw, ci, co] = op.kernel_shape, [sy, sx] = op.strides;
    const wide = padded(x, ...op.pad), W = wide.shape[1];
    const [H, w] = op.shape, k = kw * ci;
    const b = Array.from({ length: kh }, (_, y) => pack(k, co, (i, j) => kernel[(y * k + i) * co + j]));
    return product(op.shape, bias, (at, ldc) => {
      wide.run();
      for (let y = 0; y < H; y++) {
        for (let t = 0; t < kh; t++) {
          multiply(wide.at + 4 * (y * sy + t) * W * ci, 4 * sx * ci, k, b[t], at + y * w * ldc, ldc, w, co);
        }
      }
    });
  },
  // Of every s-th output row and column each is a plain convolution with every s-th row
  // and column of the kernel.
  conv_transpose(op, [x], { kernel, bias }) {
    const [kh, kw, co, ci] = op.kernel_shape, [s] = op.strides, [cutY, cutX] = op.cut;
    const [H, w] = op.shape, margin = Math.ceil(Math.max(kh, kw) / s);
    const wide = padded(x, margin, margin, margin, margin), W = wide.shape[1];
    const phases = (size, taps, cut) => Array.from({ length: s }, (_, first) => {
      const r = (first + cut) % s, count = Math.max(0, Math.ceil((taps - r) / s));
      return { first, r, count, from: margin + Math.floor((first + cut) / s) - (count - 1), many: Math.max(0, Math.ceil((size - first) / s)) };
    }).filter((p) => p.count && p.many);
    const parts = [];
    for (const py of phases(H, kh, cutY)) {
      for (const px of phases(w, kw, cutX)) {
        for (let t = 0; t < py.count; t++) {
          const row = py.r + s * (py.count - 1 - t);
          const b = pack(px.count * ci, co, (i, j) => {
            const column = px.r + s * (px.count - 1 - Math.floor(i / ci));
            return kernel[((row * kw + column) * co + j) * ci + (i % ci)];
          });
          parts.push({ py, px, t, b });
        }
      }
    }
    return product(op.shape, bias, (at, ldc) => {
      wide.run();
      for (const { py, px, t, b } of parts) {
        for (let y = 0; y < py.many; y++) {
          const from = wide.at + 4 * ((y + py.from + t) * W + px.from) * ci;
          const to = at + ((py.first + s * y) * w + px.first) * ldc;
          multiply(from, 4 * ci, px.count * ci, b, to, s * ldc, px.many, co);
        }
      }
    });
  },
  // Nearest-neighbour upsampling by 2, then a 3x3 convolution: one transposed 4x4 whose
  // taps sum those of the 3x3 that fall on the same pixel.
  up_conv(op, [x], { kernel }) {
    const [, , ci, co] = op.kernel_shape, taps = [[2], [1, 2], [0, 1], [0]];
    const summed = new Float32Array(16 * co * ci);
    taps.forEach((rows, a) => taps.forEach((columns, b) => {
      for (const i of rows) for (const j of columns) for (let c = 0; c < ci; c++) for (let f = 0; f < co; f++) {
        summed[((a * 4 + b) * co + f) * ci + c] += kernel[((i * 3 + j) * ci + c) * co + f];
      }
    }));
    const transposed = { shape: op.shape, kernel_shape: [4, 4, co, ci], strides: [2, 2], cut: [1, 1] };
    return LAYERS.conv_transpose(transposed, [x], { kernel: summed });
  },
  affine(op, [x], { scale, shift }) {
    const c = scale.length;
    return result(x.shape, (out) => {
      const from = view(x.at, out.length);
      for (let i = 0; i < out.length; i += c) for (let j = 0; j < c; j++) out[i + j] = from[i + j] * scale[j] + shift[j];
    });
  },
  leaky(op, [x]) {
    return result(x.shape, (out) => {
      const from = view(x.at, out.length), slope = op.slope;
      for (let i = 0; i < out.length; i++) { const v = from[i]; out[i] = v > 0 ? v : slope * v; }
    });
  },
  tanh: (op, [x]) => result(x.shape, (out) => { const from = view(x.at, out.length); for (let i = 0; i < out.length; i++) out[i] = Math.tanh(from[i]); }),
  sigmoid: (op, [x]) => result(x.shape, (out) => { const from = view(x.at, out.length); for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-from[i])); }),
  reshape: (op, [x]) => ({ at: x.at, shape: op.shape, run: () => {} }),
  average(op, [x]) {
    const [, w, c] = x.shape, [ph, pw] = op.pool, [sy, sx] = op.strides, [H, W] = op.shape;
    return result(op.shape, (out) => {
      const from = view(x.at, volume(x.shape));
      out.fill(0);
      for (let y = 0; y < H; y++) for (let i = 0; i < W; i++) for (let v = 0; v < ph; v++) for (let u = 0; u < pw; u++) {
        const q = ((y * sy + v) * w + i * sx + u) * c, p = (y * W + i) * c;
        for (let j = 0; j < c; j++) out[p + j] += from[q + j] / (ph * pw);
      }
    });
  },
  channel(op, [x]) {  // one more channel, everywhere of one value
    const c = x.shape.at(-1);
    return result(op.shape, (out) => {
      const from = view(x.at, volume(x.shape));
      for (let p = 0, q = 0; p < from.length; p += c, q++) {
        out.set(from.subarray(p, p + c), p + q);
        out[p + q + c] = op.value;
      }
    });
  },
  // Two tensors of one shape, or one of them a single place for all.
  multiply: (op, [x, y]) => pairwise(x, y, (a, b) => a * b),
  add: (op, [x, y]) => pairwise(x, y, (a, b) => a + b),
};

function pairwise(x, y, f) {
  if (volume(x.shape) < volume(y.shape)) [x, y] = [y, x];
  const small = volume(y.shape);
  return result(x.shape, (out) => {
    const a = view(x.at, out.length), b = view(y.at, small);
    for (let i = 0, j = 0; i < out.length; i++) { out[i] = f(a[i], b[j]); if (++j === small) j = 0; }
  });
}

// ------------------------------------------------------------------- networks

// `plan` is the network as JSON, `bytes` the numbers it points into.
function build(plan, bytes) {
  const input = { shape: plan.input, at: reserve(volume(plan.input)) };
  const tensors = [input];
  for (const op of plan.ops) {
    const named = {};
    for (const [name, entry] of Object.entries(op.weights || {})) named[name] = weights(bytes, entry);
    tensors.push(LAYERS[op.kind](op, op.from.map((i) => tensors[i]), named));
  }
  const output = tensors[plan.output];
  return (numbers) => {
    view(input.at, numbers.length).set(numbers);
    for (const tensor of tensors) if (tensor.run) tensor.run();
    return view(output.at, volume(output.shape)).slice();
  };
}

async function unpacked(text) {
  const binary = atob(text), packed = new Uint8Array(binary.length);
  for (let i = 0; i < packed.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// In a worker: {load: name, plan, text} makes a network of it, {run: name, inputs, id}
// answers {id, outputs}.
const networks = {};
const serve = async ({ data }) => {
  try {
    if (data.load) {
      networks[data.load] = build(data.plan, await unpacked(data.text));
      postMessage({ loaded: data.load });
    } else {
      const outputs = data.inputs.map((numbers) => networks[data.run](numbers));
      postMessage({ id: data.id, outputs }, outputs.map((o) => o.buffer));
    }
  } catch (error) {
    postMessage({ id: data.id, failed: String(error) });
  }
};
if (typeof importScripts === "function") onmessage = serve;
