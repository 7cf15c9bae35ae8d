"""Engines that are not ours: the host's own CPU, and qemu-user. Both run the extracted ELF."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hcc.isa.errors import UnsupportedError
from hcc.isa.fatbinary import Program, encode_elf

QEMU_NAMES = {"x86_64": "qemu-x86_64", "aarch64": "qemu-aarch64", "riscv64": "qemu-riscv64"}


def command_for(isa: str, engine: str) -> list[str]:
    """What to put before the ELF's path to run it; UnsupportedError where this host cannot."""
    if engine == "native":
        if platform.machine() != isa or platform.system() != "Linux":
            raise UnsupportedError(
                f"this machine is {platform.machine()} {platform.system()}: it cannot run {isa} "
                "natively"
            )
        return []
    found = shutil.which(QEMU_NAMES[isa])
    if found is None:
        raise UnsupportedError(f"{QEMU_NAMES[isa]} is not installed (Debian package qemu-user)")
    return [found]


def run_external(
    program: Program, isa: str, engine: str, argv: Sequence[str], env: Sequence[str]
) -> int:
    """Run the program's ELF for an ISA; its exit status, or 128 + the signal that ended it."""
    if isa not in program.isas:
        raise UnsupportedError(f"the program has no code for '{isa}'")
    prefix = command_for(isa, engine)
    with tempfile.TemporaryDirectory(prefix="hcc-") as folder:
        path = Path(folder) / "program"
        path.write_bytes(encode_elf(program, isa))
        path.chmod(0o755)
        environment = dict(e.partition("=")[::2] for e in env)
        if engine == "qemu":
            # qemu takes its own settings from the environment; the guest's go by -E.
            prefix += [part for e in env for part in ("-E", e)]
            environment = {"PATH": os.environ.get("PATH", "")}
            prefix += ["-0", argv[0]]
            done = subprocess.run([*prefix, str(path), *argv[1:]], env=environment, check=False)
        else:
            done = subprocess.run(
                [argv[0], *argv[1:]], executable=str(path), env=environment, check=False
            )
    return 128 - done.returncode if done.returncode < 0 else done.returncode
