// What a visitor takes away: a link, a picture, a moving picture.
"use strict";

const GIF_SIDE = 192;

function download(name, blob) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// Frames through faces, each stop held for a while: {frames: RGBA, delays}.
async function framesThrough(stops) {
  const steps = 12;
  const canvas = make("canvas"), frames = [], delays = [];
  const small = make("canvas", { width: GIF_SIDE, height: GIF_SIDE }), pen = small.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  canvas.className = "large";
  for (let leg = 0; leg + 1 < stops.length; leg++) {
    for (let k = 0; k < steps; k++) {
      const share = k / steps, eased = share * share * (3 - 2 * share);
      const [pixels] = await faces.draw([faces.between(stops[leg], stops[leg + 1], eased)]);
      show(canvas, pixels, faces.range);
      pen.drawImage(canvas, 0, 0, GIF_SIDE, GIF_SIDE);
      frames.push(pen.getImageData(0, 0, GIF_SIDE, GIF_SIDE).data);
      delays.push(k ? 6 : 60);
    }
  }
  return { frames, delays };
}

// `now` gives {seed, before, after, isChanged, truncation} of the face that is seen.
function takeaway(now) {
  const tell = (text) => { element("taken").textContent = text; };
  element("link").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      tell("The link is copied.");
    } catch { tell("The link is in the address bar."); }
  });
  element("png").addEventListener("click", async () => {
    const { seed, after } = now(), canvas = make("canvas", { className: "large" });
    show(canvas, (await faces.draw([after]))[0], faces.range);
    canvas.toBlob((blob) => { download(`face-${seed}.png`, blob); tell("The picture is in your downloads."); });
  });
  element("gif").addEventListener("click", async () => {
    const { seed, before, after, isChanged, truncation } = now();
    tell("Drawing …");
    const other = () => { const { noise, condition } = faces.ofSeed(randomSeed()); return faces.input(noise, condition, truncation); };
    // Before and after a change, or a walk over three faces.
    const stops = isChanged ? [before, after, before] : [after, other(), other(), after];
    const { frames, delays } = await framesThrough(stops);
    download(`face-${seed}.gif`, new Blob([encodeGif(frames, GIF_SIDE, delays)], { type: "image/gif" }));
    tell(isChanged ? "Before and after are in your downloads." : "A walk is in your downloads.");
  });
}
