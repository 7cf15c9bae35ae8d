"""libhcc built by hcc does what libhcc built by gcc does, bit for bit, on every ISA."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.libhcc import building

PROGRAMS = building.HERE / "programs"
HCC = [sys.executable, "-c", "from hcc.runtime.cli import main; main()"]
ISAS = ["x86_64", "aarch64", "riscv64"]


@pytest.fixture(scope="module")
def fat_binaries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fat")
    for name in ("digest", "files", "heap"):
        source = PROGRAMS / f"{name}.c"
        subprocess.run([*HCC, "compile", source, "-o", folder / f"{name}.hcc"], check=True)
    return folder


def run(fat: Path, isa: str, *args: str, stdin: bytes = b"") -> bytes:
    done = subprocess.run(
        [*HCC, "run", "--isa", isa, fat, "--", *args], input=stdin, capture_output=True, check=True
    )
    return done.stdout


@pytest.mark.long
@pytest.mark.parametrize("isa", ISAS)
def test_results_are_the_same_bits(isa: str, fat_binaries: Path) -> None:
    expected = building.run(building.program((PROGRAMS / "digest.c",)))[0].decode()

    assert expected.splitlines() == run(fat_binaries / "digest.hcc", isa).decode().splitlines()


@pytest.mark.long
@pytest.mark.parametrize("isa", ISAS)
def test_streams_work_alike(isa: str, fat_binaries: Path, tmp_path: Path) -> None:
    stdin = b"12,30 word and the rest of the line\nanother.leftover"
    expected = building.run(building.reference((PROGRAMS / "files.c",)), [str(tmp_path)], stdin)[0]

    assert expected == run(fat_binaries / "files.hcc", isa, str(tmp_path), stdin=stdin)


@pytest.mark.long
@pytest.mark.parametrize("isa", ISAS)
def test_heap_addresses_are_the_same(isa: str, fat_binaries: Path) -> None:
    expected = building.run(building.program((PROGRAMS / "heap.c",)), ["addresses"])[0]

    assert expected == run(fat_binaries / "heap.hcc", isa, "addresses")
