"""Resume functions: `f.resume` goes on where a suspended `f` left off, on any ISA.

`f.resume(record)` is f's body with another entry: it switches on the record's site id, loads that
site's live values, and continues behind the site. Where f was suspended inside a call, it first
resumes the record of the inner function, by an indirect call through that record, and takes its
result as the call's. So a whole stack is rebuilt, outermost first, by the destination's own code.

An activation record in memory is an array of 8-byte words:

    0       address of the function's resume function
    8       address of the record of the next inner function
    16      site id
    24...   the live values, each in the low bytes of its word

The continuation has two sources for every live value (the body and the record). They are merged
by going through memory: each such value gets a stack object, stored after its definitions and
loaded before its uses, and `promote` makes SSA of it again.

Requires: IR with sites. The resume function has the same sites as its function, and the calls
that resume inner functions repeat the id of the call they stand for.
"""

from __future__ import annotations

from hcc.compiler.ir.construct import int_const
from hcc.compiler.ir.copying import copy_blocks
from hcc.compiler.ir.module import (
    Block,
    CallSite,
    Edge,
    Function,
    Instr,
    MemoryAccess,
    Operand,
    Signature,
    Site,
    StackSlot,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import I1, I8, I64, PTR, VOID, Type
from hcc.compiler.passes.promote import promote
from hcc.compiler.passes.tidy import tidy

RECORD_RESUME = 0
RECORD_INNER = 8
RECORD_SITE = 16
RECORD_VALUES = 24
WORD = 8


def resume_name(function: str) -> str:
    """The symbol of a function's resume function."""
    return function + ".resume"


def resume_function(function: Function) -> Function | None:
    """The resume function of a function with sites; None for one without."""
    if not any(i.site for i in function.instrs()):
        return None
    record = Value(PTR, "record")
    result = Function(
        resume_name(function.name),
        Signature((PTR,), function.signature.result),
        [record],
        exported=function.exported,
        noreturn=function.noreturn,
        loc=function.loc,
        resumes=function.name,
    )
    body, afters = _clone(function)
    sites = list(afters)
    entry = Block("resume")
    result.blocks = [entry, *body]
    merged = _merged_values(sites)
    objects = {v: _object_for(v) for v in merged}
    _demote(result, objects, set(function.params))
    resumes = [_resume_block(site, record, objects, after) for site, after in afters.items()]
    load = _word(record, RECORD_SITE, I64)
    default = Block("unknown")
    default.instrs = [Instr(VOID, op=Op.TRAP, attr="resume"), Instr(VOID, op=Op.UNREACHABLE)]
    ids = tuple(site.site.id for site in sites if site.site)
    switch = Instr(VOID, op=Op.SWITCH, args=[load[-1]], attr=ids)
    switch.targets = [Edge(default), *(Edge(b) for b in resumes)]
    natives = [i for b in body for i in b.instrs if i.op is Op.ALLOCA]
    for block in body:
        block.instrs = [i for i in block.instrs if i.op is not Op.ALLOCA]
    entry.instrs = [*objects.values(), *natives, *load, switch]
    result.blocks += [*resumes, default]
    promote(result)
    tidy(result)
    return result


# ---- copying the body ----


def _clone(function: Function) -> tuple[list[Block], dict[Instr, Block]]:
    """A copy of the body, split behind each site; and the block behind each site of the copy."""
    afters: dict[Instr, Block] = {}
    result: list[Block] = []
    for block in copy_blocks(function.blocks, {}):
        instrs, block.instrs = block.instrs, []
        result.append(block)
        for instr in instrs:
            result[-1].instrs.append(instr)
            if instr.site is not None:
                afters[instr] = rest = Block(f"after{instr.site.id}")
                jump = Instr(VOID, op=Op.BR, targets=[Edge(rest)], loc=instr.loc)
                result[-1].instrs.append(jump)
                result.append(rest)
    return result, afters


# ---- merging ----


def _merged_values(sites: list[Instr]) -> list[Value]:
    """Values that the record may supply: those live at some site, and results of calls."""
    merged: dict[Value, None] = {}
    for instr in sites:
        assert instr.site is not None
        for operand in instr.site.live:
            if isinstance(operand, Value):
                merged[operand] = None
        if instr.type is not VOID:
            merged[instr] = None
    return list(merged)


def _object_for(value: Value) -> Instr:
    slot = StackSlot(value.type.size, value.type.size)
    return Instr(PTR, value.name, op=Op.ALLOCA, attr=slot)


def _store(value: Operand, addr: Operand) -> Instr:
    access = MemoryAccess(value.type.size)
    return Instr(VOID, op=Op.STORE, args=[value, addr], attr=access)


def _demote(function: Function, objects: dict[Value, Instr], params: set[Value]) -> None:
    """Store merged values after their definitions and load them before their uses."""
    for block in function.blocks:
        result: list[Instr] = [_store(p, objects[p]) for p in block.params if p in objects]
        for instr in block.instrs:
            loads: dict[Value, Operand] = {}
            for operand in instr.operands():
                if isinstance(operand, Value) and operand in objects and operand not in loads:
                    access = MemoryAccess(operand.type.size)
                    args: list[Operand] = [objects[operand]]
                    load = Instr(operand.type, operand.name, op=Op.LOAD, args=args, attr=access)
                    loads[operand] = load
                    result.append(load)
            if loads:
                instr.replace_operands(loads)
            result.append(instr)
            if instr in objects:
                result.append(_store(instr, objects[instr]))
        block.instrs = result


def _word(record: Operand, offset: int, type_: Type) -> list[Instr]:
    """Instructions that load a word of a record; the last one is the value."""
    addr = Instr(PTR, op=Op.PTRADD, args=[record, int_const(I64, offset)])
    if type_ is I1:
        byte = Instr(I8, op=Op.LOAD, args=[addr], attr=MemoryAccess(1))
        return [addr, byte, Instr(I1, op=Op.NE, args=[byte, int_const(I8, 0)])]
    return [addr, Instr(type_, op=Op.LOAD, args=[addr], attr=MemoryAccess(type_.size))]


def _resume_block(
    site: Instr, record: Value, objects: dict[Value, Instr], after: Block
) -> Block:
    """The block that takes over at one site: load its values, resume the callee, go on."""
    assert site.site is not None
    block = Block(f"resume{site.site.id}")
    live: list[Operand] = []
    loads = {o: i for i, o in enumerate(_recorded(site, objects))}
    for value, index in loads.items():
        words = _word(record, RECORD_VALUES + WORD * index, value.type)
        block.instrs += [*words, _store(words[-1], objects[value])]
        live.append(words[-1])
    if site.op is Op.CALL:
        inner = _word(record, RECORD_INNER, PTR)
        target = _word(inner[-1], RECORD_RESUME, PTR)
        call = Instr(site.type, op=Op.CALL, args=[target[-1], inner[-1]], loc=site.loc)
        call.attr = CallSite(Signature((PTR,), site.type))
        call.site = Site(site.site.id, live)
        block.instrs += [*inner, *target, call]
        if site.type is not VOID:
            block.instrs.append(_store(call, objects[site]))
    block.instrs.append(Instr(VOID, op=Op.BR, targets=[Edge(after)]))
    return block


def _recorded(site: Instr, objects: dict[Value, Instr]) -> list[Value]:
    """The values of the site's record, in order, as the values whose objects hold them."""
    assert site.site is not None
    owners = {slot: value for value, slot in objects.items()}
    result = []
    for operand in site.site.live:
        # After demotion each live operand is a load from its value's object.
        assert isinstance(operand, Instr)
        assert operand.op is Op.LOAD
        slot = operand.args[0]
        assert isinstance(slot, Instr)
        result.append(owners[slot])
    return result
