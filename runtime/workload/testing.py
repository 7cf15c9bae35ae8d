"""`hcc workload test`: build, launch, compare; one verdict for each cell and job.

A workload without `testing` is passed over, as FireMarshal does. All its jobs are launched, or
itself where it has none. Every cell's results are compared with the reference, and with those of
the first cell.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from attrs import define, evolve, field, frozen

from hcc.isa.errors import HccError
from hcc.isa.store import write_atomically
from hcc.runtime.workload import compare, manifest
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.compare import Rules
from hcc.runtime.workload.graph import Progress
from hcc.runtime.workload.launch import Launched, Tell, launch
from hcc.runtime.workload.matrix import Choice
from hcc.runtime.workload.places import SpecError
from hcc.runtime.workload.session import Session
from hcc.runtime.workload.tasks import LOG, MANIFEST


@frozen
class Case:
    """One verdict: 'passed', 'failed' or 'skipped', with what there is to say."""

    workload: str
    name: str
    state: str
    message: str = ""
    seconds: float = 0.0
    log: str = ""


@define
class Verdict:
    """A workload's test: its cases, and where the results are."""

    workload: str
    cases: list[Case] = field(factory=list)
    folder: Path | None = None
    bad_input: bool = False
    updated: list[str] = field(factory=list)

    @property
    def state(self) -> str:
        states = {case.state for case in self.cases}
        if "failed" in states:
            return "failed"
        return "passed" if "passed" in states else "skipped"

    def add(self, name: str, state: str, message: str = "", seconds: float = 0.0) -> None:
        """Add a case."""
        self.cases.append(Case(self.workload, name, state, message, seconds))


@frozen
class _Outcome:
    """A job's results on a cell, as they are compared."""

    cell: str
    job: Workload
    folder: Path
    status: int | None
    seconds: float
    failure: str = ""


def rules_of(workload: Workload) -> Rules:
    """How a workload's own `testing` wants things compared."""
    return Rules(
        workload.get("testing.strip"), workload.get("testing.log"),
        workload.get("testing.tolerance.relative"), workload.get("testing.tolerance.absolute"),
        workload.get("testing.match"), workload.get("testing.absent"),
    )  # fmt: skip


def _has_testing(workload: Workload) -> bool:
    return "testing" in workload.spec.settings


def test(
    session: Session,
    workload: Workload,
    choice: Choice,
    update: bool = False,
    parallel: int = 0,
    ray: bool = False,
    progress: Progress = lambda _id, _event: None,
    tell: Tell = lambda _cell, _event: None,
) -> Verdict:
    """Build, launch and compare a workload."""
    verdict = Verdict(workload.name)
    if not any(map(_has_testing, workload.everyone())):
        verdict.add("testing", "skipped", "the workload has no 'testing'")
        return verdict
    references = _references(workload, update)
    begin = time.monotonic()
    limit = workload.own("testing.buildTimeout")
    report = session.build(workload.everyone(), parallel, progress, timeout=limit)
    seconds = time.monotonic() - begin
    if not report.ok:
        for name, error in report.failed.items():
            verdict.bad_input |= isinstance(error, SpecError)
            verdict.add(f"build {name}", "failed", str(error), seconds)
        return verdict
    if limit is not None and seconds > limit:
        verdict.add("build", "failed", f"took {seconds:.1f} s, more than {limit:g} s", seconds)
        return verdict
    every = not choice.jobs
    launched = launch(session, workload, evolve(choice, every_job=every), parallel, ray, tell)
    verdict.folder = launched.folder
    for skipped in launched.skipped:
        where = " ".join(p for p in (skipped.cell and skipped.cell.name, skipped.job) if p)
        verdict.add(where, "skipped", skipped.reason)
    outcomes = _outcomes(workload, launched)
    for problem in launched.problems:
        verdict.add("post_run_hook", "failed", problem)
    judge(verdict, workload, outcomes, references, update)
    return verdict


def _outcomes(workload: Workload, launched: Launched) -> list[_Outcome]:
    jobs = {job.name: job for job in workload.everyone()}
    return [
        _Outcome(
            cell.cell.name, jobs[r.name], r.folder, r.status, r.seconds,
            "" if r.state == "ok" else r.message,
        )
        for cell in launched.cells
        for r in cell.jobs
    ]  # fmt: skip


def _references(workload: Workload, update: bool) -> dict[str, Path]:
    """The reference folders of a workload and its jobs, by name of who sets them."""
    found = {}
    for one in workload.everyone():
        text = one.own("testing.refDir")
        if text is None:
            continue
        try:
            path = one.path("testing.refDir", text)
        except SpecError:
            if not update:
                raise
            path = one.workdir / text
        if path.exists() and not path.is_dir():
            raise SpecError(one.place("testing.refDir"), f"'testing.refDir': {path} is no folder")
        found[one.name] = path
    return found


