"""From guest addresses to LLVM IR: what is compiled together, and its text.

Quick code is made of a whole function, if that is small; optimised code of a hot function or of a
loop, with the small functions it calls. All of code generation hangs on this module: it is imported
when something is compiled for the first time, which many runs never do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from attrs import frozen

from hcc.emulator.jit.compiler import has_avx
from hcc.emulator.jit.flow import DirectFlow, Flow
from hcc.emulator.jit.functions import Functions
from hcc.emulator.jit.heat import Heat
from hcc.emulator.jit.inlining import with_inlined
from hcc.emulator.jit.layout import Layout
from hcc.emulator.jit.loops import Loops, loops_around, natural_loops
from hcc.emulator.jit.module import module_text
from hcc.emulator.jit.options import MAX_INSNS, CodeSpan, Options
from hcc.emulator.jit.regions import Code, Discovery, Region
from hcc.emulator.jit.uncommon import Uncommon

MODULE_INSNS = 500
"""About how many guest instructions are optimised at a time."""
SMALL = 60
"""Callees of about so many instructions at most are optimised with their callers ..."""
INLINED = 150
"""and those that are often called, of so many, as part of them."""
WHOLE_INSNS = 5000
"""A larger function is not looked at as a whole; an instruction counts as 4 bytes."""
LOOP_INSNS = 2500
"""A larger loop is not optimised as a whole."""
PIECE_INSNS = 100
"""How much is optimised of a function that is too large, where no loop is found."""
RARELY = 4
"""A function that is called once in so many turns of its caller is not made part of it."""
ANEW = 4
"""How often code is made anew with what it had left out, the last time with all there is."""
TURNS = 3
"""An outer loop that has turned so often is optimised with the hot one inside it."""
LONG_TURN = 2_000_000
"""Passes in quick code that cost about as much as optimising a loop."""


@frozen
class Draft:
    """A module to be optimised: its text, where its functions begin, and what they left out."""

    text: str
    starts: tuple[int, ...]
    left: tuple[int, ...]


class Generator:
    """Generates the code of one CPU.

    `compiled` are the addresses with code of any kind, `optimised` those with optimised code, of
    `doubted` ones nothing is to be assumed: the sets are the caller's and change as it installs
    code.
    """

    def __init__(
        self,
        code: Code,
        functions: Functions,
        span: CodeSpan,
        state: Layout,
        options: Options,
        heat: Heat,
        uncommon: Uncommon,
        compiled: set[int],
        optimised: set[int],
        doubted: Set[int],
    ) -> None:
        self._code = code
        self._functions = functions
        self._span = span
        self._state = state
        self._options = options
        self._heat = heat
        self._uncommon = uncommon
        self._compiled = compiled
        self._optimised = optimised
        self._doubted = doubted
        self.refused: set[int] = set()
        """Where code begins that cannot be compiled."""
        bounds_of = functions.bounds_of
        self._discovery = Discovery(code, bounds_of, uncommon=uncommon.has)
        self._complete = Discovery(code, bounds_of)
        self._quick = Discovery(code, bounds_of, covered=compiled)
        self._whole = Discovery(code, bounds_of, WHOLE_INSNS)
        self._piece = Discovery(code, bounds_of, PIECE_INSNS, optimised, uncommon.has)
        self._regions: dict[int, Region] = {}
        self._wholes: dict[int, Region] = {}
        self._loops: dict[Region, Loops] = {}
        self._anew: dict[int, int] = {}
        """How often what begins at a place has been made anew."""
        self._rested: set[int] = set()
        """The places that have been left to the better code around them."""

    def region(self, start: int) -> Region:
        region = self._regions.get(start)
        if region is None:
            region = self._regions[start] = self._discovery_for(start).region(start)
        return region

    def _discovery_for(self, start: int) -> Discovery:
        return self._complete if self._anew.get(start, 0) >= ANEW - 1 else self._discovery

    def with_callees(self, starts: Iterable[int]) -> list[Flow]:
        """The regions of some addresses and those of the small functions they call."""
        chosen: dict[int, Flow] = {}
        queue = list(starts)
        total = 0
        while queue:
            start = queue.pop(0)
            if start in chosen or start in self.refused:
                continue
            if self._span.index(start) is None:
                continue
            region = self.region(start)
            if chosen and total + region.insn_count > MODULE_INSNS:
                continue
            flow = self._flow_inlined(region)
            if flow is None:
                continue
            region = flow.region
            chosen[start] = flow
            total += region.insn_count
            for callee in sorted(region.call_targets()):
                if self._is_small(callee, SMALL):
                    queue.append(callee)
        return list(chosen.values())

    def _flow_inlined(self, region: Region) -> Flow | None:
        """The dataflow of a region with the small functions it calls."""
        turns = self._heat.passes(region.start)
        merged = with_inlined(region, lambda pc: self._callee(pc, turns), MODULE_INSNS)
        if merged is not region:
            flow = self._flow_of(merged, Flow)
            if not flow.reads_flags_of_call():
                return flow
        return self._flow(region)

    def _callee(self, start: int, turns: int) -> Region | None:
        """The region of a small function, if all of it is in there, to be part of one that has
        been passed so many times; not if it is rarely called there, as what it changes has to be
        written back wherever the region is left, or has loops, which its time goes into."""
        # x86-64's instructions may be longer than 4 bytes: counted are those of the region.
        if start in self.refused or not self._is_small(start, 2 * INLINED):
            return None
        if start not in self._optimised and self._heat.passes(start) * RARELY < turns:
            return None
        region = self.region(start)
        fits = region.insn_count <= INLINED and region.blocks[start].addrs and region.is_whole()
        return region if fits and not self._loops_of(region) else None

    def _flow(self, region: Region, kind: type[Flow] = Flow) -> Flow | None:
        """The dataflow of a region that is one for compiled code; others are refused for good."""
        if region.blocks[region.start].addrs:
            flow = self._flow_of(region, kind)
            if not flow.reads_flags_of_call():
                return flow
        self.refused.add(region.start)
        return None

    def _flow_of(self, region: Region, kind: type[Flow]) -> Flow:
        registers = self._code.arch.registers
        wants_flags = self._uncommon.wants_flags
        return kind(region, registers, self._is_cold, self._functions.is_function, wants_flags)

    def _is_cold(self, pc: int) -> bool:
        """Whether nothing has run at an address so far."""
        return pc not in self._compiled and not self._code.is_warm(pc)

    def _is_small(self, start: int, most: int) -> bool:
        """Whether a function of a few instructions begins here that has been executed."""
        low, high = self._functions.bounds_of(start)
        if not self._functions.is_function(start) or high - low > 4 * most:
            return False
        if start in self._optimised and not self._options.nest:  # calls are not inlined then
            return False
        if self._uncommon.has(start):
            return False
        return start in self._compiled or self._code.is_warm(start)

    # ---- quick code ----

    def quick_flow(self, pc: int) -> Flow | None:
        """The region to make quick code for if there is none for an address."""
        if pc in self._compiled or pc in self.refused or self._span.index(pc) is None:
            return None
        low, high = self._functions.bounds_of(pc)
        known = self._functions.is_function(low)
        if not known or low in self._compiled or high - low > 4 * MAX_INSNS:
            low = pc
        region = self._quick.region(low)
        if known and region.start == region.bounds[0] and region.is_whole():
            self._wholes.setdefault(region.start, region)
        if pc not in region.blocks:
            region = self._quick.region(pc)
        flow = self._flow(region, DirectFlow)
        if flow is None:
            self.refused.add(pc)
        return flow

    def _region_around(self, pc: int) -> Region:
        """The function that an address is in, or what can be reached from it."""
        low, high = self._functions.bounds_of(pc)
        if self._functions.is_function(low) and high - low <= 4 * WHOLE_INSNS:
            region = self._whole_region(low)
            if pc in region.blocks:
                return region
        return self.region(pc)

    def _whole_region(self, start: int) -> Region:
        region = self._wholes.get(start)
        if region is None:
            region = self._wholes[start] = self._whole.region(start)
        return region

    def _loops_of(self, region: Region) -> Loops:
        loops = self._loops.get(region)
        if loops is None:
            loops = self._loops[region] = natural_loops(region)
        return loops

    def _loops_around(self, region: Region, pc: int) -> list[tuple[int, frozenset[int]]]:
        return loops_around(self._loops_of(region), pc)

    # ---- optimised code ----

    def start_for(self, pc: int) -> int | None:
        """Where to begin optimising if quick code is hot at an address: at its function, if that is
        called time and again, or at a loop around the place, the outermost that has turned some
        times, or else right there; None if all that is optimised."""
        region = self._region_around(pc)
        start = region.start
        called = region.insn_count <= MAX_INSNS and self._heat.passes(start) > TURNS
        function = self._functions.is_function(start)
        if function and (called or pc == start) and self._is_wanting(start):
            return start
        loops = self._loops_around(region, pc)
        for head, body in loops:
            innermost = body is loops[-1][1]
            entry = pc if innermost else head  # quick code passes the innermost one there
            turned = innermost or self._heat.passes(head) > TURNS
            if not turned or not self._is_wanting(entry):
                continue
            if self._fits(region, body):
                self._regions[entry] = self._discovery_for(entry).part(region, entry, body)
                return entry
        if not self._is_wanting(pc):
            return None
        if not loops:
            self._regions[pc] = self._piece.region(pc)
        return pc

    def _rests(self, pc: int) -> bool:
        """Whether a place is left to better code for something around it, which will be come to
        soon: the turns of quick code so far tell when. It is left once, and asks again if nothing
        has come."""
        region = self._region_around(pc)
        around = {region.start, *(head for head, _ in self._loops_around(region, pc))}
        turns = max((self._heat.passes(p) for p in around & self._optimised), default=0)
        if turns <= TURNS or pc in self._rested:
            return False
        turn = self._heat.passes(pc) // turns
        if turn > LONG_TURN:
            return False
        self._rested.add(pc)
        self._heat.rest(pc, 2 * turn)
        return True

    def _is_wanting(self, start: int) -> bool:
        """Whether what begins at an address can be optimised and is not yet."""
        return start not in self._optimised and start not in self.refused

    def optimise(self, places: Iterable[int]) -> Draft:
        """Better code for places where quick code is hot, or which optimised code often leaves for.
        A place for which there is none will not ask again."""
        places = [place for place in places if not self._is_early(place)]
        wrong = {place: self._uncommon.take(place) for place in places}
        self._forget_outdated()
        starts: dict[int, None] = {}
        anew = dict(wrong)
        for place in places:
            anew[place] = {start for start in wrong[place] if self._begins_anew(start)}
            if anew[place]:
                starts |= dict.fromkeys(sorted(anew[place]))
                continue
            if self._rests(place):
                continue
            start = self.start_for(place)
            if start is None:
                self._heat.silence(place)
            else:
                starts[start] = None
                if sum(self.region(start).insn_count for start in starts) > MODULE_INSNS:
                    break  # the others will ask again
        draft = self.translate(starts)
        for place, begun in anew.items():  # what there was no room for has to wait
            self._uncommon.add_optimised(begun - {*draft.starts}, [place])
        for start in set[int]().union(*anew.values()) & {*draft.starts}:
            self._anew[start] = self._anew.get(start, 0) + 1
        return draft

    def _forget_outdated(self) -> None:
        """Forget the regions that left out what has run since."""
        for start, region in list(self._regions.items()):
            if not all(self._uncommon.has(pc) for pc in region.left):
                del self._regions[start]

    def _begins_anew(self, start: int) -> bool:
        """Have code that begins somewhere be made anew, if that has not been done too often: of the
        same loop if it was that of one."""
        if self._anew.get(start, 0) >= ANEW:
            return False
        self._regions.pop(start, None)
        if not self._functions.is_function(start):
            region = self._region_around(start)
            around = self._loops_around(region, start)
            bodies = [body for head, body in around if head == start] or [b for _, b in around[-1:]]
            if not bodies:
                return False
            if self._fits(region, bodies[0]):
                self._regions[start] = self._discovery_for(start).part(region, start, bodies[0])
        return True

    def _fits(self, region: Region, body: frozenset[int]) -> bool:
        """Whether a loop is optimised as a whole."""
        return sum(len(region.blocks[block].addrs) for block in body) <= LOOP_INSNS

    def _is_early(self, place: int) -> bool:
        """Whether a place is to ask later, as it is in a large function: looking at all of that
        takes long, and each pass executes a small part of it only."""
        low, high = self._functions.bounds_of(place)
        times = min((high - low) // 4, WHOLE_INSNS) / MAX_INSNS
        return times > 1 and self._heat.waits(place, times)

    # ---- text ----

    def translate(self, starts: Iterable[int]) -> Draft:
        """What begins at some addresses, with its callees."""
        flows = self.with_callees(starts)
        left = {pc for flow in flows for pc in flow.region.left}
        begin = tuple(flow.region.start for flow in flows)
        return Draft(self.text(flows), begin, tuple(sorted(left)))

    def text(self, flows: Sequence[Flow]) -> str:
        arch = self._code.arch
        own_nans = arch.has_sse_nans and has_avx()
        return module_text(
            flows, arch.registers, self._state, self._span, self._options, own_nans, self._doubted
        )
