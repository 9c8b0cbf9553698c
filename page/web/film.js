// A training as a film: grids of faces that fade into each other over both losses.
"use strict";

const SECONDS = 10;  // of the whole film
const PITCH = [66, 2];  // of a grid: pixels from face to face, of the gap

function filmRoom() {
  const { steps, frames, about, curves } = data.film, bar = element("film-step"), canvas = element("frame");
  const last = steps.length - 1, pen = canvas.getContext("2d"), narrow = matchMedia("(max-width: 50rem)");
  const images = frames.map((src) => Object.assign(new Image(), { src }));
  element("film-lead").textContent = `${about} learns: the same noise at ${steps.length} moments of its training. Press play.`;
  bar.max = last;
  bar.value = last;
  const losses = lossCurves(element("curves"), steps, curves);

  // Faces cut from the grid and laid out anew; other pictures as they are.
  const lay = (image) => {
    const [pitch, gap] = PITCH, fits = (n) => n > gap && (n - gap) % pitch === 0;
    const { naturalWidth: w, naturalHeight: h } = image;
    if (!fits(w) || !fits(h)) return { columns: 1, rows: 1, cells: [[0, 0]], size: [w, h] };
    const across = (w - gap) / pitch, columns = narrow.matches ? 4 : across;
    const rows = Math.min((h - gap) / pitch, 4), size = [pitch - gap, pitch - gap];
    const cells = many(columns * rows, (k) => [gap + (k % columns) * pitch, gap + Math.floor(k / columns) * pitch]);
    return { columns, rows, cells, size };
  };
  const paintFrame = (at) => {
    const low = Math.floor(at), high = Math.min(last, low + 1);
    if (!images[low].complete || !images[high].complete || !images[low].naturalWidth) return;
    const { columns, rows, cells, size: [w, h] } = lay(images[low]), times = cells.length > 1 ? 2 : 1, gap = 6;
    const [wide, tall] = [columns * (w * times + gap) - gap, rows * (h * times + gap) - gap];
    if (canvas.width !== wide || canvas.height !== tall) Object.assign(canvas, { width: wide, height: tall });
    pen.imageSmoothingQuality = "high";
    for (const [image, alpha] of [[images[low], 1], [images[high], at - low]]) {
      pen.globalAlpha = alpha;
      cells.forEach(([x, y], k) => pen.drawImage(image, x, y, w, h,
        (k % columns) * (w * times + gap), Math.floor(k / columns) * (h * times + gap), w * times, h * times));
    }
  };
  const tell = () => {
    const at = Number(bar.value), low = Math.floor(at), high = Math.min(last, low + 1);
    const step = Math.round(steps[low] + (at - low) * (steps[high] - steps[low])).toLocaleString("en");
    paintFrame(at);
    canvas.setAttribute("aria-label", `Grid of faces at step ${step}`);
    element("film-value").textContent = step;
    bar.setAttribute("aria-valuetext", `step ${step}`);
    losses.mark(at);
  };
  let began = null;  // when the film would have started at its first frame
  const pressed = () => {
    element("film-play").setAttribute("aria-pressed", String(began !== null));
    element("film-play").textContent = began === null ? "Play" : "Pause";
  };
  const stop = () => { began = null; pressed(); };
  const pace = (SECONDS * 1000) / Math.max(1, last);
  element("film-play").addEventListener("click", async () => {
    if (began !== null) { stop(); return; }
    if (Number(bar.value) >= last) bar.value = 0;
    began = performance.now() - Number(bar.value) * pace;
    pressed();
    while (began !== null) {
      const at = Math.min(last, (performance.now() - began) / pace);
      bar.value = calm.matches ? Math.floor(at) : at;
      tell();
      if (at >= last) stop();
      await frame();
    }
  });
  bar.addEventListener("input", () => { stop(); tell(); });
  narrow.addEventListener("change", tell);
  Promise.all(images.map((image) => image.decode().catch(() => {}))).then(tell);
  tell();
  return { begin: tell, leave: stop };
}

// Lines over the axis of the film's bar: the grid at its bar's place has its losses above that place.
function lossCurves(parent, steps, { steps: xs, values }) {
  const NS = "http://www.w3.org/2000/svg", [width, height] = [1000, 100], names = Object.keys(values);
  const draw = (tag, settings) => {
    const made = document.createElementNS(NS, tag);
    for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
    return made;
  };
  const place = (step) => {
    let k = 0;
    while (k < steps.length - 2 && steps[k + 1] < step) k++;
    const share = (step - steps[k]) / ((steps[k + 1] ?? steps[k] + 1) - steps[k]);
    return k + Math.min(1, Math.max(0, share));
  };
  const px = (at) => (at / Math.max(1, steps.length - 1)) * width;
  const every = names.flatMap((name) => values[name]).filter(Number.isFinite).sort((a, b) => a - b);
  const [low, high] = [Math.min(0, every[0] ?? 0), every.at(-1) ?? 1];
  const py = (value) => 4 + ((high - value) / (high - low || 1)) * (height - 8);
  const now = draw("line", { class: "now", y1: 0, y2: height });
  const picture = draw("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
  picture.setAttribute("aria-label", `Losses of ${names.join(" and ")} by step`);
  picture.append(draw("line", { class: "zero", x1: 0, x2: width, y1: py(low), y2: py(low) }), now);
  const keys = make("p", { className: "keys" });
  names.forEach((name, k) => {
    const points = values[name].flatMap((v, i) => (Number.isFinite(v) ? [`${px(place(xs[i])).toFixed(1)},${py(v).toFixed(1)}`] : []));
    const value = make("output");
    picture.append(draw("polyline", { class: `curve curve-${k}`, points: points.join(" ") }));
    keys.append(make("span", { className: `key curve-${k}` }, `Loss of the ${name} `, value));
  });
  parent.append(picture, keys);
  const mark = (at) => {
    now.setAttribute("x1", px(at));
    now.setAttribute("x2", px(at));
    const step = steps[Math.floor(at)] + (at % 1) * ((steps[Math.floor(at) + 1] ?? 0) - steps[Math.floor(at)]);
    const nearest = xs.reduce((best, x, i) => (Math.abs(x - step) < Math.abs(xs[best] - step) ? i : best), 0);
    keys.querySelectorAll("output").forEach((output, k) => { output.textContent = values[names[k]][nearest]?.toFixed(2) ?? ""; });
  };
  return { mark };
}
