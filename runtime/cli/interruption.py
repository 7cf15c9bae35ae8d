"""Ctrl-C while hcc is not ready for it: one line and status 130, as later.

Loading Python modules takes longer than a user who has changed his mind waits. An exception out
of an import would print a traceback, and there is nothing to tidy up yet; so until a command
begins, the process ends on the spot. What the interpreter does before it comes here (`site`) is out
of reach.
"""

import os
import signal
from contextlib import suppress

INTERRUPTED = 130  # as a shell has it for SIGINT


def _leave(*_: object) -> None:
    os.write(2, b"hcc: interrupted\n")
    os._exit(INTERRUPTED)


def leave_at_once() -> None:
    """From here on Ctrl-C ends the process, unless somebody has another use for it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with suppress(ValueError):  # not the main thread, which alone takes signals
            signal.signal(signal.SIGINT, _leave)


def raise_again() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
