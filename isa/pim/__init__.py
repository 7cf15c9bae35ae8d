"""Processing in memory as data: instructions, their words and text, what is legal.

Read in this order: `instructions` (what a unit can be told, and the two dialects), `encoding`
(as words), `text` (as assembly), `legality` (the rules), `modes` (the vendor's magic rows),
`configuration` (PIMSys's JSON messages).
"""

from __future__ import annotations

from .encoding import decode, encode
from .instructions import (
    BURST_SIZE,
    CRF_LENGTH,
    EXIT,
    LANES,
    NOP,
    Dialect,
    File,
    Instruction,
    Op,
    Operand,
    compute,
)
from .legality import Finding, Rule, check
from .text import format_instruction, format_program, parse, parse_instruction, parse_words

__all__ = [
    "BURST_SIZE",
    "CRF_LENGTH",
    "EXIT",
    "LANES",
    "NOP",
    "Dialect",
    "File",
    "Finding",
    "Instruction",
    "Op",
    "Operand",
    "Rule",
    "check",
    "compute",
    "decode",
    "encode",
    "format_instruction",
    "format_program",
    "parse",
    "parse_instruction",
    "parse_words",
]
