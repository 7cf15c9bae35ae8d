"""Regions: which guest code is compiled as one function.

A region is what can be reached from a start address by direct jumps and branches within the
bounds of the guest function around it, up to a number of instructions; calls are left to other
regions, but what follows them is included. A region may start anywhere: at a function, at the
head of a loop that is already running, at a return address. Starting a region at each such place,
rather than entering one region in several, keeps loops natural, which LLVM wants.

Where blocks begin must be known before they are built. `scan` finds out by running the semantics
of instructions that transfer control, and remembers which mnemonics do not. If it is wrong about
one, a block ends earlier than it thought or two blocks share instructions: no harm.

Small functions may be part of a region that calls them (see `inlining`), once for each call. A
block is therefore named by its *place*: the guest address, and in the bits above 64 the number of
the call that it is there for, 0 for the region's own.

What a branch has never gone to may be left out (see `uncommon`).

Jump tables are read where the target is computed from one load out of read-only memory: the
switch then stays inside the region.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Protocol

from attrs import define, field, frozen

from hcc.emulator.jit.builder import (
    Back,
    BlockBuilder,
    Branch,
    Enter,
    Fall,
    GuestBlock,
    Jump,
    Leave,
    Load,
    Syscall,
    Unknown,
    Votes,
)
from hcc.emulator.jit.nodes import LOAD, Node, constant, largest, operation
from hcc.emulator.jit.options import MAX_INSNS
from hcc.isa.arch import Arch, Insn
from hcc.isa.builder import JumpKind, Op
from hcc.isa.errors import HccError
from hcc.isa.values import I64

Place = int

MAX_TABLE = 512
MAX_BLOCK = 200


class Code(Protocol):
    """Where instructions come from."""

    arch: Arch

    def insn_at(self, pc: int) -> Insn:
        """The instruction at an address; HccError where there is none."""

    def read_constant(self, addr: int, size: int) -> int | None:
        """The integer at an address of memory that never changes, else None."""

    def is_warm(self, pc: int) -> bool:
        """Whether the code at an address has been executed."""


def place(site: int, pc: int) -> Place:
    """The place of an address in the code that is there for a call."""
    return site << 64 | pc


def pc_of(where: Place) -> int:
    """The guest address of a place."""
    return where & 0xFFFF_FFFF_FFFF_FFFF


def site_of(where: Place) -> int:
    """The call that the code at a place is there for, 0 if none."""
    return where >> 64


@frozen
class Switch:
    """An indirect jump with known targets, by what `index` is.

    `guards` are nodes that must have the given values for that to hold.
    """

    index: Node
    targets: dict[int, int]
    guards: tuple[tuple[Node, int], ...]


@define(eq=False)
class Region:
    """Guest code that becomes one function; `bounds` is the guest function's range.

    `returns` are the places behind the calls that other functions' code is there for, by number.
    `left` are the addresses that were left out as nothing has run there.
    """

    start: int
    bounds: tuple[int, int]
    blocks: dict[Place, GuestBlock] = field(factory=dict)
    votes: Votes = field(factory=Votes)
    switches: dict[Place, Switch] = field(factory=dict)
    insn_count: int = 0
    returns: dict[int, Place] = field(factory=dict)
    left: set[int] = field(factory=set)

    def call_targets(self) -> set[int]:
        """Addresses that the region calls or jumps to directly, outside of it."""
        targets = set()
        for block in self.blocks.values():
            match block.end:
                case Jump(target=target, kind=JumpKind.CALL) if target.const is not None:
                    targets.add(target.const)
                case Jump(target=target) if target.const is not None:
                    if target.const not in self.blocks:
                        targets.add(target.const)
                case Fall(next_pc=after) if after not in self.blocks:
                    targets.add(pc_of(after))
        return targets

    def is_whole(self) -> bool:
        """Whether everything within the bounds that can be reached is in the region, or was left
        out as nothing has run there."""
        low, high = self.bounds
        return all(
            after in self.blocks
            for start, block in self.blocks.items()
            for after in successors(block, self.switches.get(start))
            if low <= after < high and after not in self.left
        )


def successors(block: GuestBlock, switch: Switch | None = None) -> list[Place]:
    """Where a block may go on within its region."""
    targets = [e.target for e in block.effects if isinstance(e, Leave)]
    match block.end:
        case Jump(target=target, kind=kind, next_pc=next_pc):
            if kind is JumpKind.CALL:
                targets.append(next_pc)
            elif target.const is not None:
                targets.append(target.const)
            elif switch is not None:
                targets.extend(switch.targets.values())
        case Branch(target=taken, next_pc=next_pc):
            targets += [taken, next_pc]
        case Fall(next_pc=next_pc) | Syscall(next_pc=next_pc) | Back(next_pc=next_pc):
            targets.append(next_pc)
        case Enter(target=target):
            targets.append(target)
    return targets


class Discovery:
    """Finds and builds the regions of one program on one ISA.

    A region has about `most` instructions at most, and ends where it comes to something `covered`;
    what is `uncommon` is left out where a branch could go elsewhere.
    """

    def __init__(
        self,
        code: Code,
        bounds_of: Callable[[int], tuple[int, int]],
        most: int = MAX_INSNS,
        covered: Container[int] = (),
        uncommon: Callable[[int], bool] = lambda pc: False,
    ) -> None:
        self.code = code
        self.bounds_of = bounds_of
        self.most = most
        self.covered = covered
        self.uncommon = uncommon
        self._plain: set[tuple[str, bool]] = set()
        self._bases: dict[int, dict[int, int]] = {}

    def region(self, start: int) -> Region:
        """The region that starts at an address."""
        region = Region(start, self.bounds_of(start))
        leaders: dict[int, None] = {}
        pending = [start]
        while pending:
            self._scan(region, leaders, pending)
            for leader in leaders:
                if leader not in region.blocks:
                    region.blocks[leader] = self._build(leader, leaders, region)
            pending = self._read_tables(region, leaders)
        return region

    def part(self, whole: Region, start: int, chosen: frozenset[int]) -> Region:
        """The region of some of another's blocks, entered at `start`. They end where they end in
        the other, though one may be entered in the middle by a jump that was found later."""
        region = Region(start, whole.bounds)
        common = self._common(region, whole, chosen)
        for block, switch in whole.switches.items():
            known = self._bases.setdefault(whole.blocks[block].addrs[-1], {})
            known |= {node.attr: value for node, value in switch.guards}
        for block in (start, *sorted(common - {start})):
            end = whole.blocks[block].end
            following = {end.next_pc} if isinstance(end, Fall) else ()
            region.blocks[block] = self._build(block, following, region)
            region.insn_count += len(region.blocks[block].addrs)
        self._read_tables(region, dict.fromkeys(whole.blocks))
        return region

    def _common(self, region: Region, whole: Region, chosen: frozenset[int]) -> set[int]:
        """Those of the chosen blocks that are reached from where a region starts."""
        seen = {region.start}
        stack = [region.start]
        while stack:
            block = stack.pop()
            after = successors(whole.blocks[block], whole.switches.get(block))
            for pc in self._used(region, after):
                if pc in chosen and pc not in seen:
                    seen.add(pc)
                    stack.append(pc)
        return seen

    def _used(self, region: Region, targets: list[int]) -> list[int]:
        """Where a block is taken to go on, of all that it may: other places are left out."""
        if len(targets) < 2:
            return targets
        low, high = region.bounds
        inside = [pc for pc in targets if low <= pc < high and pc not in region.blocks]
        region.left |= set(filter(self.uncommon, inside)) - {region.start}
        return [pc for pc in targets if pc not in region.left]

    # ---- where blocks begin ----

    def _scan(self, region: Region, leaders: dict[int, None], pending: list[int]) -> None:
        """Add the addresses reachable from `pending` at which blocks begin."""
        seen: set[int] = set()
        low, high = region.bounds
        queue = list(pending)
        position = 0
        while position < len(queue) and region.insn_count < self.most:
            pc = queue[position]
            position += 1
            if pc in leaders or pc in self.covered:
                continue
            leaders[pc] = None
            while pc not in seen and region.insn_count < self.most:
                seen.add(pc)
                try:
                    insn = self.code.insn_at(pc)
                except HccError:
                    break
                region.insn_count += 1
                targets = self._transfers(insn)
                if targets is None:
                    pc = insn.next_addr
                    continue
                queue += [t for t in self._used(region, targets) if low <= t < high]
                break

    def _transfers(self, insn: Insn) -> list[int] | None:
        """Where an instruction may go on if that is not just the next one."""
        key = insn.mnemonic, insn.extra is None
        if key in self._plain:
            return None
        semantics = self.code.arch.semantics.get(insn.mnemonic)
        if semantics is None:
            return []
        probe = BlockBuilder(self.code.arch.registers, insn.addr, Votes())
        probe.begin(insn.addr, insn.next_addr)
        try:
            semantics(probe, insn)
        except HccError:
            return []
        leaves = [e for e in probe.block.effects if isinstance(e, Leave)]
        if probe.end is None and not leaves:
            self._plain.add(key)
            return None
        probe.block.end = probe.end or Fall(insn.next_addr)
        return successors(probe.block)

    # ---- blocks ----

    def _build(self, start: int, leaders: Container[int], region: Region) -> GuestBlock:
        """The block from `start` to the next leader or transfer of control."""
        arch = self.code.arch
        builder = BlockBuilder(arch.registers, start, region.votes)
        block = builder.block
        pc = start
        while True:
            try:
                insn = self.code.insn_at(pc)
            except HccError:
                block.end = Unknown(pc)
                return block
            builder.begin(pc, insn.next_addr)
            semantics = arch.semantics.get(insn.mnemonic)
            try:
                if semantics is None:
                    raise HccError(insn.mnemonic)
                semantics(builder, insn)
            except HccError:
                builder.take_back()
                block.end = Unknown(pc)
                return block
            builder.finish()
            pc = insn.next_addr
            if builder.end is not None:
                block.end = builder.end
                return block
            left = bool(block.effects) and isinstance(block.effects[-1], Leave)
            ends = left or pc in leaders or pc in self.covered
            if ends or len(block.addrs) >= MAX_BLOCK:
                block.end = Fall(pc)
                return block

    # ---- jump tables ----

    def _read_tables(self, region: Region, leaders: dict[int, None]) -> list[int]:
        """Resolve the indirect jumps of a region; returns new places where blocks begin."""
        fresh: dict[int, None] = {}
        for block in region.blocks.values():
            end = block.end
            if (
                isinstance(end, Jump)
                and end.kind is JumpKind.PLAIN
                and end.target.const is None
                and block.start not in region.switches
            ):
                switch = self._switch(region, block, end.target)
                if switch is not None:
                    region.switches[block.start] = switch
                    targets = self._used(region, list(dict.fromkeys(switch.targets.values())))
                    fresh |= {t: None for t in targets if t not in leaders}
        return list(fresh)

    def _switch(self, region: Region, block: GuestBlock, target: Node) -> Switch | None:
        addrs = {e.node: e.addr for e in block.effects if isinstance(e, Load)}
        loads = _leaves(target)
        if len(loads) != 1 or loads[0].op != LOAD:
            return None
        load = loads[0]
        addr = addrs.get(load)
        if addr is None:
            return None
        bases = self._constants(region)
        jump_pc = block.addrs[-1]
        known = self._bases.setdefault(jump_pc, {})
        unknown, guards = [], []
        for leaf in _leaves(addr, masked=True):
            value = None
            if leaf.op == "reg":
                value = bases.get(leaf.attr, known.get(leaf.attr))
            if value is None:
                unknown.append(leaf)
            else:
                known[leaf.attr] = value
                guards.append((leaf, value))
        if len(unknown) != 1:
            return None
        index = unknown[0]
        fixed = dict(guards)
        low, high = region.bounds
        targets = {}
        for i in _values(index):
            place = _evaluate(addr, {**fixed, index: i})
            word = self.code.read_constant(place, load.ty.bits // 8)
            if word is None:
                break
            pc = _evaluate(target, {load: word})
            if not low <= pc < high or pc % self.code.arch.insn_align:
                break
            targets[i] = pc
        return Switch(index, targets, tuple(guards)) if targets else None

    def _constants(self, region: Region) -> dict[int, int]:
        """Registers that only ever get one constant in the region, until it returns: hoisted table
        addresses."""
        values: dict[int, int | None] = {}
        for block in region.blocks.values():
            if isinstance(block.end, Jump) and block.end.kind is JumpKind.RETURN:
                continue
            for index, node in block.sets.items():
                if node.ty is I64 and values.setdefault(index, node.const) != node.const:
                    values[index] = None
        return {index: value for index, value in values.items() if value is not None}


_TRANSPARENT = frozenset((Op.ADD, Op.SUB, Op.SHL, Op.OR, Op.AND, Op.ZEXT, Op.SEXT, Op.MUL))


def _mask(node: Node) -> int:
    """The mask that an index, or the place of a word in a table, is cut with; else 0."""
    mask = node.args[1].const if node.op is Op.AND else None
    return mask if mask is not None and mask < 8 * MAX_TABLE else 0


def _values(index: Node) -> Sequence[int]:
    """What an index may be, as far as a table may go."""
    mask = _mask(index)
    if not mask:
        return range(min(largest(index) + 1, MAX_TABLE))
    return [i for i in range(mask + 1) if not i & ~mask][:MAX_TABLE]


def _leaves(node: Node, masked: bool = False) -> list[Node]:
    """The values that are not constants which an address is computed from; where they are
    `masked`, what the mask leaves of them."""
    found: dict[Node, None] = {}
    stack = [node]
    while stack:
        node = stack.pop()
        if node.const is not None:
            continue
        cut = masked and _mask(node)
        if node.op in _TRANSPARENT and not cut and len(found) < 4:
            stack.extend(node.args)
        else:
            found[node] = None
    return list(found)


def _evaluate(node: Node, values: dict[Node, int]) -> int:
    """The value of an integer expression whose leaves are given."""
    if node.const is not None:
        return node.const
    if node in values:
        return values[node] & node.ty.mask
    args = tuple(_as_constant(a, values) for a in node.args)
    assert isinstance(node.op, Op)
    result = operation(node.op, node.ty, args, node.attr)
    assert result.const is not None
    return result.const


def _as_constant(node: Node, values: dict[Node, int]) -> Node:
    return constant(node.ty, _evaluate(node, values))
