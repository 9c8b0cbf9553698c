"""Signals that stop a run between two steps instead of ending the process."""

import contextlib
import signal


@contextlib.contextmanager
def stopping():
    """Yield a list that gets the number of each SIGINT, SIGTERM and SIGHUP within the
    block, in place of their usual effect.

    A closing terminal sends SIGHUP; under nohup, where it is ignored, it stays so.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup and signal.getsignal(hangup) != signal.SIG_IGN:
        numbers.append(hangup)
    got = []
    before = {
        n: signal.signal(n, lambda number, frame: got.append(number)) for n in numbers
    }
    try:
        yield got
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
