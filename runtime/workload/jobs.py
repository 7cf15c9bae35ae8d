"""Running one job on one cell: its files laid out, the program run, its outputs brought back.

Below the system level a job gets a private copy of its image, in which it runs as in its root
(libhcc looks absolute paths up below it); the copy is thrown away. Before anything is run, the
code in the very file that is to run is compared with what was built.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from attrs import define, evolve, field

from hcc.isa.errors import HccError
from hcc.isa.store import write_atomically
from hcc.runtime.external import command_for
from hcc.runtime.network import STREAM_VARIABLE
from hcc.runtime.workload import console, cpio, machine
from hcc.runtime.workload.children import TOKEN_VARIABLE, Children, Ending
from hcc.runtime.workload.hashes import digest_bytes
from hcc.runtime.workload.programs import HCC, code_digest_of_elf, code_digest_of_fat
from hcc.runtime.workload.switch import Switch
from hcc.runtime.workload.tasks import LOG, JobResult, JobTask

_EMULATED = ("interp", "jit")


@define
class _Run:
    """What a run gathers on its way."""

    task: JobTask
    command: list[str] = field(factory=list)
    versions: dict[str, str] = field(factory=dict)
    problems: list[str] = field(factory=list)
    outputs: dict[str, str] = field(factory=dict)
    status: int | None = None


def run_job(task: JobTask, children: Children, switch: Switch | None) -> JobResult:
    """Run a job to its end. Whatever goes wrong is in the result."""
    run = _Run(task)
    ending = Ending(0, 0.0)
    try:
        task.folder.mkdir(parents=True, exist_ok=True)
        ending = (_run_machine if task.cell.level == "system" else _run_process)(
            run, children, switch
        )
    except HccError as error:
        run.problems.append(str(error))
    except OSError as error:
        run.problems.append(f"{error.filename or task.folder}: {error.strerror}")
    finally:
        if switch is not None and task.node is not None:
            switch.ended(task.node)
    if ending.timed_out:
        run.problems.insert(0, f"out of time after {ending.seconds:.1f} s")
    state = "timeout" if ending.timed_out else "failed" if run.problems else "ok"
    return JobResult(
        task.name, task.cell, task.folder, state, None if ending.timed_out else run.status,
        ending.seconds, "; ".join(run.problems), tuple(run.command), run.outputs, run.versions,
    )  # fmt: skip


def _layers(task: JobTask) -> list[bytes]:
    found = []
    for layer in task.layers:
        content = layer.path.read_bytes()
        if digest_bytes(content) != layer.digest:
            raise HccError(f"{layer.path}: altered since it was built: build the workload again")
        found.append(content)
    return found


def _check_code(task: JobTask, content: bytes, path: Path) -> None:
    """Refuse to run anything but the code that was built."""
    if task.cell.level in _EMULATED:
        digest = code_digest_of_fat(content, task.cell.isa, str(path))
    else:
        digest = code_digest_of_elf(content, str(path))
    if digest != task.code:
        raise HccError(f"{path}: its code for {task.cell.isa} is not what was built ({task.code})")


# ---- interp, jit, user, native ----


def _run_process(run: _Run, children: Children, switch: Switch | None) -> Ending:
    task = run.task
    with children.scratch("run") as scratch:
        root = scratch / "root"
        trees = [
            cpio.unpack(archive, str(layer.path))
            for archive, layer in zip(_layers(task), task.layers, strict=True)
        ]
        cpio.write_tree(cpio.merge(trees), root)
        program = root / "bin" / task.program
        source = task.fat if task.cell.level in _EMULATED else task.slice
        assert source is not None
        if program.parent.is_symlink() or (program.parent.exists() and not program.parent.is_dir()):
            raise HccError(f"the image has a /bin that is no folder: {task.program} belongs there")
        kept = program.read_bytes() if program.is_file() else None
        program.parent.mkdir(parents=True, exist_ok=True)
        program.unlink(missing_ok=True)
        shutil.copyfile(source, program)
        program.chmod(0o755)
        _check_code(task, program.read_bytes(), source)
        ending = _start(run, root, children, switch)
        _collect(run, root)
        if task.persist is not None:
            program.unlink(missing_ok=True)
            if kept is not None:
                program.write_bytes(kept)
            _persist(task, root)
        return ending


def _start(run: _Run, root: Path, children: Children, switch: Switch | None) -> Ending:
    task = run.task
    isa, level = task.cell.isa, task.cell.level
    argv0 = f"bin/{task.program}"
    guest = {**dict(task.env), "HCC_ROOT": "."}
    network = None if switch is None or task.node is None else switch.connect(task.node)
    executable = None
    if level in _EMULATED:
        run.command = [*HCC, "run", "--engine", level, "--isa", isa, *_options(task, root)]
        for name, value in guest.items():
            run.command += ["-E", f"{name}={value}"]
        run.command += [argv0, "--", *task.args]
        env = dict(os.environ)
        if network is not None:
            env[STREAM_VARIABLE] = str(network.fileno())
        run.versions["hcc"] = _hcc_version()
    else:
        env = guest
        if network is not None:
            env["HCC_NET_FD"] = str(network.fileno())
        if level == "user":
            (qemu,) = command_for(isa, "qemu")
            run.command = [qemu, "-U", TOKEN_VARIABLE, "-0", argv0, argv0, *task.args]
            run.versions["qemu"] = tool_version(qemu)
        else:
            command_for(isa, "native")
            run.command = [argv0, *task.args]
            executable = str(root / argv0)
    try:
        with (task.folder / LOG).open("wb") as log:
            ending = children.run(
                run.command, log, root, env, task.stdin, task.timeout,
                (network.fileno(),) if network is not None else (),
                executable,
                lambda _pid: network.close() if network is not None else None,
            )  # fmt: skip
    finally:
        if network is not None:
            network.close()
    run.status = ending.status
    return ending


def _options(task: JobTask, root: Path) -> tuple[str, ...]:
    """The options of `hcc run`. Where their files have been moved, logs must not tell cells apart
    by where to: the files get names beside the root that are the same in every cell."""
    if not task.moved:
        return task.options
    names = {}
    for number, path in enumerate(task.option_files):
        place = root.parent / "files" / str(number) / path.name
        place.parent.mkdir(parents=True)
        shutil.copyfile(path, place)
        names[str(path)] = os.path.relpath(place, root)
    return task.options_with(names)


def _collect(run: _Run, root: Path) -> None:
    for text in run.task.outputs:
        place = root / text.lstrip("/")
        if _bring(place, root, run.task.folder / place.name):
            run.outputs[text] = place.name
        else:
            run.problems.append(f"there is no output {text}")


def _bring(place: Path, root: Path, target: Path, above: tuple[Path, ...] = ()) -> bool:
    """Copy a file or folder out of a root; whether there is one. Links count as what they lead to;
    of a folder, what is neither file nor folder, leads out of the root or in a circle stays."""
    real = Path(os.path.realpath(place))
    if not real.is_relative_to(os.path.realpath(root)) or real in above:
        return False
    if real.is_file():
        shutil.copyfile(real, target)
        return True
    if not real.is_dir():
        return False
    target.mkdir(exist_ok=True)
    for entry in sorted(real.iterdir()):
        _bring(entry, root, target / entry.name, (*above, real))
    return True


def _persist(task: JobTask, root: Path) -> None:
    """Keep the tree as the run left it, for the next one."""
    assert task.persist is not None
    write_atomically(task.persist, cpio.pack(cpio.read_tree(root)))
    write_atomically(task.persist.with_suffix(".of"), task.image.encode())


@cache
def _hcc_version() -> str:
    from importlib.metadata import version

    return version("hcc")


@cache
def tool_version(tool: str) -> str:
    """The first line of what a tool says to --version."""
    try:
        done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        return f"unknown: {error.strerror}"
    return (done.stdout.splitlines() or ["unknown"])[0]


# ---- system ----


def _run_machine(run: _Run, children: Children, switch: Switch | None) -> Ending:
    task = run.task
    assert task.slice is not None and task.machine.kernel is not None
    content = task.slice.read_bytes()
    _check_code(task, content, task.slice)
    mark = machine.new_mark()
    with children.scratch("machine") as scratch:
        initrd = scratch / "initrd"
        initrd.write_bytes(machine.initial_files(task, _layers(task), content, mark))
        socket = None
        if switch is not None and task.node is not None:
            socket = "network"
            switch.listen(task.node, scratch / socket)
        run.command = machine.command(task, task.machine.kernel, initrd, socket)
        run.versions["qemu"] = tool_version(task.machine.qemu)
        run.versions["kernel"] = task.machine.kernel_package
        output = scratch / "console"
        with output.open("wb") as log:
            ending = children.run(
                run.command, log, scratch, dict(os.environ), None, task.timeout
            )
        said = output.read_bytes()
    decoded = _decode(run, said, mark)
    if ending.timed_out:
        return ending
    if decoded.status is None:
        last = decoded.log.decode(errors="replace").strip().rpartition("\n")[2]
        said_last = f"; its last words: {last[:200]}" if last else ""
        run.problems.append(f"the machine went off without saying how the program ended{said_last}")
    run.status = decoded.status
    run.problems += [f"there is no output {path}" for path in decoded.missing]
    _write_files(run, decoded.files)
    return ending


def _decode(run: _Run, said: bytes, mark: str) -> console.Console:
    try:
        decoded = console.decode(said, mark)
    except HccError:
        (run.task.folder / LOG).write_bytes(said)
        raise
    (run.task.folder / LOG).write_bytes(decoded.log)
    return decoded


def _write_files(run: _Run, files: dict[str, bytes | None]) -> None:
    for output in run.task.outputs:
        root = "/" + output.strip("/")
        name = Path(root).name
        for path, content in files.items():
            if path != root and not path.startswith(root + "/"):
                continue
            place = run.task.folder / (name + path[len(root) :])
            if content is None:
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            run.outputs[output] = name


def refuse_status(result: JobResult, expected: int | None) -> JobResult:
    """The result, failed if the program did not end with the status expected of it."""
    if result.state != "ok" or expected is None or result.status == expected:
        return result
    wanted = "" if expected == 0 else f", not {expected}"
    return evolve(result, state="failed", message=f"exit status {result.status}{wanted}")


def first_failure(results: Sequence[JobResult]) -> JobResult | None:
    """The first of the results that is not ok."""
    return next((r for r in results if r.state != "ok"), None)
