"""One process at a time trains in a run folder."""

import contextlib
import datetime
import json
import os
import secrets
import socket
import weakref

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

from cli import UserError

NAME = "lock"
_TOKEN = secrets.token_hex(8)  # this process; two containers may share name and number


class Locked(UserError):
    """Another process trains in the folder; the message says which."""


def hold(folder, owner, report=print):
    """Lock a run folder while `owner`, any object, lives.

    The system drops the lock of a process that was killed, whatever its file says.
    A second owner in the same process is let in.

    Args:
        folder: an existing folder.
        owner: the lock ends with it.
        report: called with one line of text where the file system has no locks.

    Raises:
        Locked: another process holds it.
        OSError: the folder cannot be written to.
    """
    path = folder / NAME
    while True:
        file = open(path, "a+")  # noqa: SIM115 - it stays open
        try:
            if fcntl is None:
                raise OSError(0, "this system has none")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # the latter on some network systems
            file.seek(0)
            holder = _read(file)
            file.close()
            if holder.get("token") == _TOKEN:
                return
            raise Locked(_in_words(folder, holder)) from None
        except OSError as error:
            report(f"{path}: no lock here ({error.strerror}); start no second run in it")
            file.close()
            path.unlink(missing_ok=True)
            return
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                break
        file.close()  # another process ended in between and removed the file
    now = datetime.datetime.now().astimezone().isoformat(" ", "seconds")
    holder = {"process": os.getpid(), "machine": socket.gethostname(), "since": now}
    file.truncate(0)
    file.write(json.dumps(holder | {"token": _TOKEN}) + "\n")
    file.flush()
    weakref.finalize(owner, _release, file, path)


def _release(file, path):
    with contextlib.suppress(OSError):
        os.unlink(path)  # before the lock: nobody else's file is removed
    file.close()


def _read(file):
    try:
        return dict(json.loads(file.read()))
    except ValueError:  # just being written
        return {}


def _in_words(folder, holder):
    process, machine = holder.get("process", "?"), holder.get("machine", "?")
    return (
        f"{folder}: process {process} on {machine} trains in it since "
        f"{holder.get('since', '?')}; stop that one first, or use another --run folder"
    )
