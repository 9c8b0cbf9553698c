// The page's address holds what is seen: #seed=42&smiling=1&t=0.7&room=mix
"use strict";

const names = data.generator.attributes.map((name) => name.toLowerCase());

// The attribute that a key means: its name, or the only one that begins as the key does.
function attributeOf(key) {
  const exact = names.indexOf(key.toLowerCase()), begin = key.toLowerCase().slice(0, 4);
  const alike = names.flatMap((name, k) => (begin.length === 4 && name.startsWith(begin) ? [k] : []));
  return exact >= 0 ? exact : alike.length === 1 ? alike[0] : -1;
}

// {seed, truncation, room: text or undefined, on: Map from attribute to 0 or 1}
function readAddress() {
  const values = new URLSearchParams(location.hash.slice(1)), on = new Map();
  for (const [key, value] of values) {
    const k = attributeOf(key);
    if (k >= 0 && (value === "0" || value === "1")) on.set(k, Number(value));
  }
  const category = Number(values.get("category") ?? -1);
  if (category >= 0 && category < data.generator.categories) {
    many(data.generator.categories, (k) => on.set(k, Number(k === category)));
  }
  const [seed, truncation, room] = ["seed", "t", "room"].map((key) => values.get(key) ?? undefined);
  return { seed, truncation, room, on };
}

function addressOf({ seed, truncation, room, on }) {
  const parts = [`seed=${seed}`];
  for (const [k, value] of [...on].sort(([a], [b]) => a - b)) {
    if (names.length) parts.push(`${names[k]}=${value}`);
    else if (value) parts.push(`category=${k}`);
  }
  parts.push(`t=${truncation}`);
  if (room && room !== "face") parts.push(`room=${room}`);
  return `#${parts.join("&")}`;
}
