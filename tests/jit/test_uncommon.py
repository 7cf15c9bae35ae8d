"""What has never run is left out of optimised code, and made up for when it does run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.generator import ANEW, Draft
from hcc.emulator.jit.options import CodeSpan
from hcc.emulator.jit.translator import Translator
from hcc.emulator.jit.uncommon import Uncommon
from hcc.isa.fatbinary import Program
from hcc.runtime.process import Death, Process
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run

PHASES = """
#include <stdio.h>
#include <stdlib.h>
#define SMALL __attribute__((noinline))
typedef unsigned long word;
volatile word cells[8];
SMALL static word small(word x, int phase) {  // part of what calls it
    if (phase == 2) { cells[x & 7] += x; return x / (cells[3] | 1); }
    return x + 1;
}
SMALL word steps(word x, int phase, int n) {
    for (int i = 0; i < n; i++) {
        x += small(x, phase);
        if (phase == 1) x ^= x << 7;
        switch (phase * 4 + (int)(x & 3)) {
            case 0: case 1: x += 11; break;
            case 2: x = x * 5 + 3; break;
            case 3: x -= 77; break;
            case 4: x ^= 0x5555; break;
            case 5: x += cells[2]; break;
            case 6: x = x >> 3 | x << 61; break;
            case 7: cells[x & 7]++; break;
            case 8: x = -x; break;
            default: x = x * 9 + phase; break;
        }
        if ((long)x < 0 && phase == 3) x = x % 1000003;
    }
    return x;
}
SMALL word turns(word x, int phase, int n) {  // whose loop is made part by part
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 5; k++) {
            if (phase & 1 && x % 3 == 0) x += steps(x, phase, 1);
            if (phase & 2) cells[k] ^= x;
            x = x * 6364136223846793005ul + 1442695040888963407ul;
        }
    return x;
}
int main(int argc, char **argv) {
    word x = 1;
    for (const char *phase = argv[1]; *phase; phase++) {
        for (int i = 0; i < 30; i++) x += steps(x, *phase - '0', 3);
        x ^= turns(x, *phase - '0', 20);
        printf("%c %lx\\n", *phase, x);
    }
    return (int)x & 63;
}
"""


@pytest.fixture
def drafts(eager: None, monkeypatch: pytest.MonkeyPatch) -> list[Draft]:
    """The modules that are optimised."""
    made: list[Draft] = []
    compile_draft = Translator.compile

    def noted(self: Translator, draft: Draft, doubted: set[int]) -> list[int]:
        made.append(draft)
        return compile_draft(self, draft, doubted)

    monkeypatch.setattr(Translator, "compile", noted)
    return made


def address_of(program: Program, name: str) -> int:
    symbol = program.symbol(name)
    assert symbol is not None
    return symbol.addr


def of(drafts: list[Draft], start: int) -> list[set[int]]:
    """What each module with a function left out."""
    return [set(draft.left) for draft in drafts if start in draft.starts]


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("plan", [None, "random@40"], ids=["alone", "moved"])
@pytest.mark.usefixtures("eager")
def test_phases_go_as_in_the_interpreter(isa: str, plan: str | None, source: Path) -> None:
    program = compiled(source, PHASES, 2)
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    phases = "0" + "".join(rng.choices("0123", k=5))

    expected = run(program, isa, "interp", (phases,), plan)
    jitted = run(program, isa, "jit", (phases,), plan)
    assert expected == jitted, (seed, phases)


@pytest.mark.parametrize("isa", ISAS)
def test_what_turns_out_to_be_common_is_made_anew_with_it(
    isa: str, source: Path, drafts: list[Draft]
) -> None:
    program = compiled(source, PHASES, 2, (isa,))
    steps = address_of(program, "steps")

    assert run(program, isa, "interp", ("0",)) == run(program, isa, "jit", ("0",))
    first = of(drafts, steps)
    assert first
    assert first[-1]
    drafts.clear()
    # What the cache has is of no help against that; what it has left out is known from there.
    assert run(program, isa, "interp", ("1111",)) == run(program, isa, "jit", ("1111",))
    later = of(drafts, steps)
    assert later
    assert not first[-1] <= later[-1]
    drafts.clear()
    # What has run in either is known by now.
    assert run(program, isa, "interp", ("0101",)) == run(program, isa, "jit", ("0101",))
    assert not of(drafts, steps)


@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_a_fault_in_what_was_left_out_is_reported(
    isa: str, source: Path, drafts: list[Draft]
) -> None:
    text = """
    long cell = 3;
    __attribute__((noinline)) long get(long *p, long n) { return n > 500 ? p[n] / cell : n; }
    int main(void) {
        long sum = 0;
        for (long i = 0; i < 700; i++) sum += get(i < 600 ? &cell : (long *)8, i > 500 ? i + 1 : i);
        return (int)sum;
    }
    """
    program = compiled(source, text, 1, (isa,))
    interpreted, jitted = (run(program, isa, engine, count=False) for engine in ("interp", "jit"))

    assert isinstance(interpreted.end, Death)
    assert interpreted.end == jitted.end
    assert any(draft.left for draft in drafts)


@pytest.mark.parametrize("isa", ISAS)
def test_nothing_is_left_out_without_marks(isa: str, source: Path) -> None:
    program = compiled(source, PHASES, 2, (isa,))
    steps = address_of(program, "steps")
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    generator = cpu.translator.generator

    assert not generator.region(steps).left
    whole = set(generator.region(steps).blocks)
    cpu.translator.quicken(steps)
    assert not generator.translate([steps]).left  # of the region known already
    cpu.close()
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    cpu.translator.quicken(steps)
    region = cpu.translator.generator.region(steps)
    assert region.left
    assert set(region.blocks) < whole
    cpu.close()


def quickened(isa: str, source: Path) -> tuple[JitCpu, int]:
    """A CPU with quick code for a function, which has not run, and the function's address."""
    program = compiled(source, PHASES, 2, (isa,))
    steps = address_of(program, "steps")
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    cpu.translator.quicken(steps)
    return cpu, steps


