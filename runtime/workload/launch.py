"""Launching: every cell of a workload's matrix, its jobs side by side, then hooks and manifests.

A cell is the unit that an executor places: its jobs share a network, so they stay on one machine.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from hcc.isa.errors import HccError, UnsupportedError
from hcc.runtime.workload import manifest, remote
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.children import Children
from hcc.runtime.workload.hashes import FileDigests
from hcc.runtime.workload.host import host_command
from hcc.runtime.workload.jobs import refuse_status, run_job
from hcc.runtime.workload.matrix import Choice, Skipped, cells, chosen_jobs, obstacle, task
from hcc.runtime.workload.session import Session
from hcc.runtime.workload.switch import Switch
from hcc.runtime.workload.tasks import Cell, JobResult, JobTask
from hcc.runtime.workload.workshop import Workshop

Tell = Callable[[Cell, str], None]
"""Told a cell and what becomes of it: 'start' or 'done'."""


@frozen
class CellResult:
    """What became of a cell's jobs."""

    cell: Cell
    folder: Path
    jobs: tuple[JobResult, ...]

    @property
    def ok(self) -> bool:
        return all(job.state == "ok" for job in self.jobs)


@define
class Launched:
    """What a launch did."""

    workload: str
    folder: Path
    cells: list[CellResult] = field(factory=list)
    skipped: list[Skipped] = field(factory=list)
    problems: list[str] = field(factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems and all(cell.ok for cell in self.cells)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "workload": self.workload,
            "folder": str(self.folder),
            "ok": self.ok,
            "cells": [
                {
                    "isa": c.cell.isa,
                    "level": c.cell.level,
                    "folder": str(c.folder),
                    "jobs": [job.as_json() for job in c.jobs],
                }
                for c in self.cells
            ],
            "skipped": [
                {
                    "isa": s.cell.isa if s.cell else None,
                    "level": s.cell.level if s.cell else None,
                    "job": s.job,
                    "reason": s.reason,
                }
                for s in self.skipped
            ],
            "problems": self.problems,
        }


def launch(
    session: Session,
    workload: Workload,
    choice: Choice,
    parallel: int = 0,
    ray: bool = False,
    tell: Tell = lambda _cell, _event: None,
) -> Launched:
    """Run what the choice says of a workload that is built; everything is in the result."""
    folder = session.folders.runs / session.run
    launched = Launched(workload.name, folder)
    jobs, skipped = chosen_jobs(workload, choice)
    launched.skipped += skipped
    plan: dict[Cell, list[JobTask]] = {}
    for job in jobs:
        for cell in cells(job, choice):
            try:
                reason = obstacle(job, cell)
                if reason is not None:
                    raise UnsupportedError(reason)
                place = folder / cell.name / job.name
                one = task(job, workload, cell, place, session, choice)
            except UnsupportedError as error:
                launched.skipped.append(Skipped(cell, job.name, str(error)))
            else:
                plan.setdefault(cell, []).append(one)
    _check_persist(choice, plan, ray)
    folder.mkdir(parents=True, exist_ok=True)
    expected = _expected(workload, jobs)
    for cell, results in _run_cells(session, plan, parallel, ray, tell):
        checked = tuple(refuse_status(r, expected[r.name]) for r in results)
        for one, result in zip(plan[cell], checked, strict=True):
            manifest.write(one, result)
            session.log.write(f"{cell.name} {one.name}: {result.state} {result.message}")
        launched.cells.append(CellResult(cell, folder / cell.name, checked))
    _hooks(session, workload, jobs, launched)
    return launched


def _expected(workload: Workload, jobs: Sequence[Workload]) -> dict[str, int | None]:
    """The exit status each job is to end with: its own word, else the workload's, else 0."""
    found: dict[str, int | None] = {}
    for job in jobs:
        settings = (job.spec.settings, workload.spec.settings)
        said = next((s["testing.exit"].value for s in settings if "testing.exit" in s), 0)
        found[job.name] = said
    return found


def _check_persist(choice: Choice, plan: dict[Cell, list[JobTask]], ray: bool) -> None:
    if not choice.persist:
        return
    if ray:
        raise HccError("--persist is for this machine, not for --executor ray")
    if len(plan) > 1:
        names = ", ".join(cell.name for cell in plan)
        raise HccError(f"--persist keeps what one cell does; this launch has {names}")
    for cell in plan:
        if cell.level == "system":
            raise UnsupportedError("--persist is not for the system level, whose disk is memory")


def run_cell(
    tasks: Sequence[JobTask], children: Children, tell: Tell = lambda _cell, _event: None
) -> list[JobResult]:
    """Run the jobs of a cell side by side, connected where they are nodes."""
    tell(tasks[0].cell, "start")
    nodes = [t.node for t in tasks if t.node is not None]
    switch = Switch(nodes) if nodes else None
    try:
        if switch is not None:
            switch.start()
        with ThreadPoolExecutor(len(tasks)) as pool:
            futures = [pool.submit(run_job, one, children, switch) for one in tasks]
            return [future.result() for future in futures]
    finally:
        if switch is not None:
            switch.close()
        tell(tasks[0].cell, "done")


def _run_cells(
    session: Session, plan: dict[Cell, list[JobTask]], parallel: int, ray: bool, tell: Tell
) -> list[tuple[Cell, list[JobResult]]]:
    groups = list(plan.items())
    if not groups:
        return []
    if ray:
        return list(zip(plan, remote.run_on_cluster([t for _, t in groups], tell), strict=True))
    width = parallel or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(min(width, len(groups))) as pool:
        futures = [pool.submit(run_cell, t, session.children, tell) for _, t in groups]
        try:
            return [(c, f.result()) for (c, _), f in zip(groups, futures, strict=True)]
        except BaseException:
            session.children.stop()
            raise


def _hooks(
    session: Session, workload: Workload, jobs: Sequence[Workload], launched: Launched
) -> None:
    """Run the workload's hook on each cell's folder, and jobs' own hooks on theirs."""
    shop = Workshop(session.folders, FileDigests(), session.children, session.log)
    for cell in launched.cells:
        runs = [(workload, cell.folder)]
        runs += [
            (job, cell.folder / job.name)
            for job in jobs
            if job is not workload and "post_run_hook" in job.spec.settings
        ]
        for one, folder in runs:
            words = one.get("post_run_hook")
            if words is None:
                continue
            owner = one.options["post_run_hook"].owner
            assert owner is not None
            command = host_command(one, "post_run_hook", words, owner)
            env = {"HCC_ISA": cell.cell.isa, "HCC_LEVEL": cell.cell.level}
            status, said = shop.run(
                f"post_run_hook of {one.name}", [*command, str(folder.absolute())],
                one.workdirs[id(owner)], env,
            )  # fmt: skip
            if status != 0:
                place = owner.settings["post_run_hook"].place
                launched.problems.append(
                    f"{place}: post_run_hook failed with status {status} "
                    f"({shlex.join(words)} on {folder}){_last_line(said)}"
                )


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return f": {lines[-1]}" if lines else ""


def failed_jobs(launched: Launched) -> list[JobResult]:
    """The jobs that did not end as they should."""
    return [job for cell in launched.cells for job in cell.jobs if job.state != "ok"]

