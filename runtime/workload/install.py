"""Workloads for other tools: FireSim's JSON with its files, or a plain folder with a run script."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hcc.isa.errors import HccError, UnsupportedError
from hcc.isa.store import write_atomically
from hcc.runtime.workload import cpio, kernels
from hcc.runtime.workload.chain import Workload
from hcc.runtime.workload.host import script_file
from hcc.runtime.workload.machine import initial_files
from hcc.runtime.workload.matrix import Choice, own_kernel, task
from hcc.runtime.workload.session import Session
from hcc.runtime.workload.tasks import LOG, Cell, JobTask

TARGETS = ("firesim", "folder")
_FIRESIM_ISA = "riscv64"
_MARK = "@hcc-firesim"


def install(session: Session, workload: Workload, target: str, folder: Path) -> list[str]:
    """Write a workload that is built for a target; the files written."""
    if target == "firesim":
        return _firesim(session, workload, folder)
    return _folder(session, workload, folder)


def _runs(workload: Workload) -> list[Workload]:
    """The jobs, or the workload itself where it has none."""
    return list(workload.jobs) or [workload]


def _task(session: Session, workload: Workload, root: Workload, isa: str) -> JobTask:
    return task(workload, root, Cell(isa, "user"), Path(), session, Choice())


def _layers(one: JobTask) -> list[bytes]:
    return [layer.path.read_bytes() for layer in one.layers]


# ---- FireSim ----


def _firesim(session: Session, workload: Workload, folder: Path) -> list[str]:
    """`NAME.json` and `NAME/` with, for each job, what to boot and its file system."""
    if _FIRESIM_ISA not in workload.get("isas"):
        raise UnsupportedError(f"{workload.name}: FireSim runs RISC-V, and 'isas' has no riscv64")
    boot, what = _boot_binary(workload)
    place = folder / workload.name
    written: list[Path] = []

    def put(path: Path, content: bytes) -> None:
        write_atomically(path, content)
        written.append(path)

    entries = []
    for one in _runs(workload):
        job = _task(session, one, workload, _FIRESIM_ISA)
        assert job.slice is not None
        slice_bytes = job.slice.read_bytes()
        binary, image = f"{one.name}-bin", f"{one.name}.img"
        put(place / binary, boot)
        put(place / image, initial_files(_alone(job), _layers(job), slice_bytes, _MARK))
        entry = {
            "name": one.name,
            "bootbinary": binary,
            "rootfs": image,
            "outputs": ["/" + path.lstrip("/") for path in job.outputs],
        }
        entries.append(entry | _simulation(one))
    put(place / "README", _readme(workload, what).encode())
    document = _document(workload, entries)
    put(folder / f"{workload.name}.json", json.dumps(document, indent=4).encode() + b"\n")
    return [str(path) for path in written]


def _boot_binary(workload: Workload) -> tuple[bytes, str]:
    """What FireSim is to boot, and what to call it."""
    given = own_kernel(workload, _FIRESIM_ISA)
    if given is not None:
        return given.read_bytes(), f"{given.name}, as 'linux.source' says"
    kernel = kernels.cached(_FIRESIM_ISA)
    if kernel is None:
        raise UnsupportedError(
            f"{workload.name}: nothing for FireSim to boot: give 'linux.source', or "
            f"`hcc workload fetch-kernel --isa {_FIRESIM_ISA}`"
        )
    what = f"the Linux kernel of Debian's package {kernel.package} {kernel.version}"
    return kernel.image.read_bytes(), what


def _alone(job: JobTask) -> JobTask:
    """A job whose network is FireSim's affair."""
    from attrs import evolve

    return evolve(job, node=None)


def _simulation(workload: Workload) -> dict[str, Any]:
    names = ("simulation_inputs", "simulation_outputs")
    found = {name: workload.own(f"firesim.{name}") for name in names}
    return {name: list(value) for name, value in found.items() if value is not None}


def _document(workload: Workload, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "benchmark_name": workload.name,
        "common_simulation_outputs": [LOG],
    }
    hook = workload.get("post_run_hook")
    if hook is not None:
        owner = workload.options["post_run_hook"].owner
        assert owner is not None
        path = script_file(workload, hook[0], owner)
        words = [str(path.absolute()) if path else hook[0], *hook[1:]]
        document["post_run_hook"] = shlex.join(words)
    if workload.jobs:
        document["workloads"] = list(entries)
        return document | _simulation(workload)
    (entry,) = entries
    document["common_bootbinary"] = entry["bootbinary"]
    document["common_rootfs"] = entry["rootfs"]
    document["common_outputs"] = entry["outputs"]
    document["common_simulation_outputs"] += entry.get("simulation_outputs", [])
    if "simulation_inputs" in entry:
        document["common_simulation_inputs"] = entry["simulation_inputs"]
    return document


def _readme(workload: Workload, what: str) -> str:
    return (
        f"Written by `hcc workload install -t firesim` from {workload.spec.path.name}.\n"
        f"*-bin is {what}.\n"
        "*.img is the job's initial file system, a cpio archive: hcc's init, the image, the\n"
        f"program. init reports on the console, on lines that begin with {_MARK}.\n"
    )


# ---- a plain folder ----


def _folder(session: Session, workload: Workload, folder: Path) -> list[str]:
    """`NAME/JOB/`: the fat binary, each ISA's executable, the image as a tree, `run.sh`."""
    written = []
    for one in _runs(workload):
        place = folder / workload.name / one.name
        if place.exists() and any(place.iterdir()) and not (place / "run.sh").exists():
            raise HccError(f"{place}: is there and is none of hcc's installations")
        job = _task(session, one, workload, one.get("isas")[0])
        archives = zip(_layers(job), job.layers, strict=True)
        tree = cpio.merge(cpio.unpack(a, str(layer.path)) for a, layer in archives)
        _clear(place / "root")
        cpio.write_tree(tree, place / "root")
        assert job.fat is not None
        write_atomically(place / f"{job.program}.hcc", job.fat.read_bytes(), 0o755)
        for isa in one.get("isas"):
            same = _task(session, one, workload, isa)
            assert same.slice is not None
            write_atomically(place / f"{job.program}.{isa}", same.slice.read_bytes(), 0o755)
        if job.stdin is not None:
            write_atomically(place / "stdin", job.stdin.read_bytes())
        write_atomically(place / "run.sh", _script(job).encode(), 0o755)
        written += [str(p) for p in sorted(place.rglob("*")) if p.is_file()]
    return written


def _clear(root: Path) -> None:
    import shutil

    if root.exists():
        shutil.rmtree(root)


def _script(job: JobTask) -> str:
    """Runs the job where it is installed, on this machine's CPU or by qemu-user."""
    env = " ".join(shlex.quote(f"{name}={value}") for name, value in job.env)
    args = " ".join(map(shlex.quote, job.args))
    feed = '"$here/stdin"' if job.stdin is not None else "/dev/null"
    return f"""#!/bin/sh
# Runs {job.name} as `hcc workload` installed it: ./run.sh [ISA]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
host=$(uname -m)
isa=${{1:-$host}}
program="$here/{job.program}.$isa"
[ -x "$program" ] || {{ echo "run.sh: there is no code for $isa" >&2; exit 2; }}
cd "$here/root"
runner=
[ "$isa" = "$host" ] || runner=$(command -v "qemu-$isa") || {{
    echo "run.sh: $host cannot run $isa without qemu-$isa" >&2; exit 2; }}
exec env -i HCC_ROOT=. {env} $runner "$program" {args} <{feed}
"""
