// A picture in a square that the visitor drags under two marks for the eyes.
"use strict";

const EYES = [[0.384, 0.511], [0.616, 0.511]], VIEW = 256;

function cropper(parent, title, size, range, changed) {
  const id = parent.id, canvas = make("canvas", { width: VIEW, height: VIEW, tabIndex: 0 });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", `${title}: arrow keys move it, plus and minus zoom`);
  const file = make("input", { type: "file", id: `${id}-file`, accept: "image/*", className: "unseen" });
  file.setAttribute("aria-describedby", `${id}-file-error`);
  const error = make("p", { id: `${id}-file-error`, className: "error" });
  error.setAttribute("role", "alert");
  parent.append(make("h3", { textContent: title }), canvas, make("label", { className: "button" }, "Choose a picture", file), error);
  const zoom = slider(parent, `${id}-zoom`, ["Zoom"], [0, 2, 0.02], () => redraw(), (v) => `× ${(2 ** v).toFixed(1)}`);
  let image = null, x = 0, y = 0, scale = 1;

  // The picture covers the square; a zoom leaves the point between the marks where it is.
  const place = () => {
    const [cx, cy] = [0, 1].map((i) => (VIEW * (EYES[0][i] + EYES[1][i])) / 2);
    const wanted = (VIEW / Math.min(image.width, image.height)) * 2 ** zoom.value, ratio = wanted / scale;
    x = Math.min(0, Math.max(VIEW - image.width * wanted, cx - (cx - x) * ratio));
    y = Math.min(0, Math.max(VIEW - image.height * wanted, cy - (cy - y) * ratio));
    scale = wanted;
    pen.imageSmoothingQuality = "high";
    pen.clearRect(0, 0, VIEW, VIEW);
    pen.drawImage(image, x, y, image.width * scale, image.height * scale);
  };
  const finish = latest(async () => {
    const brush = make("canvas", { width: size, height: size }).getContext("2d");
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
    pen.lineWidth = 1.5;
    for (const [color, shift] of [["rgba(0,0,0,.55)", 1], ["rgba(255,255,255,.9)", 0]]) {
      pen.strokeStyle = color;
      for (const [ex, ey] of EYES) {
        pen.beginPath();
        pen.arc(VIEW * ex + shift, VIEW * ey + shift, 9, 0, 2 * Math.PI);
        pen.stroke();
      }
    }
  };
  const redraw = () => { if (image) finish(); };
  const take = (picture) => {
    image = picture;
    zoom.value = 0;
    scale = VIEW / Math.min(image.width, image.height);
    x = (VIEW - image.width * scale) / 2;
    y = (VIEW - image.height * scale) / 2;
    finish();
  };
  const open = async (chosen) => {
    try {
      take(await createImageBitmap(chosen));
      complain(file);
    } catch { complain(file, `${chosen.name} is not a picture that this browser can read.`); }
  };
  file.addEventListener("change", () => { if (file.files[0]) open(file.files[0]); });
  canvas.addEventListener("dragover", (event) => event.preventDefault());
  canvas.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]); });

  // One finger or the mouse drags it, two fingers or the wheel zoom.
  const held = new Map();
  const middle = () => [0, 1].map((i) => [...held.values()].reduce((sum, p) => sum + p[i], 0) / held.size);
  const apart = () => { const [a, b] = [...held.values()]; return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0; };
  canvas.addEventListener("pointerdown", (event) => {
    held.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return;
    const [before, distance] = [middle(), apart()], times = VIEW / canvas.clientWidth;
    held.set(event.pointerId, [event.clientX, event.clientY]);
    const after = middle();
    x += (after[0] - before[0]) * times;
    y += (after[1] - before[1]) * times;
    if (distance) zoom.value += Math.log2(apart() / distance);
    redraw();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => held.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom.value -= event.deltaY * (event.ctrlKey ? 0.01 : 0.002);
    redraw();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [-4, 0], ArrowRight: [4, 0], ArrowUp: [0, -4], ArrowDown: [0, 4] };
    if (steps[event.key]) { x += steps[event.key][0]; y += steps[event.key][1]; }
    else if (event.key === "+" || event.key === "=") zoom.value += 0.1;
    else if (event.key === "-") zoom.value -= 0.1;
    else return;
    event.preventDefault();
    redraw();
  });
  const give = async (pixels, its) => {  // a face that a network drew
    const drawn = make("canvas");
    show(drawn, pixels, its);
    take(await createImageBitmap(drawn));
  };
  return { give };
}
