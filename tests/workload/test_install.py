"""Workloads written for FireSim, and as folders that run by themselves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from hcc.runtime.workload import cpio
from tests.conftest import require
from tests.workload.tool import put_program, workload, write


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    put_program(tmp_path)
    write(tmp_path, "ov/etc/motd", "motd\n")
    write(tmp_path, "hook.sh", "")
    write(tmp_path, "kernel", "what FireSim boots")
    return write(
        tmp_path, "w.yaml", """
        name: w
        bin: guest.hcc
        overlay: ov
        outputs: [/x]
        env: {A: "b c"}
        args: [env, A, cat, /etc/motd, write, /x, y]
        post_run_hook: hook.sh one
        firesim: {simulation_outputs: [trace]}
        linux: {source: kernel}
        """,
    )  # fmt: skip


def test_firesim_of_one_workload(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "firesim"
    said = workload("install", "-t", "firesim", "-o", out, spec)
    document = json.loads((out / "w.json").read_text())

    assert 0 == said.status, said.err
    assert {
        "benchmark_name": "w",
        "common_simulation_outputs": ["uartlog", "trace"],
        "post_run_hook": f"{tmp_path}/hook.sh one",
        "common_bootbinary": "w-bin",
        "common_rootfs": "w.img",
        "common_outputs": ["/x"],
    } == document
    image = cpio.unpack((out / "w" / "w.img").read_bytes(), "image")
    assert {"init", "bin/w", "etc/motd", ".hcc/job"} <= set(image)
    assert "what FireSim boots" == (out / "w" / "w-bin").read_text()


def test_firesim_of_jobs(spec: Path, tmp_path: Path) -> None:
    spec.write_text(spec.read_text() + "jobs:\n- {name: a}\n- {name: b, outputs: []}\n")
    workload("install", "-o", tmp_path / "firesim", spec)
    document = json.loads((tmp_path / "firesim" / "w.json").read_text())

    assert [
        {"name": "w-a", "bootbinary": "w-a-bin", "rootfs": "w-a.img", "outputs": ["/x"]},
        {"name": "w-b", "bootbinary": "w-b-bin", "rootfs": "w-b.img", "outputs": []},
    ] == document["workloads"]


def test_firesim_needs_something_to_boot(
    spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path / "empty"))
    spec.write_text(spec.read_text().replace("linux: {source: kernel}", ""))
    said = workload("install", "-o", tmp_path / "f", spec)

    assert (2, 1) == (said.status, len(said.err.splitlines()))
    assert "nothing for FireSim to boot: give 'linux.source', or `hcc workload fetch" in said.err


def test_firesim_needs_riscv(spec: Path, tmp_path: Path) -> None:
    spec.write_text(spec.read_text() + "isas: x86_64\n")

    assert 2 == workload("install", "-o", tmp_path / "f", spec).status
    assert 2 == workload("install", spec).status
    assert 2 == workload("install", "-t", "fpga", "-o", tmp_path / "f", spec).status


def test_folder_runs_by_itself(spec: Path, tmp_path: Path) -> None:
    require("qemu-riscv64")
    for _ in range(2):
        assert 0 == workload("install", "-t", "folder", "-o", tmp_path / "plain", spec).status
    script = tmp_path / "plain" / "w" / "w" / "run.sh"
    for isa in ("riscv64", "x86_64"):
        if isa == "x86_64":
            require("qemu-x86_64")
        done = subprocess.run([script, isa], capture_output=True, text=True, check=False)
        assert ("A=b c\nmotd\n", 0) == (done.stdout, done.returncode), done

    assert "y\n" == (script.parent / "root" / "x").read_text()
