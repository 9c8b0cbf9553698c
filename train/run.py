"""One training run: a folder, a loop, and the way back into it."""

import json
import os
import signal
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np

import data_utils
from cli import UserError, replacing
from metrics import collapse
from models import Recipe, asked, latents
from models.keras_setup import BACKEND, keras, to_numpy
from models.recipe import LOG_EVERY
from train import backend, checkpoint, lock, machine, transfer, workers
from train.families import FAMILIES
from train.feed import Feed, describe, write_label_table
from train.log import Log, means

GRID = 32  # images in the grid from fixed latents


class RunError(UserError):
    """A run folder that does not fit, or a run that cannot continue."""


class NotANumber(UserError):
    """A loss or weight became NaN or infinite."""

    status = 1


class Run:
    """A recipe in training inside a folder, which of several processes only the
    first writes to.

    Args:
        recipe: the resolved `models.Recipe`.
        faces: `data_utils.Faces` to train on.
        folder: the run folder; created, or resumed.
        seed: everything random is a function of (seed, step).
        precision: "float32" or "bfloat16"; already set for Keras.
        change: resume although settings differ; `run.json` then keeps what
            changed, and at which step.
        report: called with one line of text when there is something to say.
        start: where a fresh run takes its weights from; see `train.transfer`.

    Attributes:
        best: the file of the best checkpoint, by `evaluation`.
        evaluation: None, or a `train.evaluate.Evaluation`.
        evaluate_every: steps between its values, a multiple of `LOG_EVERY`.

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
        change=False,
        report=print,
        start=None,
    ):
        self.recipe, self.folder, self.report = recipe, Path(folder), report
        self.checkpoint = self.folder / "checkpoint.npz"
        self.best = self.folder / "best.npz"
        self.identity = {
            "recipe": recipe.resolved(),
            "seed": seed,
            "precision": precision,
            "backend": BACKEND,
            "data": describe(recipe, faces),
            "replicas": workers.replicas,
            "from": None,
            "changes": [],
        }
        self.hardware = [machine.hardware()]
        self.feed = Feed(recipe, faces, seed)  # may refuse the data: before writing
        if recipe.meter_every and len(faces.images) < 2:
            raise RunError(f"{faces.folder}: one image; diversity needs two or more")
        self.faces = faces
        source = transfer.source_of(start, recipe) if start else None  # may refuse, too
        differences = self._claim(change)
        if source and self.checkpoint.exists() and not self.identity["from"]:
            raise RunError(f"{self.folder}: began without --from; use a new --run folder")
        self.model = FAMILIES[recipe.family](recipe, seed)
        images = recipe.batch_size * recipe.d_steps
        self.snapshots = {
            max(1, round(epoch * len(faces.images) / images)): epoch
            for epoch in recipe.snapshots
        }
        self.evaluation, self.evaluate_every = None, LOG_EVERY
        self.step, self.images, self.seconds, self.pending = 0, 0, 0.0, []
        if self.checkpoint.exists():
            extra = checkpoint.restore(self.checkpoint, self.model.state())
            self.step = int(extra["step"])
            self.images = int(extra.get("images", self.step * images))
            self.seconds = float(extra["seconds"])
            self.pending = pending_of(extra)
        elif source:
            self.identity["from"] = transfer.start_from(self.model, source)
            report(transfer.in_words(self.identity["from"]))
        if differences:
            self.pending = []  # of other settings, and perhaps of other columns
            self.identity["changes"].append(
                {"step": self.step, "differences": differences}
            )
        if not workers.rank:
            for path in self.folder.glob(".*.tmp"):
                path.unlink(missing_ok=True)  # of a process killed while it wrote
            self._write_identity()
            write_label_table(self.folder / "labels.csv", recipe, faces)

    def _claim(self, change):
        """Make the folder this run's, or refuse it; return what changes."""
        path = self.folder / "run.json"
        begun = path.exists()
        if begun:
            try:
                theirs = {"replicas": 1} | json.loads(path.read_text())
                # A field that is newer than the run has its default there.
                recipe = Recipe.from_resolved(theirs["recipe"])
                theirs["recipe"] = recipe.resolved()
                if "digests" not in theirs["data"]:  # of a version that had none
                    theirs["data"]["digests"] = self.identity["data"]["digests"]
                    self.report(f"{path}: does not say of which images; not compared")
            except (ValueError, KeyError, TypeError):
                raise RunError(
                    f"{path}: not of this version; use a new --run folder"
                ) from None
            self.identity["changes"] = theirs.get("changes", [])
            self.identity["from"] = theirs.setdefault("from", None)
            self.hardware = theirs.pop("hardware", []) + self.hardware
            differences = _differences(theirs, self.identity)
            if differences and not change:
                raise RunError(
                    f"{self.folder}: a run with other settings: {_in_words(differences)}"
                    "; use a new --run folder, or --change to resume with these"
                )
        elif self.folder.exists() and not self.folder.is_dir():
            raise RunError(f"{self.folder}: cannot write there (a file, not a folder)")
        elif self.folder.exists() and set(os.listdir(self.folder)) - {lock.NAME}:
            raise RunError(f"{self.folder}: not empty and not a run; use another")
        # Several processes: nobody writes before all have looked, and may go on.
        data = self.identity["data"] | {"name": None}  # each may have its own folder
        workers.agree(settings=self.identity | {"data": None}, images=data)
        refused = None if workers.rank else self._lock(begun)
        if workers.anyone(refused):
            raise refused or RunError(f"{self.folder}: process 0 cannot train there")
        return differences if begun else []

    def _lock(self, begun):
        """Keep other processes out of the folder, made if missing; the error if this
        cannot be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.hold(self.folder, self, self.report)
            if not begun and (self.folder / "run.json").exists():
                raise RunError(
                    f"{self.folder}: another process began a run in it just now"
                )
            (self.folder / "samples").mkdir(exist_ok=True)
        except OSError as error:
            return RunError(f"{self.folder}: cannot write there ({error.strerror})")
        except UserError as error:
            return error

    def _write_identity(self, name="run.json"):
        hardware = list(dict.fromkeys(self.hardware))  # each once, in order
        with replacing(self.folder / name, "w") as file:
            json.dump(self.identity | {"hardware": hardware}, file, indent=1)

    # ---------------------------------------------------------------- the loop

    def train(self, steps, checkpoint_seconds=300, sample_every=500, progress=None):
        """Train until `steps`, or until the evaluation has had its patience; return
        True when there, False when stopped.

        SIGINT, SIGTERM and SIGHUP (to any of the processes) end the step in progress,
        save, and return.

        Raises:
            NotANumber: a loss or a weight is no longer finite; the last good
                checkpoint stays.
            RunError: the folder can no longer be written to; likewise.
        """
        try:
            return self._train(steps, checkpoint_seconds, sample_every, progress)
        except OSError as error:  # a full disk, a folder that is gone
            where, what = error.filename or self.folder, error.strerror or error
            raise RunError(f"{where}: {what}; {self._kept()}") from None

    def _train(self, steps, checkpoint_seconds, sample_every, progress):
        workers.agree(step=self.step, steps=steps, sample_every=sample_every)
        stop = []
        handlers = {
            s: signal.signal(s, lambda number, frame: stop.append(number))
            for s in _stopping()
        }
        log = None if workers.rank else self._open_log()
        if log and self.evaluation and self.best.exists():
            self.evaluation.resume(self.folder / "history.csv")
            if self._patience_is_over():
                stop.append("patience")
        advance, most = backend.compiled(self.model, self.feed, LOG_EVERY)
        saved = time.monotonic()
        try:
            while self.step < steps and not workers.anyone(stop):
                began = time.monotonic()
                to_go = (LOG_EVERY - self.step % LOG_EVERY, steps - self.step)
                to_go += (sample_every - self.step % sample_every,)
                to_go += tuple(s - self.step for s in self.snapshots if s > self.step)
                rows = advance(self.step, min(most, *to_go))
                took = time.monotonic() - began
                self.seconds += took
                for logs in rows:
                    self.step += 1
                    self.images += self.recipe.batch_size * self.recipe.d_steps
                    self._check(logs)
                    if log:
                        self.pending.append(logs | {"step_seconds": took / len(rows)})
                if log:
                    self._record(log, steps, sample_every)
                    if time.monotonic() - saved > checkpoint_seconds:
                        self.save()
                        log.flush()
                        saved = time.monotonic()
                if progress:
                    progress(self.step, logs)
                if self._patience_is_over():
                    stop.append("patience")
            if log:
                self.save()
                if self.pending:  # stopped between two rows: those steps as a row
                    log.scalars(self.step, means(self.pending, self.model, self.seconds))
        finally:
            if log:
                log.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        # Only the first process evaluates; all leave with the same status.
        done = self.step >= steps or workers.anyone(self._patience_is_over())
        if log and done:
            self._film()
        return done

    def _open_log(self):
        """The curves, without the row of a stop between two rows: its steps will be
        part of the next row."""
        log = Log(self.folder, self.step - bool(self.pending))
        if self.pending and (self.folder / "samples" / f"{self.step:08d}.png").exists():
            self._draw(log)  # TensorBoard has dropped it with that row
        return log

    def _patience_is_over(self):
        return self.evaluation is not None and self.evaluation.over

    def _record(self, log, steps, sample_every):
        """What the step just taken leaves behind: curves, images, snapshots."""
        if self.step % LOG_EVERY == 0 or self.step == steps:
            self._write(log)
        draws = hasattr(self.model, "sample")
        if draws and (self.step % sample_every == 0 or self.step == steps):
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
        """Write the checkpoint, unless a weight is no longer finite."""
        state = self.model.state()
        broken = checkpoint.first_broken(state)
        if broken:
            self._broken(f"{broken} is not finite after step {self.step}")
        names = list(self.pending[0]) if self.pending else []
        extra = {
            "step": self.step,
            "images": self.images,
            "seconds": self.seconds,
            "pending_names": np.asarray(names, "U64"),
            "pending": np.asarray([[p[n] for n in names] for p in self.pending]),
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
        """The collapse meter, or None at a step between two of its points."""
        if self.step % self.recipe.meter_every:
            return None
        count = min(collapse.SAMPLES, len(self.faces.images))
        return collapse.diversity(self.draw(count), self.faces.images[:count])

    def _evaluate(self):
        """The evaluation's value, or None between two of its points; the best so far
        is kept whole."""
        if self.step % self.evaluate_every:
            return None
        value = self.evaluation(self.model.average)
        if self.evaluation.is_best(value):
            self.save(self.best)
            self._write_identity("best.json")  # settings may change after it
        return value

    def _draw(self, log):
        grid = data_utils.tile(self.draw(), 8)
        iio.imwrite(self.folder / "samples" / f"{self.step:08d}.png", grid)
        log.image(self.step, "samples", grid)

    def _keep(self, epoch):
        """The drawing networks as they are after `epoch`, in `snapshots/`."""
        folder = self.folder / "snapshots" / f"epoch_{epoch:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        for role, network in self.model.average.items():
            part = folder / f"part_{role}.weights.h5"
            network.save_weights(part)
            part.rename(folder / f"{role}.weights.h5")

    def draw(self, count=GRID):
        """Images of the averaged network from fixed latents, uint8 `(count, ...)`."""
        labels = asked(self.recipe, range(count), self.feed.data.get("labels"))
        noise = latents(self.recipe, range(count), labels)
        images = [
            to_numpy(keras.ops.cast(self.model.sample(part), "float32"))
            for part in np.split(noise, range(64, count, 64))
        ]
        return data_utils.to_uint8(np.concatenate(images), self.recipe.pixel_range)

    def _film(self):
        """A GIF of the grids, at most 100 of them."""
        grids = sorted((self.folder / "samples").glob("*.png"))
        if not grids:
            return
        if len(grids) > 100:
            grids = [grids[k] for k in np.linspace(0, len(grids) - 1, 100).astype(int)]
        frames = np.stack([iio.imread(p) for p in grids])
        path = self.folder / "samples.gif"
        with replacing(path) as file:
            iio.imwrite(file, frames, extension=".gif", duration=120, loop=0)
        self.report(f"{path}: {len(frames)} grids from the same latents")


def pending_of(extra):
    """A checkpoint's steps that are in no row of the curves yet, as `log.means` has
    them."""
    names = [str(n) for n in extra["pending_names"]]
    return [dict(zip(names, row.tolist(), strict=True)) for row in extra["pending"]]


NOT_SETTINGS = (
    *(f"recipe.{k}" for k in ("steps", "about", "reported", "chosen")),
    "data.name",
)


def _differences(theirs, mine, path=""):
    """[{"setting": "batch_size", "before": 32, "after": 64}, ...]; steps may differ, and
    the data folder's name."""
    out = []
    for key in sorted(set(theirs) | set(mine)):
        name = f"{path}.{key}" if path else key
        if name in NOT_SETTINGS:
            continue
        a, b = theirs.get(key), mine.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            out += _differences(a, b, name)
        elif a != b:
            setting = name.removeprefix("recipe.")
            out.append({"setting": setting, "before": a, "after": b})
    return out


def _in_words(differences):
    """What a refusal says of them."""
    said, kinds = [], []
    for d in differences:
        if d["setting"].startswith("data.digests."):
            kinds.append(d["setting"].rpartition(".")[2])
        else:
            said.append("{setting}: the run has {before}, asked {after}".format_map(d))
    if kinds:
        said.append(f"data: other {' and '.join(kinds)} than the run's")
    return "; ".join(said)


def _stopping():
    """Signals that save and stop. A terminal that closes sends SIGHUP, which nohup
    has told a process to ignore."""
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup and signal.getsignal(hangup) != signal.SIG_IGN:
        return signal.SIGINT, signal.SIGTERM, hangup
    return signal.SIGINT, signal.SIGTERM
