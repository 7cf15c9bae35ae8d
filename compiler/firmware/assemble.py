"""Instructions to chains: what both front ends call, with the rules of LeBug's compiler.

Within a chain each instruction sets fields; repeated, its operation and address replace the
earlier ones while condition flags add up. The errors raised here are those of LeBug's compiler
(too many chains, a commit size that is none of 1, M, N, an unknown condition or axis, a
mini-cache loaded or saved twice or loaded after it was saved), and those of structure, which it
lets pass: an instruction outside a chain, a chain begun twice or not ended. Addresses and
hardware hazards are judged afterwards, by `checks`, from the uses recorded here.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence

from attrs import define, evolve, field, frozen

from hcc.isa.errors import HccError
from hcc.isa.lebug.chain import Axis, Chain, Firmware, Op, commit_size, condition_bit
from hcc.isa.lebug.instructions import INSTRUCTIONS, Instruction
from hcc.isa.lebug.machine import Machine

from .diagnostics import FirmwareError, Span

Uses = tuple[tuple["Use", ...], ...]


@frozen
class Use:
    """One instruction as the firmware called it."""

    name: str
    arguments: Mapping[str, object]
    span: Span | None = None


@frozen
class Compilation:
    """A firmware and, chain by chain, the calls it came from."""

    firmware: Firmware
    uses: Uses


@define
class Assembler:
    """Collects chains for one machine."""

    machine: Machine
    chains: list[Chain] = field(factory=list)
    uses: list[list[Use]] = field(factory=list)
    _draft: Chain | None = None
    _begun: Span | None = None

    def begin_chain(self, span: Span | None = None) -> None:
        if self._draft is not None:
            since = f", begun at {self._begun}," if self._begun else ""
            raise FirmwareError(
                f"begin_chain inside chain {len(self.uses)}{since} which has no end_chain", span
            )
        if len(self.chains) >= self.machine.max_chains:
            raise FirmwareError(
                f"firmware has more chains than the hardware can handle "
                f"(MAX_CHAINS is {self.machine.max_chains})",
                span,
            )
        self._draft = Chain()
        self._begun = span
        self.uses.append([])

    def end_chain(self, span: Span | None = None) -> None:
        if self._draft is None:
            raise FirmwareError("end_chain without begin_chain", span)
        self.chains.append(self._draft)
        self._draft = None

    def emit(
        self,
        name: str,
        positional: Sequence[object] = (),
        named: Mapping[str, object] | None = None,
        span: Span | None = None,
    ) -> None:
        """Apply one instruction of the table to the chain being built."""
        instruction = INSTRUCTIONS[name]
        if self._draft is None:
            raise FirmwareError(f"{name} outside a chain (begin_chain comes first)", span)
        arguments = _bind(instruction, positional, named or {}, span)
        try:
            self._draft = _apply(self._draft, instruction, arguments, self.machine)
        except HccError as error:
            raise FirmwareError(str(error), span) from None
        self.uses[-1].append(Use(name, arguments, span))

    def finish(
        self, name: str = "", edges: Sequence[float] | None = None, span: Span | None = None
    ) -> Compilation:
        """The firmware so far; raises FirmwareError if a chain is still open."""
        if self._draft is not None:
            since = f" (begun at {self._begun})" if self._begun else ""
            raise FirmwareError(f"chain {len(self.uses)} has no end_chain{since}", span)
        kept = None if edges is None else tuple(float(edge) for edge in edges)
        firmware = Firmware(self.machine, tuple(self.chains), name, kept)
        return Compilation(firmware, tuple(tuple(uses) for uses in self.uses))


def from_program(
    program: object,
    machine: Machine,
    name: str = "",
    edges: Sequence[float] | None = None,
) -> Compilation:
    """A firmware from chains of {"op": …, arguments}, the form of LeBug test cases in JSON."""
    if not isinstance(program, Sequence) or isinstance(program, str):
        raise FirmwareError("a program is a list of chains")
    assembler = Assembler(machine)
    for number, chain in enumerate(program, 1):
        if not isinstance(chain, Sequence) or isinstance(chain, str):
            raise FirmwareError(f"chain {number} is not a list of instructions")
        assembler.begin_chain()
        for call in chain:
            if not isinstance(call, Mapping) or not isinstance(call.get("op"), str):
                raise FirmwareError(f"chain {number}: an instruction is an object with an 'op'")
            if call["op"] not in INSTRUCTIONS:
                raise FirmwareError(f"chain {number}: unknown instruction '{call['op'][:40]}'")
            named = {str(key): value for key, value in call.items() if key != "op"}
            try:
                assembler.emit(call["op"], (), named)
            except FirmwareError as error:
                raise FirmwareError(f"chain {number}: {error.message}") from None
        assembler.end_chain()
    return assembler.finish(name, edges)


def _bind(
    instruction: Instruction,
    positional: Sequence[object],
    named: Mapping[str, object],
    span: Span | None,
) -> dict[str, object]:
    parameters = instruction.parameters
    if len(positional) > len(parameters):
        wanted = ", ".join(parameter.name for parameter in parameters) or "none"
        raise FirmwareError(
            f"{instruction.name} takes {len(parameters)} arguments ({wanted}), "
            f"{len(positional)} given",
            span,
        )
    bound = dict(zip((p.name for p in parameters), positional, strict=False))
    names = {alias: p.name for p in parameters for alias in (p.name, *p.aliases)}
    for key, value in named.items():
        if key not in names:
            known = ", ".join(p.name for p in parameters) or "none"
            raise FirmwareError(
                f"{instruction.name} has no argument '{key[:40]}' (it takes {known})", span
            )
        if names[key] in bound:
            raise FirmwareError(f"{instruction.name}: argument '{key}' is given twice", span)
        bound[names[key]] = value
    for parameter in parameters:
        if parameter.required and parameter.name not in bound:
            raise FirmwareError(f"{instruction.name} needs its argument '{parameter.name}'", span)
        bound.setdefault(parameter.name, parameter.default)
    return bound


_OPS = {"vv_add": Op.ADD, "vv_mul": Op.MUL, "vv_sub": Op.SUB, "vv_max": Op.MAX}


def _apply(
    chain: Chain, instruction: Instruction, arguments: Mapping[str, object], machine: Machine
) -> Chain:
    name = instruction.name
    match name:
        case "vv_filter":
            return evolve(chain, filter=True, filter_addr=_address(name, arguments))
        case "m_reduce":
            axis = arguments["axis"]
            if axis not in ("N", "M"):
                raise FirmwareError(
                    f"unknown axis for instruction m_reduce: {_shown(axis)} ('N' or 'M')"
                )
            return evolve(chain, axis=Axis.N if axis == "N" else Axis.M)
        case "v_cache":
            bits = chain.cache_cond | _condition(arguments)
            return evolve(chain, cache=True, cache_addr=_address(name, arguments), cache_cond=bits)
        case "v_mc_load":
            if chain.mc_load or chain.mc_save:
                raise FirmwareError(
                    "trying to load the mini-cache more than once per chain, or after saving it"
                )
            return evolve(chain, mc_load=True)
        case "v_mc_save":
            if chain.mc_save:
                raise FirmwareError("trying to save the mini-cache more than once per chain")
            return evolve(chain, mc_save=True)
        case "v_reduce":
            return evolve(chain, reduce=True)
        case "v_commit":
            return _commit(chain, arguments, machine)
    bits = chain.cond | _condition(arguments)
    return evolve(chain, op=_OPS[name], addr=_address(name, arguments), cond=bits)


def _commit(chain: Chain, arguments: Mapping[str, object], machine: Machine) -> Chain:
    size = arguments["size"]
    if size is None:
        size = machine.n
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise FirmwareError(f"cannot commit {_shown(size)} elements: not an integer")
    elements = operator.index(size)
    commit_size(elements, machine)
    cast = arguments["cast_to_int"]
    if cast not in (True, False):
        raise FirmwareError(f"cast_to_int is {_shown(cast)}: must be True or False")
    return evolve(
        chain,
        commit=elements,
        commit_cond=chain.commit_cond | _condition(arguments),
        cast_to_int=chain.cast_to_int or bool(cast),
    )


def _condition(arguments: Mapping[str, object]) -> int:
    bits = 0
    for stream in (1, 2):
        name = arguments[f"condition{stream}"]
        if name is not None and not isinstance(name, str):
            raise FirmwareError(f"condition not understood: {_shown(name)}")
        bits |= condition_bit(name, stream)
    return bits


def _address(name: str, arguments: Mapping[str, object]) -> int:
    address = arguments["addr"]
    if isinstance(address, bool) or not hasattr(address, "__index__"):
        raise FirmwareError(f"{name}: the address {_shown(address)} is not an integer")
    return operator.index(address)


def _shown(value: object) -> str:
    return repr(value)[:40]
