"""Programs of the host that a workload names: host-init, post-bin and the hook after a run.

They run in the workload's folder, without a shell. host-init may read and write there what it
likes, so it runs again when anything in the folder differs from the last time, except what it
made itself, what the specification uses for something else (sources, overlay, files, references,
other scripts) and hcc's own output. A workload that lists `deps` is taken at its word instead.
Files that host-init made count as its outputs: where one is missing or altered, it runs again.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.graph import Made, Task, TaskFailed
from hcc.runtime.workload.places import SpecError
from hcc.runtime.workload.spec import Spec
from hcc.runtime.workload.workshop import Workshop

_Mark = tuple[int, int, int]
_INTERPRETER = "/bin/sh"


def script_file(workload: Workload, word: str, owner: Spec) -> Path | None:
    """The file that a command's first word names in its owner's folder, if it names one there."""
    for folder in (workload.workdirs[id(owner)], owner.path.parent):
        if (folder / word).is_file():
            return folder / word
    return None


def host_command(workload: Workload, key: str, words: Sequence[str], owner: Spec) -> list[str]:
    """The command line for the words of a key: a file of the workdir, else a program in PATH."""
    path = script_file(workload, words[0], owner)
    if path is None:
        found = shutil.which(words[0])
        if found is None:
            raise SpecError(
                owner.settings[key].place,
                f"'{key}': there is no '{words[0]}' in {workload.workdirs[id(owner)]} and no such "
                "program on this machine",
            )
        return [found, *words[1:]]
    path = path.absolute()
    if os.access(path, os.X_OK):
        return [str(path), *words[1:]]
    return [*_interpreter(path), str(path), *words[1:]]


def _interpreter(path: Path) -> list[str]:
    """What is to read a script that may not be executed itself: what its first line says."""
    with path.open("rb") as file:
        first = file.readline(256)
    if not first.startswith(b"#!"):
        return [_INTERPRETER]
    return shlex.split(first[2:].decode(errors="replace")) or [_INTERPRETER]


def host_init_task(workload: Workload, after: tuple[str, ...], shop: Workshop) -> Task:
    """The task of a workload's host-init."""
    return Task(
        f"host-init:{workload.name}",
        after,
        partial(_init_inputs, workload, shop),
        partial(_run_init, workload, shop),
    )


def _declared(workload: Workload, shop: Workshop) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in workload.own("deps") or ():
        path = workload.path("deps", text)
        for name, digest in shop.digests.of_tree(path).items():
            found[str(path / name) if name else str(path)] = digest
    return found


def _script(workload: Workload, key: str, shop: Workshop) -> dict[str, str]:
    words = workload.own(key)
    command = host_command(workload, key, words, workload.spec)
    found = {f"the command of {key}": shlex.join(words)}
    path = script_file(workload, words[0], workload.spec)
    found[command[0]] = shop.digests.of_entry(path) if path else "a program of the host"
    return found


def _init_inputs(workload: Workload, shop: Workshop, notes: Mapping[str, Any]) -> dict[str, str]:
    found = _script(workload, "host-init", shop)
    if workload.own("deps") is not None:
        return found | _declared(workload, shop)
    made = set(notes.get("made", ()))
    for path in _scanned(workload, shop, _used_otherwise(workload)):
        name = str(path)
        if name not in made:
            found[name] = shop.digests.of_entry(path)
    return found


def _used_otherwise(workload: Workload) -> set[str]:
    """What a specification names for another use than host-init's."""
    names: set[str] = set()
    for one in workload.everyone():
        for key in ("sources", "overlay", "bin", "stdin", "pim", "lebug"):
            value = one.own(key) or ()
            names.update((value,) if isinstance(value, str) else value)
        names.update(source for source, _ in one.own("files") or ())
        for key in ("post-bin", "guest-init", "run", "post_run_hook"):
            names.update((one.own(key) or ())[:1])
    return names - set((workload.own("host-init") or ())[:1])


def _scanned(
    workload: Workload, shop: Workshop, besides: Collection[str] = ()
) -> list[Path]:
    """The files of the workdir that a script may have to do with."""
    root = workload.workdir.absolute()
    skipped = {shop.folders.root.absolute(), *(root / name for name in besides)}
    skipped |= {spec.path.absolute() for spec in workload.chain}
    for one in workload.everyone():
        reference = one.own("testing.refDir")
        if reference is not None:
            skipped |= {root / reference, workload.spec.path.parent.absolute() / reference}
    skipped = {Path(os.path.normpath(path)) for path in skipped}
    found = []
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = [f for f in folders if here / f not in skipped and f != "__pycache__"]
        found += [here / name for name in files if here / name not in skipped]
    return sorted(found)


def _marks(paths: Sequence[Path]) -> dict[Path, _Mark]:
    marks = {}
    for path in paths:
        try:
            s = path.lstat()
        except OSError:
            continue
        marks[path] = (s.st_mtime_ns, s.st_size, s.st_ino)
    return marks


def _run_init(workload: Workload, shop: Workshop) -> Made:
    before = _marks(_scanned(workload, shop))
    _run(workload, "host-init", shop, {})
    after = _marks(_scanned(workload, shop))
    made = [path for path, mark in after.items() if before.get(path) != mark and path.is_file()]
    return Made(tuple(made), {"made": [str(path) for path in made]})


def _run(workload: Workload, key: str, shop: Workshop, env: Mapping[str, str]) -> None:
    command = host_command(workload, key, workload.own(key), workload.spec)
    status, said = shop.run(f"{key} of {workload.name}", command, workload.workdir, env)
    if status != 0:
        place = workload.spec.settings[key].place
        tail = "".join(f"\n  {line}" for line in said.rstrip().splitlines()[-20:])
        raise TaskFailed(f"{place}: {key} of {workload.name} failed with status {status}{tail}")


def post_bin_task(
    workload: Workload, program: Path | None, after: tuple[str, ...], shop: Workshop
) -> Task:
    """The task of a workload's post-bin, which runs when the program is there."""

    def inputs(_notes: Mapping[str, Any]) -> dict[str, str]:
        found = _script(workload, "post-bin", shop) | _declared(workload, shop)
        if program is not None:
            found[str(program)] = shop.digests.of_file(program)
        return found

    def act() -> Made:
        before = _marks(_scanned(workload, shop))
        env = {"HCC_IMAGE_DIR": str(shop.folders.image(workload.name).absolute())}
        if program is not None:
            env["HCC_PROGRAM"] = str(program.absolute())
        _run(workload, "post-bin", shop, env)
        after = _marks(_scanned(workload, shop))
        return Made(tuple(p for p, m in after.items() if before.get(p) != m and p.is_file()))

    return Task(f"post-bin:{workload.name}", after, inputs, act)
