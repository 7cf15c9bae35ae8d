"""The full-system level, and the example workloads on every level this machine has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hcc.isa.errors import HccError
from hcc.runtime.workload import kernels
from hcc.runtime.workload.machine import BOARDS
from hcc.runtime.workload.tasks import Cell, JobResult
from tests.workload.tool import put_program, workload, write

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
NAMES = sorted(path.stem for path in (EXAMPLES / "workloads").glob("*.yaml"))


def need_machine(isa: str) -> None:
    """Skip by name where QEMU is missing or the kernel neither is in the cache nor can be had."""
    if shutil.which(BOARDS[isa].qemu) is None:
        pytest.skip(f"{BOARDS[isa].qemu} is not installed")
    if kernels.cached(isa) is not None:
        return
    problems = []
    for latest in (False, True):
        try:
            kernels.fetch(isa, latest)
        except HccError as error:
            problems.append(str(error))
        else:
            return
    pytest.skip(f"no kernel for {isa}: {'; '.join(problems)}")


@pytest.mark.long
@pytest.mark.parametrize("isa", ["aarch64", "riscv64", "x86_64"])
def test_a_job_on_a_machine_of_its_own(isa: str, tmp_path: Path) -> None:
    need_machine(isa)
    put_program(tmp_path)
    write(tmp_path, "in", "standard input\n")
    write(tmp_path, "ov/etc/motd", "motd\r\n")
    path = write(
        tmp_path, "w.yaml", """
        name: w
        bin: guest.hcc
        overlay: ov
        stdin: in
        env: {A: "x y"}
        args: [env, A, copy, cat, /etc/motd, write, /out/missing, no]
        outputs: [/etc, /x]
        testing: {exit: 1, runTimeout: 120}
        jobs:
          - {name: good, args: [env, A, copy, cat, /etc/motd, write, /x, y], testing: {exit: 0}}
          - {name: dead, args: [write, /x, z, crash], testing: {exit: 139}}
        """,
    )  # fmt: skip
    said = workload("launch", "-a", "--isa", isa, "--level", "system", "--json", path)
    assert 0 == said.status, said
    (cell,) = said.json["cells"]
    good, dead = cell["jobs"]

    log = (Path(good["folder"]) / "uartlog").read_bytes()
    expected = b"the program begins\nA=x y\nstandard input\nmotd\r\n\nhcc: the program has ended\n"
    assert expected in log
    assert b"y\n" == (Path(good["folder"]) / "x").read_bytes()
    assert b"motd\r\n" == (Path(good["folder"]) / "etc" / "motd").read_bytes()
    assert (139, b"z\n") == (dead["status"], (Path(dead["folder"]) / "x").read_bytes())
    manifest = json.loads((Path(good["folder"]) / "manifest.json").read_text())
    assert any("kernels" in name for name in manifest["inputs"])
    assert 0 == workload("verify", good["folder"]).status


@pytest.mark.long
@pytest.mark.parametrize("isa", ["aarch64", "riscv64"])
def test_machines_talk_to_each_other(isa: str, tmp_path: Path) -> None:
    need_machine(isa)
    put_program(tmp_path, "ping")
    path = write(
        tmp_path, "w.yaml",
        "name: w\nbin: ping.hcc\ntesting: {runTimeout: 120}\n"
        "jobs: [{name: a, args: [4]}, {name: b}]\n",
    )  # fmt: skip
    said = workload("test", "--isa", isa, "--level", "user,system", "--json", path)

    assert 0 == said.status, said
    states = {c["name"]: c["state"] for c in said.json["workloads"][0]["cases"]}
    assert "passed" == states[f"{isa}-system w-a"]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_example_workload_passes(name: str, tmp_path: Path) -> None:
    examples = tmp_path / "examples"
    ignore = shutil.ignore_patterns("hcc-workloads")
    shutil.copytree(EXAMPLES, examples, ignore=ignore)
    said = workload("test", "--json", examples / "workloads" / f"{name}.yaml")

    assert 0 == said.status, said
    assert "passed" == said.json["workloads"][0]["state"]


@pytest.mark.long
def test_cells_run_on_a_cluster(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    path = EXAMPLES / "workloads" / "ping.yaml"
    said = workload("test", "--out", tmp_path, "--executor", "ray", "--level", "jit", path)

    assert 0 == said.status, said


def test_cells_travel_as_parcels(tmp_path: Path) -> None:
    put_program(tmp_path)
    path = write(
        tmp_path, "w.yaml",
        "name: w\nbin: guest.hcc\nargs: [write, /x, y, say, z]\noutputs: [/x]\n",
    )  # fmt: skip
    folder = tmp_path / "riscv64"
    (result,) = sent(path, ["riscv64"])

    assert ("ok", 0, folder) == (result.state, result.status, result.folder), result
    assert ("y\n", "z\n") == ((folder / "x").read_text(), (folder / "uartlog").read_text())


def test_where_a_cell_was_sent_does_not_show(tmp_path: Path) -> None:
    put_program(tmp_path)
    write(tmp_path, "watch.py", "no firmware\n")
    path = write(tmp_path, "w.yaml", "name: w\nbin: guest.hcc\nlebug: watch.py\n")
    logs = [(r.folder / "uartlog").read_text() for r in sent(path, ["aarch64", "riscv64"])]

    assert logs[0] == logs[1]
    assert "../files/0/watch.py" in logs[0]


def sent(path: Path, isas: list[str]) -> list[JobResult]:
    """What comes of a workload's cells on the interpreter as a cluster runs them, without one."""
    from hcc.runtime.workload import remote
    from hcc.runtime.workload.chain import Loader
    from hcc.runtime.workload.folders import output_folder
    from hcc.runtime.workload.matrix import Choice, task
    from hcc.runtime.workload.session import session

    loaded = Loader().target(str(path))
    results = []
    with session(output_folder(path, None), "w", "test") as tools:
        assert tools.build([loaded], 1).ok
        for isa in isas:
            cell = Cell(isa, "interp")
            one = task(loaded, loaded, cell, path.parent / isa, tools, Choice())
            results += remote.unpack(remote.run_parcel(remote.parcel([one])), [one])
    return results
