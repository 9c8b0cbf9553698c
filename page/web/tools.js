// What all rooms use: elements, sliders, messages beside a control.
"use strict";

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const SIZE = data.generator.size;
const TRUNCATION = data.generator.truncation;  // to begin with
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const say = (text) => { element("status").textContent = text; };
const words = (name) => name[0] + name.slice(1).replaceAll("_", " ").toLowerCase();
const randomSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
const frame = () => new Promise(requestAnimationFrame);
const many = (count, made) => Array.from({ length: count }, (_, k) => made(k));

function make(tag, settings = {}, ...children) {
  const made = Object.assign(document.createElement(tag), settings);
  made.append(...children);
  return made;
}

// Says beside a control what is wrong with it; nothing without a text.
function complain(control, text = "") {
  element(`${control.id}-error`).textContent = text;
  control.setAttribute("aria-invalid", String(Boolean(text)));
}

// A button that is a face.
function faceButton(label, pressed) {
  const canvas = make("canvas", { className: "face", width: SIZE, height: SIZE });
  const button = make("button", { type: "button", className: "pick", ariaLabel: label }, canvas);
  button.addEventListener("click", pressed);
  return { button, canvas };
}

// A slider with a text for each end, or one text and its value.
function slider(parent, id, [text, end], [min, max, step], changed, format = (v) => v.toFixed(1)) {
  const input = make("input", { type: "range", id, min, max, step, value: 0 });
  const output = make(end ? "span" : "output", { textContent: end || "" });
  const label = make("label", { htmlFor: id }, make("span", { textContent: text }), output);
  if (end) input.ariaLabel = `${text} to ${end}`;
  const tell = () => { if (!end) output.textContent = format(Number(input.value)); };
  input.addEventListener("input", () => { tell(); changed(); });
  tell();
  parent.append(make("div", { className: "slider" }, label, input));
  return { get value() { return Number(input.value); }, set value(v) { input.value = v; tell(); } };
}

// Only the last request counts: what was requested meanwhile is never computed.
function latest(work) {
  let running = false, again = false;
  return async () => {
    if (running) { again = true; return; }
    running = true;
    try {
      do { again = false; await work(() => again); } while (again);
    } catch (error) { say(`This went wrong: ${error.message}`); }
    running = false;
  };
}
