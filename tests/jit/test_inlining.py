"""Small functions as part of the regions that call them: whatever they do, nothing is changed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hcc.emulator.interpreter import CodeSpace, Interpreter, StopReason
from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.generator import MODULE_INSNS
from hcc.emulator.jit.inlining import with_inlined
from hcc.emulator.jit.regions import pc_of, site_of
from hcc.emulator.memory import READ, WRITE, Memory
from hcc.isa import architecture
from hcc.isa.fatbinary import Program
from hcc.runtime.process import Death, Process
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run

RING = ",".join(ISAS)
CALLS = """
#include <stdio.h>
#include <stdint.h>
#define SMALL __attribute__((noinline))
struct pair { double x; int n; };
volatile int cells[8];
SMALL unsigned mix(unsigned a, unsigned b) { return (a ^ b) * 2654435761u + (a >> 7); }
SMALL int is_digit(int c) { return c >= '0' && c <= '9'; }
SMALL double half(double x) { return x > 100 ? x * 0.5 : x + 1.25; }
SMALL unsigned twice(unsigned a) { return mix(a, 3) + mix(a, 5); }
SMALL struct pair both(struct pair p, int n) { p.n += n; p.x = half(p.x); return p; }
SMALL int choose(int k, int x) {
    switch (k) {
        case 0: return x + 1;
        case 1: return x * 3;
        case 2: return x ^ 0x55;
        case 3: cells[x & 7]++; return x - 7;
        case 4: return x >> 1;
        case 5: return -x;
        case 6: return (int)twice((unsigned)x);
        default: return x;
    }
}
SMALL int count(int n) { int sum = 0; while (n-- & 7) sum += cells[n & 7]; return sum; }
SMALL int many(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j) {
    return a - b + c - d + e - f + g - h + i * j;
}
SMALL unsigned on(unsigned a) { return a & 1 ? twice(a) : mix(a, a); }
SMALL unsigned fall(unsigned n) { return n < 2 ? n : mix(n, fall(n - 1)); }
SMALL unsigned even(unsigned n);
SMALL unsigned odd(unsigned n) { return n == 0 ? cells[1] : even(n - 1); }
SMALL unsigned even(unsigned n) { return n == 0 ? cells[2] : odd(n - 1); }
SMALL void say(int n) { if (n % 97 == 0) putchar('a' + n % 26); }
SMALL double quotient(double a, double b) { return a / b - b; }
int main(int argc, char **argv) {
    unsigned (*pointer)(unsigned) = argc > 5 ? fall : on;
    unsigned x = 1; int k = 0; double d = 0, e = 0; struct pair p = {1, 2};
    for (int i = 0; i < 700; i++) {
        x = mix(x, (unsigned)i) + pointer(x);
        k += is_digit((int)(x & 63)) + choose(i % 8, k) + count(i) + (int)odd((unsigned)i & 15);
        k ^= many(i, k, 3, 4, 5, 6, 7, 8, 9, k);
        d = half(d);
        p = both(p, k);
        x += fall((unsigned)i & 7);
        e += quotient(i % 3 ? d : 0, i % 5 ? 1 : 0) > 0;
        say(i);
    }
    printf("%u %d %g %g %d %g\\n", x, k, d, p.x, p.n, e);
    return 0;
}
"""
FAULTS = """
#include <stdlib.h>
volatile int cell;
__attribute__((noinline)) static int get(int *p, int n) { return p[n] / cell; }
int main(int argc, char **argv) {
    int sum = 0, x = 7, which = atoi(argv[1]);
    cell = 1;
    for (int i = 0; i < 300; i++) {
        if (i == 250 && which == 2) cell = 0;
        sum += get(i == 250 && which == 1 ? (int *)0 : &x, 0);
    }
    return sum & 7;
}
"""


def cpu_of(program: Program, isa: str) -> JitCpu:
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    return cpu


def addr_of(program: Program, name: str) -> int:
    symbol = program.symbol(name)
    assert symbol is not None
    return symbol.addr


@pytest.mark.parametrize("isa", ISAS)
def test_functions_are_part_of_their_callers_but_not_of_themselves(isa: str, source: Path) -> None:
    program = compiled(source, CALLS, 1, (isa,))
    generator = cpu_of(program, isa).translator.generator
    main = generator.region(addr_of(program, "main"))
    merged = with_inlined(main, generator.region, 2000)

    entries = {pc_of(where) for where in merged.blocks if site_of(where)}
    names = ("mix", "half", "both", "choose", "many", "fall", "quotient")
    assert {addr_of(program, name) for name in names} <= entries
    assert main.insn_count < merged.insn_count <= 2000
    fall = generator.region(addr_of(program, "fall"))
    inside = with_inlined(fall, generator.region, 2000)
    assert fall.start not in {pc_of(where) for where in inside.blocks if site_of(where)}
    assert with_inlined(main, generator.region, main.insn_count) is main


@pytest.mark.parametrize("isa", ISAS)
def test_only_what_is_called_often_is_inlined(isa: str, source: Path) -> None:
    program = compiled(source, CALLS, 1, (isa,))
    translator = cpu_of(program, isa).translator
    main, mix = addr_of(program, "main"), addr_of(program, "mix")
    translator.compiled.add(mix)

    def inlined() -> set[int]:
        (flow, *_) = translator.generator.with_callees([main])
        assert flow.region.insn_count <= MODULE_INSNS
        return {pc_of(where) for where in flow.region.blocks if site_of(where)}

    translator.heat.add(main, 1000)
    assert mix not in inlined()
    translator.heat.add(mix, 1000)
    assert mix in inlined()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
@pytest.mark.parametrize("opt_level", [0, 1, 2])
def test_all_kinds_of_functions(isa: str, opt_level: int, source: Path) -> None:
    program = compiled(source, CALLS, opt_level, (isa,))

    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.usefixtures("eager")
def test_moved_while_in_them(source: Path) -> None:
    program = compiled(source, CALLS, 1)
    plan = f"{RING}@{random.randrange(3, 30)}"
    print(plan)

    assert run(program, "x86_64", "interp", plan=plan) == run(program, "x86_64", "jit", plan=plan)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("which", ["1", "2"])
def test_faults_in_them(isa: str, which: str, source: Path) -> None:
    program = compiled(source, FAULTS, 1, (isa,))
    interpreted, jitted = (
        run(program, isa, engine, (which,), count=False) for engine in ("interp", "jit")
    )

    if which == "1":  # division by zero is a fault on x86-64 only
        assert isinstance(interpreted.end, Death)
    assert interpreted.end == jitted.end


TYPES = ("int", "unsigned", "long", "unsigned char", "short", "double", "float")


def random_functions(seed: int) -> str:
    """A program of small functions that call others, over and over."""
    rng = random.Random(seed)
    parts = ["#include <stdio.h>", "volatile int cells[4]; double last;"]
    known: list[tuple[str, tuple[str, ...]]] = []

    def value(names: list[str], depth: int) -> str:
        """An integer expression of doubles and integers, all within bounds."""
        if depth == 0 or rng.random() < 0.2:
            return rng.choice([*names, str(rng.randrange(100)), "cells[1]"])
        a, b = (value(names, depth - 1) for _ in range(2))
        if known and rng.random() < 0.4:
            name, params = rng.choice(known)
            args = ", ".join(value(names, rng.randrange(depth)) for _ in params)
            return f"(int){name}({args}) % 1000"
        return rng.choice(
            (
                f"(int)({a} + {b}) % 999",
                f"((int){a} ^ (int){b} >> 2)",
                f"({a} < {b} ? {b} : {a} * 0.5)",
                f"(int)({a} * 3u - {b}) % 77",
                f"({a} / (({b}) * ({b}) + 1.5))",
            )
        )

    for n in range(9):
        params = tuple(rng.choice(TYPES) for _ in range(rng.randrange(1, 9)))
        names = [f"p{i}" for i in range(len(params))]
        lines = [f"int x = (int)({value(names, 2)}) % 5000;"]
        if rng.random() < 0.4:
            lines.append(f"if (x & 3) return {value([*names, 'x'], 1)};")
        if rng.random() < 0.4:
            lines.append(f"cells[x & 3] = x; last += {value(names, 1)};")
        if rng.random() < 0.2:
            cases = " ".join(f"case {i}: x += {value(names, 1)}; break;" for i in range(5))
            lines.append(f"switch (x % 7) {{ {cases} default: x--; }}")
        lines.append(f"return {value([*names, 'x'], 2)};")
        head = ", ".join(f"{ty} {name}" for ty, name in zip(params, names, strict=True))
        result = rng.choice(("int", "double", "long", "float"))
        parts.append(f"__attribute__((noinline)) {result} f{n}({head}) {{ {' '.join(lines)} }}")
        known.append((f"f{n}", params))
    calls = [
        f"sum += {name}({', '.join(rng.choice(('i', 'i * 7', 'cells[2]', '3')) for _ in params)});"
        for name, params in rng.sample(known, 6)
    ]
    parts += [
        "int main(void) {",
        "    double sum = 0;",
        f"    for (int i = 0; i < 60; i++) {{ {' '.join(calls)} }}",
        '    printf("%a %a %d %d\\n", sum, last, cells[0], cells[3]);',
        "    return 0;",
        "}",
    ]
    return "\n".join(parts)


def check(seed: int, isa: str, opt_level: int, source: Path) -> None:
    print(f"seed {seed}, -O{opt_level}, {isa}")
    program = compiled(source, random_functions(seed), opt_level, (isa,))

    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_random_functions(isa: str, source: Path) -> None:
    check(random.randrange(1 << 32), isa, random.randrange(1, 3), source)


@pytest.mark.long
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_many_random_functions(isa: str, source: Path) -> None:
    for _ in range(2):
        check(random.randrange(1 << 32), isa, random.randrange(3), source)


# A loop that calls a function 1000 times, which returns four bytes farther each eighth time: over
# the instruction that counts in the first register; the second counts all.
ASTRAY = {
    # mov ecx, 1000; call 0x1020; add rax, 1; add rdx, 1; dec ecx; jne 0x1005; syscall
    # test cl, 7; jne 0x102a; add qword ptr [rsp], 4; ret
    "x86_64": ("b9e8030000e8160000004883c0014883c201ffc975ef0f05", "f6c10775054883042404c3"),
    # mov x1, #1000; bl 0x1020; add x0, x0, #1; add x2, x2, #1; subs x1, x1, #1; b.ne 0x1004; svc #0
    # tst x1, #7; b.ne 0x102c; add x30, x30, #4; ret
    "aarch64": (
        "017d80d2070000940004009142040091210400f181ffff54010000d4",
        "3f0840f241000054de130091c0035fd6",
    ),
    # li a1, 1000; jal 0x1020; addi a0, a0, 1; addi a2, a2, 1; addi a1, a1, -1; bnez a1, 0x1004;
    # ecall
    # andi t0, a1, 7; bnez t0, 0x102c; addi ra, ra, 4; ret
    "riscv64": (
        "9305803eef00c00113051500130616009385f5ffe39805fe73000000",
        "93f27500639402009380400067800000",
    ),
}
REGISTERS = {"x86_64": ("rax", "rdx"), "aarch64": ("x0", "x2"), "riscv64": ("x10", "x12")}


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_return_to_somewhere_else(isa: str) -> None:
    arch = architecture(isa)
    caller, callee = (bytes.fromhex(text) for text in ASTRAY[isa])
    space = CodeSpace([(0x1000, caller.ljust(0x20, b"\0") + callee)])
    functions = [(0x1000, 0x20), (0x1020, len(callee))]
    after = []
    for cpu_type in (Interpreter, JitCpu):
        memory = Memory()
        memory.protect(0x40_0000, 0x1000, READ | WRITE)
        more = (functions,) if cpu_type is JitCpu else ()
        cpu = cpu_type(arch, memory, space, *more)
        cpu.state.set(arch.convention.stack_pointer, 0x40_1000)
        cpu.state.pc = 0x1000
        assert StopReason.SYSCALL is cpu.run().reason
        assert [875, 1000] == [cpu.state.get(name) for name in REGISTERS[isa]]
        after.append(list(cpu.state.regs))
        if isinstance(cpu, JitCpu):
            assert cpu.translator.optimised
            (flow, *_) = cpu.translator.generator.with_callees([0x1000])
            assert flow.region.returns
        cpu.close()

    flags = [i for i, register in enumerate(arch.registers.registers) if register.flag]
    for regs in after:
        for i in flags:
            regs[i] = 0
    assert after[0] == after[1]
