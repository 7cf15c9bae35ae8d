"""Cells on other machines, through Ray: what a cell needs goes along, what it made comes back.

No file system is shared. A cell's files travel as bytes by their names; on the other machine they
are laid out in a scratch folder, the cell runs as it does here, and its folder returns as a tar
archive. Kernels travel too; QEMU must be installed there.
"""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import evolve, frozen

from hcc.runtime.workload.tasks import Cell, JobResult, JobTask, LayerFile

_Tell = Callable[[Cell, str], None]


@frozen
class Parcel:
    """A cell's tasks and the content of the files they name."""

    tasks: tuple[JobTask, ...]
    files: dict[str, bytes]


@frozen
class Reply:
    """A cell's results, and its jobs' folders as tar archives."""

    results: tuple[JobResult, ...]
    folders: tuple[bytes, ...]


def _paths(task: JobTask) -> list[Path]:
    machine = task.machine
    found = [task.fat, task.slice, task.stdin, machine.kernel, machine.firmware]
    return [p for p in found if p is not None] + [
        *task.option_files, *(layer.path for layer in task.layers),
    ]  # fmt: skip


def parcel(tasks: Sequence[JobTask]) -> Parcel:
    """Pack a cell up."""
    paths = {path for task in tasks for path in _paths(task)}
    return Parcel(tuple(tasks), {str(path): path.read_bytes() for path in paths})


def run_parcel(content: Parcel) -> Reply:
    """Run a cell where it has been sent."""
    from hcc.runtime.workload.children import children
    from hcc.runtime.workload.launch import run_cell

    scratch = Path(tempfile.mkdtemp(prefix="hcc-cell-"))
    try:
        places: dict[str, Path] = {}
        for number, (name, body) in enumerate(content.files.items()):
            places[name] = scratch / "files" / str(number) / Path(name).name
            places[name].parent.mkdir(parents=True)
            places[name].write_bytes(body)
            places[name].chmod(0o755)
        tasks = [_moved(task, places, scratch / "results") for task in content.tasks]
        with children(scratch) as own:
            results = run_cell(tasks, own)
        folders = tuple(_tar(task.folder) for task in tasks)
        return Reply(tuple(results), folders)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _moved(task: JobTask, places: dict[str, Path], results: Path) -> JobTask:
    """A task with the places of its files on this machine."""

    def here(path: Path | None) -> Path | None:
        return None if path is None else places[str(path)]

    machine = evolve(
        task.machine,
        kernel=here(task.machine.kernel),
        firmware=here(task.machine.firmware),
        qemu=_own_qemu(task),
    )
    names = {str(path): str(places[str(path)]) for path in task.option_files}
    return evolve(
        task, folder=results / task.name, fat=here(task.fat), slice=here(task.slice),
        stdin=here(task.stdin), machine=machine, persist=None,
        layers=tuple(LayerFile(places[str(one.path)], one.digest) for one in task.layers),
        options=task.options_with(names),
        option_files=tuple(places[str(path)] for path in task.option_files), moved=True,
    )  # fmt: skip


def _own_qemu(task: JobTask) -> str:
    from hcc.runtime.workload.machine import BOARDS

    if not task.machine.qemu:
        return ""
    name = Path(task.machine.qemu).name
    return shutil.which(name) or shutil.which(BOARDS[task.cell.isa].qemu) or name


def _tar(folder: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(folder, arcname=".")
    return content.getvalue()


def unpack(reply: Reply, tasks: Sequence[JobTask]) -> list[JobResult]:
    """Lay the folders of a reply out where the results belong; the results with their places."""
    results = []
    for task, result, body in zip(tasks, reply.results, reply.folders, strict=True):
        task.folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            archive.extractall(task.folder, filter="data")
        results.append(evolve(result, folder=task.folder))
    return results


def run_on_cluster(cells: Sequence[Sequence[JobTask]], tell: _Tell) -> list[list[JobResult]]:
    """Run cells on a Ray cluster; results in the cells' order."""
    from hcc.runtime.executor import executor, run

    for tasks in cells:
        tell(tasks[0].cell, "start")
    found = []
    replies = run(run_parcel, map(parcel, cells), executor(cluster=True))
    for tasks, reply in zip(cells, replies, strict=True):
        found.append(unpack(reply, tasks))
        tell(tasks[0].cell, "done")
    return found
