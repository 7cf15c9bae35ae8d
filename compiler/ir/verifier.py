"""The verifier: what every pass may rely on and has to leave behind.

A valid function satisfies:

1. it has an entry block without parameters or predecessors, and block names are unique;
2. every block ends in a terminator and has none elsewhere; its edges lead to blocks of the same
   function and carry one operand of the right type for each parameter;
3. operands and results have the types of the operation's signature (`ops`); calls match their
   CallSite; `ret` matches the function;
4. every value is defined once, and its definition dominates each use (edges use at the end of
   their block; values live at a site are uses there);
5. `alloca` stands in the entry block only;
6. symbols are defined or declared in the module;
7. with sites assigned: only calls and polls have a site, leaf calls have none, and ids are
   unique (in a resume function the call that resumes an inner one repeats the id of its site).
"""

from __future__ import annotations

from hcc.compiler.ir.cfg import Dominators
from hcc.compiler.ir.module import (
    Block,
    CallSite,
    Const,
    Edge,
    Function,
    Instr,
    MemoryAccess,
    Module,
    Operand,
    StackSlot,
    Symbol,
    Value,
)
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.printer import print_function
from hcc.compiler.ir.types import I1, I8, I64, PTR, VOID, Type


class InvalidIR(Exception):
    """The IR breaks one of the rules: a bug in a pass or front end."""


def verify(module: Module) -> None:
    """Raise InvalidIR, with the function's text, for the first rule broken."""
    for function in module.functions.values():
        try:
            _FunctionVerifier(module, function).run()
        except InvalidIR as error:
            raise InvalidIR(f"{function.name}: {error}\n{print_function(function)}") from None


_FIXED = {"i": I1, "l": I64, "b": I8, "p": PTR, "v": VOID}


