"""-g: source lines in reports, traces, breakpoints and disassembly, on every ISA and -O."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from hcc.compiler.build import BuildOptions
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.compiler.passes import Points
from hcc.isa import fatbinary, lines
from hcc.isa.errors import FormatError, HccError
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.isa.lines import LineTable, Row
from hcc.runtime.breakpoints import Breakpoints, find_places
from hcc.runtime.cli.objdump import disassembly
from hcc.runtime.death import Death
from hcc.runtime.process import Process
from tests.runtime.test_cli import hcc

TEXT = """#include <assert.h>
#include <stdlib.h>
static int sum(const int *from, int n)
{
    int total = 0;
    for (int i = 0; i < n; i++)
        total += from[i];
    return total;
}
static int stop(int n)
{
    if (n == 3)
        abort();
    return 12 / (n - 4);
}
int main(int argc, char **argv)
{
    if (argc == 1)
        return sum((const int *)16, 4);
    if (argc == 2)
        *(int *)24 = argc;
    return stop(argc);
}
"""
DEATHS = [
    ([], 11, r"bad read of \d+ bytes at 0x1[0-9a-f]: pc 0x[0-9a-f]+ in .* \(p\.c:7\)"),
    (["1"], 11, r"bad write of 4 bytes at 0x18: pc 0x[0-9a-f]+ in main\+0x[0-9a-f]+ \(p\.c:21\)"),
    (["1", "2"], 6, r"killed by signal 6 in (main|stop\.p)\+0x[0-9a-f]+ \(p\.c:13\)"),
    (["1", "2", "3"], 8, r"division by zero: pc 0x[0-9a-f]+ in (main|stop\.p) \(p\.c:14\)"),
]


def build(folder: Path, opt_level: int, debug: bool = True) -> Program:
    source = folder / "p.c"
    source.write_text(TEXT)
    options = BuildOptions(opt_level, ARCHITECTURES, Points.LOOPS, check=True, debug=debug)
    content = fatbinary.encode(
        compile_program([source], CompileOptions(FrontEndOptions(), options))
    )
    return fatbinary.decode(content, "p.hcc")


@pytest.mark.parametrize("opt_level", range(4))
def test_reports_name_the_line(opt_level: int, tmp_path: Path) -> None:
    program = build(tmp_path, opt_level)
    for isa in ARCHITECTURES:
        for args, signal, pattern in DEATHS:
            process = Process(program, isa, ["p", *args])
            end = process.run()
            process.close()
            assert isinstance(end, Death)

            assert signal == end.signal
            assert re.fullmatch(pattern.replace("p\\.c", r"\S*p\.c") + f" on {isa}", end.message), (
                end.message
            )


@pytest.mark.parametrize("opt_level", [0, 2])
def test_lines_do_not_change_the_code(opt_level: int, tmp_path: Path) -> None:
    plain, debug = (build(tmp_path, opt_level, g) for g in (False, True))

    assert plain.text == debug.text
    assert {lines.SECTION} == debug.extra.keys() - plain.extra.keys()


def test_every_line_of_the_source_has_code(tmp_path: Path) -> None:
    program = build(tmp_path, 0)
    table = LineTable.decode(program.extra[lines.SECTION])
    for isa in ARCHITECTURES:
        found = {row.line for rows in table.rows[isa].values() for row in rows}

        assert {6, 7, 8, 12, 13, 14, 18, 19, 20, 21, 22} <= found


def test_table_survives_its_encoding() -> None:
    table = LineTable({"x86_64": {"f": [Row(0, "a.c", 3), Row(4, "b.h", 0), Row(9, "a.c", 4)]}})

    assert table == LineTable.decode(table.encode())
    assert ("a.c", 3) == table.find("x86_64", "f", 3)
    assert table.find("x86_64", "f", 4) is None
    assert ("a.c", 4) == table.find("x86_64", "f", 4000)
    assert table.find("aarch64", "f", 0) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"files":[],"isas":{"x":{"f":[0,0,1]}}}',
     b'{"files":["a"],"isas":{"x":{"f":[4,0,1,0,0,1]}}}',
     b'{"files":["a"],"isas":{"x":{"f":[0,0]}}}', b'{"files":["a"],"isas":{"x":{"f":[0,-1,1]}}}',
     b'{"files":["a"],"isas":{"x":{"f":["0",0,1]}}}'],
)  # fmt: skip
def test_a_damaged_table_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError, match=r"\.hcc\.lines: cannot be read"):
        LineTable.decode(content)


@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_breakpoints_show_every_hit(isa: str, tmp_path: Path) -> None:
    text = TEXT.replace("(const int *)16", "(int[]){1, 2, 3, 4}")
    source = tmp_path / "p.c"
    source.write_text(text)
    options = BuildOptions(0, (isa,), Points.NONE, debug=True)
    program = compile_program([source], CompileOptions(FrontEndOptions(), options))
    process = Process(program, isa, ["p"])
    out = io.StringIO()
    breakpoints = Breakpoints(find_places(program, ["main", "p.c:7"]), out)
    process.stop_at(breakpoints)

    assert 10 == process.run()
    process.close()
    shown = [line for line in out.getvalue().splitlines() if line.startswith("breakpoint")]
    assert 5 == len(shown) == breakpoints.hits
    assert "in main+0x0" in shown[0]
    assert all("p.c:7)" in line for line in shown[1:])


@pytest.mark.parametrize("isa", ARCHITECTURES)
def test_optimised_program_calls_what_is_not_to_be_inlined(isa: str, tmp_path: Path) -> None:
    source = tmp_path / "p.c"
    source.write_text(
        "__attribute__((noinline)) int apart(int x) { return x + 1; }\n"
        "int main(int argc, char **argv) { return apart(apart(argc)); }\n"
    )
    options = BuildOptions(2, (isa,), Points.NONE)
    program = compile_program([source], CompileOptions(FrontEndOptions(), options))
    process = Process(program, isa, ["p"])
    breakpoints = Breakpoints(find_places(program, ["apart"]), io.StringIO())
    process.stop_at(breakpoints)

    assert 3 == process.run()
    assert 2 == breakpoints.hits
    process.close()


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nothing", "no such function"),
        ("0xzz", "not an address"),
        ("p.c:400", "no code of this line"),
        ("other.c:7", "no code of this line"),
    ],
)
def test_places_that_are_not_there_are_refused(place: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(HccError, match=message):
        find_places(build(tmp_path, 1), [place])


def test_lines_need_a_program_that_has_them(tmp_path: Path) -> None:
    with pytest.raises(HccError, match="compiled without -g"):
        find_places(build(tmp_path, 1, debug=False), ["p.c:7"])


def test_disassembly_names_the_lines(tmp_path: Path) -> None:
    found = [x.strip() for x in disassembly(build(tmp_path, 0), "riscv64", ("main",))]

    assert any(re.fullmatch(r"; \S*p\.c:22", line) for line in found)


def test_command_line_shows_breaks_traces_and_warnings(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text("int main(void)\n{\n    int x = 7;\n    return &x == 7;\n}\n")
    compiled = hcc("compile", "p.c", "-g", "-O0", folder=tmp_path)
    assert 0 == compiled.returncode
    broken = hcc("run", "a.hcc", "--break", ":4", folder=tmp_path)
    traced = hcc("run", "a.hcc", "--trace", folder=tmp_path)

    assert b"p.c:4:15: warning: " in compiled.stderr
    assert (0, b"") == (broken.returncode, broken.stdout)
    assert b"(p.c:4) on x86_64" in broken.stderr
    assert 0 == traced.returncode
    assert re.search(rb"x86_64 0x[0-9a-f]+ main\+0x[0-9a-f]+ \(p\.c:3\): ", traced.stderr)
    assert traced.stderr.endswith(b"\n")


@pytest.mark.parametrize("opt_level", ["-O0", "-O2"])
def test_a_fault_in_a_header_is_reported_there(opt_level: str, tmp_path: Path) -> None:
    header = "static inline int get(int *p)\n{\n    return *p + 1;\n}\n"
    (tmp_path / "get.h").write_text(header)
    main = '#include "get.h"\nint main(int argc, char **argv)\n{\n    int x = 4;\n'
    main += "    return get(&x) + get((int *)(long)(argc - 1));\n}\n"
    (tmp_path / "p.c").write_text(main)
    assert 0 == hcc("compile", "p.c", "-g", opt_level, folder=tmp_path).returncode
    run = hcc("run", "a.hcc", folder=tmp_path)

    assert 139 == run.returncode
    assert b"bad read of 4 bytes at 0x0" in run.stderr
    assert b"get.h:3)" in run.stderr
