"""Engines that are not ours: the host's own CPU, and qemu-user. Both run the extracted ELF."""

from __future__ import annotations

import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hcc.isa.errors import UnsupportedError
from hcc.isa.fatbinary import Program, encode_elf
from hcc.runtime.orphans import die_with_parent

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
        command, executable = list(argv), str(path)
        if engine == "qemu":
            command = [*prefix, *_settings(environment), "-0", argv[0], str(path), *argv[1:]]
            executable = prefix[0]
        before = signal.signal(signal.SIGTERM, _terminated)
        try:
            done = subprocess.run(
                command, executable=executable, env=environment, check=False,
                preexec_fn=die_with_parent,
            )  # fmt: skip
        finally:
            signal.signal(signal.SIGTERM, before)
    return 128 - done.returncode if done.returncode < 0 else done.returncode


def _settings(environment: dict[str, str]) -> list[str]:
    """qemu's options for variables that it would take for settings of its own; what is left in
    the environment it hands on to the guest."""
    own = {name: environment.pop(name) for name in list(environment) if name.startswith("QEMU_")}
    if any("," in value for value in own.values()):
        raise UnsupportedError("qemu cannot hand on a variable QEMU_... with a comma in its value")
    return [part for name, value in own.items() for part in ("-E", f"{name}={value}")]


def _terminated(number: int, _frame: object) -> None:
    """End by way of what cleans up: the child is killed, its file removed."""
    sys.exit(128 + number)
