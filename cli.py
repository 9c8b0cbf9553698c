"""What every command line stands on: mistakes in one clear line, files written whole."""

import contextlib
import os
import secrets
import sys
from pathlib import Path


class UserError(ValueError):
    """Bad input; the message names the file or option, and the cure."""

    status = 2  # the command line's exit status


class DataError(UserError):
    """A data folder cannot be used; the message names the file and the cure."""


def run_cli(main):
    """Call `main()` for a command line; exit with the status it returns.

    A `UserError` becomes one line on stderr and its status; Ctrl-C is 130.
    """
    try:
        status = main()
    except UserError as error:
        sys.stdout.flush()
        print(f"error: {error}", file=sys.stderr)
        status = error.status
    except BrokenPipeError:  # whoever read the output has seen enough: "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # as the shell has it: 128 + SIGPIPE
    except OSError as error:  # a full disk, a folder that cannot be written to
        sys.stdout.flush()
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        status = 2
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


@contextlib.contextmanager
def replacing(path, mode="wb"):
    """Open a temporary file that becomes `path` only if the body succeeds."""
    path = Path(path)
    # Of several machines on one file system two may have the same process number.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, mode) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def writable(folder):
    """Make a folder if need be.

    Raises:
        UserError: it cannot be made, or not written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "not writable")
    except OSError as error:
        raise UserError(f"{folder}: cannot write there ({error.strerror})") from None


def file_of_kind(path, suffixes):
    """Check that a file to be written has one of these suffixes and make its folder.

    Raises:
        UserError: another suffix, a folder of that name, or nowhere to write.
    """
    if path.suffix.lower() not in suffixes:
        raise UserError(f"{path}: write to a file that ends in {' or '.join(suffixes)}")
    if path.is_dir():
        raise UserError(f"{path}: a folder; name a file")
    writable(path.parent)
