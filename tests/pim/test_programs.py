"""`__pim` functions in running programs: every ISA, both engines, moved between kernels."""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

from hcc.compiler.build import BuildOptions
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.compiler.passes import Points
from hcc.emulator.memory import Memory
from hcc.isa import fatbinary
from hcc.isa.errors import FormatError
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.isa.pim.section import NAME, unpack_section
from hcc.runtime.migrate import parse_plan
from hcc.runtime.pim.range import PimRange, make_spec, read_spec
from hcc.runtime.process import Process
from tests.conftest import require

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "pim"
SAMSUNG = {"channels": 2}
PIMSYS = {"dialect": "pimsys", "channels": 2}


@cache
def build(source: Path) -> Program:
    options = CompileOptions(FrontEndOptions(), BuildOptions(2, ARCHITECTURES, Points.LOOPS))
    return compile_program([source], options)


@cache
def by_gcc(source: Path, *args: str) -> bytes:
    """What the program prints when gcc has built it, on this machine."""
    include = ROOT / "compiler" / "libhcc" / "host"
    with tempfile.TemporaryDirectory() as folder:
        binary = str(Path(folder) / source.stem)
        command = [require("gcc"), "-O2", "-I", str(include), str(source), "-o", binary]
        subprocess.run(command, check=True)
        return subprocess.run([binary, *args], capture_output=True, check=True).stdout


def run(
    capfd: pytest.CaptureFixture[str], program: Program, isa: str, engine: str,
    spec: dict[str, object] | None, args: tuple[str, ...] = (), plan: str | None = None,
) -> tuple[bytes, Process]:  # fmt: skip
    capfd.readouterr()
    process = Process(program, isa, ["program", *args], (), engine)
    process.poison = True
    if plan:
        process.watch_points(parse_plan(plan, program.isas, 1))
    if spec is not None:
        made = make_spec(spec, "spec")
        process.personality.pim = PimRange.attach(process.memory, made, engine)
    status = process.run()
    process.close()
    if process.personality.pim is not None:
        process.personality.pim.finish()

    assert 0 == status
    return capfd.readouterr().out.encode(), process


@pytest.mark.parametrize("engine", ["interp", "jit"])
@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_vectors_in_memory(isa: str, engine: str, capfd: pytest.CaptureFixture[str]) -> None:
    want = by_gcc(EXAMPLES / "axpy.c", "700")
    program = build(EXAMPLES / "axpy.c")
    got, process = run(capfd, program, isa, engine, SAMSUNG, ("700",))

    assert want == got
    assert process.personality.pim is not None
    assert 2 == process.personality.pim.summary()["kernels"]


@pytest.mark.parametrize("length", ["0", "1", "2047", "5000"])
def test_any_length(length: str, capfd: pytest.CaptureFixture[str]) -> None:
    want = by_gcc(EXAMPLES / "axpy.c", length)
    spec = {"channels": 3, "rows": 64}
    got, _ = run(capfd, build(EXAMPLES / "axpy.c"), "riscv64", "jit", spec, (length,))

    assert want == got


@pytest.mark.parametrize(
    "example", ["axpy 9000", pytest.param("network 150", marks=pytest.mark.long)]
)
def test_what_exceeds_the_free_rows_is_done_in_pieces(
    example: str, capfd: pytest.CaptureFixture[str]
) -> None:
    name, argument = example.split()
    source = EXAMPLES / f"{name}.c"
    spec: dict[str, object] = {"channels": 1, "rows": 4}
    got, process = run(capfd, build(source), "x86_64", "jit", spec, (argument,))

    assert by_gcc(source, argument) == got
    assert process.personality.pim is not None
    assert process.personality.pim.summary()["kernels"] > 5


def test_without_a_pim_memory_the_host_computes(capfd: pytest.CaptureFixture[str]) -> None:
    got, _ = run(capfd, build(EXAMPLES / "axpy.c"), "x86_64", "jit", None, ("700",))

    assert by_gcc(EXAMPLES / "axpy.c", "700") == got


def test_every_way_to_write_a_function(capfd: pytest.CaptureFixture[str]) -> None:
    source = Path(__file__).parent / "forms.c"
    got, process = run(capfd, build(source), "aarch64", "jit", SAMSUNG)

    assert by_gcc(source) == got
    assert process.personality.pim is not None
    # Every loop runs in the memory, and one of them as two kernels; two have two loops.
    assert 11 == process.personality.pim.summary()["kernels"]


def test_five_layers_moved_between_isas(capfd: pytest.CaptureFixture[str]) -> None:
    want = by_gcc(EXAMPLES / "network.c", "40")
    ring = ",".join(ARCHITECTURES) + "@1"
    program = build(EXAMPLES / "network.c")
    got, process = run(capfd, program, "x86_64", "jit", SAMSUNG, ("40",), ring)

    assert want == got
    assert process.statistics.migrations >= 5
    assert process.personality.pim is not None
    assert 5 == process.personality.pim.summary()["kernels"]


@pytest.mark.long
@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_five_layers_on_every_isa(isa: str, capfd: pytest.CaptureFixture[str]) -> None:
    want = by_gcc(EXAMPLES / "network.c", "150")
    for engine in ("interp", "jit"):
        got, _ = run(capfd, build(EXAMPLES / "network.c"), isa, engine, SAMSUNG, ("150",))

        assert want == got


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_published_kernel_driven_by_messages(
    engine: str, capfd: pytest.CaptureFixture[str]
) -> None:
    program = build(EXAMPLES / "published.c")
    for isa in ARCHITECTURES:
        got, process = run(capfd, program, isa, engine, PIMSYS)

        assert by_gcc(EXAMPLES / "published.c") == got
        assert process.personality.pim is not None
        (dump,) = process.personality.pim.dumps
        assert (36, 1) == (dump["requests"], dump["kernels"])


