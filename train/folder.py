"""The folder of a run: which run it holds, and who may train in it."""

import datetime
import json
import os
import socket

import filelock

from cli import UserError, writable
from models import Recipe
from models.recipe import flat
from train.job import ALONE

PAST = ("from", "hardware", "command")  # of `run.json`: no settings
STAGE = "start"  # the folder of a run's first stage, in the run's


def visible(folder, pattern):
    """The sorted paths in a folder that match, without hidden files, which a file
    manager or another system may have left."""
    return sorted(p for p in folder.glob(pattern) if not p.name.startswith("."))


class RunError(UserError):
    """A run folder that does not fit, or a run that cannot continue."""


def claim(folder, identity, job=ALONE, report=print):
    """Make a folder that of a run and lock it, or refuse it.

    Args:
        folder: the `Path`.
        identity: dict of JSON values, what `run.json` says of the run. Where the run
            began before, it gets the command of then, and the hardware used so far.
        job: the `train.job.Job`; process 0 alone writes.
        report: called with one line of text when there is something to say.

    Returns:
        what must be kept as long as the folder shall be locked.

    Raises:
        RunError: the folder holds another run or something else, or another process
            trains in it.
        UserError: it cannot be written to, or processes of the job differ.
    """
    if (folder / "run.json").exists():
        _recall(folder, identity)
    check_free(folder)
    # Several processes: none writes before all have checked the folder.
    settings = {k: v for k, v in identity.items() if k not in (*PAST, "data")}
    job.agree("settings", settings)
    job.agree("images", identity["data"] | {"name": None})  # a folder's may differ
    if job.rank:
        return None
    writable(folder)
    return _lock(folder, report)


def check_free(folder):
    """Raise RunError if a folder holds anything but a run, a first stage and logs."""
    found = [p for p in visible(folder, "*") if p.suffix != ".log" and p.name != STAGE]
    if found and not (folder / "run.json").exists():
        raise RunError(f"{folder}: not empty and not a run; use another")


def _recall(folder, identity):
    """Compare a run's settings with those of `run.json`; take over what it remembers."""
    path = folder / "run.json"
    try:
        before = json.loads(path.read_text())
        # A field that is newer than the run has its default there.
        before["recipe"] = Recipe.from_resolved(before["recipe"]).resolved()
        past = {k: before.pop(k) for k in PAST}
        now = {k: identity[k] for k in before}
        used = [*past["hardware"], *identity["hardware"]]
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{path}: not of this version; use a new --run folder") from None
    found = differences(before, now)
    found = [d for d in found if d["setting"] == "name"] or found
    if found:
        raise RunError(
            f"{folder}: a run with other settings: {_in_words(found)}; use a new --run "
            "folder"
        )
    identity["hardware"] = list(dict.fromkeys(used))  # each once, in order
    identity["command"] = past["command"]


def _lock(folder, report):
    """Keep other processes out of a folder. The system releases the lock of a killed
    process; a second run in the same process may enter."""
    path = folder / ".lock"
    lock = filelock.FileLock(
        path, timeout=0, is_singleton=True, thread_local=False, fallback_to_soft=False
    )
    try:
        lock.acquire()
    except filelock.Timeout:
        raise RunError(
            f"{folder}: {path.read_text().strip() or 'another process'} trains in it; "
            "stop that one first, or use another --run folder"
        ) from None
    except OSError as error:
        if error.filename:
            raise
        report(f"{path}: no lock here ({error.strerror}); start no second run in it")
        return None
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    path.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {now},\n")
    return lock


LENGTH = ("recipe.steps", "recipe.epochs")


def differences(before, after):
    """[{"setting": "batch_size", "before": 32, "after": 64}, ...] of two identities; the
    data folder's name may differ, and the length where no rate falls along it."""
    falls = [o["schedule"] == "cosine" for o in after["recipe"]["optimizers"].values()]
    a, b = flat(before), flat(after)
    keys = {*a, *b} - {"data.name", *(() if any(falls) else LENGTH)}
    return [
        {"setting": k.removeprefix("recipe."), "before": a.get(k), "after": b.get(k)}
        for k in sorted(keys)
        if a.get(k) != b.get(k)
    ]


def _in_words(found):
    """What a refusal says of `differences`."""
    said, kinds = [], []
    for d in found:
        if d["setting"].startswith("data.digests."):
            kinds.append(d["setting"].rpartition(".")[2])
        else:
            said.append(
                "{setting}: the run has {before}, this command has {after}".format_map(d)
            )
    if kinds:
        said.append(f"data: other {' and '.join(kinds)} than the run's")
    return "; ".join(said)
