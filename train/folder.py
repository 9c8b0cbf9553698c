"""The folder of a run: which run it holds, and who may train in it."""

import json
from pathlib import Path

from cli import UserError, replacing
from models import Recipe
from train import lock, machine
from train.job import ALONE

REMNANT = ".*.tmp"  # what a process that was killed while it wrote leaves


def visible(folder, pattern):
    """The sorted paths in a folder that match, without hidden files, which a file
    manager or another system may have left."""
    return sorted(p for p in folder.glob(pattern) if not p.name.startswith("."))


class RunError(UserError):
    """A run folder that does not fit, or a run that cannot continue."""


class RunFolder:
    """A folder that one run has for itself.

    Args:
        path: the folder.
        identity: dict of JSON values, what `run.json` says of the run: its recipe,
            seed, precision and data.
        job: the `train.job.Job`; process 0 alone writes.
        report: called with one line of text when there is something to say.
        command: the words of the command line, with which `--run` alone resumes.

    Attributes:
        identity: the same dict; `claim` adds the run's "from" to it.
    """

    def __init__(self, path, identity, job=ALONE, report=print, command=()):
        self.path, self.identity = Path(path), identity
        self.job, self.report = job, report
        self.command = list(command)
        self.hardware = [machine.hardware()]

    def claim(self):
        """Make the folder this run's and lock it, or refuse it.

        Raises:
            RunError: the folder holds another run or something else, or it cannot be
                written to.
            train.lock.Locked: another process trains in it.
        """
        begun = (self.path / "run.json").exists()
        if begun and (found := self._compare()):
            raise RunError(
                f"{self.path}: a run with other settings: {in_words(found)}; use a new "
                "--run folder"
            )
        if not begun and self.path.exists():
            if not self.path.is_dir():
                raise RunError(f"{self.path}: cannot write there (a file, not a folder)")
            there = [p for p in visible(self.path, "*") if p.suffix != ".log"]
            if [p for p in there if p.name != lock.NAME]:
                raise RunError(f"{self.path}: not empty and not a run; use another")
        # Several processes: none writes before all have checked the folder.
        data = self.identity["data"] | {"name": None}  # a folder's name may differ
        self.job.agree(settings=self.identity | {"data": None}, images=data)
        refused = None if self.job.rank else self._lock(begun)
        if self.job.anyone(refused):
            raise refused or RunError(f"{self.path}: process 0 cannot train there")

    def _compare(self):
        """Read `run.json`, keep what it remembers, return how the settings differ."""
        path = self.path / "run.json"
        try:
            theirs = json.loads(path.read_text())
            # A field that is newer than the run has its default there.
            theirs["recipe"] = Recipe.from_resolved(theirs["recipe"]).resolved()
        except (ValueError, KeyError, TypeError):
            raise RunError(
                f"{path}: not of this version; use a new --run folder"
            ) from None
        names = theirs["recipe"]["name"], self.identity["recipe"]["name"]
        if names[0] != names[1]:
            raise RunError(
                f"{self.path}: a run of {names[0]}, not of {names[1]}; use another --run"
            )
        self.identity["from"] = theirs["from"]
        self.hardware = theirs.pop("hardware", []) + self.hardware
        self.command = theirs.pop("command", self.command)
        return differences(theirs, self.identity)

    def _lock(self, begun):
        """Make the folder and keep other processes out of it; return the error if that
        fails, else None."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.hold(self.path, self, self.report)
            if not begun and (self.path / "run.json").exists():
                raise RunError(f"{self.path}: another process began a run in it just now")
        except OSError as error:
            return RunError(f"{self.path}: cannot write there ({error.strerror})")
        except UserError as error:
            return error

    def described(self, **more):
        """The identity, the hardware that the run was on so far and `more`, as JSON."""
        hardware = list(dict.fromkeys(self.hardware))  # each once, in order
        return json.dumps(self.identity | {"hardware": hardware} | more, indent=1)

    def write_identity(self):
        """Write `run.json`."""
        with replacing(self.path / "run.json", "w") as file:
            file.write(self.described(command=self.command))

    def remove_remnants(self):
        """Remove the files of a process that was killed while it wrote."""
        for path in self.path.glob(REMNANT):
            path.unlink(missing_ok=True)


def differences(theirs, mine, path=""):
    """[{"setting": "batch_size", "before": 32, "after": 64}, ...]; the data folder's name
    may differ, and the steps where no rate falls along them."""
    out = []
    if not path and not any(o["schedule"] == "cosine" for o in _optimizers(theirs, mine)):
        mine = mine | {"recipe": mine["recipe"] | {"steps": theirs["recipe"]["steps"]}}
    for key in sorted(set(theirs) | set(mine)):
        name = f"{path}.{key}" if path else key
        if name == "data.name":
            continue
        a, b = theirs.get(key), mine.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            out += differences(a, b, name)
        elif a != b:
            setting = name.removeprefix("recipe.")
            out.append({"setting": setting, "before": a, "after": b})
    return out


def _optimizers(*identities):
    return [o for i in identities for o in i["recipe"]["optimizers"].values()]


def in_words(found):
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
