// The visitor's pictures: cropped, coded, rebuilt, changed, and the way from one to the other.
"use strict";

function photoRoom(ask) {
  const { latent, range, size, directions } = data.vae, code = [null, null];
  const decode = async (codes) => (await ask("decoder", codes)).outputs;
  const numbers = directions.codes ? floats(directions.codes) : new Float32Array();
  const along = directions.names.map((_, k) => numbers.subarray(k * latent, (k + 1) * latent));
  const draw = latest(async () => {
    if (!code[0]) return;
    let changed = code[0];
    edits.forEach((s, k) => { changed = plus(changed, along[k], s.value); });
    const way = code[1] ? many(7, (k) => changed.map((v, i) => v + (k / 6) * (code[1][i] - v))) : [];
    const [rebuilt, edited, ...between] = await decode([code[0], changed, ...way]);
    show(element("rebuilt"), rebuilt, range, size);
    show(element("edited"), edited, range, size);
    between.forEach((pixels, k) => show(strip[k], pixels, range, size));
  });
  const strip = many(7, () => {
    const canvas = make("canvas", { className: "face" });
    element("between").append(canvas);
    return canvas;
  });
  const edits = directions.names.map((name, k) =>
    slider(element(k < 4 ? "edits" : "edits-rest"), `edit-${k}`, [words(name)], [-2, 2, 0.1], draw));
  element("edits-more").hidden = directions.names.length <= 4;
  element("undo").addEventListener("click", () => { edits.forEach((s) => { s.value = 0; }); draw(); });
  const encode = async (which, pixels) => {
    if (which === 0) show(element("seen"), pixels, range, size);
    code[which] = (await ask("encoder", [pixels])).outputs[0];
    draw();
  };
  const crops = ["First picture", "Second picture"].map((title, which) =>
    cropper(element(which ? "picture-b" : "picture-a"), title, size, range, (pixels) => encode(which, pixels)));
  const begin = async () => {  // with two generated faces
    const inputs = [data.generator.first, data.generator.first + 1].map((seed) => {
      const { noise, condition } = faces.ofSeed(seed);
      return faces.input(noise, condition);
    });
    (await faces.draw(inputs)).forEach((pixels, which) => crops[which].give(pixels, faces.range));
  };
  return { begin };
}
