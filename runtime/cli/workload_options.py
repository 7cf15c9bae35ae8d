"""What the commands of `hcc workload` share: options, loading, progress, choices."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hcc.runtime.cli.parameters import seconds

if TYPE_CHECKING:
    from hcc.runtime.workload.chain import Workload
    from hcc.runtime.workload.folders import Folders
    from hcc.runtime.workload.graph import Report
    from hcc.runtime.workload.matrix import Choice
    from hcc.runtime.workload.session import Session

Tell = Callable[[str, str], None]
Result = TypeVar("Result")
Command = TypeVar("Command", bound=Callable[..., Any])

specs_argument = click.argument("specs", nargs=-1, required=True, metavar="SPEC...")
spec_argument = click.argument("spec", metavar="SPEC")
out_option = click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR",
    help="Folder for all that is made (default: hcc-workloads beside the specification).",
)  # fmt: skip
workdir_option = click.option(
    "--workdir", "folders", multiple=True, metavar="DIR",
    help="Folder in which targets and bases are looked for, too.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
werror_option = click.option("--werr", is_flag=True, help="Warnings are errors.")
parallel_option = click.option(
    "--parallel", "-P", default=0, type=click.IntRange(min=0), metavar="N",
    help="Work on so many things at a time (default: one for each CPU).",
)  # fmt: skip
job_option = click.option(
    "-j", "--job", "jobs", multiple=True, metavar="JOB", help="A job; may be repeated."
)
all_option = click.option("-a", "--all", "every", is_flag=True, help="All jobs.")
_isa_option = click.option(
    "--isa", "isas", multiple=True, metavar="ISA",
    help="Run on this ISA (or several, by commas); default: the workload's.",
)  # fmt: skip
_level_option = click.option(
    "--level", "levels", multiple=True, metavar="LEVEL",
    help="interp, jit, user, native, system (or several, by commas), or all; default: the "
    "workload's.",
)
_executor_option = click.option(
    "--executor", type=click.Choice(["local", "ray"]), default="local", show_default=True,
    help="Where cells run; ray is a cluster.",
)  # fmt: skip
_timeout_option = click.option(
    "--timeout", type=float, callback=seconds, metavar="SECONDS",
    help="Longest time for each job.",
)  # fmt: skip


def matrix_options(command: Command) -> Command:
    """The options of commands that run a matrix of cells."""
    for option in (_timeout_option, _executor_option, _level_option, _isa_option):
        command = option(command)
    return command


def warn(text: str) -> None:
    """Print a warning."""
    print(f"hcc: warning: {text}", file=sys.stderr)


def load(
    ctx: click.Context, specs: Sequence[str], folders: Sequence[str], werror: bool = False
) -> list[Workload]:
    """The workloads that a command line names."""
    from hcc.isa.errors import HccError
    from hcc.runtime.workload.chain import Loader

    def refuse(text: str) -> None:
        raise HccError(text)

    loader = Loader([Path(f) for f in (*(ctx.obj or ()), *folders)], refuse if werror else warn)
    return list(dict.fromkeys(loader.target(spec) for spec in specs))


def by_folder(
    workloads: Sequence[Workload], out: Path | None
) -> list[tuple[Folders, list[Workload]]]:
    """Workloads with the folders that they are built in."""
    from hcc.runtime.workload.folders import output_folder

    groups: dict[Folders, list[Workload]] = {}
    for workload in workloads:
        groups.setdefault(output_folder(workload.spec.path, out), []).append(workload)
    return list(groups.items())


def words(values: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    """The words of a repeatable option that takes lists by commas; `all` stands for every one."""
    from hcc.isa.errors import HccError
    from hcc.runtime.workload.places import nearest

    found: list[str] = []
    for word in (w for value in values for w in value.split(",") if w):
        if word == "all":
            found += known
        elif word in known:
            found.append(word)
        else:
            raise HccError(
                f"no such {what}: '{word}' (known: {', '.join(known)}){nearest(word, known)}"
            )
    return tuple(dict.fromkeys(found))


def choice(
    isas: Sequence[str],
    levels: Sequence[str],
    jobs: Sequence[str] = (),
    every: bool = False,
    args: tuple[str, ...] | None = None,
    persist: bool = False,
    timeout: float | None = None,
) -> Choice:
    """What the options choose."""
    from hcc.isa.fatbinary import ARCHITECTURES
    from hcc.runtime.workload.matrix import Choice
    from hcc.runtime.workload.schema import LEVELS

    return Choice(
        words(isas, ARCHITECTURES, "ISA"), words(levels, LEVELS, "level"), tuple(jobs), every,
        args, persist, timeout,
    )  # fmt: skip


@contextlib.contextmanager
def progress(title: str) -> Iterator[Tell]:
    """What tasks and cells are told to; shown on stderr while it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _what, _event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    at = TextColumn("{task.fields[at]}")
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), at)
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        bar = display.add_task(title, total=0, at="")
        begun: set[str] = set()

        def tell(what: str, event: str) -> None:
            if event == "start":
                begun.add(what)
                display.update(bar, total=len(begun), at=what)
            elif event in ("done", "failed"):
                display.update(bar, advance=1, at=what)

        yield tell


def for_each_built(
    groups: Iterable[tuple[Folders, list[Workload]]],
    command: str,
    parallel: int,
    act: Callable[[Session, Workload, Tell], Result],
    show: Callable[[Workload, Result], None],
) -> int:
    """Build each workload in a session of its own, do something with it, and show the result when
    the progress display is gone. Where building fails, say so and go on with the next. The exit
    status of the building."""
    from hcc.runtime.workload.session import session

    status = 0
    for place, workloads in groups:
        for workload in workloads:
            stem = workload.spec.path.stem
            with progress(workload.name) as tell, session(place, stem, command) as tools:
                report = tools.build(workload.everyone(), parallel, tell)
                result = act(tools, workload, tell) if report.ok else None
            if result is None:
                status = max(status, report_failures(report))
            else:
                show(workload, result)
    return status


def report_failures(report: Report) -> int:
    """Print what failed in a build; the exit status: 2 for bad input, 1 for failed work."""
    from hcc.runtime.workload.places import SpecError

    status = 0
    for error in report.failed.values():
        print(f"hcc: error: {error}", file=sys.stderr)
        status = max(status, 2 if isinstance(error, SpecError) else 1)
    for name in report.blocked if status == 1 else ():
        print(f"hcc: {name}: not made, because of what failed before it", file=sys.stderr)
    return status