def reference_for(workload: Workload, job: Workload, references: dict[str, Path]) -> list[Path]:
    """The folders that a job's results must hold: below the workload's and the job's own refDir,
    that called like the job. A workload without jobs may have its files in refDir itself."""
    found = []
    for owner in dict.fromkeys((workload.name, job.name)):
        root = references.get(owner)
        if root is None:
            continue
        names = [n for n in (job.name, job.spec.job) if n and (root / n).is_dir()]
        if names:
            found.append(root / names[0])
        elif owner == job.name:
            found.append(root)
    return found


def judge(
    verdict: Verdict,
    workload: Workload,
    outcomes: Sequence[_Outcome],
    references: dict[str, Path],
    update: bool = False,
) -> None:
    """Compare what came out; the cases go to the verdict."""
    disagreements = _disagreements(workload, outcomes)
    if update and not disagreements and not any(o.failure for o in outcomes):
        verdict.updated += _update(workload, outcomes, references)
    for outcome in outcomes:
        problems = [outcome.failure] if outcome.failure else []
        for folder in reference_for(workload, outcome.job, references):
            owner = outcome.job if _has_testing(outcome.job) else workload
            problems += compare.compare_tree(
                folder, outcome.folder, rules_of(owner), outcome.status
            )
        for one in dict.fromkeys((workload, outcome.job)):
            if _has_testing(one):
                problems += compare.check_patterns(outcome.folder, rules_of(one), outcome.status)
        verdict.add(
            f"{outcome.cell} {outcome.job.name}", "failed" if problems else "passed",
            "\n".join(problems), outcome.seconds,
        )  # fmt: skip
    for root in references.values():
        for name in _strangers(workload, root):
            verdict.add(f"reference {name}", "failed", f"{root / name}: no job is called so")
    for job, problem in disagreements.items():
        verdict.add(f"agreement {job}", "failed", problem)


def _strangers(workload: Workload, root: Path) -> list[str]:
    """Folders of a reference that belong to no job, where some do."""
    names = {n for one in workload.everyone() for n in (one.name, one.spec.job) if n}
    if not workload.jobs or not root.is_dir():
        return []
    return [p.name for p in sorted(root.iterdir()) if p.name not in names]


def _disagreements(workload: Workload, outcomes: Sequence[_Outcome]) -> dict[str, str]:
    """The first difference between cells, for each job that has one."""
    found: dict[str, str] = {}
    firsts: dict[str, _Outcome] = {}
    for outcome in outcomes:
        name = outcome.job.name
        first = firsts.setdefault(name, outcome)
        if first is outcome or name in found or outcome.status is None or first.status is None:
            continue
        owner = outcome.job if _has_testing(outcome.job) else workload
        problem = compare.disagreement(
            (first.cell, first.folder, first.status),
            (outcome.cell, outcome.folder, outcome.status),
            rules_of(owner),
        )
        if problem is not None:
            found[name] = f"{first.cell} and {outcome.cell} differ: {problem}"
    return found


def _update(
    workload: Workload, outcomes: Sequence[_Outcome], references: dict[str, Path]
) -> list[str]:
    """Make the references what the first cell gave; of a reference that has files, only those."""
    written: list[str] = []
    seen: set[str] = set()
    for outcome in outcomes:
        if outcome.job.name in seen:
            continue
        seen.add(outcome.job.name)
        folders = reference_for(workload, outcome.job, references)
        if not folders and workload.name in references:
            folders = [references[workload.name] / outcome.job.name]
        for folder in folders:
            if folder == references.get(workload.name) and not _files(folder):
                folder = folder / outcome.job.name
            for name in _files(folder) or _files(outcome.folder):
                source = outcome.folder / name
                if not source.is_file():
                    (folder / name).unlink()
                    continue
                content = source.read_bytes()
                if source.name == LOG:
                    content = compare.log_text(content, True, outcome.status)
                write_atomically(folder / name, content)
                written.append(str(folder / name))
    return written


def _files(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    ]


def compare_only(workload: Workload, folder: Path) -> Verdict:
    """Compare the results of an earlier run, in a run's folder or a cell's, with the reference."""
    verdict = Verdict(workload.name, folder=folder)
    jobs = list(workload.jobs) or [workload]
    cells = [folder] if any((folder / job.name).is_dir() for job in workload.everyone()) else []
    if not cells and folder.is_dir():
        cells = sorted(p for p in folder.iterdir() if p.is_dir())
    outcomes = []
    for cell in cells:
        for job in jobs:
            place = cell / job.name
            if place.is_dir():
                outcomes.append(_recorded(cell.name, job, place))
    if not outcomes:
        raise HccError(f"{folder}: holds no results of {workload.name}")
    judge(verdict, workload, outcomes, _references(workload, False))
    return verdict


def _recorded(cell: str, job: Workload, folder: Path) -> _Outcome:
    if not (folder / MANIFEST).is_file():
        return _Outcome(cell, job, folder, None, 0.0)
    noted = manifest.load(folder)
    failure = "" if noted["state"] == "ok" else str(noted["message"])
    return _Outcome(cell, job, folder, noted["status"], float(noted["seconds"]), failure)