class _FunctionVerifier:
    def __init__(self, module: Module, function: Function) -> None:
        self.module = module
        self.function = function

    def run(self) -> None:
        f = self.function
        _require(bool(f.blocks), "no blocks")
        _require(not f.entry.params, "the entry block has parameters")
        names = [b.name for b in f.blocks]
        _require(len(set(names)) == len(names), "two blocks of one name")
        members = set(f.blocks)
        for block in f.blocks:
            _require(bool(block.instrs), f"{block.name} is empty")
            for i, instr in enumerate(block.instrs):
                last = i == len(block.instrs) - 1
                where = f"{block.name}: {instr.op}"
                _require(instr.op.is_terminator == last, f"{where}: terminator in the wrong place")
                self.check_instr(instr, block, where)
                for edge in instr.targets:
                    self.check_edge(edge, members, where)
        self.check_sites()
        self.check_dominance()

    def check_edge(self, edge: Edge, members: set[Block], where: str) -> None:
        _require(edge.block in members, f"{where}: edge to {edge.block.name}, not in the function")
        _require(edge.block is not self.function.entry, f"{where}: edge to the entry block")
        have = [a.type for a in edge.args]
        want = [p.type for p in edge.block.params]
        _require(have == want, f"{where}: edge to {edge.block.name} carries {have}, not {want}")

    def check_instr(self, instr: Instr, block: Block, where: str) -> None:
        op = instr.op
        for operand in instr.operands():
            if isinstance(operand, Symbol):
                _require(self.module.declares(operand.name), f"{where}: @{operand.name} unknown")
            if isinstance(operand, Const) and operand.type.is_int:
                limit = 1 << operand.type.bits
                fits = isinstance(operand.value, int) and 0 <= operand.value < limit
                _require(fits, f"{where}: constant {operand.value} in {operand.type}")
        match op:
            case Op.CALL:
                self.check_call(instr, where)
                return
            case Op.RET:
                want = self.function.signature.result
                have = instr.args[0].type if instr.args else VOID
                _require(have is want, f"{where}: returns {have}, not {want}")
                return
            case Op.SYSCALL:
                _require([a.type for a in instr.args] == [I64] * 6, f"{where}: wants six i64")
                _require(instr.type is I64 and isinstance(instr.attr, int), where)
                return
            case Op.SWITCH:
                _require(len(instr.targets) == len(instr.attr) + 1, f"{where}: case count")
                _require(len(set(instr.attr)) == len(instr.attr), f"{where}: case twice")
            case Op.ALLOCA:
                _require(block is self.function.entry, f"{where}: outside the entry block")
                _require(isinstance(instr.attr, StackSlot), f"{where}: no size")
            case Op.LOAD | Op.STORE:
                _require(isinstance(instr.attr, MemoryAccess), f"{where}: no access")
            case Op.BR | Op.CBR:
                _require(len(instr.targets) == (1 if op is Op.BR else 2), f"{where}: targets")
        self.check_types(instr, where)

    def check_types(self, instr: Instr, where: str) -> None:
        op = instr.op
        _require(len(instr.args) == len(op.operands), f"{where}: {len(instr.args)} operands")
        bound: dict[str, Type] = {}
        pairs = [*zip(op.operands, (a.type for a in instr.args), strict=True)]
        for letter, have in [*pairs, (op.result, instr.type)]:
            if letter in _FIXED:
                _require(have is _FIXED[letter], f"{where}: {have} for {_FIXED[letter]}")
                continue
            bound.setdefault(letter, have)
            _require(bound[letter] is have, f"{where}: {have} and {bound[letter]}")
            kind_ok = {
                "I": have.is_int,
                "J": have.is_int,
                "F": have.is_float,
                "G": have.is_float,
                "V": have.is_int or have is PTR,
            }.get(letter, have is not VOID)
            _require(kind_ok, f"{where}: operand of type {have}")
        if op in (Op.TRUNC, Op.FPTRUNC):
            _require(instr.type.bits < instr.args[0].type.bits, f"{where}: does not narrow")
        if op in (Op.ZEXT, Op.SEXT, Op.FPEXT):
            _require(instr.type.bits > instr.args[0].type.bits, f"{where}: does not widen")
        if op is Op.BITCAST:
            _require(instr.type.bits == instr.args[0].type.bits, f"{where}: changes width")

    def check_call(self, instr: Instr, where: str) -> None:
        _require(isinstance(instr.attr, CallSite), f"{where}: no signature")
        signature = instr.attr.signature
        _require(instr.args[0].type is PTR, f"{where}: callee of type {instr.args[0].type}")
        have = tuple(a.type for a in instr.args[1:])
        _require(have == signature.params, f"{where}: passes {have} for {signature.params}")
        _require(instr.type is signature.result, f"{where}: result {instr.type}")

    def check_sites(self) -> None:
        ids = set()
        for instr in self.function.instrs():
            if instr.site is None:
                continue
            leaf_call = instr.op is Op.CALL and instr.attr.leaf
            _require(instr.op.is_site and not leaf_call, f"{instr.op} has a site")
            twice = instr.site.id in ids and self.function.resumes is None
            _require(not twice, f"site {instr.site.id} twice")
            ids.add(instr.site.id)

    def check_dominance(self) -> None:
        dominators = Dominators.of(self.function)
        place: dict[Value, tuple[Block | None, int]] = {}
        place.update(dict.fromkeys(self.function.params, (None, 0)))
        for block in self.function.blocks:
            for value, index in [(p, -1) for p in block.params] + [
                (instr, i) for i, instr in enumerate(block.instrs)
            ]:
                _require(value not in place, f"{block.name}: a value defined twice")
                place[value] = (block, index)
        reachable = set(dominators.order)
        for block in dominators.order:
            for i, instr in enumerate(block.instrs):
                for operand in instr.operands():
                    if isinstance(operand, Value):
                        self.check_use(operand, block, i, place, dominators, reachable)

    def check_use(
        self,
        value: Operand,
        block: Block,
        index: int,
        place: dict[Value, tuple[Block | None, int]],
        dominators: Dominators,
        reachable: set[Block],
    ) -> None:
        assert isinstance(value, Value)
        where = f"{block.name}: {block.instrs[index].op}"
        _require(value in place, f"{where}: uses a value that is defined nowhere")
        home, position = place[value]
        if home is None:
            return
        if home is block:
            # A call's own result is live after it, so it never stands in its own site.
            _require(position < index, f"{where}: used before its definition")
        else:
            ok = home in reachable and dominators.dominates(home, block)
            _require(ok, f"{where}: definition in {home.name} does not dominate")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidIR(message)
