"""One training run: the loop, what it writes into its folder, and how it resumes."""

import contextlib
import json
import math
import shlex
import signal
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np

import data_utils
from cli import UserError, replacing
from metrics import collapse
from models import default_conditions, get_recipe, latents
from models.keras_setup import BACKEND, to_numpy
from models.recipe import LOG_EVERY
from models.sampling import run_network
from train import backend, checkpoint, transfer
from train.check import check
from train.feed import Feed, identity, labels_to_ship
from train.folder import RunError, claim, differences, visible
from train.job import ALONE
from train.log import Log, means
from train.machine import hardware
from train.model import model_of

GRID = 32  # images in the grid from fixed latents
EARLY = (10, 25, 50, 100, 200)  # steps with a grid, besides every `sample_every`-th

# Ctrl-C; kill; a closing terminal; Slurm's warnings before a job's time is over; a limit
# of processor time.
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")


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
        command: the words of the command line, with which `--run` alone resumes.

    Attributes:
        evaluation: None, or a `train.evaluate.Evaluation`, which measures every
            `recipe.evaluate_every` steps.
        best: the file of the checkpoint with the best value, `best_value`.

    Raises:
        RunError: the folder belongs to another recipe, setting or data (the message
            shows what differs), or holds something else, or another process trains in
            it.
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
        self.recipe, self.faces, self.folder = recipe, faces, Path(folder)
        self.report, self.job, self.evaluation = report, job, None
        self.checkpoint = self.folder / "checkpoint.npz"
        self.best = self.folder / "best.npz"
        self.identity = {
            "recipe": recipe.resolved(),
            "seed": seed,
            "precision": precision,
            "backend": BACKEND,
            "data": identity(recipe, faces),
            "replicas": job.replicas,
            "from": None,
            "hardware": [hardware()],
            "command": list(command),
        }
        # All that may be refused is tried before anything is written.
        self.feed = Feed(recipe, faces, seed, job)
        if recipe.meter_every:
            collapse.check(faces)
        # A checkpoint that is lost: the best one resumes, too.
        newest = self.checkpoint if self.checkpoint.exists() else self.best
        begun, source = newest.exists(), None
        if start and not begun:
            source = transfer.source_of(start, recipe)
        self.lock = claim(self.folder, self.identity, job, report)
        self.model = model_of(recipe, seed, job)
        self.step, self.seconds, self.pending, self.best_value = 0, 0.0, [], math.inf
        if begun:
            extra = checkpoint.restore(newest, self.model.state())
            self.step, self.seconds = int(extra["step"]), float(extra["seconds"])
            self.pending = json.loads(str(extra["pending"]))
            self.best_value = float(extra["best_value"])
            came_from = json.loads(str(extra["identity"]))["from"]
            if start and not transfer.same_start(came_from, start):
                raise RunError(
                    f"{self.folder}: a run that did not start from {start}; leave --from "
                    "away, or use a new --run folder"
                )
            self.identity["from"] = came_from
        else:
            check(self.model)
        if source:
            self.identity["from"] = transfer.start_from(self.model, source)
            report(transfer.in_words(self.identity["from"]))
        self.snapshots = {self.step_of(epoch): epoch for epoch in recipe.snapshots}
        if not job.rank:
            self._begin()

    def _begin(self):
        for remnant in self.folder.glob(".*.tmp"):  # of a process that was killed
            remnant.unlink(missing_ok=True)
        with replacing(self.folder / "run.json", "w") as file:
            json.dump(self.identity, file, indent=1)
        (self.folder / "samples").mkdir(exist_ok=True)
        table = labels_to_ship(self.recipe, self.faces)
        if table is not None:
            with replacing(self.folder / "labels.csv", "w") as file:
                table.to_csv(file, index=False, lineterminator="\n")

    def step_of(self, epoch):
        """The step that ends nearest to this epoch."""
        images = self.recipe.images_a_step
        return max(1, math.floor(epoch * len(self.faces.images) / images + 0.5))

    # ---------------------------------------------------------------- the loop

    def train(self, steps, checkpoint_seconds=300, sample_every=500, progress=None):
        """Train until `steps`; return True then, and False if a signal stopped it.

        After a signal (to any of the processes) the step in progress is finished and
        saved.

        Raises:
            NotANumber: a loss or a weight is no longer finite; the last good
                checkpoint stays.
            RunError: the folder can no longer be written to; the same holds.
        """
        self.job.agree("steps", (self.step, steps, sample_every))
        try:
            with contextlib.ExitStack() as stack:
                log = None
                if not self.job.rank:
                    log = stack.enter_context(contextlib.closing(self._log()))
                stop = stack.enter_context(stopping())
                self._loop(log, stop, steps, checkpoint_seconds, sample_every, progress)
            if log and self.step >= steps:
                self._film()
        except OSError as error:  # a full disk, a folder that is gone
            where, what = error.filename or self.folder, error.strerror or error
            raise RunError(f"{where}: {what}; {self._kept()}") from None
        return self.step >= steps

    def _loop(self, log, stop, steps, checkpoint_seconds, sample_every, progress):
        advance, most = backend.compiled(self.model, self.feed, LOG_EVERY)
        saved = time.monotonic()
        while self.step < steps and not self.job.anyone(stop):
            began = time.monotonic()
            due = [(self.step // n + 1) * n for n in (LOG_EVERY, sample_every)]
            due = [s for s in (*due, *EARLY, *self.snapshots, steps) if s > self.step]
            rows = advance(self.step, min(most, min(due) - self.step))
            took = time.monotonic() - began
            self.seconds += took
            for logs in rows:
                self.step += 1
                for name, value in logs.items():
                    if not np.isfinite(value):
                        self._broken(f"{name} is {value} at step {self.step}")
                if progress:
                    progress(self.step, logs)
                if log:
                    self.pending.append(logs | {"step_seconds": took / len(rows)})
            if not log:
                continue
            if self.step % LOG_EVERY == 0 or self.step == steps:
                self._write(log)
            # Also where the run was stopped, to see it.
            if stop or self.step in (*EARLY, steps) or self.step % sample_every == 0:
                self._grid(log)
            if self.step in self.snapshots:
                self._keep(self.snapshots[self.step])
            if time.monotonic() - saved > checkpoint_seconds:
                self.save()
                log.flush()
                saved = time.monotonic()
        if log:
            self.save()

    def _log(self):
        """The curves, with the card of a new run."""
        log = Log(self.folder, self.step)
        if not log.resumed:
            log.text("run", self._in_words())
        return log

    def _in_words(self):
        """The command, the data, and what differs from the report, in Markdown."""
        theirs = {"recipe": get_recipe(self.recipe.name).resolved()}
        found = differences(theirs, {"recipe": self.recipe.resolved()})
        command = shlex.join(["python", "-m", "train", *self.identity["command"]])
        data = self.identity["data"]
        rows = [f"{command}\n", f"{data['images']:,} images of {data['name']}\n"]
        rows += ["| setting | report | here |", "|---|---|---|"]
        rows += ["| {setting} | {before} | {after} |".format_map(d) for d in found]
        return "\n".join(rows)

    def _broken(self, what):
        raise NotANumber(f"{what}; {self._kept()}; try a lower learning rate")

    def _kept(self):
        if self.checkpoint.exists():
            return f"the last good checkpoint stays in {self.checkpoint}"
        return "no checkpoint was written yet"

    # ---------------------------------------------------------- what it writes

    def save(self, path=None):
        """Write the checkpoint; raise NotANumber if a weight is not finite."""
        state = self.model.state()
        for name, variable in state.items():
            if not np.isfinite(to_numpy(variable)).all():
                self._broken(f"{name} is not finite after step {self.step}")
        extra = {
            "step": self.step,
            "seconds": self.seconds,
            "best_value": self.best_value,
            "pending": json.dumps(self.pending),  # steps that are in no row yet
            "identity": json.dumps(self.identity),
        }
        checkpoint.save(path or self.checkpoint, state, extra)

    def _write(self, log):
        """Write a row of the curves; None is what is not due at this step."""
        row = means(self.pending, self.model, self.seconds)
        self.pending = []
        if every := self.recipe.meter_every:
            row["diversity"] = None if self.step % every else self._diversity()
        if self.evaluation:
            row[self.evaluation.name] = self._evaluate()
        log.scalars(self.step, row)

    def _diversity(self):
        """The collapse meter."""
        count = min(collapse.SAMPLES, len(self.faces.images))
        return collapse.diversity(self.draw(count), self.faces.images[:count])

    def _evaluate(self):
        """The evaluation's value; saves a checkpoint of the best so far."""
        if self.step % self.recipe.evaluate_every:
            return None
        value = self.evaluation(self.model.average)
        if value < self.best_value:
            self.best_value = value
            self.save(self.best)
        return value

    def _grid(self, log):
        """A grid of samples; above it eight images and what a VAE makes of them."""
        if not self.recipe.traits.draws:
            return
        images = self.draw()
        if self.recipe.traits.rebuilds:
            real = self.faces.images[:8]
            pixels = data_utils.from_uint8(real, self.recipe.pixel_range)
            codes = run_network(self.model.average["encoder"], pixels)[0]
            images = np.concatenate([real, self._images(codes), images])
        grid = data_utils.tile(images, 8)
        iio.imwrite(self.folder / "samples" / f"{self.step:08d}.png", grid)
        log.image(self.step, "samples", grid)

    def _images(self, inputs):
        """What the averaged network draws from noise or codes, uint8."""
        network = self.model.average[self.recipe.traits.draws]
        return data_utils.to_uint8(run_network(network, inputs), self.recipe.pixel_range)

    def draw(self, count=GRID):
        """Images of the averaged network from fixed latents, uint8 `(count, ...)`."""
        labels = default_conditions(self.recipe, range(count), self.feed.labels)
        return self._images(latents(self.recipe, range(count), labels))

    def _keep(self, epoch):
        """Save the averaged networks after `epoch` in `snapshots/`."""
        folder = self.folder / "snapshots" / f"epoch_{epoch:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        for role, network in self.model.average.items():
            part = folder / f"part_{role}.weights.h5"
            network.save_weights(part)
            part.rename(folder / f"{role}.weights.h5")

    def _film(self):
        """Write a GIF of at most 100 of the grids."""
        grids = visible(self.folder / "samples", "[0-9]" * 8 + ".png")
        if not grids:
            return
        chosen = np.linspace(0, len(grids) - 1, min(100, len(grids))).astype(int)
        frames = np.stack([iio.imread(grids[k]) for k in chosen])
        path = self.folder / "samples.gif"
        with replacing(path) as file:
            iio.imwrite(file, frames, extension=".gif", duration=120, loop=0)
        self.report(f"{path}: {len(frames)} grids from the same latents")


@contextlib.contextmanager
def stopping():
    """Yield a list that gets the number of each signal of `SIGNALS` within the block, in
    place of its usual effect; one that is ignored, SIGHUP under nohup, stays so."""
    known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    numbers = [n for n in known if signal.getsignal(n) != signal.SIG_IGN]
    got = []
    before = {n: signal.signal(n, lambda number, _: got.append(number)) for n in numbers}
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
