"""`__pim` functions in a program: each loop becomes `if (__hcc_pim_call(…)) loop`.

Requires the typed tree of a translation unit, before it is lowered; keeps it one. The call gets a
description of the loop (see libhcc's pim_call.c, which reads it), the sizes, scalars and arrays;
it answers 0 when the memory has computed the loop. Without a PIM memory the loop runs as it
stands. A function that is refused, and a loop that no microkernel fits, stays on the host, with a
warning that says why.

An element-wise C loop with several stores is one loop a store for the memory; then the first call
decides, and those after it go the same way, for what they ask is the same.
"""

from __future__ import annotations

import struct

from attrs import define, field

from hcc.compiler.kernelc import syntax as c
from hcc.compiler.kernelc.actions import Actions
from hcc.compiler.kernelc.scope import Function, Variable
from hcc.compiler.kernelc.types import CHAR, DOUBLE, INT, LONG, ArrayType, CType, pointer_to
from hcc.isa.pim import encode
from hcc.isa.pim.section import SectionKernel

from .elementwise import BANKS, UNITS, body_of, layout_blocks, select
from .expressions import Expr, Scalar, arrays, normalise, scalars, to_text
from .matvec import Split, program
from .recognise import ElementLoop, PimFunction, PimLoop, ProductLoop, Refused, Size, recognise
from .select import DoesNotFit, Numbered, Selection, number_scalars

_ELEMENTS, _PRODUCT = 1, 2
_CONSTANT = 0x1_0000
_MOST_ARGUMENTS = 16


def place_functions(actions: Actions) -> list[SectionKernel]:
    """Rewrite the `__pim` functions of a translation unit; the microkernels they use."""
    found: list[SectionKernel] = []
    for function in actions.definitions.functions:
        if not function.pim or function.body is None:
            continue
        try:
            found += _place(actions, function, recognise(function))
        except Refused as error:
            actions.warning(error.at or function.at, f"__pim: {error}; it runs on the host")
    return found


def _place(actions: Actions, function: Function, recognised: PimFunction) -> list[SectionKernel]:
    body = function.body
    assert body is not None
    callee = actions.declare_from_header("__hcc_pim_call", "hcc/pim.h", function.at)
    assert callee is not None
    names = _Names(function, actions)
    by_place: dict[int, list[PimLoop]] = {}
    kernels = []
    for loop in recognised.loops:
        by_place.setdefault(loop.place, []).append(loop)
    rewritten: dict[int, c.Expr] = {}
    for place, loops in by_place.items():
        calls: list[c.Expr] = []
        for loop in loops:
            at = loop.at
            try:
                words, arguments, kernel = _describe(loop, names, recognised.name)
            except DoesNotFit as error:
                actions.warning(at, f"__pim: {error}; the loop runs on the host")
                calls = []
                break
            data = struct.pack(f"<{len(words)}i", *words)
            line = actions.files.location(at).line
            calls.append(_call(callee, data, arguments, at))
            kernels.append(SectionKernel(recognised.name, line, *kernel))
        if calls:
            condition = calls[0]
            for further in calls[1:]:
                condition = c.Logical(INT, further.at, "||", condition, further)
            rewritten[place] = condition
    assert body.statement is not None
    body.statement = _rewrite(body.statement, rewritten)
    return kernels


def _rewrite(statement: c.Stmt, conditions: dict[int, c.Expr]) -> c.Stmt:
    if isinstance(statement, c.Compound):
        statement.items = [_rewrite(item, conditions) for item in statement.items]
        return statement
    condition = conditions.get(id(statement))
    if condition is None:
        return statement
    return c.If(statement.at, condition=condition, then=statement, otherwise=None)


