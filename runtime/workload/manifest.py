"""The manifest of a result: what was run, from what, with what, and what came out, by digest.

It is written last, so a folder without one is of a run that did not finish. `check` says what no
longer agrees with it.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hcc.isa.errors import FormatError, HccError
from hcc.isa.store import write_atomically
from hcc.runtime.workload.hashes import ABSENT, digest_bytes
from hcc.runtime.workload.programs import code_digest_of_elf, code_digest_of_fat
from hcc.runtime.workload.tasks import MANIFEST, JobResult, JobTask

_VERSION = 1


def _digest(path: Path) -> str:
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return ABSENT


def _files_below(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): _digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and not path.is_symlink()
    }


def write(task: JobTask, result: JobResult) -> None:
    """Write the manifest of a result into its folder."""
    inputs = [task.fat, task.slice, task.stdin, task.machine.kernel, task.machine.firmware]
    inputs += [layer.path for layer in task.layers]
    inputs += [*task.specs, *task.option_files]
    manifest = {
        "version": _VERSION,
        "job": task.name,
        "isa": task.cell.isa,
        "level": task.cell.level,
        "state": result.state,
        "status": result.status,
        "message": result.message,
        "seconds": round(result.seconds, 3),
        "program": task.program,
        "args": list(task.args),
        "env": dict(task.env),
        "command": list(result.command),
        "code_sha256": task.code,
        "fat": None if task.fat is None else str(task.fat.absolute()),
        "slice": None if task.slice is None else str(task.slice.absolute()),
        "inputs": {str(p.absolute()): _digest(p) for p in inputs if p is not None},
        "outputs": _files_below(task.folder),
        "versions": {
            "hcc": version("hcc"),
            "python": platform.python_version(),
            **result.versions,
        },
        "host": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    content = json.dumps(manifest, indent=2, ensure_ascii=True).encode() + b"\n"
    write_atomically(task.folder / MANIFEST, content)


def find(folder: Path) -> list[Path]:
    """The folders of results in a folder; FormatError if there is none."""
    if not folder.is_dir():
        raise FormatError(f"{folder}: there is no such folder")
    found = sorted(path.parent for path in folder.rglob(MANIFEST))
    if not found:
        raise FormatError(f"{folder}: holds no {MANIFEST}: not the results of a finished run")
    return found


def load(folder: Path) -> dict[str, Any]:
    """The manifest in a folder."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        if manifest["version"] != _VERSION:
            raise FormatError(f"{path}: version {manifest['version']}, not {_VERSION}")
        words = [manifest["isa"], manifest["code_sha256"]]
        for key in ("inputs", "outputs"):
            words += [*manifest[key].keys(), *manifest[key].values()]
        words += [manifest[key] for key in ("fat", "slice") if manifest[key] is not None]
        if not all(isinstance(word, str) for word in words):
            raise TypeError("something else than text stands where a name or digest should")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{path}: damaged: {error}") from error
    loaded: dict[str, Any] = manifest
    return loaded


def check(folder: Path) -> list[str]:
    """What no longer agrees with the manifest in a folder, one line each."""
    manifest = load(folder)
    problems = []
    for name, digest in manifest["outputs"].items():
        problems += _difference(folder / name, digest, "output")
    known = set(manifest["outputs"])
    problems += [
        f"{folder / name}: was not there after the run"
        for name in _files_below(folder)
        if name not in known
    ]
    for name, digest in manifest["inputs"].items():
        problems += _difference(Path(name), digest, "input")
    problems += _check_code(manifest)
    return problems


def _difference(path: Path, digest: str, what: str) -> list[str]:
    now = _digest(path)
    if now == digest:
        return []
    if now == ABSENT:
        return [f"{path}: {what} is missing"]
    return [f"{path}: {what} has changed: SHA-256 {now[:16]}…, was {digest[:16]}…"]


def _check_code(manifest: dict[str, Any]) -> list[str]:
    """Whether the fat binary and the slice still hold the code that was run."""
    problems = []
    isa, wanted = manifest["isa"], manifest["code_sha256"]
    for key in ("fat", "slice"):
        if manifest[key] is None or not Path(manifest[key]).is_file():
            continue
        path = Path(manifest[key])
        try:
            content = path.read_bytes()
            found = (
                code_digest_of_fat(content, isa, str(path))
                if key == "fat"
                else code_digest_of_elf(content, str(path))
            )
        except (OSError, HccError) as error:
            problems.append(f"{path}: its code cannot be read: {error}")
            continue
        if found != wanted:
            problems.append(f"{path}: its code for {isa} is not the code that was run")
    return problems
