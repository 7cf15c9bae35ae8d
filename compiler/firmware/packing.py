"""Which fills the data packer can reach: does a firmware ever overflow or strand a row?

The packer appends 1, M or N elements and emits when exactly N are pending. Whether a commit
happens depends only on the two frame signals, and what the next vector sees as "first" is what
this one saw as "last"; so (pending, bof1, bof2) is the whole state and there are at most 4N of
them. All are searched, over every pattern of frames. The verdict is exact for firmware whose
frames may end anywhere; a program whose frames have a fixed length may do better.
"""

from __future__ import annotations

from collections.abc import Sequence

from hcc.isa.lebug.chain import Chain, Firmware, truth_table

from .assemble import Use
from .diagnostics import Diagnostic, Severity, Span

_MAX_WORK = 4_000_000


def packer_findings(firmware: Firmware, uses: Sequence[Sequence[Use]]) -> list[Diagnostic]:
    """The packer's warnings: an overflow that can happen, a residue that can stay."""
    n = firmware.machine.n
    commits = [
        (number, chain.commit, truth_table(chain.commit_cond))
        for number, chain in enumerate(firmware.chains, 1)
        if chain.commit
    ]
    if not commits or n * len(commits) * 16 > _MAX_WORK:
        return []
    start = (0, 1, 1)
    seen = {start}
    todo = [start]
    overflow: tuple[int, int, int] | None = None
    while todo and overflow is None:
        pending, bof1, bof2 = todo.pop()
        for frames in range(4):
            eof1, eof2 = frames & 1, frames >> 1
            index = eof1 | bof1 << 1 | eof2 << 2 | bof2 << 3
            fill = pending
            for number, size, table in commits:
                if not table >> index & 1:
                    continue
                if fill + size > n:
                    overflow = (number, fill, size)
                    break
                fill = (fill + size) % n
            if overflow is not None:
                break
            state = (fill, eof1, eof2)
            if state not in seen:
                seen.add(state)
                todo.append(state)
    if overflow is not None:
        return [_overflow(*overflow, n, uses)]
    return _residue({fill for fill, _, _ in seen}, firmware.chains)


def _overflow(
    number: int, pending: int, size: int, n: int, uses: Sequence[Sequence[Use]]
) -> Diagnostic:
    message = (
        f"v_commit of {size} can meet a row with {pending} of {n} elements pending: the packer "
        "overflows (the emulator never emits a row again, the published RTL emits the "
        "unfinished row and misaligns the rest)"
    )
    span: Span | None = None
    for use in uses[number - 1] if number <= len(uses) else ():
        if use.name == "v_commit":
            span = use.span
    return Diagnostic(Severity.WARNING, "packer-overflow", number, message, span)


def _residue(fills: set[int], chains: Sequence[Chain]) -> list[Diagnostic]:
    partial = max(fills)
    if partial == 0:
        return []
    message = (
        f"up to {partial} elements can be waiting in an unfinished row when the input ends; the "
        "packer never flushes them (the report lists them as residue)"
    )
    return [Diagnostic(Severity.NOTE, "residue", 0, message)]
