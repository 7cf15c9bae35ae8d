"""LeBug's instrumentation unit as data: parameters, chains, instructions, encodings.

Read in this order: `machine` (the parameters and the blocks), `chain` (what one chain holds),
`instructions` (what a firmware may say), `bytecode` (chains as bytes), `uart` (the image the
published hardware takes), `fixedpoint` (values as W-bit words), `tap` (how a program hands
vectors to the unit).
"""

from __future__ import annotations

from .bytecode import decode, encode
from .chain import NO_CONDITION, Axis, Chain, Firmware, Op
from .disassemble import disassemble
from .fixedpoint import decode_value, encode_value
from .instructions import INSTRUCTIONS, Instruction
from .machine import Block, DataType, Machine
from .tap import EOF1, EOF2, ElementType

__all__ = [
    "EOF1",
    "EOF2",
    "INSTRUCTIONS",
    "NO_CONDITION",
    "Axis",
    "Block",
    "Chain",
    "DataType",
    "ElementType",
    "Firmware",
    "Instruction",
    "Machine",
    "Op",
    "decode",
    "decode_value",
    "disassemble",
    "encode",
    "encode_value",
]
