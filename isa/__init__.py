"""What machines and binaries look like: registers, decoding, the meaning of instructions, formats.

Floor 0 of the house: nothing here imports another room. Read `values`, `builder` and `arch`, then
the folder of any ISA (all have the same files), then `elf`, `sites` and `fatbinary`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hcc.isa.arch import Arch


def architecture(name: str) -> Arch:
    """The record of an ISA by name (x86_64, aarch64, riscv64), imported when first asked for."""
    arch: Arch = import_module(f"hcc.isa.{name}.architecture").ARCH
    return arch
