"""What the tasks of a build share: folders, digests, child processes, the log."""

from __future__ import annotations

import os
import shlex
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from attrs import define, field

from hcc.runtime.workload.children import Children
from hcc.runtime.workload.folders import Folders
from hcc.runtime.workload.hashes import FileDigests


@define(eq=False)
class Log:
    """A log file that several threads write to, a message at a time."""

    file: IO[str]
    _lock: threading.Lock = field(factory=threading.Lock)

    def write(self, text: str) -> None:
        """Add a message, with the time."""
        with self._lock:
            stamp = time.strftime("%H:%M:%S", time.gmtime())
            self.file.write(f"[{stamp}] {text.rstrip()}\n")
            self.file.flush()


@define(eq=False)
class Workshop:
    """Where and with what tasks work. `deadline` is of time.monotonic."""

    folders: Folders
    digests: FileDigests
    children: Children
    log: Log
    deadline: float | None = None
    _compiler: str | None = None

    def compiler(self) -> str:
        """The digest of the compiler, taken once."""
        if self._compiler is None:
            from hcc.runtime.workload.programs import compiler_digest

            self._compiler = compiler_digest(self.digests)
        return self._compiler

    def run(
        self, what: str, command: Sequence[str], cwd: Path, env: Mapping[str, str]
    ) -> tuple[int, str]:
        """Run a program of the host for a task: its status, and what it said."""
        timeout = None if self.deadline is None else max(0.01, self.deadline - time.monotonic())
        with tempfile.TemporaryFile() as output:
            self.log.write(f"{what}: {shlex.join(command)} (in {cwd})")
            ending = self.children.run(
                command, output, cwd, {**os.environ, **env}, timeout=timeout
            )
            output.seek(0)
            said = output.read().decode(errors="replace")
        if said:
            self.log.write(f"{what} said:\n{said}")
        if ending.timed_out:
            said += f"\nout of time after {ending.seconds:.1f} s"
            return 124, said
        return ending.status, said
