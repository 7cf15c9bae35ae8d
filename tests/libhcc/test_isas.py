"""The same bits on every ISA: libhcc built by three compilers, run by qemu-user."""

from __future__ import annotations

import subprocess

import pytest

from tests.libhcc import building

SOURCES = (building.HERE / "programs" / "digest.c",)


@pytest.mark.long
@pytest.mark.parametrize("arch", ["aarch64", "riscv64"])
def test_results_are_the_same_bits(arch: str) -> None:
    building.need(f"qemu-{arch}")
    here = building.run(building.program(SOURCES))[0].decode()
    done = subprocess.run(
        [f"qemu-{arch}", building.program(SOURCES, arch)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )

    assert here.splitlines() == done.stdout.decode().splitlines()
