"""What one run is, as data: a cell of the matrix, the jobs in it, and what became of them.

These are plain values that can be sent to another machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

LOG = "uartlog"
MANIFEST = "manifest.json"


@frozen
class Cell:
    """An ISA and a level."""

    isa: str
    level: str

    @property
    def name(self) -> str:
        return f"{self.isa}-{self.level}"


@frozen
class LayerFile:
    """A layer of an image: its file and digest."""

    path: Path
    digest: str


@frozen
class Machine:
    """The machine of the system level."""

    cpus: int
    memory: int
    qemu: str
    qemu_args: tuple[str, ...]
    kernel: Path | None
    firmware: Path | None
    kernel_package: str


@frozen
class JobTask:
    """One job on one cell: everything needed to run it. Paths are the host's.

    A task is `moved` where its files are copies on another machine, whose place must not show.
    """

    name: str
    cell: Cell
    folder: Path
    program: str
    fat: Path | None
    slice: Path | None
    code: str
    args: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    stdin: Path | None
    layers: tuple[LayerFile, ...]
    outputs: tuple[str, ...]
    machine: Machine
    options: tuple[str, ...] = ()
    option_files: tuple[Path, ...] = ()
    node: int | None = None
    nodes: int = 1
    timeout: float | None = None
    persist: Path | None = None
    image: str = ""
    specs: tuple[Path, ...] = ()
    moved: bool = False

    def options_with(self, names: Mapping[str, str]) -> tuple[str, ...]:
        """The options with other names for their files; a file may follow `UNIT=`."""
        words = []
        for word in self.options:
            before, equals, name = word.rpartition("=")
            words.append(names.get(word) or f"{before}{equals}{names.get(name, name)}")
        return tuple(words)


@frozen
class JobResult:
    """What became of a job. `state` is ok, failed or timeout; `command` is what was run."""

    name: str
    cell: Cell
    folder: Path
    state: str
    status: int | None
    seconds: float
    message: str = ""
    command: tuple[str, ...] = ()
    outputs: dict[str, str] = field(factory=dict)
    versions: dict[str, str] = field(factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "name": self.name,
            "state": self.state,
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "folder": str(self.folder),
            "message": self.message,
        }