REQUESTS = """
#include <hcc/pim.h>
#include <stdio.h>
static void pass(int n) { for (volatile int i = 0; i < n; i++) ; }
int main(void)
{
    unsigned program[] = {0x98800000, 0x00000007, 0xf0000000};
    char burst[32] = "sixteen lanes of a burst, please";
    volatile char *bytes = (volatile char *)hcc_pim_burst(0, 4, 2, 3);
    for (int i = 0; i < 32; i++) bytes[i] = burst[i];
    hcc_pim_enter(0);
    hcc_pim_program(0, program, 3);
    hcc_pim_control(0, 1, 0);
    pass(50);
    for (int i = 0; i < 8; i++) { hcc_pim_trigger(0, 4, 0, i); migrate_point(); }
    for (int i = 0; i < 8; i++) hcc_pim_write(0, 5, 0, i, burst);
    hcc_pim_control(0, 0, 0);
    hcc_pim_leave(0);
    pass(3);
    bytes = (volatile char *)hcc_pim_burst(0, 5, 2, 3);
    for (int i = 0; i < 32; i++) putchar(bytes[i]);
    putchar('\\n');
    return 0;
}
"""


def test_bytes_reach_the_memory_and_moving_waits_for_the_kernel(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "requests.c"
    source.write_text(REQUESTS.replace("<stdio.h>", "<hcc.h>\n#include <stdio.h>", 1))
    program = build(source)
    where: list[bool] = []
    move_to = Process.move_to

    def watched(self: Process, isa: str, engine: str) -> None:
        assert self.personality.pim is not None
        where.append(self.personality.pim.busy)
        move_to(self, isa, engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Process, "move_to", watched)
        ring = ",".join(ARCHITECTURES) + "@1"
        got, _ = run(capfd, program, "x86_64", "interp", SAMSUNG, (), ring)

    assert b"sixteen lanes of a burst, please\n" == got
    assert len(where) > 1
    assert not any(where)


ARENA = """
#include <hcc/pim.h>
#include <stdio.h>
int main(void)
{
    int a = hcc_pim_alloc(3), b = hcc_pim_alloc(10), c = hcc_pim_alloc(1);
    printf("%d %d %d %d\\n", a, b, c, hcc_pim_room());
    hcc_pim_free(b);
    printf("%d %d %d\\n", hcc_pim_alloc(4), hcc_pim_alloc(8), hcc_pim_alloc(6));
    hcc_pim_free(a); hcc_pim_free(4);
    printf("%d %d\\n", hcc_pim_alloc(8), hcc_pim_alloc(64));
    printf("%d\\n", hcc_pim_alloc(0));
    return 0;
}
"""


def test_arena_is_first_fit_and_joins_holes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "arena.c"
    source.write_text(ARENA)
    got, _ = run(capfd, build(source), "aarch64", "jit", {"rows": 64})

    assert b"0 4 14 48\n4 16 8\n0 -1\n-1\n" == got


def test_fat_binary_carries_its_microkernels() -> None:
    program = fatbinary.decode(fatbinary.encode(build(EXAMPLES / "axpy.c")), "axpy")
    kernels = unpack_section(program.extra[NAME])

    assert ["axpy", "excess"] == [kernel.function for kernel in kernels]
    assert ("x", "y") == kernels[0].operands
    with pytest.raises(FormatError, match=r"\.hcc\.pim cannot be read"):
        unpack_section(b"[]")


def test_loops_that_do_not_fit_stay_on_the_host_with_a_warning(tmp_path: Path) -> None:
    source = tmp_path / "odd.c"
    source.write_text(
        "__pim void f(int n, _Float16 *a) { for (int i = 0; i < n; i++) a[i] = a[i] / 3; }\n"
        "int main(void) { _Float16 a[2] = {3, 6}; f(2, a); return a[0] != 1 || a[1] != 2; }\n"
    )
    warnings: list[str] = []
    options = CompileOptions(FrontEndOptions(), BuildOptions(2, ("x86_64",), Points.LOOPS))
    compile_program([source], options, warnings.append)

    assert "it runs on the host" in "".join(warnings)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"channel": 2}, "no parameter is called 'channel'"),
        ({"channels": 0}, "'channels' is 0, not a number from 1 to 64"),
        ({"dialect": "x"}, "'dialect' is \"x\", not samsung or pimsys"),
        ({"channels": 64, "rows": 4096}, "the range has 128"),
        ({"channels": 1, "rows": 3}, "'rows' is odd"),
        ({"memory": {"banks": 32}}, "needs 16 banks"),
        ([], "is a JSON object"),
    ],
)
def test_bad_specifications_are_refused(spec: object, said: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec))
    with pytest.raises(FormatError, match=said):
        read_spec(str(file))


@pytest.mark.parametrize("text", ["[" * 100_000, f'{{"channels": {"9" * 5000}}}'])
def test_what_json_cannot_read_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(text)
    with pytest.raises(FormatError, match="not JSON"):
        read_spec(str(file))


def test_any_number_of_channels_has_rows_by_default() -> None:
    for channels in range(1, 65):
        rows = make_spec({"channels": channels}, "spec").rows

        assert rows % 2 == 0
        assert 4096 - 2 * channels < rows * channels <= 4096


def test_rows_alone_are_those_of_a_channel(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text('{"rows": 8}')

    assert 8 == read_spec(str(file)).rows


def test_a_memory_specification_alone_will_do(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text('{"tCCDL": 5}')

    assert 5 == read_spec(str(file)).memory.tCCDL
    assert "dramsys" == read_spec("dramsys").memory.name
    PimRange.attach(Memory(), read_spec(str(file)))
