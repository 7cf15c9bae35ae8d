"""`hcc verify` accepts what the compiler makes and names what is wrong with anything else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from attrs import evolve

from hcc.isa import fatbinary
from hcc.isa.errors import FormatError
from hcc.isa.fatbinary import Program
from hcc.isa.sites import Record, SiteTables
from hcc.runtime.verify import verify_file
from tests import cells

SOURCE = Path(__file__).parent.parent / "programs" / "migrate_state.c"


@pytest.fixture(scope="module")
def program() -> Program:
    return cells.build((SOURCE,), 2)


def problems(program: Program) -> str:
    """What verify says of a program whose checksums are right."""
    return "\n".join(verify_file(fatbinary.encode(program), "x.hcc"))


def with_record(program: Program, isa: str, change: object) -> Program:
    """The program with one record changed: the first that has a value in its frame."""
    tables = program.sites.isas[isa]
    records = list(tables.records)
    at = next(i for i, r in enumerate(records) if any(s.in_frame for s in r.frames[0].slots))
    records[at] = change(records[at])  # type: ignore[operator]
    isas = {**program.sites.isas, isa: evolve(tables, records=tuple(records))}
    return evolve(program, sites=SiteTables(program.sites.functions, isas))


def with_slot(record: Record, **changes: object) -> Record:
    frame = record.frames[0]
    at = next(i for i, s in enumerate(frame.slots) if s.in_frame)
    slots = list(frame.slots)
    slots[at] = evolve(slots[at], **changes)
    return evolve(record, frames=(evolve(frame, slots=tuple(slots)), *record.frames[1:]))


def test_sound_binary_is_accepted(program: Program) -> None:
    assert "" == problems(program)


@pytest.mark.parametrize("isa", fatbinary.ARCHITECTURES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: with_slot(r, value=1 << 20), "lies outside the frame"),
        (lambda r: with_slot(r, value=-8), "lies outside the frame"),
        (lambda r: with_slot(r, size=3), "its slot has 3 bytes"),
        (lambda r: evolve(r, frames=(evolve(r.frames[0], site=9999),)), "has no site 9999"),
        (lambda r: evolve(r, frames=(evolve(r.frames[0], function=1),)), "id 1 is unknown"),
        (lambda r: evolve(r, frames=(evolve(r.frames[0], slots=()),)), "values, the record 0"),
        (lambda r: evolve(r, frames=()), "describes no frame"),
        (lambda r: evolve(r, size=r.size + 4), "is not aligned"),
        (lambda r: evolve(r, return_offset=r.size + 64), "return address at sp"),
        (lambda r: evolve(r, return_addr=r.return_addr + 0x10000), "not in the code of"),
        (lambda r: with_slot(r, value=r.return_offset), "overlaps the return address|outside"),
    ],
    ids=[
        "far slot", "negative slot", "slot size", "site id", "function id", "slot count",
        "no frame", "frame size", "return slot", "return address", "slot on return address",
    ],
)  # fmt: skip
def test_changed_record_is_rejected(
    program: Program, isa: str, change: object, message: str
) -> None:
    import re

    found = problems(with_record(program, isa, change))

    assert re.search(message, found), found
    assert isa in found


def test_missing_record_is_found_by_the_call_without_one(program: Program) -> None:
    tables = program.sites.isas["riscv64"]
    fewer = evolve(tables, records=tables.records[1:])
    sites = SiteTables(program.sites.functions, {**program.sites.isas, "riscv64": fewer})

    assert "has no record" in problems(evolve(program, sites=sites))


def test_changed_type_is_rejected(program: Program) -> None:
    functions = list(program.sites.functions)
    at = next(i for i, f in enumerate(functions) if any("i64" in s.types for s in f.sites))
    sites = tuple(
        evolve(s, types=tuple("f32" if t == "i64" else t for t in s.types))
        for s in functions[at].sites
    )
    functions[at] = evolve(functions[at], sites=sites)

    found = problems(evolve(program, sites=SiteTables(tuple(functions), program.sites.isas)))

    assert "is f32, its slot has 8 bytes" in found


def test_moved_symbol_is_rejected(program: Program) -> None:
    symbols = tuple(
        evolve(s, addr=s.addr + 8) if s.name == "main" else s for s in program.symbols
    )
    found = problems(evolve(program, symbols=symbols))

    assert "function 'main' at" in found
    assert "site table: 'main' is not at" in found


def test_function_missing_on_one_isa_is_rejected(program: Program) -> None:
    tables = program.sites.isas["aarch64"]
    sizes = {name: size for name, size in tables.code_sizes.items() if name != "main"}
    isas = {**program.sites.isas, "aarch64": evolve(tables, code_sizes=sizes)}

    found = problems(evolve(program, sites=SiteTables(program.sites.functions, isas)))

    assert "functions of aarch64 are not those of the symbol table: main" in found


def test_every_truncation_is_rejected(program: Program) -> None:
    content = fatbinary.encode(program)
    for size in [*range(0, 600, 7), *range(600, len(content), len(content) // 90)]:
        assert verify_file(content[:size], "x.hcc"), size
        with pytest.raises(FormatError):
            fatbinary.decode(content[:size], "x.hcc")


def test_every_flipped_byte_is_rejected(program: Program) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    content = bytearray(fatbinary.encode(program))
    for _ in range(150):
        at, bit = rng.randrange(len(content)), 1 << rng.randrange(8)
        content[at] ^= bit
        assert verify_file(bytes(content), "x.hcc"), f"byte {at}, bit {bit}"
        with pytest.raises(FormatError):
            fatbinary.decode(bytes(content), "x.hcc")
        content[at] ^= bit


