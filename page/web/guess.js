// "More real?": two generated faces, the visitor's choice, then the discriminator's.
"use strict";

function guessRoom(judged) {
  const { latent, usual } = faces, { scores } = data.discriminator;
  let pair = [], streak = 0, best = 0, answered = true;
  const cells = many(2, (k) => {
    const cell = faceButton(k ? "The right face is more real" : "The left face is more real", () => answer(k));
    cell.canvas.classList.add("large");
    cell.verdict = make("p", { className: "verdict" });
    element("pair").append(make("div", { className: "contender" }, cell.button, cell.verdict));
    return cell;
  });
  // Of three faces the two that the discriminator finds most unlike in realness.
  const next = async () => {
    const seeds = many(3, randomSeed);
    const drawn = await faces.draw(seeds.map((s) => faces.input(normalNoise(s, latent), usual(s), 1)));
    const found = await judged(drawn), scored = drawn.map((pixels, k) => ({ pixels, score: found[k] }));
    scored.sort((a, b) => a.score - b.score);
    pair = Math.random() < 0.5 ? [scored[0], scored[2]] : [scored[2], scored[0]];
    cells.forEach(({ button, canvas, verdict }, k) => {
      show(canvas, pair[k].pixels, faces.range);
      button.removeAttribute("aria-pressed");
      button.classList.remove("winner");
      verdict.textContent = "";
    });
    answered = false;
    element("next").disabled = true;
    element("outcome").textContent = "Neither is a photograph. Which looks more real to you?";
  };
  const than = (score) => Math.round((100 * scores.filter((s) => s < score).length) / scores.length);
  const answer = (k) => {
    if (answered) return;
    answered = true;
    const its = pair[1].score > pair[0].score ? 1 : 0, agree = its === k;
    streak = agree ? streak + 1 : 0;
    best = Math.max(best, streak);
    cells.forEach(({ button, verdict }, which) => {
      button.setAttribute("aria-pressed", String(which === k));
      button.classList.toggle("winner", which === its);
      verdict.textContent = `To D, more real than ${than(pair[which].score)} of 100 generated faces`;
    });
    element("outcome").textContent = agree ? "The discriminator says the same." : "The discriminator chose the other.";
    element("streak").textContent = `Streak ${streak} · best ${best}`;
    element("next").disabled = false;
    element("next").focus();
  };
  element("next").addEventListener("click", async () => {
    await next();
    cells[0].button.focus({ preventScroll: true });  // the button itself takes no more keys
  });
  return { begin: next };
}
