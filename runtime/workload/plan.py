"""From workloads to the tasks that build them.

The order is the manual's: a base with all that is done for it, then host-init, the programs,
post-bin, the image; jobs after their workload. A workload that changes neither sources, flags nor
ISAs runs its base's program; it is not compiled again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import define, field

from hcc.isa.errors import HccError
from hcc.runtime.workload import images, programs
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.graph import State, Task
from hcc.runtime.workload.host import host_init_task, post_bin_task
from hcc.runtime.workload.places import Place, SpecError
from hcc.runtime.workload.programs import Program
from hcc.runtime.workload.workshop import Workshop

_SOURCE_SUFFIX = ".c"
_Identity = tuple[object, ...]


@define
class Programs:
    """The programs of workloads; a program made already is found again by what it is made of."""

    _known: dict[_Identity, Program] = field(factory=dict)
    _names: set[tuple[str, str]] = field(factory=set)

    def main(self, workload: Workload) -> Program | None:
        """The program that a workload's sources or bin make."""
        if workload.get("sources"):
            return self._program(workload, "sources", tuple(workload.get("sources")))
        if workload.get("bin"):
            return self._program(workload, "bin", (workload.get("bin"),))
        return None

    def of_command(self, workload: Workload, key: str) -> Program | None:
        """The program that the first word of `run` or `guest-init` names, a file of the workdir."""
        words = workload.own(key)
        return None if words is None else self._program(workload, key, (words[0],))

    def _program(self, workload: Workload, key: str, files: tuple[str, ...]) -> Program:
        owner = workload.options[key].owner or workload.spec
        is_source = key == "sources" or files[0].endswith(_SOURCE_SUFFIX)
        flags = tuple(workload.get("flags")) if is_source else ()
        isas = tuple(workload.get("isas")) if is_source else ()
        flag_owner = workload.options["flags"].owner if is_source else None
        identity = (id(owner), key, files, flags, isas, id(flag_owner))
        known = self._known.get(identity)
        if known is not None:
            return known
        name = owner.job or owner.name if key in ("sources", "bin") else f"{workload.name}.{key}"
        program = Program(
            workload.name, name, key, workload,
            sources=files if is_source else (), binary=None if is_source else files[0],
            flags=flags, isas=isas,
        )  # fmt: skip
        self._known[identity] = program
        return program


def to_run(workload: Workload, all_programs: Programs) -> tuple[Program | None, tuple[str, ...]]:
    """What a workload runs, and with which arguments: `run`, else `command`, else its program."""
    args = tuple(workload.get("args"))
    if workload.own("run") is not None:
        return all_programs.of_command(workload, "run"), (*workload.own("run")[1:], *args)
    main = all_programs.main(workload)
    words = workload.own("command")
    if words is None:
        return main, args
    if main is not None and Path(words[0]).stem in {workload.name, *main.called}:
        return main, (*words[1:], *args)
    place = workload.place("command")
    if words[0].endswith((_SOURCE_SUFFIX, ".hcc")):
        return all_programs.of_command(workload, "command"), (*words[1:], *args)
    known = f" (its program is '{main.name}')" if main else ": it has no 'sources' or 'bin'"
    raise SpecError(place, f"'command': {workload.name} has no program '{words[0]}'{known}")


@define
class Plan:
    """The tasks of a build, each after those it needs, and the programs among them."""

    shop: Workshop
    programs: Programs = field(factory=Programs)
    binaries: bool = True
    pictures: bool = True
    tasks: dict[str, Task] = field(factory=dict)

    def add(self, workload: Workload) -> tuple[str, ...]:
        """Add the tasks of a workload and its bases; the ids of the last ones."""
        last = f"image:{workload.name}" if self.pictures else ""
        before: tuple[str, ...] = ()
        if workload.base is not None:
            before = self.add(workload.base)
        if last in self.tasks:
            return (last,)
        if workload.own("host-init") is not None:
            before = self._put(host_init_task(workload, before, self.shop))
        made = before
        if self.binaries:
            program, _ = to_run(workload, self.programs)
            mine = {p.task_id: p for p in (program, self.programs.main(workload)) if p}
            made = self._programs(mine.values(), before) or before
            if workload.own("post-bin") is not None:
                fat = None
                if program is not None:
                    fat = self.shop.folders.image(program.owner) / f"{program.name}.hcc"
                made = self._put(post_bin_task(workload, fat, made, self.shop))
        if not self.pictures:
            return made
        guest_init = self.programs.of_command(workload, "guest-init")
        if guest_init is not None:
            made += self._programs([guest_init], before)
        if workload.own("post-bin") is None:
            # The image needs no program, so it need not wait for one to be compiled.
            made = before + (made[-1:] if guest_init else ())
        image = images.task(workload, guest_init, made, self.shop)
        return self._put(image)

    def _programs(self, wanted: Iterable[Program], before: tuple[str, ...]) -> tuple[str, ...]:
        for program in wanted:
            if program.task_id not in self.tasks:
                self._put(programs.task(program, before, self.shop))
        return tuple(program.task_id for program in wanted)

    def _put(self, task: Task) -> tuple[str, ...]:
        self.tasks.setdefault(task.id, task)
        return (task.id,)


def check_names(workloads: Sequence[Workload], state: State) -> None:
    """Refuse names that another specification uses in the same output folder."""
    seen: dict[str, Place] = {}
    for workload in workloads:
        for one in _family(workload):
            path = str(one.spec.path.resolve())
            before = state.names.get(one.name)
            if before not in (None, path) and _still_names(Path(str(before)), one.name):
                place = one.spec.settings["name"].place
                raise SpecError(
                    place, f"a second workload named '{one.name}': {before} has one"
                )
            state.names[one.name] = path
            seen[one.name] = one.spec.place


def _family(workload: Workload) -> list[Workload]:
    found = []
    for one in workload.everyone():
        base: Workload | None = one
        while base is not None and base not in found:
            found.append(base)
            base = base.base
    return found


def _still_names(path: Path, name: str) -> bool:
    from hcc.runtime.workload.spec import load_spec

    try:
        spec = load_spec(path)
    except HccError:
        return False
    return name in {spec.name, *(job.name for job in spec.jobs)}
