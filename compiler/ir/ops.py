"""The operations of the IR, in one table: what each takes and gives.

Signatures are written with one letter an operand, and one for the result after `>`:

    I  an integer type, the same at every I     i  i1          l  i64      b  i8
    F  a float type, the same at every F        p  ptr         v  nothing
    V  an integer or ptr, the same at every V   T  any type, the same at every T
    J  a second integer type                    G  a second float type
    U  any type of the same width as T
    *  any number of operands of any types

Meaning, where C leaves a choice (spec: one semantics on all ISAs): integers wrap; shift counts
are taken modulo the width; division by zero and INT_MIN / -1 stop the program with a report;
conversions of floats to integers saturate and turn NaN into 0; floats are neither contracted nor
reassociated.
"""

from __future__ import annotations

from enum import Enum

# Operations that do more than give a result, or whose result depends on when they run.
_EFFECTS = frozenset(
    {
        "alloca", "load", "store", "memcpy", "memmove", "memset", "call", "syscall", "poll", "trap",
        "dsp_get", "dsp_set", "sdiv", "udiv", "srem", "urem",
    }
)  # fmt: skip


class Op(Enum):
    """An operation; `operands` and `result` are the letters of its signature."""

    # integer arithmetic
    ADD = ("add", ("I", "I"), "I")
    SUB = ("sub", ("I", "I"), "I")
    MUL = ("mul", ("I", "I"), "I")
    AND = ("and", ("I", "I"), "I")
    OR = ("or", ("I", "I"), "I")
    XOR = ("xor", ("I", "I"), "I")
    SHL = ("shl", ("I", "I"), "I")
    LSHR = ("lshr", ("I", "I"), "I")
    ASHR = ("ashr", ("I", "I"), "I")
    SDIV = ("sdiv", ("I", "I"), "I")
    UDIV = ("udiv", ("I", "I"), "I")
    SREM = ("srem", ("I", "I"), "I")
    UREM = ("urem", ("I", "I"), "I")

    # bits
    CTLZ = ("ctlz", ("I",), "I")
    CTTZ = ("cttz", ("I",), "I")
    CTPOP = ("ctpop", ("I",), "I")
    BSWAP = ("bswap", ("I",), "I")

    # floating point
    FADD = ("fadd", ("F", "F"), "F")
    FSUB = ("fsub", ("F", "F"), "F")
    FMUL = ("fmul", ("F", "F"), "F")
    FDIV = ("fdiv", ("F", "F"), "F")
    FNEG = ("fneg", ("F",), "F")
    FABS = ("fabs", ("F",), "F")
    SQRT = ("sqrt", ("F",), "F")
    COPYSIGN = ("copysign", ("F", "F"), "F")

    # comparisons
    EQ = ("eq", ("V", "V"), "i")
    NE = ("ne", ("V", "V"), "i")
    SLT = ("slt", ("V", "V"), "i")
    SLE = ("sle", ("V", "V"), "i")
    SGT = ("sgt", ("V", "V"), "i")
    SGE = ("sge", ("V", "V"), "i")
    ULT = ("ult", ("V", "V"), "i")
    ULE = ("ule", ("V", "V"), "i")
    UGT = ("ugt", ("V", "V"), "i")
    UGE = ("uge", ("V", "V"), "i")
    FEQ = ("feq", ("F", "F"), "i")
    FNE = ("fne", ("F", "F"), "i")
    FLT = ("flt", ("F", "F"), "i")
    FLE = ("fle", ("F", "F"), "i")
    FGT = ("fgt", ("F", "F"), "i")
    FGE = ("fge", ("F", "F"), "i")
    FUNO = ("funo", ("F", "F"), "i")

    # conversions
    TRUNC = ("trunc", ("I",), "J")
    ZEXT = ("zext", ("I",), "J")
    SEXT = ("sext", ("I",), "J")
    FPTRUNC = ("fptrunc", ("F",), "G")
    FPEXT = ("fpext", ("F",), "G")
    FPTOSI = ("fptosi", ("F",), "I")
    FPTOUI = ("fptoui", ("F",), "I")
    SITOFP = ("sitofp", ("I",), "F")
    UITOFP = ("uitofp", ("I",), "F")
    PTRTOINT = ("ptrtoint", ("p",), "l")
    INTTOPTR = ("inttoptr", ("l",), "p")
    BITCAST = ("bitcast", ("T",), "U")

    # choice
    SELECT = ("select", ("i", "T", "T"), "T")

    # memory; attr: alloca (size, align), load and store MemoryAccess
    ALLOCA = ("alloca", (), "p")
    LOAD = ("load", ("p",), "T")
    STORE = ("store", ("T", "p"), "v")
    PTRADD = ("ptradd", ("p", "l"), "p")
    MEMCPY = ("memcpy", ("p", "p", "l"), "v")
    MEMMOVE = ("memmove", ("p", "p", "l"), "v")
    MEMSET = ("memset", ("p", "b", "l"), "v")

    # calls and what the runtime sees; attr: CallSite, system-call number, trap code
    CALL = ("call", ("*",), "T")
    SYSCALL = ("syscall", ("*",), "l")
    POLL = ("poll", (), "v")
    TRAP = ("trap", (), "v")

    # the data-stack pointer of the running thread
    DSP_GET = ("dsp_get", (), "p")
    DSP_SET = ("dsp_set", ("p",), "v")

    # terminators
    BR = ("br", (), "v")
    CBR = ("cbr", ("i",), "v")
    SWITCH = ("switch", ("I",), "v")
    RET = ("ret", ("*",), "v")
    UNREACHABLE = ("unreachable", (), "v")

    def __init__(self, text: str, operands: tuple[str, ...], result: str) -> None:
        self.text = text
        self.operands = operands
        self.result = result
        self.is_terminator = text in ("br", "cbr", "switch", "ret", "unreachable")
        self.is_site = text in ("call", "poll")
        # Nothing but the result: may be dropped when that is unused.
        self.is_pure = not self.is_terminator and text not in _EFFECTS

    def __str__(self) -> str:
        return self.text

    __hash__ = object.__hash__  # members are singletons


DIVISIONS = frozenset({Op.SDIV, Op.UDIV, Op.SREM, Op.UREM})
BY_TEXT = {op.text: op for op in Op}
