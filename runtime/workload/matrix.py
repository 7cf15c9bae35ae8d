"""Which cells a workload is launched on, why not on the others, and its jobs as tasks."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from hcc.isa.errors import HccError, UnsupportedError
from hcc.runtime.external import command_for
from hcc.runtime.workload import kernels
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.images import KEPT, LAYER, Image
from hcc.runtime.workload.machine import find_qemu
from hcc.runtime.workload.places import SpecError, nearest
from hcc.runtime.workload.plan import to_run
from hcc.runtime.workload.programs import Built
from hcc.runtime.workload.session import Session
from hcc.runtime.workload.tasks import LOG, MANIFEST, Cell, JobTask, LayerFile, Machine

_ENGINES = ("interp", "jit")


@frozen
class Choice:
    """What a command line chooses: ISAs, levels (none: what the workload says), jobs, arguments
    that replace the workload's, whether changes to the image are kept."""

    isas: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    every_job: bool = False
    args: tuple[str, ...] | None = None
    persist: bool = False
    timeout: float | None = None


@frozen
class Skipped:
    """A cell, or a job of it, that is not run, and why."""

    cell: Cell | None
    job: str | None
    reason: str

    def __str__(self) -> str:
        parts = [self.cell.name if self.cell else None, self.job]
        return f"{' '.join(p for p in parts if p)}: skipped: {self.reason}"


def chosen_jobs(workload: Workload, choice: Choice) -> tuple[list[Workload], list[Skipped]]:
    """The jobs that a command line chooses: those named, all, or the workload itself."""
    if choice.jobs:
        known = {job.spec.job: job for job in workload.jobs}
        full = {job.name: job for job in workload.jobs}
        found = []
        for name in choice.jobs:
            job = known.get(name) or full.get(name)
            if job is None:
                names = [str(n) for n in known]
                listed = f" (its jobs: {', '.join(names)})" if names else ": it has no jobs"
                raise HccError(
                    f"{workload.spec.path}: no job '{name}'{listed}{nearest(name, names)}"
                )
            found.append(job)
        candidates = list(dict.fromkeys(found))
    elif choice.every_job and workload.jobs:
        candidates = list(workload.jobs)
    else:
        candidates = [workload]
    skipped = [
        Skipped(None, w.name, f"{w.place('launch')} says launch: false")
        for w in candidates
        if not w.get("launch")
    ]
    return [w for w in candidates if w.get("launch")], skipped


def cells(workload: Workload, choice: Choice) -> list[Cell]:
    """The cells asked for, in the order of ISAs, then levels."""
    isas = choice.isas or workload.get("isas")
    levels = choice.levels or workload.get("levels")
    return [Cell(isa, level) for isa in isas for level in levels]


def obstacle(workload: Workload, cell: Cell) -> str | None:
    """Why a workload cannot be run on a cell on this machine; None if it can."""
    moving = [key for key in ("migrate.plan", "pim", "lebug") if workload.get(key) is not None]
    try:
        if cell.level not in _ENGINES and moving:
            key = moving[0].partition(".")[0]
            return f"'{key}' needs an emulator of hcc (interp or jit)"
        match cell.level:
            case "interp" | "jit":
                for key in moving[moving[:1] == ["migrate.plan"] :]:
                    _check_option(f"--{key}")
            case "native":
                command_for(cell.isa, "native")
            case "user":
                command_for(cell.isa, "qemu")
            case "system":
                return _system_obstacle(workload, cell.isa)
    except UnsupportedError as error:
        return str(error)
    return None


def _check_option(option: str) -> None:
    """UnsupportedError where `hcc run` has no such option."""
    from hcc.runtime.cli.run import command

    if not any(option in parameter.opts for parameter in command.params):
        raise UnsupportedError(f"this hcc's `run` has no {option}")


def _system_obstacle(workload: Workload, isa: str) -> str | None:
    if workload.get("qemu") is None:
        return f"{workload.place('qemu')} says qemu: null"
    for key in ("linux.config", "linux.modules", "firmware.opensbi-build-args"):
        if workload.get(key):
            return f"'{key}' asks for a build of its own; hcc boots what Debian built"
    find_qemu(isa, workload.get("qemu"))
    if own_kernel(workload, isa) is None and kernels.cached(isa) is None:
        return (
            f"no kernel for {isa} in the cache; "
            f"`hcc workload fetch-kernel --isa {isa}` fetches Debian's"
        )
    return None


def own_kernel(workload: Workload, isa: str) -> Path | None:
    """The kernel that a workload brings itself."""
    given = (workload.get("linux.source") or {}).get(isa)
    return None if given is None else workload.file("linux.source", given)


