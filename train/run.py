"""One training run: the loop, what it writes into its folder, and how it resumes."""

import math
import shlex
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np

import data_utils
from cli import UserError, replacing
from metrics import collapse
from models import default_conditions, get_recipe, latents
from models.keras_setup import BACKEND, keras, to_numpy
from models.recipe import LOG_EVERY
from train import backend, checkpoint, signals, transfer
from train.check import check
from train.feed import Feed, describe, write_label_table
from train.folder import RunError, RunFolder, differences, visible
from train.job import ALONE
from train.log import Log, means
from train.model import model_of

GRID = 32  # images in the grid from fixed latents
EARLY = (10, 25, 50, 100, 200)  # steps with a grid, besides every `sample_every`-th


class NotANumber(UserError):
    """A loss or weight became NaN or infinite."""

    status = 1


class Run:
    """A recipe in training inside a folder; of several processes only the first
    writes to it.

    Args:
        recipe: the resolved `models.Recipe`.
        faces: `data_utils.Faces` to train on.
        folder: the run folder; created, or resumed.
        seed: everything random is a function of (seed, step).
        precision: "float32" or "bfloat16"; already set for Keras.
        report: called with one line of text when there is something to say.
        start: weights that a new run starts from; see `train.transfer`.
        job: the `train.job.Job` of several processes.
        command: see `train.folder.RunFolder`.

    Attributes:
        evaluation: None, or a `train.evaluate.Evaluation`, which measures every
            `recipe.evaluate_every` steps.
        best: the file of the checkpoint with the best value.

    Raises:
        RunError: the folder belongs to another recipe, setting or data (the
            message shows what differs), or holds something else.
        train.lock.Locked: another process trains in it.
    """

    def __init__(
        self,
        recipe,
        faces,
        folder,
        seed,
        precision,
        report=print,
        start=None,
        job=ALONE,
        command=(),
    ):
        self.recipe, self.folder, self.report = recipe, Path(folder), report
        self.job = job
        self.checkpoint = self.folder / "checkpoint.npz"
        self.best = self.folder / "best.npz"
        self.identity = {
            "recipe": recipe.resolved(),
            "seed": seed,
            "precision": precision,
            "backend": BACKEND,
            "data": describe(recipe, faces),
            "replicas": job.replicas,
            "from": None,
        }
        self.claimed = RunFolder(folder, self.identity, job, report, command)
        self.feed = Feed(recipe, faces, seed, job)  # may refuse the data: before writing
        if recipe.meter_every:
            try:
                collapse.unit(faces.images[: collapse.SAMPLES])
            except UserError as error:
                raise RunError(f"{faces.folder}: {error}") from None
        self.faces = faces
        # A checkpoint that is lost: the best one resumes, too.
        newest = self.checkpoint if self.checkpoint.exists() else self.best
        begun, source = newest.exists(), None
        if start and not begun:
            source = transfer.source_of(start, recipe)  # may refuse, too
        self.claimed.claim()
        if start and begun and not transfer.same_start(self.identity["from"], start):
            raise RunError(
                f"{self.folder}: a run that did not start from {start}; leave --from "
                "away, or use a new --run folder"
            )
        if not begun:  # of a run that was killed before it saved anything
            self.identity["from"] = None
        self.model = model_of(recipe, seed, job)
        if not begun:
            check(self.model)
        self.evaluation = None
        self.step, self.seconds, self.pending = 0, 0.0, []
        if begun:
            extra = checkpoint.restore(newest, self.model.state())
            self.step = int(extra["step"])
            self.seconds = float(extra["seconds"])
            self.pending = checkpoint.pending_of(extra)
        elif source:
            self.identity["from"] = transfer.start_from(self.model, source)
            report(transfer.in_words(self.identity["from"]))
        self.snapshots = {self.step_of(epoch): epoch for epoch in recipe.snapshots}
        if not job.rank:
            self.claimed.remove_remnants()
            self.claimed.write_identity()  # first: a start that fails can be repeated
            (self.folder / "samples").mkdir(exist_ok=True)
            if checkpoint.step_of(self.best) > self.step:
                self.best.unlink(missing_ok=True)  # of steps that the run has not
            for path in visible(self.folder / "samples", "*.png"):
                if path.stem.isdecimal() and int(path.stem) > self.step:
                    path.unlink()
            write_label_table(self.folder / "labels.csv", recipe, faces)

    def step_of(self, epoch):
        """The step that ends nearest to this epoch."""
        images = self.recipe.batch_size * self.recipe.d_steps
        return max(1, math.floor(epoch * len(self.faces.images) / images + 0.5))

    # ---------------------------------------------------------------- the loop

    def train(self, steps, checkpoint_seconds=300, sample_every=500, progress=None):
        """Train until `steps`; return True then, and False if a signal stopped it.

        After SIGINT, SIGTERM or SIGHUP (to any of the processes) the step in progress
        is finished and saved.

        Raises:
            NotANumber: a loss or a weight is no longer finite; the last good
                checkpoint stays.
            RunError: the folder can no longer be written to; the same holds.
        """
        try:
            return self._train(steps, checkpoint_seconds, sample_every, progress)
        except OSError as error:  # a full disk, a folder that is gone
            where, what = error.filename or self.folder, error.strerror or error
            raise RunError(f"{where}: {what}; {self._kept()}") from None

    def _train(self, steps, checkpoint_seconds, sample_every, progress):
        self.job.agree(step=self.step, steps=steps, sample_every=sample_every)
        log = None
        if not self.job.rank:
            if not self._due(steps, sample_every):  # of where the run was stopped
                self._grid().unlink(missing_ok=True)
            log = self._open_log()
        try:
            with signals.stopping() as stop:
                self._loop(log, stop, steps, checkpoint_seconds, sample_every, progress)
        finally:
            if log:
                log.close()
        done = self.step >= steps
        if log and done:
            self._film()
        return done

    def _loop(self, log, stop, steps, checkpoint_seconds, sample_every, progress):
        if log and self.evaluation and self.best.exists():
            self.evaluation.resume(self.folder / "history.csv")
        advance, most = backend.compiled(self.model, self.feed, LOG_EVERY)
        saved = time.monotonic()
        while self.step < steps and not self.job.anyone(stop):
            began = time.monotonic()
            to_go = (LOG_EVERY - self.step % LOG_EVERY, steps - self.step)
            to_go += (sample_every - self.step % sample_every,)
            others = (*EARLY, *self.snapshots)
            to_go += tuple(s - self.step for s in others if s > self.step)
            rows = advance(self.step, min(most, *to_go))
            took = time.monotonic() - began
            self.seconds += took
            for logs in rows:
                self.step += 1
                self._check(logs)
                if progress:
                    progress(self.step, logs)
                if log:
                    self.pending.append(logs | {"step_seconds": took / len(rows)})
            if log:
                self._record(log, steps, sample_every)
                if time.monotonic() - saved > checkpoint_seconds:
                    self.save()
                    log.flush()
                    saved = time.monotonic()
        if log:
            self.save()
            if stop and not self._due(steps, sample_every):
                self._draw(log)  # to see where the run was stopped
            if self.pending:  # stopped between two rows: those steps as a row
                log.scalars(self.step, means(self.pending, self.model, self.seconds))

    def _open_log(self):
        """The curves; if the run was stopped between two rows, without its last row:
        those steps become part of the next one."""
        log = Log(self.folder, self.step - bool(self.pending))
        if not log.resumed:
            log.text("run", self._in_words())
        if self.pending and self._grid().exists():
            self._draw(log)  # TensorBoard dropped it with that row
        return log

    def _in_words(self):
        """The command, the data, and what differs from the report, in Markdown."""
        theirs = {"recipe": get_recipe(self.recipe.name).resolved()}
        found = differences(theirs, {"recipe": self.recipe.resolved()})
        command = shlex.join(["python", "-m", "train", *self.claimed.command])
        data = self.identity["data"]
        rows = [f"{command}\n", f"{data['images']:,} images of {data['name']}\n"]
        rows += ["| setting | report | here |", "|---|---|---|"]
        rows += ["| {setting} | {before} | {after} |".format_map(d) for d in found]
        return "\n".join(rows)

    def _due(self, steps, sample_every):
        """Whether there is a grid after this step, however the run came to it."""
        return self.step in (*EARLY, steps) or self.step % sample_every == 0

    def _record(self, log, steps, sample_every):
        """Write the curves, images and snapshots that are due after a step."""
        if self.step % LOG_EVERY == 0 or self.step == steps:
            self._write(log)
        if self._due(steps, sample_every):
            self._draw(log)
        if self.step in self.snapshots:
            self._keep(self.snapshots[self.step])

    def _check(self, logs):
        for name, value in logs.items():
            if not np.isfinite(value):
                self._broken(f"{name} is {value} at step {self.step}")

    def _broken(self, what):
        raise NotANumber(f"{what}; {self._kept()}; try a lower learning rate")

    def _kept(self):
        if self.checkpoint.exists():
            return f"the last good checkpoint stays in {self.checkpoint}"
        return "no checkpoint was written yet"

    def save(self, path=None):
        """Write the checkpoint; raise NotANumber if a weight is not finite."""
        state = self.model.state()
        broken = checkpoint.first_broken(state)
        if broken:
            self._broken(f"{broken} is not finite after step {self.step}")
        names = list(self.pending[0]) if self.pending else []
        extra = {
            "step": self.step,
            "seconds": self.seconds,
            "pending_names": np.asarray(names, "U64"),
            "pending": np.asarray([[p[n] for n in names] for p in self.pending]),
            "identity": self.claimed.described(),
        }
        checkpoint.save(path or self.checkpoint, state, extra)

    def _write(self, log):
        row = means(self.pending, self.model, self.seconds)
        self.pending = []
        if self.recipe.meter_every:
            row["diversity"] = self._diversity()
        if self.evaluation:
            row[self.evaluation.name] = self._evaluate()
        log.scalars(self.step, row)

    def _diversity(self):
        """The collapse meter, or None if it is not due at this step."""
        if self.step % self.recipe.meter_every:
            return None
        count = min(collapse.SAMPLES, len(self.faces.images))
        return collapse.diversity(self.draw(count), self.faces.images[:count])

    def _evaluate(self):
        """The evaluation's value, or None if it is not due at this step; saves a
        checkpoint of the best value so far."""
        if self.step % self.recipe.evaluate_every:
            return None
        value = self.evaluation(self.model.average)
        if self.evaluation.is_best(value):
            self.save(self.best)
        return value

    def _draw(self, log):
        if not self.recipe.traits.draws:
            return
        images = self.draw()
        if self.recipe.traits.rebuilds:
            images = np.concatenate([*self._rebuilt(), images])
        grid = data_utils.tile(images, 8)
        iio.imwrite(self._grid(), grid)
        log.image(self.step, "samples", grid)

    def _rebuilt(self):
        """Eight training images, and what the averaged networks make of their codes."""
        images = self.faces.images[:8]
        pixels = data_utils.from_uint8(images, self.recipe.pixel_range)
        mean, _ = self.model.average["encoder"](pixels, training=False)
        outputs = self.model.average["decoder"](mean, training=False)
        outputs = to_numpy(keras.ops.cast(outputs, "float32"))
        return images, data_utils.to_uint8(outputs, self.recipe.pixel_range)

    def _grid(self):
        return self.folder / "samples" / f"{self.step:08d}.png"

    def _keep(self, epoch):
        """Save the averaged networks after `epoch` in `snapshots/`."""
        folder = self.folder / "snapshots" / f"epoch_{epoch:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        for role, network in self.model.average.items():
            part = folder / f"part_{role}.weights.h5"
            network.save_weights(part)
            part.rename(folder / f"{role}.weights.h5")

    def draw(self, count=GRID):
        """Images of the averaged network from fixed latents, uint8 `(count, ...)`."""
        labels = default_conditions(self.recipe, range(count), self.feed.labels)
        noise = latents(self.recipe, range(count), labels)
        images = [
            to_numpy(keras.ops.cast(self.model(part), "float32"))
            for part in np.split(noise, range(64, count, 64))
        ]
        return data_utils.to_uint8(np.concatenate(images), self.recipe.pixel_range)

    def _film(self):
        """Write a GIF of at most 100 of the grids."""
        grids = visible(self.folder / "samples", "*.png")
        if not grids:
            return
        if len(grids) > 100:
            grids = [grids[k] for k in np.linspace(0, len(grids) - 1, 100).astype(int)]
        frames = np.stack([iio.imread(p) for p in grids])
        path = self.folder / "samples.gif"
        with replacing(path) as file:
            iio.imwrite(file, frames, extension=".gif", duration=120, loop=0)
        self.report(f"{path}: {len(frames)} grids from the same latents")
