// The rooms and the way between them; what starts when.
"use strict";

const ROOMS = {  // in order; a room without its networks or its film is not there
  face: { title: "Face", there: true },
  mix: { title: "Mix", there: true },
  guess: { title: "More real?", there: Boolean(data.networks.discriminator) },
  film: { title: "Film", there: Boolean(data.film) },
  codes: { title: "Sliders", there: Boolean(data.vae) },
  photo: { title: "Photo", there: Boolean(data.vae) },
};
const rooms = Object.keys(ROOMS).filter((name) => ROOMS[name].there);
const face = faceRoom(), begun = new Set();

function enter(name) {
  if (!rooms.includes(name)) name = "face";
  for (const other of rooms) {
    element(other).hidden = other !== name;
    element(`to-${other}`).setAttribute("aria-current", other === name ? "page" : "false");
    if (other !== name) ROOMS[other].leave?.();
  }
  face.enter(name);
  if (begun.has(name)) return;
  begun.add(name);
  Promise.resolve(ROOMS[name].begin?.()).catch((error) => say(`This went wrong: ${error.message}`));
}

for (const name of rooms) {
  const button = make("button", { type: "button", id: `to-${name}`, textContent: ROOMS[name].title });
  button.addEventListener("click", () => { enter(name); scrollTo(0, 0); });
  element("rooms").append(button);
}
addEventListener("hashchange", () => { if (location.hash !== face.address()) enter(face.read()); });

function tellOrigin() {
  for (const [name, text] of data.origin) element("weights").append(make("p", {}, make("b", { textContent: name }), ` ${text}`));
  element("weights").append(make("p", { textContent: data.licence }));
}

// For a console, or a test: RGB of 0 to 255 of seeds, each with its condition.
const drawSeeds = async (seeds, conditions, truncation = 1) => {
  const inputs = seeds.map((s, k) => faces.input(normalNoise(s, faces.latent), conditions ? conditions[k] : faces.usual(s), truncation));
  const outputs = await faces.draw(inputs), [low, high] = faces.range;
  return outputs.map((o) => Array.from(Uint8ClampedArray.from(o, (v) => ((v - low) * 255) / (high - low))));
};
let rebuild = null, judged = null;  // what the VAE makes of pixels, D's scores of them

const started = (async () => {
  tellOrigin();
  const room = readAddress().room;
  await faces.ready;
  face.read();
  const mix = [childrenRoom(), padRoom()];
  ROOMS.mix.begin = async () => { for (const part of mix) await part.begin(); };
  if (ROOMS.film.there) Object.assign(ROOMS.film, filmRoom());
  if (ROOMS.guess.there) {
    const { ask } = engine(["discriminator"]);
    judged = async (images) => (await ask("discriminator", images)).outputs.map(([score]) => score);
    Object.assign(ROOMS.guess, guessRoom(judged));
  }
  if (ROOMS.codes.there) {
    const { ready, ask } = engine(["decoder", "encoder"]);
    Object.assign(ROOMS.codes, codesRoom(ask));
    Object.assign(ROOMS.photo, photoRoom(ask));
    rebuild = async (pixels) => (await ask("decoder", (await ask("encoder", pixels)).outputs)).outputs.map((o) => Array.from(o));
    enter(room);
    await ready;
  } else enter(room);
  say("");
})().catch((error) => {
  say(`This browser cannot run the networks (${error.message}). A current Chrome, Edge, Firefox or Safari can.`);
  throw error;
});
