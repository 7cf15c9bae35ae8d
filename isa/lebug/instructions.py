"""The firmware instructions: name, block, parameters, one line of meaning.

One table serves the text front end, the Python builder, the disassembler and the
documentation. Within a chain the order of calls has no effect: each only sets fields.
"""

from __future__ import annotations

from attrs import frozen

from .machine import Block


@frozen
class Parameter:
    """One argument; `aliases` are other names the same argument is called by."""

    name: str
    required: bool = False
    default: object = None
    aliases: tuple[str, ...] = ()


@frozen
class Instruction:
    name: str
    block: Block
    meaning: str
    parameters: tuple[Parameter, ...] = ()


_CONDITIONS = (Parameter("condition1"), Parameter("condition2"))
_ADDRESS = Parameter("addr", required=True, aliases=("cache_addr",))


def _alu(name: str, meaning: str) -> Instruction:
    return Instruction(name, Block.ALU, meaning, (_ADDRESS, *_CONDITIONS))


_TABLE = (
    Instruction(
        "vv_filter",
        Block.FILTER_REDUCE,
        "compare every lane with the M ranges of filter row addr",
        (Parameter("addr", required=True),),
    ),
    Instruction(
        "m_reduce",
        Block.FILTER_REDUCE,
        "sum the M x N matrix: 'N' over ranges, 'M' over lanes",
        (Parameter("axis", default="N"),),
    ),
    _alu("vv_add", "x + cache row addr"),
    _alu("vv_mul", "x * cache row addr"),
    _alu("vv_sub", "x - cache row addr"),
    _alu("vv_max", "lane-wise maximum of x and cache row addr"),
    _alu("v_cache", "store the ALU's result in cache row addr"),
    Instruction("v_mc_load", Block.ALU, "take x from the mini-cache, not from the input"),
    Instruction("v_mc_save", Block.ALU, "store the ALU's result in the mini-cache"),
    Instruction("v_reduce", Block.SCALAR_REDUCE, "replace the vector by its sum in lane 0"),
    Instruction(
        "v_commit",
        Block.PACKER,
        "append the first size elements (1, M or N) to the row being packed",
        (Parameter("size"), *_CONDITIONS, Parameter("cast_to_int", default=False)),
    ),
)

INSTRUCTIONS: dict[str, Instruction] = {entry.name: entry for entry in _TABLE}

# The calls that delimit chains rather than fill them.
STRUCTURE = ("begin_chain", "end_chain", "compile")
