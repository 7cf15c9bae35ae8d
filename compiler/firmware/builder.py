"""The Python front end: LeBug's compiler object, and its calls without the object.

A firmware is a Python function over a compiler object (`cp.begin_chain()`, …), or one that
calls `begin_chain()` and the rest directly, as LeBug's guide writes it. The direct calls need
to know for which firmware they are meant: that is a context variable, set by `build` or by
using a compiler as a context manager, so several can be built in one program and in threads.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar, Token
from pathlib import Path
from types import TracebackType

from hcc.isa.lebug.chain import Firmware
from hcc.isa.lebug.machine import PARAMETER_NAMES, Machine

from .assemble import Assembler, Compilation
from .diagnostics import FirmwareError, Span

_CURRENT: ContextVar[Compiler] = ContextVar("lebug_compiler")


class Compiler:
    """LeBug's `compiler(N, M, MAX_CHAINS)`, or one for a whole machine."""

    def __init__(
        self,
        N: int = 8,
        M: int = 4,
        MAX_CHAINS: int = 8,
        *,
        machine: Machine | None = None,
        edges: Sequence[float] | None = None,
    ) -> None:
        self.machine = machine or Machine(n=N, m=M, max_chains=MAX_CHAINS)
        self.edges = edges
        self.name = ""
        self._assembler = Assembler(self.machine)
        self._tokens: list[Token[Compiler]] = []

    @property
    def N(self) -> int:
        return self.machine.n

    @property
    def M(self) -> int:
        return self.machine.m

    @property
    def MAX_CHAINS(self) -> int:
        return self.machine.max_chains

    def begin_chain(self) -> None:
        self._assembler.begin_chain(_caller())

    def end_chain(self) -> None:
        self._assembler.end_chain(_caller())

    def vv_filter(self, addr: int) -> None:
        self._emit("vv_filter", addr=addr)

    def m_reduce(self, axis: str = "N") -> None:
        self._emit("m_reduce", axis=axis)

    def vv_add(
        self, addr: int, condition1: str | None = None, condition2: str | None = None
    ) -> None:
        self._emit("vv_add", addr=addr, condition1=condition1, condition2=condition2)

    def vv_mul(
        self, addr: int, condition1: str | None = None, condition2: str | None = None
    ) -> None:
        self._emit("vv_mul", addr=addr, condition1=condition1, condition2=condition2)

    def vv_sub(
        self, addr: int, condition1: str | None = None, condition2: str | None = None
    ) -> None:
        self._emit("vv_sub", addr=addr, condition1=condition1, condition2=condition2)

    def vv_max(
        self, addr: int, condition1: str | None = None, condition2: str | None = None
    ) -> None:
        self._emit("vv_max", addr=addr, condition1=condition1, condition2=condition2)

    def v_cache(
        self, cache_addr: int, condition1: str | None = None, condition2: str | None = None
    ) -> None:
        self._emit("v_cache", addr=cache_addr, condition1=condition1, condition2=condition2)

    def v_mc_load(self) -> None:
        self._emit("v_mc_load")

    def v_mc_save(self) -> None:
        self._emit("v_mc_save")

    def v_reduce(self) -> None:
        self._emit("v_reduce")

    def v_commit(
        self,
        size: int | None = None,
        condition1: str | None = None,
        condition2: str | None = None,
        cast_to_int: bool = False,
    ) -> None:
        self._emit(
            "v_commit",
            size=size,
            condition1=condition1,
            condition2=condition2,
            cast_to_int=cast_to_int,
        )

    def compile(self) -> Firmware:
        """The firmware so far. Chains may follow: another firmware function may add its own."""
        return self.compilation().firmware

    def compilation(self) -> Compilation:
        """The firmware with the calls it came from, for the checks."""
        return self._assembler.finish(self.name, self.edges, _caller())

    def _emit(self, name: str, **arguments: object) -> None:
        self._assembler.emit(name, (), arguments, _caller())

    def __enter__(self) -> Compiler:
        self._tokens.append(_CURRENT.set(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _CURRENT.reset(self._tokens.pop())


def build(
    function: Callable[..., object],
    machine: Machine | None = None,
    arguments: Mapping[str, object] | None = None,
    edges: Sequence[float] | None = None,
) -> Compilation:
    """Run a Python firmware function and return what it built.

    The function's first parameter gets the compiler, unless `arguments` names it; a parameter
    called like one of LeBug's (N, M, …) that is not given gets the machine's value.
    """
    cp = Compiler(machine=machine or Machine(), edges=edges)
    cp.name = function.__name__
    names = list(inspect.signature(function).parameters.values())
    given = dict(arguments or {})
    for name in given:
        if name not in {parameter.name for parameter in names}:
            raise FirmwareError(f"{cp.name} has no parameter '{name}'")
    values: dict[str, object] = {}
    known = cp.machine.parameters()
    for index, parameter in enumerate(names):
        if parameter.name in given:
            values[parameter.name] = given[parameter.name]
        elif index == 0 and parameter.name not in PARAMETER_NAMES:
            values[parameter.name] = cp
        elif parameter.default is inspect.Parameter.empty:
            if parameter.name not in known:
                raise FirmwareError(f"{cp.name} needs its parameter '{parameter.name}'")
            values[parameter.name] = known[parameter.name]
    with cp:
        function(**values)
    return cp.compilation()


def current() -> Compiler:
    """The compiler that direct calls go to; FirmwareError where there is none."""
    try:
        return _CURRENT.get()
    except LookupError:
        raise FirmwareError(
            "a firmware instruction outside a firmware: use build(function) or 'with Compiler()'"
        ) from None


def begin_chain() -> None:
    current().begin_chain()


def end_chain() -> None:
    current().end_chain()


def vv_filter(addr: int) -> None:
    current().vv_filter(addr)


def m_reduce(axis: str = "N") -> None:
    current().m_reduce(axis)


def vv_add(addr: int, condition1: str | None = None, condition2: str | None = None) -> None:
    current().vv_add(addr, condition1, condition2)


def vv_mul(addr: int, condition1: str | None = None, condition2: str | None = None) -> None:
    current().vv_mul(addr, condition1, condition2)


def vv_sub(addr: int, condition1: str | None = None, condition2: str | None = None) -> None:
    current().vv_sub(addr, condition1, condition2)


def vv_max(addr: int, condition1: str | None = None, condition2: str | None = None) -> None:
    current().vv_max(addr, condition1, condition2)


def v_cache(cache_addr: int, condition1: str | None = None, condition2: str | None = None) -> None:
    current().v_cache(cache_addr, condition1, condition2)


def v_mc_load() -> None:
    current().v_mc_load()


def v_mc_save() -> None:
    current().v_mc_save()


def v_reduce() -> None:
    current().v_reduce()


def v_commit(
    size: int | None = None,
    condition1: str | None = None,
    condition2: str | None = None,
    cast_to_int: bool = False,
) -> None:
    current().v_commit(size, condition1, condition2, cast_to_int)


def _caller() -> Span | None:
    """The line outside this module that made the call."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") == __name__ and frame.f_back is not None:
        frame = frame.f_back
    return Span(Path(frame.f_code.co_filename).name, frame.f_lineno, 1)
