"""Value ranges: what is known of addresses holds, and a guest that breaks what was assumed gets
what the interpreter gives it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hcc.emulator.jit.engine import JitCpu
from hcc.emulator.jit.loops import natural_loops
from hcc.emulator.jit.nodes import Node, constant, register
from hcc.emulator.jit.ranges import INSIDE, UNKNOWN, Range, Values, ranges_of
from hcc.emulator.jit.translator import Translator
from hcc.isa.builder import Op
from hcc.isa.values import I1, I8, I32, I64, Ty
from hcc.runtime.process import Death, Process
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run

REGISTERS = 4


def signed(value: int, ty: Ty) -> int:
    value &= ty.mask
    return value - (1 << ty.bits) if ty.bits > 1 and value >> ty.bits - 1 else value


def evaluate(node: Node, regs: list[int]) -> int:
    """The value of a node, from 0 up to its type's mask."""
    if node.const is not None:
        return node.const
    if node.op == "reg":
        return regs[node.attr]
    args = [evaluate(a, regs) for a in node.args]
    first, last = args[0], args[-1]
    source = node.args[0].ty
    match node.op:
        case Op.ADD:
            value = first + last
        case Op.SUB:
            value = first - last
        case Op.AND:
            value = first & last
        case Op.OR:
            value = first | last
        case Op.XOR:
            value = first ^ last
        case Op.SHL:
            value = first << last
        case Op.LSHR:
            value = first >> last
        case Op.ASHR:
            value = signed(first, source) >> last
        case Op.SEXT:
            value = -first if source is I1 else signed(first, source)
        case Op.ZEXT | Op.TRUNC:
            value = first
        case Op.SELECT:
            value = args[1] if first else args[2]
        case _:
            raise AssertionError(node.op)
    return value & node.ty.mask


def random_node(rng: random.Random, ty: Ty, depth: int) -> Node:
    if depth == 0 or rng.random() < 0.15:
        if ty is I64 and rng.random() < 0.7:
            return register(I64, rng.randrange(REGISTERS))
        return constant(ty, rng.choice((rng.getrandbits(64), rng.randrange(64), -8)))
    if ty is I1:
        return Node(I1, Op.TRUNC, (random_node(rng, I32, depth - 1),))
    ops = [Op.ADD, Op.ADD, Op.SUB, Op.AND, Op.OR, Op.XOR, Op.SHL, Op.LSHR, Op.ASHR, Op.SELECT]
    op = rng.choice([*ops, Op.SEXT, Op.ZEXT] if ty is not I8 else [*ops, Op.TRUNC])
    if op in (Op.SHL, Op.LSHR, Op.ASHR):
        by = constant(ty, rng.choice((1, 2, 3, ty.bits - 1, rng.randrange(ty.bits))))
        return Node(ty, op, (random_node(rng, ty, depth - 1), by))
    if op is Op.SELECT:
        arms = (random_node(rng, ty, depth - 1) for _ in range(2))
        return Node(ty, op, (random_node(rng, I1, depth - 1), *arms))
    if op in (Op.SEXT, Op.ZEXT):
        narrow = rng.choice((I1, I8, I32) if ty is I64 else (I1, I8))
        return Node(ty, op, (random_node(rng, narrow, depth - 1),))
    if op is Op.TRUNC:
        return Node(ty, op, (random_node(rng, rng.choice((I32, I64)), depth - 1),))
    return Node(ty, op, (random_node(rng, ty, depth - 1), random_node(rng, ty, depth - 1)))


def random_env(rng: random.Random) -> tuple[dict[int, Range], list[int]]:
    """Ranges of some registers, and values in them."""
    env, values = {}, []
    for index in range(REGISTERS):
        if rng.random() < 0.3:
            values.append(rng.getrandbits(64))
            continue
        low = rng.choice((0, -1 << 32, -1 << 31, rng.randrange(-1 << 40, 1 << 40), -(1 << 63)))
        high = min(low + rng.choice((0, 4096, 1 << 32, 3 << 32)), UNKNOWN.high)
        env[2 * index] = Range(low, high)
        values.append(rng.choice((low, high, rng.randint(low, high))) & I64.mask)
    return env, values


