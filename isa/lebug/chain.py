"""One chain: the fields a firmware sets in each block, and the conditions on them.

A chain is one wide instruction word. For each input vector the unit runs every chain once, in
order, each being one pass of that vector through all blocks. Three actions of a chain can be
conditional: the ALU operation, the cache write and the commit. A condition byte holds one flag
per test, four for each of the two frame signals; the action happens if every flag that is set
holds (`eof` is high on a frame's last vector, `bof` on its first):

    bit 0 last1   1 notlast1   2 first1   3 notfirst1
    bit 4 last2   5 notlast2   6 first2   7 notfirst2

LeBug's RTL generator keeps only the lowest flag of that byte (`first_flag`), and its hardware
would OR the bits; our bytecode keeps all eight.
"""

from __future__ import annotations

from enum import Enum, IntEnum

from attrs import frozen

from ..errors import HccError
from .machine import Machine

NO_CONDITION = 0

CONDITION_NAMES = ("last", "notlast", "first", "notfirst")


class Axis(IntEnum):
    """What m_reduce sums over; the value is the encoded field."""

    NONE = 0
    N = 1
    M = 2


class Op(IntEnum):
    """The ALU's operation; the value is the encoded field."""

    PASS = 0
    ADD = 1
    MUL = 2
    SUB = 3
    MAX = 4


class CommitSize(Enum):
    """How many elements a commit takes, by what the hardware calls it."""

    N = "N"
    M = "M"
    ONE = "1"


def condition_bit(name: str | None, stream: int) -> int:
    """The flag of `name` on frame signal `stream` (1 or 2); no name, no flag.

    Raises HccError when the name is not one of LeBug's four.
    """
    if name is None:
        return 0
    if name not in CONDITION_NAMES:
        shown = f"'{name[:40]}'" if isinstance(name, str) else str(name)[:40]
        raise HccError(
            f"condition not understood: {shown} (one of {', '.join(CONDITION_NAMES)}, or None)"
        )
    return 1 << (CONDITION_NAMES.index(name) + 4 * (stream - 1))


def condition_names(bits: int) -> list[str]:
    """The flags that are set, lowest first, as `last1`, `notfirst2`, …"""
    return [f"{CONDITION_NAMES[bit % 4]}{bit // 4 + 1}" for bit in range(8) if bits >> bit & 1]


def first_flag(bits: int) -> int:
    """The one flag of a condition byte that LeBug's RTL generator emits."""
    return bits & -bits


def holds(bits: int, eof1: bool, bof1: bool, eof2: bool, bof2: bool) -> bool:
    """Whether every flag of a condition byte is satisfied."""
    facts = (eof1, not eof1, bof1, not bof1, eof2, not eof2, bof2, not bof2)
    return all(fact for bit, fact in enumerate(facts) if bits >> bit & 1)


def truth_table(bits: int) -> int:
    """A condition byte as 16 outcomes: bit eof1 + 2*bof1 + 4*eof2 + 8*bof2 is the answer."""
    table = 0
    for index in range(16):
        if holds(bits, bool(index & 1), bool(index & 2), bool(index & 4), bool(index & 8)):
            table |= 1 << index
    return table


@frozen
class Chain:
    """The fields of one chain; a fresh one does nothing and passes the vector through."""

    filter: bool = False
    filter_addr: int = 0
    axis: Axis = Axis.NONE
    op: Op = Op.PASS
    addr: int = 0
    cond: int = NO_CONDITION
    cache: bool = False
    cache_addr: int = 0
    cache_cond: int = NO_CONDITION
    mc_load: bool = False
    mc_save: bool = False
    reduce: bool = False
    commit: int = 0
    commit_cond: int = NO_CONDITION
    cast_to_int: bool = False


def commit_size(size: int, machine: Machine) -> CommitSize:
    """Which of the three sizes `size` is, matched in the order of LeBug's generator: 1, M, N."""
    if size == 1:
        return CommitSize.ONE
    if size == machine.m:
        return CommitSize.M
    if size == machine.n:
        return CommitSize.N
    raise HccError(f"cannot commit {size} elements (1, M={machine.m} or N={machine.n})")


@frozen
class Firmware:
    """Chains for one machine, with the filter edges they were written for, where known."""

    machine: Machine
    chains: tuple[Chain, ...]
    name: str = ""
    edges: tuple[float, ...] | None = None

    @property
    def valid_chains(self) -> int:
        return len(self.chains)


def check_runnable(firmware: Firmware) -> None:
    """Raise HccError unless every address and size of the firmware exists on its machine."""
    machine = firmware.machine
    if not firmware.chains:
        raise HccError("the firmware has no chains: nothing would ever leave the input buffer")
    if len(firmware.chains) > machine.max_chains:
        raise HccError(
            f"firmware has more chains than the hardware can handle "
            f"({len(firmware.chains)}, MAX_CHAINS is {machine.max_chains})"
        )
    if firmware.edges is not None and len(firmware.edges) != machine.edge_count:
        raise HccError(
            f"the filter memory takes {machine.edge_count} edges "
            f"(FUVRF_SIZE {machine.fuvrf_size} x M {machine.m}), {len(firmware.edges)} given"
        )
    for number, chain in enumerate(firmware.chains, 1):
        for use, address, rows, memory in (
            (chain.filter, chain.filter_addr, machine.fuvrf_size, "filter row"),
            (chain.op != Op.PASS, chain.addr, machine.vvvrf_size, "cache row"),
            (chain.cache, chain.cache_addr, machine.vvvrf_size, "cache row"),
        ):
            if use and not 0 <= address < rows:
                raise HccError(
                    f"chain {number}: {memory} {address} does not exist: the machine has {rows}"
                )
        if chain.commit:
            try:
                commit_size(chain.commit, machine)
            except HccError as error:
                raise HccError(f"chain {number}: {error}") from None
