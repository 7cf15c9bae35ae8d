"""Lowering of statements.

Loops get the form header (test), body, latch (step), and back to the header by one edge, so that
later passes recognise counted loops. Statements that cannot be reached are not lowered, unless a
label lies in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define

from hcc.compiler.ir.module import Block, Operand
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import PTR, VOID
from hcc.compiler.kernelc.abi import result_type, returns_through_memory
from hcc.compiler.kernelc.lower_base import Place, zero_of
from hcc.compiler.kernelc.lower_initializers import InitializerLowering
from hcc.compiler.kernelc.operators import truth
from hcc.compiler.kernelc.scope import Variable
from hcc.compiler.kernelc.syntax import (
    Break,
    Case,
    Compound,
    Continue,
    DeclStmt,
    ExprStmt,
    Goto,
    If,
    Label,
    Labelled,
    Loop,
    Return,
    StatementExpr,
    Stmt,
    Switch,
    VlaMark,
)
from hcc.compiler.kernelc.types import CType, IntegerType, RecordType


@define(eq=False)
class Exits:
    """Where break and continue go from here, and which variable-length arrays live there."""

    leave: Block
    again: Block | None
    vla: VlaMark | None
    outer: Exits | None
    inner_vla: VlaMark | None = None
    continued: bool = False


class StatementLowering(InitializerLowering):
    """Statements."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.exits: Exits | None = None
        self.label_blocks: dict[Label, Block] = {}
        self.case_blocks: dict[Case, Block] = {}

    def statement(self, stmt: Stmt, bypassed: bool = False) -> None:
        """Lower a statement. `bypassed`: control may come in behind a declaration in it."""
        if not self.cursor.is_open:
            if not stmt.labelled:
                return
            self.cursor.place(self.cursor.new_block("dead"))
        self.locate(stmt.at)
        match stmt:
            case ExprStmt():
                self.effect(stmt.expr)
                self._drop_dead_block()
            case DeclStmt():
                self._declare(stmt, bypassed)
            case Compound():
                self._compound(stmt)
            case If():
                self._if(stmt)
            case Loop():
                self._loop(stmt)
            case Return():
                self._return(stmt)
            case Labelled():
                self._labelled(stmt)
            case Switch():
                self._switch(stmt)
            case Break() | Continue():
                self._leave(stmt)
            case Goto():
                self.leave_vlas(stmt.vla, stmt.label.vla)
                self.cursor.br(self._label_block(stmt.label))

    def _drop_dead_block(self) -> None:
        """After a call that does not return, the code behind it is dead."""
        block = self.cursor.block
        assert block is not None
        if not block.instrs and block.name.startswith("dead"):
            self.cursor.function.blocks.remove(block)
            self.cursor.block = None

    # ---- blocks and declarations ----

    def _compound(self, stmt: Compound) -> None:
        items = stmt.items
        for i, item in enumerate(items):
            bypassed = (
                stmt.labelled
                and isinstance(item, DeclStmt)
                and any(later.labelled for later in items[i + 1 :])
            )
            self.statement(item, bypassed)
        if self.cursor.is_open and stmt.vla_after is not stmt.vla_before:
            self.leave_vlas(stmt.vla_after, stmt.vla_before)

    @contextmanager
    def statements_of(self, expr: StatementExpr) -> Iterator[None]:
        """Lower the statements of a statement expression; its value is taken within."""
        body = expr.body
        for item in body.items:
            self.statement(item)
        if not self.cursor.is_open:
            self.cursor.place(self.cursor.new_block("dead"))
        yield
        self.leave_vlas(body.vla_after, body.vla_before)

    def _declare(self, stmt: DeclStmt, bypassed: bool) -> None:
        for item in stmt.items:
            if isinstance(item, Variable):
                self.locate(item.at)
                self._local(item, bypassed)
            else:
                self.evaluate_type(item)

    def _local(self, variable: Variable, bypassed: bool) -> None:
        type_ = variable.type
        if type_.variably_modified:
            self.evaluate_type(type_)
        if variable.vla is not None:
            self._variable_length(variable)
            return
        slot = self.alloca_for(type_, variable.name)
        if variable.align > type_.align:
            slot.attr = type(slot.attr)(slot.attr.size, variable.align, slot.attr.volatile)
        variable.slot = slot
        place = Place(slot)
        init = variable.init
        if bypassed:
            self._zero_at_entry(place, type_)
        if init is None or not init.elements or variable.reads_itself:
            self.zero(place, type_)
        if init is not None and init.elements:
            self.initialise(place, type_, init)

    def _zero_at_entry(self, place: Place, type_: CType) -> None:
        """Zero an object at function entry, as its declaration may be jumped over."""
        here = self.cursor.block
        self.cursor.block = scratch = Block("prologue")
        self.zero(place, type_)
        self.cursor.block = here
        self.prologue += scratch.instrs

    def _variable_length(self, variable: Variable) -> None:
        mark = variable.vla
        assert mark is not None
        size = self.size_of(variable.type)
        saved = self.alloca(8, 8, "saved")
        mark.slot = saved
        self.cursor.store(self.cursor.emit(Op.DSP_GET, PTR), saved)
        variable.slot = self.alloca(8, 8, variable.name)
        self.cursor.store(self.data_stack(size), variable.slot)

    # ---- selection ----

    def _if(self, stmt: If) -> None:
        """An if, with the chain of else-ifs taken as a loop."""
        cursor = self.cursor
        here: Stmt | None = stmt
        while isinstance(here, If) and not here.labelled:
            known = truth(here.condition)
            if known is None:
                break
            here = here.then if known else here.otherwise
        if not isinstance(here, If):
            if here is not None:
                self.statement(here)
            return
        end = cursor.new_block("end")
        reached = False
        while isinstance(here, If):
            self.locate(here.at)
            then = cursor.new_block("then")
            otherwise = cursor.new_block("else") if here.otherwise is not None else end
            self.branch(here.condition, then, otherwise)
            cursor.place(then)
            self.statement(here.then)
            if cursor.is_open:
                cursor.br(end)
                reached = True
            if here.otherwise is None:
                reached = True
                cursor.block = None
            else:
                cursor.place(otherwise)
            here = here.otherwise
        if here is not None:
            self.statement(here)
        if cursor.is_open:
            cursor.br(end)
            reached = True
        if reached:
            cursor.place(end)
        else:
            cursor.block = None

    def _switch(self, stmt: Switch) -> None:
        cursor = self.cursor
        value = self.value(stmt.value)
        self.locate(stmt.at)
        head = cursor.block
        end = cursor.new_block("end")
        loop = self.exits
        again = loop.again if loop is not None else None
        self.exits = Exits(end, again, stmt.vla, loop)
        cursor.block = None
        if stmt.body.labelled:
            self.statement(stmt.body)
        self.exits = loop
        if cursor.is_open:
            cursor.br(end)
        cursor.block = head
        default = end
        cases: list[tuple[int, Block]] = []
        for case in stmt.cases:
            block = self.case_blocks[case]
            if case.low is None:
                default = block
            else:
                assert case.high is not None
                cases += [(number, block) for number in range(case.low, case.high + 1)]
        if cases:
            cursor.switch(value, default, cases)
        else:
            cursor.br(default)
        cursor.place(end)

    def _labelled(self, stmt: Labelled) -> None:
        block: Block | None = None
        for label in stmt.labels:
            if isinstance(label, Label):
                named = self._label_block(label)
                if block is None:
                    block = named
                else:  # two labels here that were both jumped to before
                    self.go_to(block)
                    block = named
        if block is None:
            block = self.cursor.new_block("case")
        for label in stmt.labels:
            if isinstance(label, Case):
                self.case_blocks[label] = block
        self.go_to(block)
        self.statement(stmt.body)

    def _label_block(self, label: Label) -> Block:
        if label not in self.label_blocks:
            self.label_blocks[label] = self.cursor.new_block(f"{label.name}.")
        return self.label_blocks[label]

    # ---- loops ----

    def _loop(self, stmt: Loop) -> None:
        cursor = self.cursor
        if stmt.init is not None:
            self.statement(stmt.init, stmt.body.labelled)
        header = cursor.new_block("loop")
        leave = cursor.new_block("end")
        latch = cursor.new_block("latch")
        self.exits = Exits(leave, latch, stmt.vla_inside, self.exits)
        self.go_to(header)
        if stmt.condition is not None and not stmt.tests_last:
            body = cursor.new_block("body")
            self.branch(stmt.condition, body, leave)
            cursor.place(body)
        self.statement(stmt.body)
        exits = self.exits
        assert exits is not None
        self.exits = exits.outer
        self._latch(stmt, exits, header, latch)
        cursor.place(leave)
        self.leave_vlas(stmt.vla_inside, stmt.vla)

    def _latch(self, stmt: Loop, exits: Exits, header: Block, latch: Block) -> None:
        """The end of the body: the step, or a do's test, and the one edge back."""
        cursor = self.cursor
        tested = stmt.tests_last and stmt.condition is not None
        if exits.continued or stmt.step is not None or tested:
            if not cursor.is_open and not exits.continued:
                cursor.block = None
                return
            self.go_to(latch)
        if not cursor.is_open:
            return
        if stmt.step is not None:
            self.locate(stmt.step.at)
            self.effect(stmt.step)
        if tested:
            assert stmt.condition is not None
            self.locate(stmt.condition.at)
            self.branch(stmt.condition, header, exits.leave)
        else:
            cursor.br(header)

    def _leave(self, stmt: Break | Continue) -> None:
        exits = self.exits
        assert exits is not None
        if isinstance(stmt, Break):
            self.leave_vlas(stmt.vla, exits.vla)
            self.cursor.br(exits.leave)
            return
        while exits.outer is not None and exits.again is exits.outer.again:
            exits = exits.outer  # a switch: its loop is further out
        exits.continued = True
        assert exits.again is not None
        self.leave_vlas(stmt.vla, exits.vla)
        self.cursor.br(exits.again)

    # ---- return ----

    def _return(self, stmt: Return) -> None:
        result = self.function.type.result
        if stmt.value is None:
            self.cursor.ret(self.no_result())
        elif result.is_void:
            self.effect(stmt.value)
            self.locate(stmt.at)
            self.cursor.ret()
        elif isinstance(result, RecordType):
            self._return_record(stmt, result)
        else:
            value = self.value(stmt.value)
            self.locate(stmt.at)
            self.cursor.ret(self._returned(value, result))

    def _returned(self, value: Operand, result: CType) -> Operand:
        signed = isinstance(result, IntegerType) and result.signed
        ir = result_type(result)
        return self.resize(value, ir, signed) if ir.is_int else value

    def _return_record(self, stmt: Return, result: RecordType) -> None:
        assert stmt.value is not None
        place = self.place(stmt.value)
        self.locate(stmt.at)
        if returns_through_memory(result):
            assert self.result_address is not None
            self.copy(Place(self.result_address), place, result)
            self.cursor.ret()
        else:
            words = self.words(place, result)
            self.cursor.ret(words[0] if words else None)

    def no_result(self) -> Operand | None:
        """What a function returns that ends without saying: zero."""
        result = self.function.type.result
        ir = result_type(result)
        if returns_through_memory(result):
            assert self.result_address is not None
            self.zero(Place(self.result_address), result)
        return None if ir is VOID else zero_of(ir)
