"""The folder that all that is made for a specification goes to: `hcc-workloads` beside it.

    images/NAME/     what was built: programs, their code by ISA, the image layer, image.json
    runs/RUN/        results, one folder a cell and job, each with its manifest
    logs/            what builds and tests said
    state.json       what the next build compares with
    running/, lock   commands at work
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import string
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from hcc.isa.errors import HccError

VARIABLE = "HCC_WORKLOAD_OUT"
_NAME = "hcc-workloads"


@frozen
class Folders:
    """Places below the output folder."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def images(self) -> Path:
        return self.root / "images"

    def image(self, name: str) -> Path:
        """The folder of what is built for a workload."""
        return self.images / name

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def prepare(self) -> None:
        """Make the folder, out of git's sight."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            ignore = self.root / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise HccError(f"{self.root}: cannot be made: {error.strerror}") from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one build at a time works here; a second one waits. Ends with the process."""
        self.prepare()
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def output_folder(spec: Path, given: Path | None) -> Folders:
    """The folder for a specification: --out, the environment's, or the default."""
    if given is None and os.environ.get(VARIABLE):
        given = Path(os.environ[VARIABLE])
    return Folders(given if given is not None else spec.parent / _NAME)


def run_name(stem: str, command: str) -> str:
    """A name that no other run has: what, when (UTC), and chance."""
    alphabet = string.ascii_uppercase + string.digits
    chance = "".join(secrets.choice(alphabet) for _ in range(16))
    return f"{stem}-{command}-{time.strftime('%Y-%m-%d--%H-%M-%S', time.gmtime())}-{chance}"
