"""kill -9 at any moment of a build or run: the next command succeeds, with right results."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hcc.runtime.workload.children import carriers
from hcc.runtime.workload.programs import HCC
from tests.workload.tool import put_program, workload, write

TRIES = 50


def specification(folder: Path) -> Path:
    put_program(folder)
    write(folder, "work/gen.sh", "for i in 1 2 3 4 5 6; do echo $i$1 > made$i; sleep 0.02; done\n")
    write(folder, "work/input", "0\n")
    return write(
        folder, "w.yaml", """
        name: w
        workdir: work
        bin: ../guest.hcc
        host-init: gen.sh x
        isas: [x86_64]
        levels: [native]
        outputs: [/x]
        testing: {refDir: ref}
        jobs:
          - name: a
            files: [[made1, /made], [input, /in]]
            args: [cat, /made, cat, /in, write, /x, a]
          - name: b
            files: [[made6, /made], [input, /in]]
            args: [cat, /made, cat, /in, write, /x, b]
        """,
    )  # fmt: skip


def change(folder: Path, value: str) -> None:
    """Give the jobs another input, and say what is right then."""
    write(folder, "work/input", value + "\n")
    for job, first in (("a", "1x"), ("b", "6x")):
        write(folder, f"work/ref/w-{job}/uartlog", f"{first}\n{value}\n")
        write(folder, f"work/ref/w-{job}/x", f"{job}\n")


def seconds_of_a_whole_run(path: Path) -> float:
    begin = time.monotonic()
    subprocess.run([*HCC, "workload", "test", path], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def works_in(folder: Path, pid: int) -> bool:
    """Whether a process's working directory is in a folder (tests beside this one have theirs)."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


@pytest.mark.long
def test_a_command_killed_at_any_moment_leaves_nothing_wrong(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    path = specification(tmp_path)
    out = tmp_path / "hcc-workloads"
    change(tmp_path, "first")
    longest = seconds_of_a_whole_run(path)
    killed = 0
    for attempt in range(TRIES):
        if attempt % 5 == 0:
            shutil.rmtree(out, ignore_errors=True)
        value = str(attempt)
        change(tmp_path, value)
        command = subprocess.Popen(
            [*HCC, "workload", "test", path], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chance.uniform(0, longest))
        command.send_signal(signal.SIGKILL)
        killed += command.wait() == -signal.SIGKILL

        said = workload("test", path)
        assert 0 == said.status, f"try {attempt}: {said}"
        assert not list((out / "running").iterdir()), attempt
    print(f"{killed} of {TRIES} were killed at work")
    assert killed > 0
    assert [] == [pid for pid in carriers("") if works_in(tmp_path, pid)]


@pytest.mark.long
def test_a_killed_run_is_known_as_unfinished(tmp_path: Path) -> None:
    path = specification(tmp_path)
    path.write_text(path.read_text().replace("write, /x, b", "spin"))
    workload("build", path)
    command = subprocess.Popen([*HCC, "workload", "launch", "-a", path])
    runs = tmp_path / "hcc-workloads" / "runs"
    for _ in range(500):
        if list(runs.glob("*/*/w-a/x")):
            break
        time.sleep(0.02)
    command.kill()
    command.wait()
    (run,) = runs.iterdir()
    said = workload("verify", run)

    assert 2 == said.status
    assert "not the results of a finished run" in said.err
    assert list((tmp_path / "hcc-workloads" / "running").iterdir())
    workload("build", path)
    assert [] == list((tmp_path / "hcc-workloads" / "running").iterdir())
