"""Shared by all commands: one-line errors and atomic writes.

Every package here imports it first: where the process is one of the project's own
commands, it then has what a command needs, or ends in one line because Python is too old
or a package is not installed. Imported from elsewhere, a notebook, it changes nothing.
"""

import contextlib
import io
import logging
import os
import secrets
import sys
from importlib.util import find_spec
from pathlib import Path

PYTHON = (3, 11)
PACKAGES = (  # of requirements.txt, as they are imported
    *("keras", "numpy", "pandas", "matplotlib", "sklearn", "scipy", "imageio", "PIL"),
    *("h5py", "rich", "tensorboard", "filelock"),
)


def check_installation(version=sys.version_info, found=find_spec):
    """Exit in one line, with status 2, where the project cannot run on this Python."""
    engine = "jax" if os.environ.get("KERAS_BACKEND") == "jax" else "tensorflow"
    missing = [name for name in (engine, *PACKAGES) if found(name) is None]
    file = "requirements-jax.txt" if engine == "jax" else "requirements.txt"
    install = f"-m pip install -r {Path(__file__).resolve().parent / file}"
    have, need = (".".join(map(str, v[:2])) for v in (version, PYTHON))
    if version[:2] < PYTHON:
        line = (
            f"Python {need} or later is needed, {sys.executable} is {have}; activate an "
            f"environment, or: python{need} -m venv venv && venv/bin/python {install}"
        )
    elif missing:
        line = (
            f"{sys.executable} has no {', '.join(missing)}; activate the environment "
            f"that has, or: {sys.executable} {install}"
        )
    else:
        return
    print(f"error: {line}", file=sys.stderr)
    sys.exit(2)


def is_command(main=None):
    """Whether this process is a command of the project, `python -m train ...` or a
    script, and not a notebook or a program that imports it."""
    main = main or getattr(sys.modules["__main__"], "__file__", None)
    home = Path(__file__).resolve().parent
    if main is None:  # while `python -m` looks for it
        return sys.argv[0] == "-m"
    path = Path(main).resolve()
    return home in path.parents and "tests" not in path.relative_to(home).parts


def prepare():
    """Set what a command's process needs, before Keras is imported."""
    os.environ["MPLBACKEND"] = "Agg"  # figures are files here, whatever the user has
    for name, value in (
        ("KERAS_BACKEND", "tensorflow"),
        ("TF_CPP_MIN_LOG_LEVEL", "3"),
        # TensorFlow turns oneDNN on by itself only where a processor has instructions
        # for neural networks; with AVX2 alone it trains 1.4 to 3 times as fast, too.
        ("TF_ENABLE_ONEDNN_OPTS", "1"),
        # One op at a time, each on all cores: the networks here are chains, and a second
        # inter-op thread makes a training step about 10 % slower.
        ("TF_NUM_INTEROP_THREADS", "1"),
        ("HDF5_USE_FILE_LOCKING", "FALSE"),  # network file systems have none
    ):
        os.environ.setdefault(name, value)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:  # closed; another file would take its place
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
            setattr(sys, name, open(number, "w" if number else "r"))  # noqa: SIM115
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its view of a matplotlibrc


COMMAND = is_command()
if COMMAND:
    check_installation()
    prepare()
import filelock  # noqa: E402


class UserError(ValueError):
    """Bad input; the message names the file or option, and the cure."""

    status = 2  # the command line's exit status


class DataError(UserError):
    """A data folder cannot be used; the message names the file and the cure."""


def run_cli(main):
    """Call `main()` for a command line; exit with the status it returns.

    A `UserError` becomes one line on stderr and its status; Ctrl-C is 130.
    """
    global COMMAND
    if not COMMAND:
        COMMAND = True
        prepare()
    sys.argv[1:] = map(_word, sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A log file shows each line at once; names of files need not be UTF-8.
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        status = main()
    except UserError as error:
        _say(str(error))
        status = error.status
    except BrokenPipeError:  # whoever read the output has seen enough: "| head"
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 141  # as the shell has it: 128 + SIGPIPE
    except OSError as error:  # a full disk, a folder that cannot be written to
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error}")
        status = 2
    except KeyboardInterrupt:
        status = 130
    except Exception as error:
        if type(error).__name__ not in ("MemoryError", "ResourceExhaustedError"):
            raise
        _say("not enough memory; close other programs, or train with a smaller batch")
        status = 2
    sys.exit(status)


def _word(word):
    """A word of the command line without a script's CRLF, and with the home folder, which
    a shell puts in place of a ~ only at a word's start."""
    option, equals, value = word.rstrip("\r").partition("=")
    if equals and option.startswith("--") and value.startswith("~"):
        value = os.path.expanduser(value)
    return option + equals + value


def _say(mistake):
    """One line on stderr, where there still is one: a terminal may have closed."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    with contextlib.suppress(OSError):
        print("error:", " ".join(mistake.split("\n")), file=sys.stderr)


@contextlib.contextmanager
def replacing(path, mode="wb", sync=True):
    """Open a temporary file that becomes `path` only if the body succeeds; text is
    UTF-8, but for names of files that are not. Without `sync`, what a crash of the
    machine leaves may be empty."""
    path = Path(path)
    text = {} if "b" in mode else {"encoding": "utf-8", "errors": "surrogateescape"}
    # Of several machines on one file system two may have the same process number.
    # Short: a name may be as long as the file system allows already.
    temporary = path.with_name(f".{path.name[:20]}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, mode, **text) as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is None:  # an encoder's: only text
            raise OSError(0, str(error), str(path)) from None
        if error.filename in (None, str(temporary)):  # a full disk names no file
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def locked(path):
    """One process at a time in the body, of those that name the same file. Where the
    file system has no locks, nobody waits."""
    path = Path(path)
    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"), fallback_to_soft=False)
    with contextlib.suppress(OSError):
        lock.acquire()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(lock.lock_file)  # before the release, else it could be another's
        lock.release()


def writable(folder):
    """Make a folder if need be.

    Raises:
        UserError: it cannot be made, or not written to.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(20, "a file, not a folder")
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
