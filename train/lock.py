"""One process at a time trains in a run folder."""

import contextlib
import datetime
import json
import os
import secrets
import socket
import weakref

from cli import UserError, open_locked

NAME = "lock"
_TOKEN = secrets.token_hex(8)  # of this process: containers may share name and id


class Locked(UserError):
    """Another process trains in the folder; the message says which."""


def hold(folder, owner, report=print):
    """Lock a run folder as long as `owner`, any object, exists.

    The system releases the lock of a killed process, although its file remains. A
    second owner in the same process may enter.

    Args:
        folder: an existing folder.
        owner: the lock is released when it is deleted.
        report: called with one line of text if the file system has no locks.

    Raises:
        Locked: another process holds it.
        OSError: the folder cannot be written to.
    """
    path = folder / NAME
    try:
        file = open_locked(path, wait=False)
    except BlockingIOError:
        holder = _read(path)
        if holder.get("token") == _TOKEN:
            return
        raise Locked(_in_words(folder, holder)) from None
    except OSError as error:
        if error.filename:
            raise
        report(f"{path}: no lock here ({error.strerror}); start no second run in it")
        path.unlink(missing_ok=True)
        return
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    holder = {"process": os.getpid(), "machine": socket.gethostname(), "since": now}
    file.truncate(0)
    file.write(json.dumps(holder | {"token": _TOKEN}) + "\n")
    file.flush()
    weakref.finalize(owner, _release, file, path)


def _release(file, path):
    with contextlib.suppress(OSError):
        os.unlink(path)  # before the release, else it could remove another's
    file.close()


def _read(path):
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):  # being written, or removed
        return {}


def _in_words(folder, holder):
    process, machine = holder.get("process", "?"), holder.get("machine", "?")
    return (
        f"{folder}: process {process} on {machine} has trained in it since "
        f"{holder.get('since', '?')}; stop that one first, or use another --run folder"
    )
