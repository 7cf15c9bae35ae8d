"""Runs a fat binary by Unicorn, for comparison: `python -m hcc.runtime.bench.unicorn_run`.

Unicorn emulates the CPU over the same guest memory as our engines; system calls stop it and go to
the same personality. Arguments: the binary, the ISA, then the program's own.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from hcc.isa import fatbinary
from hcc.isa.errors import HccError
from hcc.runtime.endings import Exited
from hcc.runtime.process import Process

_SPACE = 1 << 32
_X86_INS_SYSCALL = 699  # Capstone's number, by which Unicorn hooks instructions


def _machine(isa: str) -> tuple[Any, dict[str, int], int]:
    """An emulator ready for floating point, the numbers of our registers, and that of the PC."""
    unicorn: Any = import_module("unicorn")
    a, r, x = (import_module(f"unicorn.{n}_const") for n in ("arm64", "riscv", "x86"))
    match isa:
        case "x86_64":
            uc = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
            uc.ctl_set_cpu_model(x.UC_CPU_X86_HASWELL)
            names: tuple[str, ...] = (
                "rax",
                "rdi",
                "rsi",
                "rdx",
                "r10",
                "r8",
                "r9",
                "rsp",
                "fs_base",
            )
            return uc, {n: getattr(x, f"UC_X86_REG_{n.upper()}") for n in names}, x.UC_X86_REG_RIP
        case "aarch64":
            uc = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
            uc.reg_write(a.UC_ARM64_REG_CPACR_EL1, 3 << 20)
            names = (*(f"x{i}" for i in range(9)), "sp")
            found = {n: getattr(a, f"UC_ARM64_REG_{n.upper()}") for n in names}
            return uc, found, a.UC_ARM64_REG_PC
    uc = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV64)
    uc.reg_write(r.UC_RISCV_REG_MSTATUS, 3 << 13)
    return uc, {f"x{i}": getattr(r, f"UC_RISCV_REG_X{i}") for i in range(32)}, r.UC_RISCV_REG_PC


def run(binary: Path, isa: str, args: list[str]) -> int:
    """Run a program to its end; its exit status."""
    unicorn: Any = import_module("unicorn")
    program = fatbinary.decode(binary.read_bytes(), str(binary))
    process = Process(program, isa, [str(binary), *args])
    state, convention = process.cpu.state, process.cpu.arch.convention
    uc, numbers, pc = _machine(isa)
    text = program.text[isa]
    start, end = text.addr & -4096, -(-(text.addr + len(text.content)) // 4096) * 4096
    host = process.memory.host_addr
    uc.mem_map_ptr(0, start, unicorn.UC_PROT_ALL, host)
    uc.mem_map(start, end - start, unicorn.UC_PROT_ALL)
    uc.mem_map_ptr(end, _SPACE - end, unicorn.UC_PROT_ALL, host + end)
    uc.mem_write(text.addr, text.content)
    uc.reg_write(numbers[convention.stack_pointer], state.get(convention.stack_pointer))
    status = 0

    def on_call(*_: object) -> None:
        nonlocal status
        number = uc.reg_read(numbers[convention.syscall_number])
        values = [uc.reg_read(numbers[name]) for name in convention.syscall_arguments]
        name = process.cpu.arch.syscalls.get(number, "")
        if name == "arch_prctl":
            uc.reg_write(numbers["fs_base"], values[1])
            result = 0
        else:
            try:
                result = process.personality.call(name, values)
            except Exited as exited:
                status = exited.status
                uc.emu_stop()
                return
        uc.reg_write(numbers[convention.syscall_result], result & (1 << 64) - 1)

    if isa == "x86_64":
        uc.hook_add(unicorn.UC_HOOK_INSN, on_call, aux1=_X86_INS_SYSCALL)
    else:
        uc.hook_add(unicorn.UC_HOOK_INTR, on_call)
    try:
        uc.emu_start(program.entry, _SPACE)
    except unicorn.UcError as error:
        raise HccError(f"unicorn stopped at {uc.reg_read(pc):#x}: {error}") from error
    process.close()
    return status


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
