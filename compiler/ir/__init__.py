"""hcc's intermediate representation. Read in this order: types, ops, module, construct, printer.

`verifier` states the invariants, `cfg` answers questions about control flow, `parser` reads the
text form back.
"""

from hcc.compiler.ir.construct import Cursor, float_const, int_const
from hcc.compiler.ir.module import Block, Const, Function, Instr, Module, Operand, Symbol, Value
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.parser import parse_module
from hcc.compiler.ir.printer import print_function, print_module
from hcc.compiler.ir.verifier import InvalidIR, verify

__all__ = [
    "Block",
    "Const",
    "Cursor",
    "Function",
    "Instr",
    "InvalidIR",
    "Module",
    "Op",
    "Operand",
    "Symbol",
    "Value",
    "float_const",
    "int_const",
    "parse_module",
    "print_function",
    "print_module",
    "verify",
]