@define
class _Names:
    """What the names of a function's arrays, sizes and scalars stand for."""

    function: Function
    actions: Actions
    known: dict[str, Variable] = field(init=False)

    def __attrs_post_init__(self) -> None:
        body = self.function.body
        assert body is not None and body.statement is not None
        self.known = {v.name: v for v in body.params}
        todo = [body.statement]
        while todo:
            item = todo.pop()
            if isinstance(item, c.Compound):
                todo += item.items
            elif isinstance(item, c.DeclStmt):
                self.known |= {v.name: v for v in item.items if isinstance(v, Variable)}

    def array(self, name: str, at: int) -> c.Expr:
        variable = self._use(name)
        node = c.Name(variable.type, at, variable)
        if isinstance(variable.type, ArrayType):
            return c.AddressOf(pointer_to(variable.type.element), at, node)
        return node

    def converted(self, name: str, to: CType, at: int) -> c.Expr:
        variable = self._use(name)
        return c.Convert(to, at, c.Name(variable.type, at, variable))

    def size(self, size: Size, at: int) -> c.Expr:
        if size.name:
            return self.converted(size.name, LONG, at)
        return c.IntConst(LONG, at, size.value)

    def _use(self, name: str) -> Variable:
        variable = self.known.get(name)
        if variable is None:  # an array of the file
            found = self.actions.definitions.linked[name]
            assert isinstance(found, Variable)
            variable = found
        variable.used = True
        return variable


_Described = tuple[list[int], list[c.Expr], tuple[str, tuple[int, ...], tuple[str, ...], str]]


def _call(callee: Function, data: bytes, arguments: list[c.Expr], at: int) -> c.Expr:
    text = c.StringConst(ArrayType(INT, len(data) // 4), at, data)
    descriptor = c.AddressOf(pointer_to(CHAR), at, text)
    function = c.AddressOf(pointer_to(callee.type), at, c.Name(callee.type, at, callee))
    callee.used = True
    return c.Call(INT, at, function, [descriptor, *arguments])


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word


def _describe(loop: PimLoop, names: _Names, function: str) -> _Described:
    if isinstance(loop, ElementLoop):
        return _describe_elements(loop, names)
    return _describe_product(loop, names)


def _describe_elements(loop: ElementLoop, names: _Names) -> _Described:
    expr = normalise(loop.expr)
    if not arrays(expr):
        raise DoesNotFit(f"{to_text(expr)} reads no array")
    numbers = number_scalars(expr)
    selection = select(expr, numbers)
    blocks = layout_blocks(arrays(expr))
    body = _body(selection)
    parameters = [s for s in scalars(expr) if s.value is None]
    if len(parameters) > _MOST_ARGUMENTS or len(blocks) > _MOST_ARGUMENTS:
        raise DoesNotFit(f"{to_text(expr)} has too many operands")
    words = [
        _ELEMENTS,
        selection.window,
        1 if selection.odd else BANKS // UNITS,
        len(blocks),
        int(selection.shared),
        len(body),
        len(selection.even),
        len(selection.odd),
        *_scalar_words(expr, numbers, parameters),
        *map(_signed, body),
    ]
    for step in (*selection.even, *selection.odd):
        words.append(blocks.index(step.array) if step.array else -1)
    at = loop.at
    arguments = [
        names.size(loop.size, at),
        *(names.converted(s.name, DOUBLE, at) for s in parameters),
        *(names.array(name, at) for name in (*arrays(expr), loop.result)),
    ]
    kernel = (to_text(expr), tuple(body), tuple(arrays(expr)), loop.result)
    return words, arguments, kernel


def _body(selection: Selection) -> list[int]:
    return [encode(instruction) for instruction in body_of(selection)]


def _scalar_words(expr: Expr, numbers: Numbered, parameters: list[Scalar]) -> list[int]:
    words = []
    for file in (numbers.multipliers, numbers.addends):
        for at in range(8):
            scalar = file[at] if at < len(file) else None
            if scalar is None:
                words.append(-1)
            elif scalar.value is None:
                words.append(parameters.index(scalar))
            else:
                (bits,) = struct.unpack("<H", struct.pack("<e", scalar.value))
                words.append(_CONSTANT + bits)
    return words


def _describe_product(loop: ProductLoop, names: _Names) -> _Described:
    body = [encode(i) for i in program(Split("dot", 1, 1, 1, 1))[:-2]]
    at = loop.at
    words = [_PRODUCT, int(loop.relu), len(body), *map(_signed, body)]
    arguments = [
        names.size(loop.outputs, at),
        names.size(loop.inputs, at),
        *(names.array(name, at) for name in (loop.matrix, loop.vector, loop.result)),
    ]
    text = f"{loop.matrix} * {loop.vector}"
    kernel = (
        f"relu({text})" if loop.relu else text,
        tuple(body),
        (loop.matrix, loop.vector),
        loop.result,
    )
    return words, arguments, kernel
