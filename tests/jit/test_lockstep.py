"""Both engines side by side: they agree, and a difference planted in one of them is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.emulator.jit import printer
from hcc.emulator.jit.lockstep import Difference
from hcc.isa.builder import Op
from tests.jit.running import ISAS, ONE_QUICKLY, compiled, run

TEXT = """
#include <stdio.h>
int main(void) {
    unsigned sum = 1;
    for (unsigned i = 0; i < 300; i++) sum = (sum ^ i) * 2654435761u;
    printf("%u\\n", sum);
    return 0;
}
"""


@pytest.mark.parametrize("isa", ISAS)
def test_engines_agree_in_lockstep(isa: str, source: Path) -> None:
    program = compiled(source, TEXT)
    expected = run(program, isa, "interp")
    got = run(program, isa, "lockstep")

    assert (expected.output, expected.end) == (got.output, got.end)
    assert expected.instructions == got.instructions


@pytest.mark.parametrize("isa", ISAS)
def test_a_fault_inside_a_region_is_no_difference(isa: str, source: Path) -> None:
    text = """
    #include <stdio.h>
    __attribute__((noinline)) int sum(volatile int *p, int n) {
        int sum = 0;
        for (int i = 0; i < n; i++) sum ^= p[i] * 3;
        return sum;
    }
    int a[5000];
    int main(void) {
        for (int i = 0; i < 3; i++) printf("%d\\n", sum(a, 100));
        fflush(stdout);
        return sum(a, 1000000);
    }
    """
    program = compiled(source, text)
    expected = run(program, isa, "interp")
    got = run(program, isa, "lockstep")

    assert "bad read of 4 bytes" in str(expected.end)
    assert (expected.output, expected.end) == (got.output, got.end)
    assert expected.instructions == got.instructions


@pytest.mark.parametrize("isa", ISAS)
def test_the_flags_that_a_system_call_copies_are_no_difference(isa: str, source: Path) -> None:
    text = """
    #include <unistd.h>
    __attribute__((noinline)) unsigned f(unsigned a, unsigned b) { return a < b ? a * 3 : b - a; }
    int main(void) {
        unsigned s = 0;
        for (unsigned i = 0; i < 50; i++) {
            s = f(s, i * 77777) + (unsigned)lseek(5, 0, SEEK_CUR);
            f(s, 12345);
            lseek(6, 0, SEEK_CUR);
        }
        return (int)(s & 63);
    }
    """
    program = compiled(source, text, 1, (isa,))

    assert run(program, isa, "interp").end == run(program, isa, "lockstep").end


@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_lockstep_finds_a_planted_difference(
    isa: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(printer._PLAIN, Op.MUL, "add")
    with pytest.raises(Difference, match="compiled and interpreted code differ") as caught:
        run(compiled(source, TEXT), isa, "lockstep", timeout=60)

    lines = str(caught.value).splitlines()
    assert lines[1].split() == ["compiled", "interpreted"]
    assert any(line.endswith("<") for line in lines), "no register is marked"


@pytest.mark.parametrize("isa", ONE_QUICKLY)
def test_lockstep_finds_a_difference_in_memory(
    isa: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
    static volatile unsigned char bytes[64];
    int main(void) {
        for (int i = 0; i < 64; i++) bytes[i] = (unsigned char)(i * i);
        return bytes[9] != 81;
    }
    """
    program = compiled(source, text)
    assert 0 == run(program, isa, "lockstep").end
    monkeypatch.setitem(printer._PLAIN, Op.MUL, "add")
    with pytest.raises(Difference):
        run(program, isa, "lockstep", timeout=60)


@pytest.mark.long
@pytest.mark.parametrize("name", ["c_control", "c_floats", "c_integers", "migrate_state"])
def test_programs_run_in_lockstep(name: str) -> None:
    program = compiled(Path(__file__).parent.parent / "programs" / f"{name}.c")
    for isa in ISAS:
        assert run(program, isa, "interp").output == run(program, isa, "lockstep").output
    moved = run(program, "x86_64", "lockstep", plan="x86_64,aarch64,riscv64@5")
    assert run(program, "x86_64", "interp").output == moved.output
