"""Signals that stop a run between two steps instead of ending the process."""

import contextlib
import signal

# Ctrl-C; kill; a closing terminal; Slurm's warnings before a job's time is over; a limit
# of processor time.
NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")


@contextlib.contextmanager
def stopping():
    """Yield a list that gets the number of each signal of `NAMES` within the block, in
    place of its usual effect; one that is ignored, SIGHUP under nohup, stays so."""
    known = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    numbers = [n for n in known if signal.getsignal(n) != signal.SIG_IGN]
    got = []
    before = {
        n: signal.signal(n, lambda number, frame: got.append(number)) for n in numbers
    }
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
