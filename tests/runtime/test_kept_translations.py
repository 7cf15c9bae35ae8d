"""What the interpreter keeps of its work for later runs, and that it changes nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.emulator import translations
from hcc.emulator.interpreter import CodeSpace, Interpreter
from hcc.isa.arch import Insn
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.runtime.process import Death, Process
from tests.jit.running import compiled, run

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
    volatile int divisor = atoi(argv[1]), turns = 0;
    for (int i = 0; i < 50; i++) turns += i;
    printf("%d\\n", 100 / (divisor + 1));
    return *(volatile int *)(long)(divisor * 4096L);
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return compiled(tmp_path_factory.mktemp("source") / "p.c", PROGRAM)


@pytest.fixture(autouse=True)
def store(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the test's own."""
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path / "store"))
    return tmp_path / "store" / translations.KIND


@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_a_second_run_decodes_and_translates_nothing(
    isa: str, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(program, isa, "interp", ("1",))

    monkeypatch.delattr(Interpreter, "_translation")
    monkeypatch.delattr(CodeSpace, "fetch")
    assert first == run(program, isa, "interp", ("1",))
    assert isinstance(first.end, Death)


MANY = "".join(f"static int f{i}(int x) {{ return x * {i | 1} % 97 + 1; }}\n" for i in range(500))
TABLE = ",".join(f"f{i}" for i in range(500))
RARELY = f"""
{MANY}
int main(void) {{
    static int (*const table[])(int) = {{{TABLE}}};
    int x = 1;
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < 500; i++) x = table[i](x);
    return x;
}}
"""


def test_rarely_run_code_is_translated_after_some_runs(tmp_path: Path) -> None:
    program = compiled(tmp_path / "rarely.c", RARELY, 1, ("riscv64",))
    region = program.text["riscv64"]
    counts, runs = [], []
    for _ in range(6):
        runs.append(run(program, "riscv64", "interp"))
        kept = translations.Translations.of("riscv64", [(region.addr, region.content)])
        counts.append(len(kept.known))

    assert all(runs[0] == one for one in runs)
    assert counts[0] < 100
    assert counts[-2] > 500
    assert counts[-1] == counts[-2]


def test_damage_is_noticed(program: Program, store: Path) -> None:
    first = run(program, "riscv64", "interp", ("2",))
    (kept,) = (path for path in store.rglob("*") if path.is_file())

    for damage in (b"", kept.read_bytes()[:-1], b"\0" * 100):
        kept.write_bytes(damage)
        assert first == run(program, "riscv64", "interp", ("2",))


def test_other_code_has_other_translations() -> None:
    keys = {
        translations.Translations.of(isa, [(start, content)]).key
        for isa in ARCHITECTURES
        for start in (0, 4)
        for content in (b"1234", b"1235")
    }

    assert 12 == len(keys)


def test_no_more_is_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translations, "MOST", 2)
    monkeypatch.setattr(translations, "MOST_INSNS", 2)
    kept = translations.Translations.of("riscv64", [(0, b"")])
    code = compile("0", "", "eval")
    for start in range(3):
        kept.add(start, translations.Translation(code, [start], [start]))
        kept.add_insn(Insn(start, 4, "ebreak", ()))
    kept.save()

    again = translations.Translations.of("riscv64", [(0, b"")])
    assert {0, 1} == again.known.keys()
    assert translations.Translation(code, [1], [1]) == again.known[1]
    assert {pc: Insn(pc, 4, "ebreak", ()) for pc in (0, 1)} == again.insns


def test_breakpoints_divide_blocks_that_were_kept(program: Program) -> None:
    run(program, "riscv64", "interp", ("1",))
    region = program.text["riscv64"]
    kept = translations.Translations.of("riscv64", [(region.addr, region.content)])
    inner = next(t.addrs[1] for t in kept.known.values() if len(t.addrs) > 1)

    process = Process(program, "riscv64", ["program", "1"], engine="interp")
    process.cpu.breakpoints = frozenset({inner})  # type: ignore[attr-defined]
    process.cpu.run(100_000)
    assert inner == process.cpu.state.pc
    process.close()
