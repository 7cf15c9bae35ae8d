"""Child processes that do not outlive hcc."""

from __future__ import annotations

import ctypes
import signal

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, prctl(2)
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """In a new child: be killed when the thread that started it is gone, as with hcc."""
    _LIBC.prctl(_DEATH_SIGNAL, signal.SIGKILL)
