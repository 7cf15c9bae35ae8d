"""The thread block: what belongs to one thread of a program, at the address its thread pointer
(fs, tpidr_el0, tp) holds. The block is ordinary memory with one layout on every ISA, so it moves
with the program.

    0   address of the block itself (x86-64 code reads fs:0 for the thread pointer)
    8   migration flag: polls call the migration hook while it is not zero
    16  data-stack pointer
    24  lowest address of the data stack
"""

from __future__ import annotations

SELF = 0
MIGRATION_FLAG = 8
DATA_STACK_POINTER = 16
DATA_STACK_LIMIT = 24
SIZE = 256

SYMBOL = "__hcc_thread"
