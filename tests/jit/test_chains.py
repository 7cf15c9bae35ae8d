"""Loops that wait for what they load: sums are done in another order and mean the same."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from hcc.emulator.jit.engine import JitCpu
from hcc.isa.fatbinary import Program
from hcc.runtime.process import Process
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run

CRC = """
#include <stdint.h>
uint{bits}_t table[256];
unsigned char bytes[300];
__attribute__((noinline)) uint{bits}_t crc(uint{bits}_t c, int n) {{
    for (int i = 0; i < n; i++) c = table[(c ^ bytes[i]) & 255] ^ c >> 8;
    return c;
}}
int main(void) {{ return crc(1, 300) & 63; }}
"""


def text_of(program: Program, isa: str, name: str) -> str:
    """The LLVM IR of better code for a function."""
    cpu = Process(program, isa, ["program"], engine="jit").cpu
    assert isinstance(cpu, JitCpu)
    symbol = program.symbol(name)
    assert symbol is not None
    text = cpu.translator.generator.translate([symbol.addr]).text
    cpu.close()
    return text


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("bits", [32, 64])
def test_a_table_driven_crc_carries_the_parts_of_its_sum(isa: str, bits: int, source: Path) -> None:
    text = text_of(compiled(source, CRC.format(bits=bits), 2, (isa,)), isa, "crc")

    variables = [line.split() for line in text.splitlines() if "= alloca" in line]
    parts = [name for name, _, _, kind in variables if "late" in name and kind == f"i{bits}"]
    assert 1 == len(parts)
    # What may have any number: values, labels and blocks.
    assert not [name for name, *_ in variables if re.fullmatch(r"%[tlb][0-9a-f]+", name)]


def random_chains(seed: int) -> str:
    """A program with loops in which words go through tables, are shifted and added to."""
    rng = random.Random(seed)
    parts = [
        "#include <stdint.h>",
        "#include <stdio.h>",
        "unsigned char bytes[64];",
        'static void show(unsigned long long word) { printf("%llx ", word); }',
    ]
    calls = []
    for n in range(4):
        word = rng.choice(("uint32_t", "int32_t", "uint64_t", "int64_t", "uint16_t"))
        item = rng.choice((word, word, "uint32_t", "int8_t", "uint64_t"))
        lines = []
        for _ in range(rng.randrange(1, 5)):
            c, d = rng.sample(["c", "d"], 2) if rng.random() < 0.3 else ("c", "d")
            term = rng.choice(("bytes[i]", "bytes[i & 7]", "(unsigned)i", d, f"({d} ^ bytes[i])"))
            shift = rng.choice(
                (f"{c} >> 8", f"(unsigned){c} >> 3", f"{c} << 1", d, "7", f"{c} + i")
            )
            index = rng.choice((f"({c} ^ {term})", f"({term} ^ {c} ^ 5)", f"({c} + {term})"))
            lines.append(f"{c} = table{n}[{index} & 255] ^ ({shift});")
        lines += rng.choice(([], ["if (c & 64) d ^= c;"], ["d = c ^ 77;"], ["c ^= bytes[i];"]))
        rng.shuffle(lines)
        body = " ".join(lines)
        parts += [
            f"{item} table{n}[256];",
            f"__attribute__((noinline)) {word} walk{n}({word} c, {word} d, int n) {{",
            f"    for (int i = 0; i < n; i++) {{ {body} }}",
            "    return c ^ d << 1;",
            "}",
        ]
        fill = f"table{n}[k] = ({item})(k * 0x9E3779B97F4A7C15u >> {rng.randrange(20)});"
        calls += [
            f"for (unsigned long k = 0; k < 256; k++) {fill}",
            f"for (int n = 0; n < 64; n += 9) show(walk{n}(n, 3, n));",
        ]
    lines = ["for (int k = 0; k < 64; k++) bytes[k] = (unsigned char)(k * 37);", *calls]
    return "\n".join([*parts, "int main(void) {", *lines, "return 0; }", ""])


def check(seed: int, isa: str, opt_level: int, source: Path) -> None:
    print(f"seed {seed}, -O{opt_level}, {isa}")
    program = compiled(source, random_chains(seed), opt_level, (isa,))

    assert run(program, isa, "interp") == run(program, isa, "jit")


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_chains_mean_the_same(isa: str, source: Path) -> None:
    check(random.randrange(1 << 32), isa, 2, source)


@pytest.mark.long
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("isa", ISAS)
def test_many_chains_mean_the_same(isa: str, source: Path) -> None:
    for _ in range(4):
        check(random.randrange(1 << 32), isa, random.randrange(1, 3), source)
