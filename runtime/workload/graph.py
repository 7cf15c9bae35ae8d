"""A small make: tasks that run when what they were made from, or what they made, has changed.

A task names its inputs by digest, so a file that is touched or written anew with the same content
is no change. What each task was last made from and made is kept in one state file, replaced as a
whole after every task: a build that is killed has either finished a task or knows nothing of it.
Tasks whose prerequisites are done run side by side; their inputs are asked for only then, since
earlier tasks may make them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

from attrs import define, field, frozen

from hcc.isa.errors import HccError
from hcc.isa.store import write_atomically
from hcc.runtime.workload.hashes import ABSENT, FileDigests

_VERSION = 1


class TaskFailed(HccError):
    """A task did its work and the work failed: a compiler's errors, a script's exit status."""


@frozen
class Made:
    """What a task made: files, and notes that it wants to see the next time."""

    files: tuple[Path, ...]
    notes: Mapping[str, Any] = field(factory=dict)


class Action(Protocol):
    """Does a task's work."""

    def __call__(self) -> Made: ...


@frozen(eq=False)
class Task:
    """A piece of work. `inputs` gives digests by name; it is called when `after` are done, with
    the notes of the last time."""

    id: str
    after: tuple[str, ...]
    inputs: Callable[[Mapping[str, Any]], dict[str, str]]
    action: Action

    def act(self) -> Made:
        """Do the work; HccError for whatever goes wrong with files on the way."""
        try:
            return self.action()
        except OSError as error:
            raise HccError(f"{self.id}: {error.filename}: {error.strerror}") from error


@define
class State:
    """What a build folder knows: digests of files, and the record of each task."""

    path: Path
    digests: FileDigests
    tasks: dict[str, dict[str, Any]]
    names: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> State:
        """The state in a file; a damaged or foreign one counts as none: all is built again."""
        try:
            content = json.loads(path.read_bytes())
            if content["version"] != _VERSION:
                raise ValueError("another version")
            return cls(
                path, FileDigests(content["files"]), content["tasks"], content["names"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls(path, FileDigests(), {}, {})

    def save(self) -> None:
        """Write the state as it is now."""
        content = {
            "version": _VERSION,
            "names": self.names,
            "tasks": self.tasks,
            "files": dict(self.digests.known),
        }
        write_atomically(self.path, json.dumps(content).encode())
        self.digests.changed = False

    def notes(self, task: str) -> Mapping[str, Any]:
        """What a task noted the last time."""
        notes: Mapping[str, Any] = self.tasks.get(task, {}).get("notes", {})
        return notes

    def stale(self, task: Task, inputs: Mapping[str, str]) -> list[str]:
        """Why a task must run; empty if it need not."""
        record = self.tasks.get(task.id)
        if record is None:
            return ["it was never built"]
        before = record["inputs"]
        reasons = [f"{n} is new" for n in inputs if n not in before]
        reasons += [f"{n} is gone" for n in before if n not in inputs]
        reasons += [f"{n} has changed" for n in inputs if before.get(n, inputs[n]) != inputs[n]]
        for name, digest in record["outputs"].items():
            now = self.digests.of_file(name)
            if now != digest:
                reasons.append(f"{name} is {'missing' if now == ABSENT else 'altered'}")
        return reasons

    def record(self, task: Task, inputs: Mapping[str, str], made: Made) -> None:
        """Note that a task has run."""
        outputs = {str(path.absolute()): self.digests.of_file(path) for path in made.files}
        self.tasks[task.id] = {
            "inputs": dict(inputs),
            "outputs": outputs,
            "notes": dict(made.notes),
        }


@define
class Report:
    """What a build did: tasks that ran with the reasons, those up to date, those that failed."""

    ran: dict[str, list[str]] = field(factory=dict)
    fresh: list[str] = field(factory=list)
    failed: dict[str, HccError] = field(factory=dict)
    blocked: list[str] = field(factory=list)

    @property
    def ok(self) -> bool:
        return not self.failed and not self.blocked


Progress = Callable[[str, str], None]
"""Told a task's id and what becomes of it: 'start', 'done', 'fresh' or 'failed'."""


def build(
    tasks: Sequence[Task],
    state: State,
    jobs: int,
    progress: Progress = lambda _id, _event: None,
    abandon: Callable[[], None] = lambda: None,
) -> Report:
    """Run what must run, `jobs` at a time. A failure holds up only what comes after it.

    `abandon` is called to end the work under way when this is interrupted.
    """
    report = Report()
    waiting = {task.id: task for task in tasks}
    done: set[str] = set()
    bad: set[str] = set()
    running: dict[Future[Made], tuple[Task, dict[str, str], list[str]]] = {}

    def finish(future: Future[Made]) -> None:
        task, inputs, reasons = running.pop(future)
        try:
            made = future.result()
            # What the task noted may change what it depends on.
            settled = task.inputs(made.notes) if made.notes else inputs
        except HccError as error:
            state.tasks.pop(task.id, None)
            report.failed[task.id] = error
            bad.add(task.id)
            progress(task.id, "failed")
        else:
            state.record(task, settled, made)
            report.ran[task.id] = reasons
            done.add(task.id)
            progress(task.id, "done")
        state.save()

    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            while waiting or running:
                for task in _ready(waiting, done, bad, report):
                    _start(task, state, pool, running, report, done, bad, progress)
                if running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        finish(future)
        except BaseException:
            for future in running:
                future.cancel()
            abandon()
            raise
    if state.digests.changed:
        state.save()
    return report


def _ready(
    waiting: dict[str, Task], done: set[str], bad: set[str], report: Report
) -> Iterable[Task]:
    """Take out of `waiting` what can begin; what waits for a failure is blocked."""
    ready = []
    for task in list(waiting.values()):
        if any(name in bad for name in task.after):
            bad.add(task.id)
            report.blocked.append(task.id)
            del waiting[task.id]
        elif all(name in done for name in task.after):
            ready.append(task)
            del waiting[task.id]
    return ready


def _start(
    task: Task,
    state: State,
    pool: ThreadPoolExecutor,
    running: dict[Future[Made], tuple[Task, dict[str, str], list[str]]],
    report: Report,
    done: set[str],
    bad: set[str],
    progress: Progress,
) -> None:
    try:
        inputs = task.inputs(state.notes(task.id))
    except HccError as error:
        report.failed[task.id] = error
        bad.add(task.id)
        progress(task.id, "failed")
        return
    reasons = state.stale(task, inputs)
    if not reasons:
        report.fresh.append(task.id)
        done.add(task.id)
        progress(task.id, "fresh")
        return
    progress(task.id, "start")
    # Should this be the end of us, the half-done work must not pass for what was there before.
    if state.tasks.pop(task.id, None) is not None:
        state.save()
    running[pool.submit(task.act)] = (task, inputs, reasons)