def task(
    workload: Workload,
    root: Workload,
    cell: Cell,
    folder: Path,
    session: Session,
    choice: Choice,
) -> JobTask:
    """A job of `root` (or itself) on a cell as a task; its program and image must be built."""
    program, words = to_run(workload, session.programs)
    if choice.args is not None:
        words = (*words[: len(words) - len(workload.get("args"))], *choice.args)
    if program is None:
        raise SpecError(workload.spec.place, f"{workload.name} has nothing to run")
    images = session.folders.images
    built = Built.load(images / program.owner, program.name)
    code = built.code.get(cell.isa)
    if code is None:
        raise UnsupportedError(
            f"the program has no code for {cell.isa}, only for {', '.join(built.code)}"
        )
    image, layers = _layers(workload, images)
    env = dict(workload.get("env") or {})
    if workload.node is not None:
        env |= {"HCC_NODE": str(workload.node), "HCC_NODES": str(workload.nodes)}
    stdin = workload.get("stdin")
    options, option_files = _run_options(workload, tuple(built.code))
    timeout = choice.timeout
    for one in (workload, root):
        timeout = timeout or one.own("testing.runTimeout")
    return JobTask(
        name=workload.name, cell=cell, folder=folder, program=program.name,
        fat=built.fat, slice=built.slices[cell.isa], code=code,
        args=tuple(words), env=tuple(env.items()),
        stdin=None if stdin is None else workload.file("stdin", stdin).absolute(),
        layers=layers, outputs=_outputs(workload), machine=_machine(workload, cell),
        options=options, option_files=option_files, node=workload.node, nodes=workload.nodes,
        timeout=timeout, persist=images / workload.name / KEPT if choice.persist else None,
        image=image, specs=tuple(dict.fromkeys(spec.path for spec in workload.chain)),
    )  # fmt: skip


def _layers(workload: Workload, images: Path) -> tuple[str, tuple[LayerFile, ...]]:
    """The image's identity and its layers; what an earlier run was told to keep, if it was made
    from the same image."""
    from hcc.runtime.workload.hashes import digest_bytes

    image = Image.load(images / workload.name)
    identity = digest_bytes(" ".join(layer.digest for layer in image.layers).encode())
    kept = images / workload.name / KEPT
    with_mark = kept.with_suffix(".of")
    if kept.is_file() and with_mark.is_file() and with_mark.read_text() == identity:
        return identity, (LayerFile(kept, digest_bytes(kept.read_bytes())),)
    return identity, tuple(
        LayerFile(images / layer.workload / LAYER, layer.digest) for layer in image.layers
    )


def _outputs(workload: Workload) -> tuple[str, ...]:
    outputs: tuple[str, ...] = workload.get("outputs")
    names: dict[str, str] = {LOG: "the log", MANIFEST: "the manifest"}
    for text in outputs:
        name = Path(text).name
        if not name or ".." in Path(text).parts:
            raise SpecError(workload.place("outputs"), f"'outputs': {text} names no file")
        if name in names:
            raise SpecError(
                workload.place("outputs"),
                f"'outputs': {text} would be called like {names[name]}: outputs go into one folder",
            )
        names[name] = text
    return outputs


def _machine(workload: Workload, cell: Cell) -> Machine:
    kernel = firmware = package = None
    qemu = ""
    if cell.level == "system":
        qemu = find_qemu(cell.isa, workload.get("qemu"))
        kernel = own_kernel(workload, cell.isa)
        if kernel is None:
            found = kernels.cached(cell.isa)
            if found is not None:
                kernel, package = found.image, f"{found.package} {found.version}"
        source = workload.get("firmware.opensbi-src")
        if source is not None and cell.isa == "riscv64":
            firmware = workload.file("firmware.opensbi-src", source).absolute()
    args = tuple(workload.get("qemu-args"))
    package = package or "the workload's own"
    return Machine(workload.get("cpus"), workload.get("mem"), qemu, args, kernel, firmware, package)


def _run_options(
    workload: Workload, isas: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    from hcc.runtime.migrate import parse_plan

    words: list[str] = []
    files: list[Path] = []
    plan = workload.get("migrate.plan")
    if plan is not None:
        try:
            parse_plan(plan, isas, 0)
        except HccError as error:
            raise SpecError(workload.place("migrate.plan"), f"'migrate': {error}") from error
        words += ["--migrate", plan, "--seed", str(workload.get("migrate.seed"))]
        words += ["--poison"] if workload.get("migrate.poison") else []
    for word in workload.get("engine-args"):
        if word.partition("=")[0] in ("--isa", "--engine"):
            fault = f"'engine-args': '{word}' belongs to the cell: see 'isas' and 'levels'"
            raise SpecError(workload.place("engine-args"), fault)
    for key in ("lebug", "pim", "engine-args"):
        value = workload.get(key)
        for text in (value,) if isinstance(value, str) else value or ():
            unit, equals, name = text.rpartition("=")
            path = _file(workload, key, name)
            if path is not None:
                files.append(path)
                name = str(path)
            words += [f"--{key}"] if key != "engine-args" else []
            words.append(f"{unit}{equals}{name}")
    return tuple(words), tuple(files)


def _file(workload: Workload, key: str, name: str) -> Path | None:
    """The file that a word names, if it names one; else it is one of `hcc run`'s own words."""
    try:
        path = workload.path(key, name).absolute()
    except SpecError:
        return None
    return path if path.is_file() else None
