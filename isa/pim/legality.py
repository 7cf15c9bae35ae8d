"""What a microkernel must not say, each rule by name.

The published simulators accept nearly anything and then compute something else. `check` names
what is wrong, at which instruction:

* operands: the combinations of the instruction table; one bank at a time; no stores to a bank
  but by the dialect's own way (samsung: NOP and WR; pimsys: FILL BANK, GRF)
* index: registers are numbered 0 to 7, though four bits are encoded
* aam: only arithmetic is auto-indexed; in pimsys only with src1 in GRF_A and dst in GRF_B
* relu: a bit of samsung's MOV and FILL only
* jump-target: a jump goes back, to an instruction of the program
* jump-nesting: one loop counter is all a unit has: loops neither nest nor overlap
* slots: a NOP takes several slots in samsung only; counts fit their fields
* accumulator: pimsys adds MAC and MAD into dst; MAD's src2 must name it
* crf-length: the command file holds 32 instructions
* exit: a program ends by EXIT
* unreachable: instructions after the first EXIT, but NOPs, never run (a warning)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from attrs import frozen

from .instructions import (
    ARITHMETIC,
    BANKS,
    CRF_LENGTH,
    GRF,
    GRF_REGISTERS,
    MOVES,
    SRF,
    Dialect,
    File,
    Instruction,
    Op,
)
from .text import format_instruction


class Rule(Enum):
    """The rules, by the name a finding carries."""

    OPERANDS = "operands"
    INDEX = "index"
    AAM = "aam"
    RELU = "relu"
    JUMP_TARGET = "jump-target"
    JUMP_NESTING = "jump-nesting"
    SLOTS = "slots"
    ACCUMULATOR = "accumulator"
    CRF_LENGTH = "crf-length"
    EXIT = "exit"
    UNREACHABLE = "unreachable"


@frozen
class Finding:
    """A rule that instruction `at` breaks (None: the program as a whole)."""

    rule: Rule
    at: int | None
    message: str

    @property
    def is_error(self) -> bool:
        return self.rule is not Rule.UNREACHABLE

    def __str__(self) -> str:
        return f"{self.message} [{self.rule.value}]"


# For each operation: the files that dst, src0, src1, src2 may name.
_TABLE: dict[Op, tuple[frozenset[File], ...]] = {
    Op.ADD: (GRF, GRF | BANKS | SRF, GRF | BANKS | SRF),
    Op.MUL: (GRF, GRF | BANKS, GRF | BANKS | SRF),
    Op.MAC: (frozenset({File.GRF_B}), GRF | BANKS, GRF | BANKS | SRF),
    Op.MAD: (GRF, GRF | BANKS, GRF | BANKS | {File.SRF_M}, GRF | {File.SRF_A}),
    Op.MOV: (GRF | SRF, GRF | BANKS),
    Op.FILL: (GRF, GRF | BANKS),
}
_ROLES = ("destination", "first source", "second source", "third source")


def _operands(i: Instruction, dialect: Dialect) -> Iterator[tuple[Rule, str]]:
    name = i.op.name
    bank_store = i.dst is not None and i.dst.is_bank
    if bank_store and i.op in MOVES:
        if dialect is Dialect.SAMSUNG:
            yield (
                Rule.OPERANDS,
                (f"{name} cannot store to a bank; a GRF is stored by a WR in the slot of a NOP"),
            )
        elif i.op is Op.MOV:
            yield Rule.OPERANDS, "MOV cannot store to the bank; FILL BANK, GRF does"
        elif i.src0 is None or i.src0.file not in GRF:
            yield Rule.OPERANDS, "FILL stores a GRF to the bank and nothing else"
    else:
        for role, operand, allowed in zip(_ROLES, i.operands, _TABLE.get(i.op, ()), strict=False):
            if operand.file not in allowed:
                where = ", ".join(sorted(file.name for file in allowed))
                yield (
                    Rule.OPERANDS,
                    (f"{name} takes no {operand.file.name} as its {role}; it takes {where}"),
                )
    if sum(operand.is_bank for operand in i.operands) > 1:
        yield Rule.OPERANDS, f"{name} names two banks; a trigger reads one"
    if dialect is Dialect.PIMSYS and any(o.file is File.ODD_BANK for o in i.operands):
        yield Rule.OPERANDS, "pimsys has one BANK operand; the request chooses the bank"
    for operand in i.operands:
        if not operand.is_bank and operand.index >= GRF_REGISTERS:
            yield Rule.INDEX, f"{operand.file.name} has registers 0 to 7, not {operand.index}"


def _modes(i: Instruction, dialect: Dialect) -> Iterator[tuple[Rule, str]]:
    if i.aam and i.op not in ARITHMETIC:
        yield Rule.AAM, f"{i.op.name} has no auto-indexed form"
    elif i.aam and dialect is Dialect.PIMSYS:
        if i.src1 is None or i.src1.file is not File.GRF_A:
            yield Rule.AAM, "auto-indexing needs GRF_A as the second source"
        if i.dst is None or i.dst.file is not File.GRF_B:
            yield Rule.AAM, "auto-indexing needs GRF_B as the destination"
    if i.relu and i.op not in MOVES:
        yield Rule.RELU, f"{i.op.name} has no ReLU; MOV and FILL have"
    elif i.relu and dialect is Dialect.PIMSYS:
        yield Rule.RELU, "pimsys has no ReLU"
    if dialect is Dialect.PIMSYS:
        if i.op is Op.NOP and i.count:
            yield Rule.SLOTS, f"pimsys has no NOP of {i.count + 1} slots"
        if i.op is Op.MAD and i.src2 != i.dst:
            yield Rule.ACCUMULATOR, "pimsys computes MAD into its third source: src2 must be dst"
        if i.op is Op.JUMP and i.count >= 1 << 16:
            yield Rule.SLOTS, f"jump count {i.count} does not fit pimsys's 16 bits"
    if i.op is Op.JUMP and i.count >= 1 << 17:
        yield Rule.SLOTS, f"jump count {i.count} does not fit 17 bits"
    if i.op is Op.NOP and i.count >= 1 << 11:
        yield Rule.SLOTS, f"a NOP of {i.count + 1} slots does not fit 11 bits"


def _jumps(program: Sequence[Instruction]) -> Iterator[Finding]:
    loops: list[tuple[int, int]] = []
    for at, i in enumerate(program):
        if i.op is not Op.JUMP:
            continue
        target = at + i.offset
        if i.offset >= 0:
            yield Finding(
                Rule.JUMP_TARGET, at, f"a jump goes back; this one goes to instruction {target}"
            )
        elif target < 0:
            yield Finding(
                Rule.JUMP_TARGET, at,
                f"jump target {target} is before the program: at most {at} back from here",
            )  # fmt: skip
        else:
            for first, last in loops:
                if target <= last:
                    how = "encloses" if target <= first else "overlaps"
                    yield Finding(
                        Rule.JUMP_NESTING, at,
                        f"this loop (instructions {target} to {at}) {how} the one from {first} to "
                        f"{last}; a unit has one loop counter",
                    )  # fmt: skip
            loops.append((target, at))


def check(program: Sequence[Instruction], dialect: Dialect) -> list[Finding]:
    """Every rule the program breaks, in program order."""
    findings = []
    for at, instruction in enumerate(program):
        text = format_instruction(instruction, dialect)
        for rules in (_operands(instruction, dialect), _modes(instruction, dialect)):
            findings += [Finding(rule, at, f"{text}: {message}") for rule, message in rules]
    findings += _jumps(program)
    if len(program) > CRF_LENGTH:
        findings.append(
            Finding(Rule.CRF_LENGTH, CRF_LENGTH,
                    f"{len(program)} instructions; the command file holds {CRF_LENGTH}")
        )  # fmt: skip
    exits = [at for at, instruction in enumerate(program) if instruction.op is Op.EXIT]
    if not exits:
        findings.append(Finding(Rule.EXIT, None, "the program has no EXIT"))
    elif any(instruction.op is not Op.NOP for instruction in program[exits[0] + 1 :]):
        findings.append(
            Finding(Rule.UNREACHABLE, exits[0] + 1, "nothing after the first EXIT is ever run")
        )
    if program and program[0].op is Op.JUMP and dialect is Dialect.PIMSYS:
        findings.append(Finding(Rule.JUMP_TARGET, 0, "a pimsys program cannot begin with a jump"))
    return sorted(findings, key=lambda finding: -1 if finding.at is None else finding.at)
