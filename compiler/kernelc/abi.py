"""How C's calls look in the IR: which operands an argument becomes, and where a result is.

* Integers narrower than 32 bits travel as i32, extended by their signedness; `_Float16` as its
  bits, zero-extended. Whoever receives one narrows it again.
* A record of up to 16 bytes is one or two i64 with its bytes in order, zero behind the end; a
  larger one is the address of a fresh copy that the caller makes. An empty record is nothing.
* A record result of up to 8 bytes is an i64; a larger one is written through a hidden first
  parameter.
* Variadic arguments lie in consecutive 8-byte slots, whose address is the last parameter.
"""

from __future__ import annotations

from hcc.compiler.ir.module import Signature
from hcc.compiler.ir.types import I32, I64, PTR, VOID, Type
from hcc.compiler.kernelc.types import CType, FunctionType, RecordType

WORD = 8
MAX_RECORD_IN_WORDS = 16
MAX_RECORD_RESULT = 8


def parameter_types(type_: CType) -> tuple[Type, ...]:
    """The IR types that an argument of a C type becomes."""
    if isinstance(type_, RecordType):
        if type_.size > MAX_RECORD_IN_WORDS:
            return (PTR,)
        return (I64,) * ((type_.size + WORD - 1) // WORD)
    return (I32,) if type_.ir.is_int and type_.ir.bits < 32 else (type_.ir,)


def result_type(type_: CType) -> Type:
    """The IR type of a result; VOID if there is none or it goes through memory."""
    if isinstance(type_, RecordType):
        return I64 if 0 < type_.size <= MAX_RECORD_RESULT else VOID
    return I32 if type_.ir.is_int and type_.ir.bits < 32 else type_.ir


def returns_through_memory(type_: CType) -> bool:
    return isinstance(type_, RecordType) and type_.size > MAX_RECORD_RESULT


def signature_of(type_: FunctionType, params: tuple[CType, ...] | None = None) -> Signature:
    """The signature of a function type; `params` are those of a call without prototype."""
    types: list[Type] = [PTR] if returns_through_memory(type_.result) else []
    for param in type_.params if params is None else params:
        types += parameter_types(param)
    if type_.variadic:
        types.append(PTR)
    return Signature(tuple(types), result_type(type_.result))