def test_values_lie_in_their_ranges() -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    bounded = narrowed = 0
    for _ in range(6000):
        nodes = [random_node(rng, I64, rng.randrange(5)) for _ in range(2)]
        env, regs = random_env(rng)
        values = Values(dict(env))
        for node in nodes:
            found = values.range(node)
            assert found.low <= signed(evaluate(node, regs), I64) <= found.high
            bounded += found[:2] != UNKNOWN[:2]
        for node in nodes:
            value = signed(evaluate(node, regs), I64)
            around = Range(value - rng.randrange(1 << 20), value + rng.randrange(1 << 33))
            values.narrow(node, INSIDE if 0 <= value <= INSIDE.high else around)
        for node in nodes:
            found = values.range(node)
            assert found.low <= signed(evaluate(node, regs), I64) <= found.high
        for index in range(REGISTERS):
            found = values.env.get(2 * index, UNKNOWN)
            assert found.low <= signed(regs[index], I64) <= found.high
            narrowed += found != env.get(2 * index, UNKNOWN)

    assert bounded > 3000
    assert narrowed > 500


LOOPS = """
struct pair { long a; int b; };
long sums(int *a, int n) { long s = 0; for (int i = 0; i < n; i++) s += a[i]; return s; }
long steps(long *p, long *end) { long s = 0; while (p != end) s += *p++; return s; }
long match(char *a, char *b, long n) { long i = 0; while (i < n && a[i] == b[i]) i++; return i; }
long pairs(struct pair *p, long n) {
    long s = 0;
    for (long i = 0; i < n; i++) { s += p[i].a * p[i].b; p[i].b = 0; }
    return s;
}
double dots(double *a, double *b, int n, int m) {
    double s = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) s += a[i * m + j] * b[j];
    return s;
}
int main(int argc, char **argv) {
    int a[4] = {1, 2, 3, 4}; long l[4] = {5, 6, 7, 8}; double d[4] = {1, 2, 3, 4};
    struct pair p[2] = {{1, 2}, {3, 4}};
    return (int)(sums(a, argc) + steps(l, l + argc) + match(argv[0], argv[0], argc)
        + pairs(p, argc) + dots(d, d, argc, argc));
}
"""


@pytest.mark.parametrize("isa", ISAS)
def test_no_access_of_a_loop_over_arrays_is_checked(isa: str, source: Path) -> None:
    program = compiled(source, LOOPS, 1, (isa,))
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    generator = cpu.translator.generator
    for name in ("sums", "steps", "match", "pairs", "dots"):
        symbol = program.symbol(name)
        assert symbol is not None
        region = generator.region(symbol.addr)
        (flow, *_) = generator.with_callees([symbol.addr])
        behind_calls = {e.target for b in flow.blocks.values() for e in b.edges if e.stores}
        looped = set[int]().union(*natural_loops(region).values()) - behind_calls
        count = {
            assume: sum(
                place in looped and (place, i) not in ranges_of(flow, assume).safe
                for place, block in flow.region.blocks.items()
                for i, effect in enumerate(block.effects)
                if hasattr(effect, "addr")
            )
            for assume in (True, False)
        }
        # One index is not found to be one where an inner loop uses a pointer in its stead.
        assert count[True] <= (isa == "x86_64"), name
        assert count[False] > count[True], name
        assert not ranges_of(flow, False).guards


