"""One command at work on one output folder: its log, its children, its state; and building."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import define, field

from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.children import Children, children
from hcc.runtime.workload.folders import Folders, run_name
from hcc.runtime.workload.graph import Progress, Report, State, build
from hcc.runtime.workload.plan import Plan, Programs, check_names
from hcc.runtime.workload.workshop import Log, Workshop


@define
class Session:
    """A command's tools. `run` is the name that its log and its results have."""

    folders: Folders
    children: Children
    log: Log
    run: str
    programs: Programs = field(factory=Programs)

    @property
    def log_path(self) -> Path:
        return Path(self.log.file.name)

    def build(
        self,
        workloads: Sequence[Workload],
        jobs: int = 0,
        progress: Progress = lambda _id, _event: None,
        binaries: bool = True,
        pictures: bool = True,
        timeout: float | None = None,
    ) -> Report:
        """Build workloads with their bases; `jobs` of 0 means one for each CPU."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self.folders.locked():
            state = State.load(self.folders.state)
            check_names(workloads, state)
            shop = Workshop(self.folders, state.digests, self.children, self.log, deadline)
            plan = Plan(shop, self.programs, binaries, pictures)
            for workload in workloads:
                plan.add(workload)
            report = build(
                list(plan.tasks.values()),
                state,
                jobs or len(os.sched_getaffinity(0)),
                progress,
                self.children.stop,
            )
        for task, reasons in report.ran.items():
            self.log.write(f"{task}: made, because {'; '.join(reasons[:5])}")
        for task, error in report.failed.items():
            self.log.write(f"{task}: failed: {error}")
        return report


@contextlib.contextmanager
def session(folders: Folders, stem: str, command: str) -> Iterator[Session]:
    """The tools of a command, put away in the end."""
    folders.prepare()
    folders.logs.mkdir(exist_ok=True)
    name = run_name(stem, command)
    with (
        (folders.logs / f"{name}.log").open("w") as file,
        children(folders.root) as own,
    ):
        yield Session(folders, own, Log(file), name)
