// Frames to an animated GIF (GIF89a): one palette by median cut, then LZW.
"use strict";

// 256 colours for RGBA frames: [Uint8Array of 768, function from a pixel to its index].
function palette(frames) {
  const counts = new Map();
  for (const rgba of frames) {
    for (let q = 0; q < rgba.length; q += 4) {
      const key = ((rgba[q] >> 2) << 12) | ((rgba[q + 1] >> 2) << 6) | (rgba[q + 2] >> 2);
      counts.set(key, (counts.get(key) || 0) + 1);
    }
  }
  const channel = (key, c) => (key >> (12 - 6 * c)) & 63;
  const box = (keys) => {
    const spans = [0, 1, 2].map((c) => {
      let low = 63, high = 0;
      for (const key of keys) { low = Math.min(low, channel(key, c)); high = Math.max(high, channel(key, c)); }
      return high - low;
    });
    const weight = keys.reduce((sum, key) => sum + counts.get(key), 0);
    return { keys, side: spans.indexOf(Math.max(...spans)), cost: Math.max(...spans) * Math.sqrt(weight), weight };
  };
  const boxes = [box([...counts.keys()])];
  while (boxes.length < 256) {
    boxes.sort((a, b) => b.cost - a.cost);
    const { keys, side, cost, weight } = boxes[0];
    if (!cost) break;
    keys.sort((a, b) => channel(a, side) - channel(b, side));
    let half = 0, cut = 0;
    while (cut < keys.length - 1 && half < weight / 2) half += counts.get(keys[cut++]);
    boxes.splice(0, 1, box(keys.slice(0, cut)), box(keys.slice(cut)));
  }
  const colours = new Uint8Array(768), indexes = new Map();
  boxes.forEach(({ keys, weight }, index) => {
    for (let c = 0; c < 3; c++) {
      const sum = keys.reduce((total, key) => total + counts.get(key) * (4 * channel(key, c) + 2), 0);
      colours[3 * index + c] = Math.round(sum / weight);
    }
    for (const key of keys) indexes.set(key, index);
  });
  return [colours, (r, g, b) => indexes.get(((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2))];
}

// Codes of 9 to 12 bits, lowest bit first; the table starts anew when it is full.
function lzw(indexes) {
  const CLEAR = 256, END = 257, out = [];
  let table = new Map(), width = 9, next = 258, bits = 0, held = 0;
  const put = (code) => {
    held |= code << bits;
    bits += width;
    while (bits >= 8) { out.push(held & 255); held >>>= 8; bits -= 8; }
  };
  put(CLEAR);
  let prefix = indexes[0];
  for (let i = 1; i < indexes.length; i++) {
    const pair = prefix * 256 + indexes[i], known = table.get(pair);
    if (known !== undefined) { prefix = known; continue; }
    put(prefix);
    if (next === 4096) {
      put(CLEAR);
      table = new Map();
      [width, next] = [9, 258];
    } else {
      if (next === 1 << width) width++;
      table.set(pair, next++);
    }
    prefix = indexes[i];
  }
  put(prefix);
  put(END);
  if (bits) out.push(held & 255);
  return out;
}

// RGBA frames `side x side` -> the bytes of a GIF that loops; `delays` in hundredths of a second.
function encodeGif(frames, side, delays) {
  const [colours, indexOf] = palette(frames), word = (n) => [n & 255, n >> 8];
  const parts = [
    [..."GIF89a"].map((c) => c.charCodeAt(0)), [...word(side), ...word(side), 0xf7, 0, 0], colours,
    [0x21, 0xff, 11, ...[..."NETSCAPE2.0"].map((c) => c.charCodeAt(0)), 3, 1, 0, 0, 0],
  ];
  frames.forEach((rgba, k) => {
    const indexes = new Uint8Array(side * side);
    for (let i = 0, q = 0; i < indexes.length; i++, q += 4) indexes[i] = indexOf(rgba[q], rgba[q + 1], rgba[q + 2]);
    parts.push([0x21, 0xf9, 4, 0, ...word(delays[k]), 0, 0, 0x2c, 0, 0, 0, 0, ...word(side), ...word(side), 0, 8]);
    const bytes = lzw(indexes);
    for (let at = 0; at < bytes.length; at += 255) {
      const block = bytes.slice(at, at + 255);
      parts.push([block.length, ...block]);
    }
    parts.push([0]);
  });
  parts.push([0x3b]);
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { file.set(part, at); at += part.length; }
  return file;
}
