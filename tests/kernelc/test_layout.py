"""Struct and union layout is gcc's: sizes, offsets, and every bit of every bit-field."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.kernelc.building import module_of

SCALARS = ("char", "short", "int", "long", "unsigned char", "unsigned short", "unsigned", "float",
           "unsigned long", "double", "_Bool", "long long", "_Float16")  # fmt: skip
BITS = {"char": 8, "unsigned char": 8, "short": 16, "unsigned short": 16, "int": 32, "unsigned": 32,
        "long": 64, "unsigned long": 64, "_Bool": 1}  # fmt: skip


def _record(rng: random.Random, name: str, depth: int = 0) -> str:
    """A random record definition; members m0, m1, ... and their initialisers at random."""
    kind = "union" if rng.random() < 0.15 else "struct"
    members = []
    for i in range(rng.randrange(1, 8)):
        choice = rng.random()
        align = (
            f" __attribute__((aligned({rng.choice([2, 4, 8, 16])})))" if rng.random() < 0.1 else ""
        )
        packed = " __attribute__((packed))" if rng.random() < 0.05 else ""
        if choice < 0.4:
            type_ = rng.choice(list(BITS))
            width = rng.randrange(1, BITS[type_] + 1)
            members.append(f"{type_} m{i} : {width}{packed};")
        elif choice < 0.5:
            type_ = rng.choice([t for t in BITS if t != "_Bool"])
            members.append(f"{type_} : {rng.choice([0, 0, rng.randrange(BITS[type_])])};")
        elif choice < 0.85 or depth > 1:
            members.append(f"{rng.choice(SCALARS)} m{i}{align}{packed};")
        elif choice < 0.93:
            members.append(f"{rng.choice(SCALARS)} m{i}[{rng.randrange(1, 4)}];")
        else:
            members.append(f"{_record(rng, '', depth + 1)} m{i};")
    attributes = [a for a, p in (("packed", 0.2), ("aligned(8)", 0.1)) if rng.random() < p]
    suffix = f" __attribute__(({', '.join(attributes)}))" if attributes else ""
    return f"{kind} {name} {{ {' '.join(members)} }}{suffix}"


def _source(seed: int, count: int) -> str:
    rng = random.Random(seed)
    lines = []
    for i in range(count):
        values = ", ".join(str(rng.choice([0, 1, 2, 5, 100])) for _ in range(3))
        lines.append(f"{_record(rng, f's{i}')};")
        lines.append(f"struct w{i} {{ char c; {_kind(lines[-1])} s{i} s; }};")
        lines.append(f"{_kind(lines[-2])} s{i} v{i} = {{{values}}};")
        lines.append(f"unsigned long z{i}[] = {{sizeof v{i}, _Alignof({_kind(lines[-3])} s{i}), "
                     f"__builtin_offsetof(struct w{i}, s)}};")  # fmt: skip
    return "\n".join(lines) + "\n"


def _kind(text: str) -> str:
    return text.split(" ", 1)[0]


@pytest.mark.parametrize("seed", range(3))
def test_random_records_lie_as_gcc_lays_them(seed: int, tmp_path: Path) -> None:
    count = 40
    source = _source(seed, count)
    dump = "".join(f"  d(&v{i}, sizeof v{i}); d(z{i}, sizeof z{i});\n" for i in range(count))
    head = "#include <stdio.h>\nstatic void d(void *p, unsigned long n) { unsigned char *b = p; "
    head += 'while (n--) printf("%02x", *b++); printf("\\n"); }\n'
    path = tmp_path / "t.c"
    path.write_text(f"{head}{source}int main(void) {{\n{dump}}}\n")
    command = [require("gcc"), "-std=gnu99", "-w", str(path), "-o", str(tmp_path / "t")]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "t"], capture_output=True, text=True, check=True)
    expected = done.stdout.split("\n")

    module = module_of(source)

    for i in range(count):
        for name, wanted in ((f"z{i}", expected[2 * i + 1]), (f"v{i}", expected[2 * i])):
            item = module.globals[name]
            have = item.init.ljust(item.size, b"\0").hex()
            assert wanted == have, f"seed {seed}: {name}\n" + "\n".join(
                source.split("\n")[4 * i : 4 * i + 4]
            )
