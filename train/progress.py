"""The progress of a run: a bar on a terminal, a line a minute in a log file."""

import contextlib
import sys
import time

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

EVERY = 60  # seconds between lines


@contextlib.contextmanager
def display(name, step, steps, images):
    """Show the progress of a run from `step` to `steps`.

    Args:
        name: the recipe's.
        images: images in a step.

    Yields:
        a function to call after a step with (its number, {name of a loss: value}).
    """
    on_terminal = sys.stderr.isatty()
    lines = None if on_terminal and sys.stdout.isatty() else Lines(steps, images)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    losses = TextColumn("{task.fields[losses]}")
    console = Console(file=sys.stderr)
    with Progress(*columns, losses, console=console, disable=not on_terminal) as bar:
        task = bar.add_task(name, total=steps, completed=step, losses="")

        def progress(step, logs):
            losses = of_players(logs)
            bar.update(task, completed=step, losses=losses)
            if lines:
                lines(step, losses)

        yield progress


def of_players(logs):
    """The loss of each player in words, not its parts, which a classifier alone has."""
    whole = [k for k in logs if k in ("loss", "d_loss", "g_loss")]
    parts = [k for k in logs if k.startswith("c_loss")]
    return " ".join(f"{k} {logs[k]:.3g}" for k in whole + parts[-1:])


class Lines:
    """Prints a line after the first step, which includes compilation and so has no
    speed, and then one every `EVERY` seconds."""

    def __init__(self, steps, images, clock=time.monotonic):
        self.steps, self.images, self.clock = steps, images, clock
        self.last = None  # (step, time) of the last line

    def __call__(self, step, losses):
        now = self.clock()
        if self.last and now - self.last[1] < EVERY and step < self.steps:
            return
        line = f"step {step:,} of {self.steps:,}: {losses}"
        if self.last and now > self.last[1] and step > self.last[0]:
            speed = (step - self.last[0]) / (now - self.last[1])
            left = duration((self.steps - step) / speed)
            line += f", {speed * self.images:.3g} images/s, {left} to go"
        with contextlib.suppress(OSError):  # a full disk, "| tee" that has ended
            print(line, flush=True)
        self.last = step, now


def duration(seconds):
    """123 -> "2 min", 7,300 -> "2 h 2 min"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
