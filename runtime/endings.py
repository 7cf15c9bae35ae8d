"""How a system call ends a program: by exit, or by a signal."""

from __future__ import annotations


class Exited(Exception):
    """The program ended by exit."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class Killed(Exception):
    """The program ended by a signal it sent itself."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"signal {signal}")
        self.signal = signal
