"""Mistakes of the user's: one clear line, no traceback."""

import os
import sys


class UserError(ValueError):
    """Bad input; the message names the file or option, and the cure."""

    status = 2  # the command line's exit status


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
