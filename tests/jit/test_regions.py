"""What is compiled together, and code that does not look like a compiler's."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from hcc.emulator.interpreter import CodeSpace, Interpreter, StopReason
from hcc.emulator.jit import background
from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.generator import TURNS
from hcc.emulator.jit.heat import HOT_PASSES
from hcc.emulator.jit.loops import heads, loops_around, natural_loops
from hcc.emulator.jit.options import MAX_INSNS
from hcc.emulator.jit.regions import successors
from hcc.emulator.jit.translator import Translator
from hcc.emulator.memory import READ, WRITE, Memory
from hcc.isa import architecture
from hcc.isa.fatbinary import Program
from hcc.runtime.process import Process
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run

NEST = """
volatile unsigned cells[100];
__attribute__((noinline)) unsigned nest(unsigned n) {
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        sum += cells[i % 100];
        for (unsigned j = 0; j < n; j++) {
            sum ^= cells[j % 100] + i;
            for (unsigned k = 0; k < n; k++) cells[(i + j + k) % 100] += sum;
        }
    }
    return sum;
}
int main(void) { return nest(20) & 63; }
"""
SUM = """
volatile double values[50];
int main(void) {
    double total = 0;
    for (int i = 0; i < 50; i++) total += values[i];
    return (int)total;
}
"""
SWITCH = """
#include <stdio.h>
static int step(int op, int x) {
    switch (op) {
        case 0: return x + 1;
        case 1: return x * 3;
        case 2: return x ^ 0x55;
        case 3: return x - 7;
        case 4: return x >> 1;
        case 5: return -x;
        case 6: return x | 8;
        default: return x;
    }
}
static int twice(int x) { return 2 * x; }
static int less(int x) { return x - 1; }
int main(void) {
    int (*table[2])(int) = {twice, less};
    int x = 1;
    for (int i = 0; i < 5000; i++) x = table[i % 3 & 1](step(i * 7 % 9, x)) & 0xffff;
    printf("%d\\n", x);
    return 0;
}
"""

MASKED = """
#include <stdio.h>
volatile unsigned last;
__attribute__((noinline)) unsigned steps(unsigned n) {
    unsigned x = 1;
    for (unsigned i = 0; i < n; i++) {
        switch ((x >> 9 ^ i) & 7) {
            case 0: x += i; break;
            case 1: x ^= 0x12345; break;
            case 2: x = x << 5 | x >> 27; break;
            case 3: x -= i; break;
            case 4: x = (int)x >> 3; break;
            case 5: x *= 2654435761u; break;
            case 6: last = i; break;
            case 7: x = ~x; break;
        }
    }
    return x;
}
int main(void) { printf("%u\\n", steps(3000)); return 0; }
"""
OPERATIONS = 100
CASES = "\n".join(
    f"case {k}: a += b * {2 * k + 3}u; cells[a >> 9 & 255] ^= c + {k};"
    f" b ^= a >> {k % 31 + 1}; c -= cells[b & 255]; if (a < c) b++; break;"
    for k in range(OPERATIONS)
)
LARGE = f"""
#include <stdio.h>
unsigned char code[256];
unsigned cells[256];
__attribute__((noinline)) unsigned steps(unsigned n) {{
    unsigned a = 1, b = 2, c = 3;
    for (unsigned i = 0; i < n; i++) {{
        switch (code[i & 255]) {{
            {CASES}
        }}
    }}
    return a ^ b ^ c;
}}
int main(void) {{
    for (unsigned i = 0; i < 256; i++) code[i] = i * 7 % {OPERATIONS};
    printf("%u\\n", steps(20000));
    return 0;
}}
"""
TAIL_CALL = """
#include <ctype.h>
#include <stdio.h>
__attribute__((noinline)) int is_digit(int c) { return isdigit(c > 300 ? c - 256 : c); }
int main(void) {
    int digits = 0;
    for (int c = 0; c < 500; c++) digits += is_digit(c) != 0;
    printf("%d\\n", digits);
    return 0;
}
"""
WORD_AS_DOUBLE = """
#include <stdint.h>
#include <stdio.h>
int main(void) {
    union { int64_t bits; double number; } both;
    int x = 1;
    double sum = 0;
    for (int i = 0; i < 3000; i++) {
        x += i ^ 5;
        both.bits = x;
        sum += x & 64 ? both.number * 1e300 : both.number;
    }
    printf("%a\\n", sum);
    return 0;
}
"""


def cpu_of(program: Program, isa: str) -> JitCpu:
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    return cpu


def nest_of(source: Path, isa: str) -> tuple[Translator, int]:
    """A translator for the nest of loops, and the address of its function."""
    program = compiled(source, NEST, 1, (isa,))
    symbol = program.symbol("nest")
    assert symbol is not None
    return cpu_of(program, isa).translator, symbol.addr


@pytest.mark.parametrize("isa", ISAS)
def test_loops_nest_as_they_were_written(isa: str, source: Path) -> None:
    program = compiled(source, NEST, 1, (isa,))
    symbol = program.symbol("nest")
    assert symbol is not None
    region = cpu_of(program, isa).translator.generator.region(symbol.addr)
    bodies = sorted(natural_loops(region).values(), key=len)

    # The innermost one is cut into strips between polls, which makes a loop of its own.
    assert len(bodies) in (3, 4)
    assert all(inner < outer for inner, outer in pairwise(bodies))
    around = [body for _, body in loops_around(natural_loops(region), min(bodies[0]))]
    assert bodies[::-1] == around


@pytest.mark.parametrize("isa", ISAS)
def test_region_is_whole_unless_it_ends_at_other_code(isa: str, source: Path) -> None:
    translator, nest = nest_of(source, isa)
    generator = translator.generator
    flow = generator.quick_flow(nest)

    assert flow is not None
    assert flow.region.is_whole()
    head = min(natural_loops(flow.region))
    translator.compiled.add(head)
    shorter = generator.quick_flow(nest)
    assert shorter is not None
    assert not shorter.region.is_whole()
    # Loops are looked for in the whole function still.
    assert head == generator.start_for(head)


@pytest.mark.parametrize("isa", ISAS)
def test_hot_loop_is_optimised_alone_until_those_around_it_turn(isa: str, source: Path) -> None:
    translator, nest = nest_of(source, isa)
    generator = translator.generator
    whole = generator.region(nest)
    inner, body = min(natural_loops(whole).items(), key=lambda loop: len(loop[1]))
    outer, larger = loops_around(natural_loops(whole), inner)[0]

    assert inner == generator.start_for(inner)
    assert body == set(generator.region(inner).blocks)
    translator.heat.add(outer, TURNS + 1)
    assert outer == generator.start_for(inner)
    assert larger == set(generator.region(outer).blocks)
    translator.heat.add(nest, TURNS + 1)
    assert nest == generator.start_for(inner)


@pytest.mark.parametrize("isa", ISAS)
def test_hot_loop_waits_for_the_better_code_around_it(isa: str, source: Path) -> None:
    translator, nest = nest_of(source, isa)
    generator, heat = translator.generator, translator.heat
    whole = generator.region(nest)
    inner = min(natural_loops(whole).items(), key=lambda loop: len(loop[1]))[0]
    outer = loops_around(natural_loops(whole), inner)[0][0]
    translator.optimised.add(outer)
    heat.add(outer, TURNS + 1)
    heat.add(inner, 1000)

    assert not generator.optimise([inner]).starts
    assert 1000 == heat.passes(inner)
    assert (inner,) == generator.optimise([inner]).starts[:1]


def test_place_that_was_left_is_not_optimised(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = compiled(source, NEST, 1, ("x86_64",))
    symbol = program.symbol("nest")
    assert symbol is not None
    cpu = cpu_of(program, "x86_64")
    monkeypatch.setattr(background, "MOMENT", 0.001)

    cpu.background.request(symbol.addr)
    cpu.background.wait()
    assert symbol.addr not in cpu.translator.optimised
    cpu.background.request(symbol.addr)
    cpu.background.wait()
    assert symbol.addr in cpu.translator.optimised
    cpu.close()


@pytest.mark.parametrize("isa", ISAS)
def test_doubles_are_loaded_as_doubles(isa: str, source: Path) -> None:
    program = compiled(source, SUM, 2, (isa,))
    symbol = program.symbol("main")
    assert symbol is not None
    text = cpu_of(program, isa).translator.generator.translate([symbol.addr]).text

    assert "load volatile double" in text


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_jump_tables_and_function_pointers(isa: str, source: Path) -> None:
    program = compiled(source, SWITCH, 2, (isa,))

    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ["x86_64", "riscv64"])  # on AArch64 it is compiled to branches
def test_masked_index_of_a_jump_table(isa: str, source: Path) -> None:
    program = compiled(source, MASKED, 2, (isa,))
    symbol = program.symbol("steps")
    assert symbol is not None
    switches = cpu_of(program, isa).translator.generator.region(symbol.addr).switches.values()

    assert [8] == [len(switch.targets) for switch in switches]
    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.parametrize("isa", ISAS)
def test_large_loop_is_optimised_whole_where_quick_code_passes_it(isa: str, source: Path) -> None:
    program = compiled(source, LARGE, 2, (isa,))
    symbol = program.symbol("steps")
    assert symbol is not None
    translator = cpu_of(program, isa).translator
    generator, heat = translator.generator, translator.heat
    flow = generator.quick_flow(symbol.addr)
    assert flow is not None
    (place, *_) = sorted(heads(flow.region))

    assert not generator.optimise([place]).starts
    heat.add(place, 30 * HOT_PASSES)
    assert (place,) == generator.optimise([place]).starts
    region = generator.region(place)
    assert region.insn_count > MAX_INSNS
    assert [OPERATIONS] <= [len(set(s.targets.values())) for s in region.switches.values()]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_large_loop_runs(isa: str, source: Path) -> None:
    program = compiled(source, LARGE, 2, (isa,))

    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_a_jump_to_another_function_carries_no_flags(isa: str, source: Path) -> None:
    program = compiled(source, TAIL_CALL, 2, (isa,))
    there, here = program.symbol("isdigit"), program.symbol("is_digit")
    assert there is not None
    assert here is not None
    flow, *_ = cpu_of(program, isa).translator.generator.with_callees([here.addr])
    jumps = [
        edge
        for block in flow.blocks.values()
        for edge, pc in zip(block.edges, successors(block.block), strict=False)
        if pc == there.addr
    ]

    assert [False] == [edge.flags for edge in jumps]
    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_word_that_is_read_as_a_double(isa: str, source: Path) -> None:
    program = compiled(source, WORD_AS_DOUBLE, 2, (isa,))

    assert run(program, isa, "interp") == run(program, isa, "jit")


# A loop of 5000 turns that leaves the sum in a register, for code that no symbol covers.
RAW = {
    # mov ecx, 5000; add rax, rcx; dec rcx; jne -8; syscall
    "x86_64": ("b9881300004801c848ffc975f80f05", "rax"),
    # mov x1, #5000; add x0, x0, x1; subs x1, x1, #1; b.ne -8; svc #0
    "aarch64": ("017182d20000018b210400f1c1ffff54010000d4", "x0"),
    # lui x11, 1; addi x11, x11, 904; add x10, x10, x11; addi x11, x11, -1; bnez x11, -8; ecall
    "riscv64": ("b7150000938585383305b5009385f5ffe39c05fe73000000", "x10"),
}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_code_without_symbols_is_compiled_by_loops(isa: str) -> None:
    text, register = RAW[isa]
    memory = Memory()
    memory.protect(0x40_0000, 0x1000, READ | WRITE)
    cpu = JitCpu(architecture(isa), memory, CodeSpace([(0x1000, bytes.fromhex(text))]))
    cpu.state.pc = 0x1000
    stop = cpu.run()

    assert StopReason.SYSCALL is stop.reason
    assert 5000 * 5001 // 2 == cpu.state.get(register)
    assert cpu.translator.compiled
    assert cpu.count < 5000, "the loop was interpreted"
    cpu.close()


# A loop in which a0 holds nothing but sign-extended words once it has begun, and is only used as
# such: addiw a4, a4, 5; srliw a0, a0, 1; xor a0, a0, a4; andi a5, a0, 255; addw a6, a6, a5;
# addi a1, a1, -1; bnez a1, -24; ecall
WORDS = (
    0x0057071B, 0x0015551B, 0x00E54533, 0x0FF57793, 0x00F8083B, 0xFFF58593, 0xFE0594E3, 0x00000073,
)  # fmt: skip
# The same with fmv.d.x fa0, a0; fadd.d fa0, fa0, fa0 for the andi and addw: a double's bits too.
BITS = (*WORDS[:3], 0xF2050553, 0x02A50553, *WORDS[5:])


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("code", [WORDS, BITS], ids=["words", "bits"])
@pytest.mark.parametrize("turns", [1, 2, 300])
@pytest.mark.parametrize("entry", [0, 4, 8, 16])
def test_words_that_enter_a_loop_as_more(code: tuple[int, ...], turns: int, entry: int) -> None:
    arch = architecture("riscv64")
    space = CodeSpace([(0x1000, b"".join(word.to_bytes(4, "little") for word in code))])
    start = {"x10": 0x8765_4321_FEDC_BA98, "x11": turns, "x14": 1 << 40 | 3, "x16": 1 << 63}
    start["x15"] = 0x1234_5678_9ABC_DEF0
    after = []
    for cpu in (Interpreter(arch, Memory(), space), JitCpu(arch, Memory(), space)):
        for name, value in start.items():
            cpu.state.set(name, value)
        cpu.state.pc = 0x1000 + entry
        assert StopReason.SYSCALL is cpu.run().reason
        after.append([*cpu.state.regs])
        cpu.close()

    assert after[0] == after[1]
