"""The actions of statements and function definitions (6.8, 6.9.1)."""

from __future__ import annotations

from typing import Any

from attrs import define

from hcc.compiler.kernelc.declarations import Declarations, Declared
from hcc.compiler.kernelc.declarators import Declarator, FunctionPart
from hcc.compiler.kernelc.operators import truth
from hcc.compiler.kernelc.scope import Body, Function, Variable, did_you_mean
from hcc.compiler.kernelc.semantics import Mark, SwitchContext
from hcc.compiler.kernelc.specifiers import Specs
from hcc.compiler.kernelc.syntax import (
    Break,
    Case,
    Compound,
    Continue,
    Empty,
    ErrorExpr,
    Expr,
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
from hcc.compiler.kernelc.tokens import Token
from hcc.compiler.kernelc.types import (
    ERROR,
    INT,
    VOID_TYPE,
    CType,
    FunctionType,
    IntegerType,
    pointer_to,
    promoted,
    promoted_argument,
)

MAX_CASE_RANGE = 1 << 16


@define(eq=False)
class Head:
    """The first line of a function definition."""

    specs: Specs
    declarator: Declarator
    part: FunctionPart | None


class Statements(Declarations):
    """The actions of statements."""

    # ---- blocks ----

    def on_list_add_item(self, items: list[Stmt], item: Stmt | None) -> list[Stmt]:
        if item is not None:
            items.append(item)
        return items

    def on_block_open(self, open_: Token) -> Mark:
        mark = self.mark(open_.lineno, self.vla, braces=1)
        self.scope.enter()
        return mark

    def on_compound(self, mark: Mark, items: list[Stmt], close: Token) -> Compound:
        self.scope.leave()
        made = _compound(mark.at, items, close.lineno)
        made.vla_before, made.vla_after = mark.value, self.vla
        self.vla = mark.value
        return made

    def on_compound_labels(
        self, mark: Mark, items: list[Stmt], labels: list[Any], close: Token
    ) -> Compound:
        items.append(self.on_labelled(labels, Empty(close.lineno)))
        return self.on_compound(mark, items, close)

    def on_labelled_declaration(self, labels: list[Any], declared: Declared | None) -> Stmt:
        statement = self.on_block_declaration(declared)
        body = Compound(labels[0].at, items=[statement] if statement is not None else [])
        body.vla_before = body.vla_after = self.vla
        return self.on_labelled(labels, body)

    # ---- statement expressions ----

    def on_statement_open(self, open_: Token, _brace: Token) -> Mark:
        mark = self.mark(open_.lineno, braces=1)
        self.loops, self.switches = 0, []
        self.scope.enter()
        if self.function is None:
            self.error(open_.lineno, "a statement expression '({ ... })' outside of a function")
            self.function = Function("", FunctionType(INT, (), True, False), open_.lineno)
            self.function.body = Body([])
        return mark

    def on_statement_expression(
        self, mark: Mark, items: list[Stmt], close: Token, _close: Token
    ) -> Expr:
        last = items.pop() if items and isinstance(items[-1], ExprStmt) else None
        result = self.value(last.expr) if isinstance(last, ExprStmt) else None
        body = _compound(mark.at, items, close.lineno)
        body.vla_before, body.vla_after = mark.before.vla, self.vla
        outside = mark.before.function is None
        self.restore(mark)
        if body.labelled and _has_goto_label(body):
            self.refuse(mark.at, "a label in a statement expression '({ ... })' is")
        if outside or (result is not None and result.type.is_error):
            return ErrorExpr(ERROR, mark.at)
        type_ = result.type.unqual if result is not None else VOID_TYPE
        return StatementExpr(type_, mark.at, body, result)

    # ---- labels ----

    def on_label_name(self, name: Token, _colon: Token, _attributes: Any) -> Label:
        label = self._label(name)
        if label.defined:
            note = self.note(label.at, "it was defined here")
            self.error_on(name, f"label '{name.value}' is defined twice", note)
        label.defined = True
        label.at = name.lineno
        label.vla = self.vla
        return label

    def _label(self, name: Token) -> Label:
        assert self.function is not None and self.function.body is not None
        labels = self.function.body.labels
        if name.value not in labels:
            labels[name.value] = Label(name.value, name.lineno)
        return labels[name.value]

    def on_label_case(self, word: Token, value: Expr, _colon: Token) -> Case:
        return self._case(word, value, value)

    def on_label_range(
        self, word: Token, low: Expr, _dots: Token, high: Expr, _colon: Token
    ) -> Case:
        return self._case(word, low, high)

    def on_label_default(self, word: Token, _colon: Token) -> Case:
        case = Case(word.lineno, None, None, self.vla)
        if not self.switches:
            self.error_on(word, "'default' outside of a switch")
            return case
        context = self.switches[-1]
        before = next((c for c in context.cases if c.low is None), None)
        if before is not None:
            note = self.note(before.at, "the other one is here")
            self.error_on(word, "two default labels in one switch", note)
        context.cases.append(case)
        return case

    def _case(self, word: Token, low: Expr, high: Expr) -> Case:
        first = self.constant_integer(low, "a case label")
        last = first if high is low else self.constant_integer(high, "a case label")
        case = Case(word.lineno, first, last, self.vla)
        if not self.switches:
            self.error_on(word, "'case' outside of a switch")
            return case
        context = self.switches[-1]
        if isinstance(context.type, IntegerType):
            case.low, case.high = context.type.wrap(first), context.type.wrap(last)
        if low.type.is_error or high.type.is_error:
            return case
        assert case.low is not None and case.high is not None
        if case.high - case.low >= MAX_CASE_RANGE:
            self.refuse(word.lineno, f"a case range of more than {MAX_CASE_RANGE} values is")
            case.high = case.low
        for value in range(case.low, case.high + 1):
            if value in context.seen:
                note = self.note(context.seen[value], "the other one is here")
                self.error(low.at, f"two case labels with the value {value}", note)
                break
            context.seen[value] = word.lineno
        context.cases.append(case)
        return case

    def on_labelled(self, labels: list[Any], body: Stmt) -> Labelled:
        return Labelled(labels[0].at, True, labels=labels, body=body)

    # ---- simple statements ----

    def on_expression_statement(self, expr: Expr, _semi: Token) -> ExprStmt:
        return ExprStmt(expr.at, expr=expr)

    def on_empty(self, first: Token, *_: Token) -> Empty:
        return Empty(first.lineno)

    def on_goto(self, word: Token, name: Token, _semi: Token) -> Goto:
        label = self._label(name)
        label.used = True
        if not label.defined:
            label.at = name.lineno
        goto = Goto(word.lineno, label=label, vla=self.vla)
        assert self.function is not None and self.function.body is not None
        self.function.body.gotos.append(goto)
        return goto

    def on_computed_goto(self, word: Token, *_: object) -> Empty:
        self.refuse(word.lineno, "a computed goto is")
        return Empty(word.lineno)

    def on_continue_statement(self, word: Token, _semi: Token) -> Stmt:
        if not self.loops:
            self.error_on(word, "'continue' outside of a loop")
            return Empty(word.lineno)
        return Continue(word.lineno, vla=self.vla)

    def on_break_statement(self, word: Token, _semi: Token) -> Stmt:
        if not self.loops and not self.switches:
            self.error_on(word, "'break' outside of a loop or switch")
            return Empty(word.lineno)
        return Break(word.lineno, vla=self.vla)

    def on_return_nothing(self, word: Token, _semi: Token) -> Return:
        function = self.function
        assert function is not None
        result = function.type.result
        if not result.is_void and not result.is_error:
            message = f"return without a value in '{function.name}', which returns '{result}'"
            if function.implicit:
                self.warning(word.lineno, message)
            else:
                self.error(word.lineno, message)
        return Return(word.lineno, value=None)

    def on_return_value(self, word: Token, value: Expr, _semi: Token) -> Return:
        function = self.function
        assert function is not None
        result = function.type.result
        if result.is_void:
            value = self.value(value)
            if not value.type.is_void and not value.type.is_error:
                message = f"return with a value in '{function.name}', which returns void"
                self.error(value.at, message)
            return Return(word.lineno, value=value)
        return Return(word.lineno, value=self.assign_convert(value, result, value.at, "returning"))

    # ---- selection ----

    def on_if_head(self, word: Token, _open: Token, condition: Expr, _close: Token) -> Any:
        return word.lineno, self.scalar(condition, "the condition of 'if'")

    def on_if_statement(self, head: Any, then: Stmt) -> If:
        return If(head[0], then.labelled, condition=head[1], then=then, otherwise=None)

    def on_if_else(self, head: Any, then: Stmt, _else: Token, otherwise: Stmt) -> If:
        labelled = then.labelled or otherwise.labelled
        return If(head[0], labelled, condition=head[1], then=then, otherwise=otherwise)

    def on_switch_head(self, word: Token, _open: Token, value: Expr, _close: Token) -> Mark:
        mark = self.mark(word.lineno)
        value = self.value(value)
        type_: CType = promoted(value.type)
        if not isinstance(type_, IntegerType):
            if not type_.is_error:
                self.error(value.at, f"the value of a switch is not an integer ('{value.type}')")
            type_ = INT
        else:
            value = self.convert(value, type_)
        self.switches = [*self.switches, SwitchContext(type_)]
        mark.value = value
        return mark

    def on_switch(self, mark: Mark, body: Stmt) -> Switch:
        cases = self.switches[-1].cases
        self.switches = mark.before.switches
        for case in cases:
            if not _encloses(case.vla, self.vla):
                self.error(case.at, "switch into the scope of a variable-length array")
        labelled = _has_goto_label(body) if body.labelled else False
        return Switch(mark.at, labelled, value=mark.value, body=body, cases=cases, vla=self.vla)

    # ---- loops ----

    def _open_loop(self, at: int, value: Any) -> Mark:
        mark = self.mark(at, value)
        self.loops += 1
        return mark

    def on_while_head(self, word: Token, _open: Token, condition: Expr, _close: Token) -> Mark:
        return self._open_loop(word.lineno, self.scalar(condition, "the condition of 'while'"))

    def on_while_loop(self, mark: Mark, body: Stmt) -> Loop:
        self.loops = mark.before.loops
        return self._loop(mark.at, None, mark.value, None, body)

    def on_do_head(self, word: Token) -> Mark:
        return self._open_loop(word.lineno, None)

    def on_do_loop(
        self, mark: Mark, body: Stmt, word: Token, _o: Token, condition: Expr, *_: Token
    ) -> Loop:
        self.loops = mark.before.loops
        condition = self.scalar(condition, "the condition of 'while'")
        made = self._loop(mark.at, None, condition, None, body)
        made.tests_last = True
        return made

    def on_for_open(self, word: Token, _open: Token) -> Mark:
        mark = self._open_loop(word.lineno, None)
        self.scope.enter()
        return mark

    def on_for_init_expression(self, mark: Mark, expr: Expr | None, _semi: Token) -> Mark:
        mark.value = ExprStmt(expr.at, expr=expr) if expr is not None else None
        return mark

    def on_for_init_declaration(self, mark: Mark, declared: Declared | None) -> Mark:
        mark.value = self.on_block_declaration(declared)
        return mark

    def on_for_head(
        self, mark: Mark, condition: Expr | None, _semi: Token, step: Expr | None, _close: Token
    ) -> Mark:
        if condition is not None:
            condition = self.scalar(condition, "the condition of 'for'")
        mark.value = (mark.value, condition, step)
        return mark

    def on_for_loop(self, mark: Mark, body: Stmt) -> Loop:
        self.loops = mark.before.loops
        self.scope.leave()
        init, condition, step = mark.value
        made = self._loop(mark.at, init, condition, step, body)
        made.vla, made.vla_inside = mark.before.vla, self.vla
        self.vla = mark.before.vla
        return made

    def _loop(
        self, at: int, init: Stmt | None, condition: Expr | None, step: Expr | None, body: Stmt
    ) -> Loop:
        made = Loop(at, body.labelled, init=init, condition=condition, step=step, body=body)
        made.vla = made.vla_inside = self.vla
        if condition is not None and truth(condition):
            made.condition = None
        return made

    # ---- functions ----

    def on_function_head(self, specs: Specs, declarator: Declarator) -> Mark:
        assert declarator.name is not None
        part = declarator.function_part()
        mark = self.mark(declarator.name.lineno, Head(specs, declarator, part), braces=0)
        if part is None or part.names is not None:
            self.scope.enter()  # for the declarations of old-style parameters
        return mark

    def on_function_head_implicit(self, declarator: Declarator) -> Mark:
        assert declarator.name is not None
        at = declarator.name.lineno
        self.warning(at, f"return type of '{declarator.name.value}' missing; int assumed")
        mark = self.on_function_head(Specs(at, words=["int"]), declarator)
        mark.value.specs.attributes.packed = True  # the mark of an implicit type
        return mark

    def on_function_open(self, mark: Mark, *_: object) -> Mark:
        head: Head = mark.value
        name = head.declarator.name
        part = head.part
        assert name is not None
        implicit = head.specs.attributes.packed
        mark.braces = 1
        if part is None:
            self.error_on(name, f"'{name.value}' has a body but is no function")
            part = FunctionPart(name.lineno)
            head.declarator.parts.insert(0, part)
            part.level = self.scope.leave()
        elif part.names is not None:
            part.level = self.scope.leave()
            self._old_style_parameters(part)
        type_ = self.specified_type(head.specs, head.declarator)
        if not isinstance(type_, FunctionType):
            type_ = FunctionType(ERROR if type_.is_error else INT, (), False, False)
        if part.names is not None:
            params = tuple(promoted_argument(p.type) for p in part.params)
            type_ = FunctionType(type_.result, params, False, False)
        elif not part.prototyped:
            type_ = FunctionType(type_.result, (), False, False)
        if head.specs.storage == "typedef":
            self.error_on(name, f"function definition '{name.value}' is declared typedef")
        function = self.declare_function(name, type_, head.specs, head.declarator)
        self._start_body(function, type_, part, name)
        function.implicit = implicit
        return mark

    def _old_style_parameters(self, part: FunctionPart) -> None:
        """The parameters of `f(a, b) int a; char b; {`: those not declared are int."""
        assert part.names is not None
        declared = {n: e for n, e in part.level.names.items() if isinstance(e, Variable)}
        part.level.names.clear()
        for name in part.names:
            param = declared.pop(name.value, None)
            if param is None:
                param = Variable(name.value, INT, name.lineno)
            if name.value in part.level.names:
                self.error_on(name, f"two parameters named '{name.value}'")
            param.is_param = True
            param.type = _adjusted(param.type)
            part.level.names[name.value] = param
            part.params.append(param)
        for extra in declared.values():
            self.error(extra.at, f"'{extra.name}' is declared but is no parameter")

    def _start_body(
        self, function: Function, type_: FunctionType, part: FunctionPart, name: Token
    ) -> None:
        result = type_.result
        if not result.complete and not result.is_void:
            self.error_on(name, f"'{name.value}' returns incomplete type '{result}'")
        for param in part.params:
            if not param.name:
                self.error(param.at, "a parameter of a function definition needs a name")
            elif not param.type.complete and not param.type.is_error:
                fact = f"parameter '{param.name}' has incomplete type '{param.type}'"
                self.error(param.at, fact)
                param.type = ERROR
        if function.body is not None:
            note = self.note(function.at, "it was defined here")
            self.error_on(name, f"redefinition of '{name.value}'", note)
        if not function.type.prototyped:
            function.type = type_
        function.at = name.lineno
        function.body = Body(part.params)
        self.function = function
        self.loops, self.switches, self.vla = 0, [], None
        self.undeclared = set()
        self.scope.reenter(part.level)

    def on_function_end(self, mark: Mark, items: list[Stmt], close: Token) -> None:
        function = self.function
        assert function is not None and function.body is not None
        body = function.body
        body.statement = _compound(mark.at, items, close.lineno)
        body.end = close.lineno
        for label in body.labels.values():
            if not label.defined:
                hint = did_you_mean(label.name, [n for n, o in body.labels.items() if o.defined])
                self.error(label.at, f"label '{label.name}' is used but not defined{hint}")
        self._check_gotos(body)
        self.scope.leave()
        self.restore(mark)
        if function not in self.definitions.functions:
            self.definitions.functions.append(function)

    def _check_gotos(self, body: Body) -> None:
        """No jump may lead into the scope of a variable-length array (6.8.6.1)."""
        for goto in body.gotos:
            if not _encloses(goto.label.vla, goto.vla):
                note = self.note(goto.label.at, "the label is here")
                self.error(goto.at, "goto into the scope of a variable-length array", note)

    def on_function_end_labels(
        self, mark: Mark, items: list[Stmt], labels: list[Any], close: Token
    ) -> None:
        items.append(self.on_labelled(labels, Empty(close.lineno)))
        self.on_function_end(mark, items, close)

    def on_nested_open(self, mark: Mark, open_: Token) -> Mark:
        self.refuse(mark.at, "a nested function is")
        return self.on_function_open(mark, open_)

    def on_nested_function(self, mark: Mark, _items: list[Stmt], _close: Token) -> None:
        self.restore(mark)


def _compound(at: int, items: list[Stmt], end: int) -> Compound:
    return Compound(at, any(i.labelled for i in items), items=items, end=end)


def _adjusted(type_: CType) -> CType:
    """A parameter's type: arrays and functions become pointers."""
    if type_.is_array:
        return pointer_to(type_.element)  # type: ignore[attr-defined]
    return pointer_to(type_) if type_.is_function else type_


def _children(statement: Stmt) -> list[Stmt]:
    match statement:
        case Compound():
            return statement.items
        case If():
            return [s for s in (statement.then, statement.otherwise) if s is not None]
        case Loop() | Switch() | Labelled():
            return [statement.body]
    return []


def _has_goto_label(statement: Stmt) -> bool:
    """Whether a goto from elsewhere can lead into a statement."""
    todo = [statement]
    while todo:
        here = todo.pop()
        if isinstance(here, Labelled) and any(isinstance(x, Label) for x in here.labels):
            return True
        todo += [s for s in _children(here) if s.labelled]
    return False


def _encloses(outer: VlaMark | None, inner: VlaMark | None) -> bool:
    """Whether everything alive at `outer` is alive at `inner`."""
    while inner is not outer and inner is not None:
        inner = inner.parent
    return inner is outer