@pytest.mark.parametrize("isa", ISAS)
def test_a_pointer_that_moves_in_two_loops_is_tested_before_the_outer_one(
    isa: str, source: Path
) -> None:
    text = """
    __attribute__((noinline)) const char *skip(const char *p, const char *end) {
        while (p < end && *p != 34)
            p += *p == 92 ? 2 : 1;
        return p;
    }
    int main(void) {
        const char *text = "abc";
        return (int)(skip(text, text + 3) - text);
    }
    """
    program = compiled(source, text, 1, (isa,))
    symbol = program.symbol("skip")
    assert symbol is not None
    cpu = Process(program, isa, ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    (flow, *_) = cpu.translator.generator.with_callees([symbol.addr])
    loops = natural_loops(flow.region)
    ranges = ranges_of(flow)

    assert len(loops) >= 2
    assert any(body < other for body in loops.values() for other in loops.values())
    assert ranges.entries
    polls = {e.target for b in flow.blocks.values() for e in b.edges if e.cold}
    for start, head in ranges.entries:
        around = [body for body in loops.values() if start in body and head in body]
        assert not around or start in polls, (start, head)


# Each walk ends in a fault, or does something odd that is right. Addresses are integers, which may
# be anything, and what they are made of is hidden from the compiler.
WALKS = """
#include <stdio.h>
#include <stdlib.h>
typedef unsigned long word;
typedef volatile unsigned char *bytes;
#define WALK __attribute__((noinline)) word
static unsigned char cells[4096];
volatile word zero;
WALK step(word a, word by, long n) {  // a pointer that moves on
    word sum = 0;
    for (long i = 0; i < n; i++, a += by) sum += *(bytes)a;
    return sum;
}
WALK at(word a, word first, word by, long n) {  // an index that does, of two bases
    word sum = 0, b = a + zero;
    for (word i = first; n--; i += by) sum += *(bytes)(a + i) + *(bytes)(b + i) * i;
    return sum;
}
WALK scaled(word a, word first, word by, long n) {
    word sum = 0;
    for (word i = first; n--; i += by) sum += *(volatile word *)(a + i * 8);
    return sum;
}
WALK unmasked(word a, long n) {  // a pointer with a mark, taken off for the access
    word sum = 0;
    for (long i = 0; i < n; i++) sum += *(bytes)((a & 0xffffffff) + i);
    return sum;
}
WALK never(word a, word b, long n) {  // wild, but not accessed
    word sum = 0;
    for (long i = 0; i < n; i++) {
        sum += *(bytes)b;
        if (sum > 1000000) sum += *(bytes)(a + i) + *(bytes)(a + 8);
    }
    return sum;
}
WALK seldom(word a, word by, long n) {  // far away but in every eighth turn
    word sum = 0;
    for (long i = 0; i < n; i++) {
        if (i % 8 == 0) sum += *(bytes)a;
        a += i % 8 == 7 ? -7 * by : by;
    }
    return sum;
}
int main(int argc, char **argv) {
    word a = (word)cells + zero, far = (word)1 << 40, sum = 0;
    for (int i = 0; i < 4096; i++) cells[i] = i * 7;
    for (int k = 0; k < 30; k++) sum += step(a + k, 1, 20) + at(a, k, 2, 20) + scaled(a, k, 1, 20)
        + unmasked(a | (word)k << 60, 9) + never(far * k, a, 20) + seldom(a, far, 17);
    printf("%lu\\n", sum);
    fflush(stdout);
    switch (atoi(argv[1])) {
        case 0: sum += at(a + far, -far, 1, 40) + at(a - far, far, 1, 40); break;
        case 1: sum += scaled(a + far, -far / 8, 1, 40) + scaled(a, (word)1 << 61, 1, 40); break;
        case 2: sum += step(a, 1 << 20, 1 << 20); break;
        case 3: sum += step(a, -4096, 1 << 20); break;
        case 4: sum += step(a, (word)1 << 31, 100); break;
        case 5: sum += step(a, (word)1 << 36, 100); break;
        case 6: sum += step(a, (word)1 << 63, 100); break;
        case 7: sum += at(a, 0, (word)1 << 33, 100); break;
        case 8: sum += at(a, 0, -((word)1 << 33), 100); break;
        case 9: sum += scaled(a, 0, (word)1 << 30, 100); break;
        case 10: sum += scaled(a, 0, (word)1 << 60, 100); break;
        case 11: sum += scaled(a, -((word)1 << 40), 1, 100); break;
        case 12: sum += unmasked(far, 100); break;
        case 13: sum += seldom(a, far, 3) + seldom(a + far, far, 9); break;
        case 14: sum += never(a, far, 30); break;
    }
    printf("%lu\\n", sum);
    return 0;
}
"""


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("opt_level", [1, 2])
@pytest.mark.parametrize("isa", ISAS)
def test_wild_walks_end_as_in_the_interpreter(isa: str, opt_level: int, source: Path) -> None:
    program = compiled(source, WALKS, opt_level, (isa,))
    died = 0
    for which in range(15):
        interpreted, jitted = (
            run(program, isa, engine, (str(which),), count=False) for engine in ("interp", "jit")
        )
        assert interpreted.output == jitted.output, which
        assert interpreted.end == jitted.end, which
        if isinstance(jitted.end, Death):
            died += 1
        else:
            assert interpreted.memory == jitted.memory, which

    assert died >= 10


def walked(isa: str, source: Path) -> tuple[Process, JitCpu]:
    """A process that has walked by far bases and indices, and its CPU."""
    process = Process(compiled(source, WALKS, 1, (isa,)), isa, ["p", "0"], engine="jit")
    assert isinstance(process.cpu, JitCpu)
    assert 0 == process.run()
    return process, process.cpu


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_what_is_doubted_is_compiled_anew_and_assumes_nothing(isa: str, source: Path) -> None:
    process, cpu = walked(isa, source)
    translator = cpu.translator
    doubted = set(translator.doubted)
    assert doubted & translator.optimised
    for start in doubted & translator.optimised:
        assert "p" not in _labels(translator.generator.translate([start]).text)
    process.close()


def _labels(text: str) -> set[str]:
    """The first letters of the labels of a module's first function."""
    body = text[text.index("define ") :]
    return {line[0] for line in body[: body.index("\n}")].split("\n") if line.endswith(":")}


STORM = """
typedef unsigned long word;
typedef volatile unsigned char *bytes;
static unsigned char cells[64];
volatile word zero, wanted = 1;
__attribute__((noinline)) word at_times(word a, word b, long n) {
    word sum = 0;
    for (long i = 0; i < n; i++) {
        sum += *(bytes)b;
        if (wanted) sum += *(bytes)(a + i) + *(bytes)(a + 8);
    }
    return sum;
}
__attribute__((noinline)) word caller(word x, word a, long n) {
    word sum = 0;
    for (long i = 0; i < n; i++) sum += at_times(x, a, 3);
    return sum;
}
int main(void) {
    word a = (word)cells + zero, sum = 0;
    for (int k = 0; k < 3; k++) sum += caller(a, a + 1, 500);
    wanted = 0;  // `a` is not accessed any more
    return (int)(sum + caller(a + ((word)1 << 40), a + 1, 2000));
}
"""


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_a_region_is_doubted_once(isa: str, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that call the old code directly go on in the new without a word, in later runs too."""
    doubts: list[int] = []
    doubt = Translator.doubt

    def counted(self: Translator, pc: int) -> bool:
        doubts.append(pc)
        return doubt(self, pc)

    monkeypatch.setattr(Translator, "doubt", counted)
    program = compiled(source, STORM, 1, (isa,))
    expected = run(program, isa, "interp")
    for again in range(2):
        assert expected == run(program, isa, "jit")
        assert len(doubts) == len(set(doubts)) <= 3
        assert doubts or again
        doubts.clear()


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_a_doubted_region_without_quick_code_gets_some(isa: str, source: Path) -> None:
    process, cpu = walked(isa, source)
    translator = cpu.translator
    for start in list(translator.optimised):
        translator._quick.pop(start, None)
        cpu._doubt(start)
        assert start in translator.compiled
        assert start not in translator.optimised
    process.close()


def test_what_is_doubted_while_it_is_compiled_is_not_installed(source: Path) -> None:
    program = compiled(source, STORM, 1, ("riscv64",))
    cpu = Process(program, "riscv64", ["p"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    translator = cpu.translator
    symbol = program.symbol("at_times")
    assert symbol is not None
    draft = translator.generator.translate([symbol.addr])
    assert not translator.doubt(symbol.addr)

    assert symbol.addr not in translator.compile(draft, set())
    assert symbol.addr not in translator.compiled
    assert symbol.addr in translator.compile(draft, {symbol.addr})


WORDS = (1, 2, 8, 4096, 3 << 32, *(1 << bit for bit in (20, 31, 32, 35, 37, 38, 40, 61, 63)))


def random_walk(seed: int) -> str:
    """A program of loops in which addresses are computed at random, by words that may be large, and
    now and then set right again."""
    rng = random.Random(seed)

    def number() -> str:
        value = rng.choice(WORDS) * rng.choice((1, 1, -1)) + rng.choice((0, 0, 0, 8, -16))
        return f"{value & I64.mask:#x}UL"

    def address() -> str:
        name = rng.choice("pq")
        index = rng.choice(("i", "i * 8", "(int)i", "(unsigned)i * 8UL", "(i & 255)", "0", "j"))
        return f"{name} + {index}" + (f" + {number()}" if rng.random() < 0.2 else "")

    def statement() -> str:
        name = rng.choice("pqij")
        return rng.choice(
            (
                f"sum += *(bytes)({address()});",
                f"sum += *(volatile word *)({address()});",
                f"*(bytes)({address()}) = t;",
                f"{name} += {number()};",
                f"{name} = {name} ^ {number()};",
                f"{name} += {rng.choice((1, 8, 16))};",
                "i = (int)(i + 1);",
                f"if (sum & {rng.choice((1, 2, 64))}) continue;",
                f"for (int k = 0; k < 3; k++) {{ sum += *(bytes)({address()}); {name} += 8; }}",
                f"p = base + {rng.choice((0, 64, 512))}; i = t & 15;",
                "q = p + (sum & 63); j = 0;",
                f"if (t % 5 == {rng.randrange(5)}) {{ {name} += {number()}; }}",
                "noise(t);",
            )
        )

    parts = [
        "#include <stdio.h>",
        "typedef unsigned long word; typedef volatile unsigned char *bytes;",
        "static unsigned char cells[8192]; volatile word zero, noted;",
        "__attribute__((noinline)) static void noise(long t) { if (t > 90) noted += t; }",
    ]
    for n in range(3):
        body = " ".join(statement() for _ in range(rng.randrange(3, 9)))
        parts.append(
            f"__attribute__((noinline)) static word walk{n}(word base, word p, word q, word i) {{ "
            f"word sum = 0, j = i; for (long t = 0; t < 60; t++) {{ {body} }} "
            "return sum + p + q + i + j; }"
        )
    calls = [
        f'for (int n = 0; n < {n}; n++) printf("%lx\\n", walk{w}(a, {start}, a + {n}, zero));'
        for n, w, start in ((3, 0, "a"), (2, 1, "a + 4096"), (2, 2, "a"), (2, 0, "a + n"))
    ]
    parts += [
        "int main(void) {",
        "    word a = (word)cells + 2048 + zero;",
        "    setvbuf(stdout, 0, _IOLBF, 256);",
        *calls,
        "    return 0;",
        "}",
    ]
    return "\n".join(parts)


def check(seed: int, isa: str, opt_level: int, source: Path) -> bool:
    print(f"seed {seed}, -O{opt_level}, {isa}")
    program = compiled(source, random_walk(seed), opt_level, (isa,))
    interpreted, jitted = (run(program, isa, engine) for engine in ("interp", "jit"))
    assert interpreted.output == jitted.output
    assert interpreted.end == jitted.end
    if not isinstance(jitted.end, Death):
        assert interpreted == jitted
    return isinstance(jitted.end, Death)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_random_walks(isa: str, source: Path) -> None:
    seed = random.randrange(1 << 32)
    for k in range(3):
        check(seed + k, isa, 1 + k % 2, source)


@pytest.mark.long
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_many_random_walks(isa: str, source: Path) -> None:
    seed = random.randrange(1 << 32)
    for k in range(12):
        check(seed + k, isa, k % 3, source)