@pytest.mark.parametrize("isa", ISAS)
def test_a_place_is_not_left_out_again(isa: str, source: Path) -> None:
    cpu, steps = quickened(isa, source)
    generator = cpu.translator.generator
    draft = generator.translate([steps])
    cpu.translator.compile(draft, set())
    assert draft.left

    # Quick code has not marked it: optimised code may have run there.
    later = generator.optimise(draft.left[:1])
    assert steps in later.starts
    assert draft.left[0] not in later.left
    assert set(later.left)
    cpu.close()


@pytest.mark.parametrize("isa", ISAS)
def test_code_is_made_anew_a_few_times_only(isa: str, source: Path) -> None:
    cpu, steps = quickened(isa, source)
    generator = cpu.translator.generator
    draft = generator.translate([steps])
    for times in range(ANEW):
        cpu.translator.compile(draft, set())
        assert draft.left, times
        draft = generator.optimise(draft.left[:1])

    assert steps in draft.starts
    assert not generator.region(steps).left
    cpu.close()


def test_who_left_a_place_out_is_told_once() -> None:
    uncommon = Uncommon(CodeSpan(0x1000, 0x100, 2))
    uncommon.add_quick([0x1000, 0x1008, 0x1010], {0x1010}, [0x1008])
    uncommon.add_optimised([0x1020, 0x1030], [0x1010])
    uncommon.add_optimised([0x1040], [0x1010])

    assert uncommon.has(0x1010)
    assert not uncommon.has(0x1012)
    assert not uncommon.has(0x1008)
    assert uncommon.wants_flags(0x1012)
    assert uncommon.wants_flags(0x1010)
    assert not uncommon.wants_flags(0x1000)
    assert {0x1020, 0x1030, 0x1040} == uncommon.take(0x1010)
    assert not uncommon.has(0x1010)
    assert not uncommon.take(0x1010)
