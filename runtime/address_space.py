"""The address space of a process: where everything of a program lies in guest memory.

All of it is the same on every ISA; only code differs, and code is not in data memory at all (each
CPU fetches from its ISA's image), so a program that reads its own instructions faults everywhere
alike. `isa.fatbinary` has the plan of the static part; here is the rest:

    heap            from the end of the static data, grown by brk
    records         the buffer that carries activation records to a resume function
    native stack    of whatever ISA runs now: dead after a migration, then reused
    arguments       argc, argv, the environment and their strings, above the stack, never moved
"""

from __future__ import annotations

from collections.abc import Sequence

from hcc.emulator.memory import READ, WRITE, Memory, page_ceil
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import Program

HEAP_LIMIT = 0xC000_0000
RECORDS_BASE = 0xC800_0000
RECORDS_SIZE = 0x1000_0000
STACK_TOP = 0xF000_0000
STACK_SIZE = 0x0800_0000
ARGUMENTS_SIZE = 0x0010_0000


def load(program: Program, memory: Memory) -> None:
    """Map and fill everything that a program has before it starts."""
    for region in (program.rodata, *program.local.values()):
        _map(memory, region.addr, region.content, READ)
    data = program.data
    memory.protect(data.addr, page_ceil(program.image_end) - data.addr, READ | WRITE)
    memory.fill(data.addr, data.content)
    memory.protect(*program.data_stack, READ | WRITE)
    memory.protect(RECORDS_BASE, RECORDS_SIZE, READ | WRITE)
    memory.protect(STACK_TOP - STACK_SIZE, STACK_SIZE, READ | WRITE)


def _map(memory: Memory, addr: int, content: bytes, access: int) -> None:
    if content:
        memory.protect(addr, page_ceil(len(content)), access)
        memory.fill(addr, content)


def write_arguments(memory: Memory, argv: Sequence[bytes], env: Sequence[bytes]) -> int:
    """Lay out argc, argv, environment and auxv as the kernel does (psABI, "Initial process
    stack"); returns their address, which is the initial stack pointer."""
    words = [len(argv)]
    strings = bytearray()
    string_base = STACK_TOP + 8 * (len(argv) + len(env) + 5)
    for group in (argv, env):
        for text in group:
            words.append(string_base + len(strings))
            strings += text + b"\0"
        words.append(0)
    words += [0, 0]  # auxv: AT_NULL
    content = b"".join(w.to_bytes(8, "little") for w in words) + strings
    if len(content) > ARGUMENTS_SIZE:
        raise HccError(f"arguments and environment of {len(content)} bytes are too long")
    memory.protect(STACK_TOP, ARGUMENTS_SIZE, READ | WRITE)
    memory.fill(STACK_TOP, content)
    return STACK_TOP
