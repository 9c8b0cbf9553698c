"""One process at a time trains in a run folder."""

import contextlib
import datetime
import json
import os
import socket
import weakref

import filelock

from cli import UserError

NAME = "lock"


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
    # One object in this process for all owners, which counts them.
    lock = filelock.FileLock(
        path, timeout=0, is_singleton=True, thread_local=False, fallback_to_soft=False
    )
    try:
        lock.acquire()
    except filelock.Timeout:
        raise Locked(_in_words(folder, _read(path))) from None
    except OSError as error:
        if error.filename:
            raise
        report(f"{path}: no lock here ({error.strerror}); start no second run in it")
        path.unlink(missing_ok=True)
        return
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    holder = {"process": os.getpid(), "machine": socket.gethostname(), "since": now}
    path.write_text(json.dumps(holder) + "\n")
    weakref.finalize(owner, _release, lock)


def _release(lock):
    if lock.lock_counter == 1:
        with contextlib.suppress(OSError):
            os.unlink(lock.lock_file)  # before the release, else it could be another's
    lock.release()


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
