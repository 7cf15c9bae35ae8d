"""mem2reg: turns stack objects that are only loaded and stored whole into SSA values.

Requires: valid IR. Establishes: no `alloca` remains whose every use is a non-volatile load or
store of one size at its start. Preserves meaning, with one addition: what was never stored reads
as zero, which is what hcc promises for uninitialised locals.

Block parameters are placed on the iterated dominance frontier of the stores, pruned to blocks
where the object is live (Cytron et al. 1991), then one walk down the dominator tree renames.
"""

from __future__ import annotations

from attrs import define, field

from hcc.compiler.ir.cfg import Dominators
from hcc.compiler.ir.module import Block, Const, Function, Instr, Operand, Value
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import PTR, Type


@define(eq=False, repr=False)
class _Variable:
    """A promotable object: its type and the blocks that store it or load it first."""

    type: Type
    name: str
    stores: set[Block] = field(factory=set)
    loads_first: set[Block] = field(factory=set)


def promote(function: Function) -> None:
    """Promote every stack object of the function that can be."""
    remove_unreachable(function)
    variables = _promotable(function)
    if not variables:
        return
    dominators = Dominators.of(function)
    _find_accesses(function, variables)
    placed = _place_params(function, variables, dominators)
    _rename(function, variables, placed, dominators)


def remove_unreachable(function: Function) -> None:
    """Drop the blocks that no path from the entry reaches."""
    seen = {function.entry}
    work = [function.entry]
    while work:
        for successor in work.pop().successors():
            if successor not in seen:
                seen.add(successor)
                work.append(successor)
    if len(seen) != len(function.blocks):
        function.blocks = [b for b in function.blocks if b in seen]


def _promotable(function: Function) -> dict[Value, _Variable]:
    candidates: dict[Value, _Variable] = {}
    for instr in function.entry.instrs:
        if instr.op is Op.ALLOCA and not instr.attr.volatile:
            candidates[instr] = _Variable(PTR, instr.name)
    if not candidates:
        return candidates
    types: dict[Value, Type] = {}
    for instr in function.instrs():
        addr: Operand | None = None
        if instr.op is Op.LOAD:
            addr, type_ = instr.args[0], instr.type
        elif instr.op is Op.STORE:
            addr, type_ = instr.args[1], instr.args[0].type
        if addr in candidates and isinstance(addr, Value):
            seen = types.setdefault(addr, type_)
            mixed = seen is not type_ and PTR in (seen, type_) and (seen.is_float or type_.is_float)
            if instr.attr.volatile or seen.size != type_.size or mixed:
                del candidates[addr]
        for operand in instr.operands():
            if operand is not addr and operand in candidates and isinstance(operand, Value):
                del candidates[operand]
        # A store of the object's own address into itself uses it as a value too.
        if instr.op is Op.STORE and instr.args[0] is addr and addr in candidates:
            del candidates[addr]
    for value, variable in candidates.items():
        variable.type = types.get(value, PTR)
    return candidates


def _accessed(instr: Instr, variables: dict[Value, _Variable]) -> Value | None:
    if instr.op is Op.LOAD:
        addr = instr.args[0]
    elif instr.op is Op.STORE:
        addr = instr.args[1]
    else:
        return None
    return addr if isinstance(addr, Value) and addr in variables else None


def _find_accesses(function: Function, variables: dict[Value, _Variable]) -> None:
    for block in function.blocks:
        for instr in block.instrs:
            addr = _accessed(instr, variables)
            if addr is None:
                continue
            variable = variables[addr]
            if instr.op is Op.STORE:
                variable.stores.add(block)
            elif block not in variable.stores:
                variable.loads_first.add(block)


def _place_params(
    function: Function, variables: dict[Value, _Variable], dominators: Dominators
) -> dict[Block, list[Value]]:
    """Give each block a parameter for every variable that needs one; returns which, in order."""
    frontiers = dominators.frontiers()
    placed: dict[Block, list[Value]] = {}
    for addr, variable in variables.items():
        live = _live_in(variable, dominators)
        work, done = list(variable.stores), set()
        while work:
            for block in frontiers[work.pop()]:
                if block not in done:
                    done.add(block)
                    work.append(block)
                    if block in live:
                        placed.setdefault(block, []).append(addr)
    return placed


def _live_in(variable: _Variable, dominators: Dominators) -> set[Block]:
    """Blocks at whose start the variable may still be read."""
    live = set(variable.loads_first)
    work = list(live)
    while work:
        for pred in dominators.preds[work.pop()]:
            if pred not in live and pred not in variable.stores:
                live.add(pred)
                work.append(pred)
    return live


def zero(type_: Type) -> Const:
    """The zero of a type."""
    return Const(type_, 0.0 if type_.is_float else 0)


def _rename(
    function: Function,
    variables: dict[Value, _Variable],
    placed: dict[Block, list[Value]],
    dominators: Dominators,
) -> None:
    children = dominators.children()
    replaced: dict[Value, Operand] = {}
    params: dict[Block, dict[Value, Value]] = {}
    for block, addrs in placed.items():
        params[block] = {a: Value(variables[a].type, variables[a].name) for a in addrs}
        block.params.extend(params[block].values())
    start = {a: zero(v.type) for a, v in variables.items()}
    stack: list[tuple[Block, dict[Value, Operand]]] = [(function.entry, dict(start))]
    while stack:
        block, current = stack.pop()
        if block in params:
            current.update(params[block])
        kept = []
        for instr in block.instrs:
            if replaced:
                instr.replace_operands(replaced)
            addr = _accessed(instr, variables)
            if addr is None:
                if instr not in variables:
                    kept.append(instr)
            elif instr.op is Op.LOAD:
                replaced[instr] = _as_type(current[addr], instr, kept)
            else:
                value = instr.args[0]
                want = variables[addr].type
                current[addr] = value if value.type is want else _cast(value, want, instr, kept)
                if not value.type.is_float and isinstance(value, Instr) and not value.name:
                    value.name = variables[addr].name
        block.instrs = kept
        for edge in block.terminator.targets:
            edge.args += [current[a] for a in placed.get(edge.block, ())]
        for child in children[block]:
            stack.append((child, dict(current)))


def _as_type(value: Operand, load: Instr, kept: list[Instr]) -> Operand:
    """The stored value as the type that a load wants."""
    return value if value.type is load.type else _cast(value, load.type, load, kept)


def _cast(value: Operand, to: Type, at: Instr, kept: list[Instr]) -> Operand:
    if isinstance(value, Const) and value.value == 0 and not value.type.is_float:
        return zero(to)
    if value.type is PTR:
        op = Op.PTRTOINT if to.is_int else Op.BITCAST
    else:
        op = Op.INTTOPTR if to is PTR and value.type.is_int else Op.BITCAST
    cast = Instr(to, at.name, op=op, args=[value], loc=at.loc)
    kept.append(cast)
    return cast
