"""The command line as a user meets it: exit statuses, messages, and one run through everything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HCC = Path(sys.executable).parent / "hcc"
PROGRAM = """#include <hcc.h>
#include <stdio.h>
#include <stdlib.h>
static int add(int n, int *sum) {
    migrate_point();
    if (n == 0) return *sum;
    *sum += n;
    return add(n - 1, sum);
}
int main(int argc, char **argv) {
    int sum = 0;
    printf("%s %d\\n", argc > 1 ? argv[1] : "none", add(20, &sum));
    return argc;
}
"""


def hcc(*args: object, folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    words = [str(HCC), *map(str, args)]
    return subprocess.run(words, capture_output=True, check=False, cwd=folder, timeout=300)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "p.c").write_text(PROGRAM)
    done = hcc("compile", "p.c", "-o", "p.hcc", folder=folder)
    assert b"" == done.stderr
    assert 0 == done.returncode
    return folder / "p.hcc"


@pytest.mark.parametrize("isa", ["x86_64", "aarch64", "riscv64"])
def test_run_gives_the_programs_output_and_status(binary: Path, isa: str) -> None:
    done = hcc("run", "--isa", isa, binary, "--", "word")

    assert (b"word 210\n", b"", 2) == (done.stdout, done.stderr, done.returncode)


def test_migrated_run_reports_its_moves(binary: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    done = hcc("run", "--migrate", "x86_64,riscv64@2", "--poison", "--stats", stats, binary)
    figures = json.loads(stats.read_text())

    assert (b"none 210\n", 1) == (done.stdout, done.returncode)
    assert figures["points"] // 2 == figures["migrations"]
    assert {"x86_64", "riscv64"} == set(figures["instructions"])


def test_statistics_do_not_claim_to_have_counted_points(binary: Path, tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    hcc("run", "--stats", stats, binary)

    assert json.loads(stats.read_text())["points"] is None


def test_checkpoint_then_resume_elsewhere(binary: Path, tmp_path: Path) -> None:
    snap = tmp_path / "s.snap"
    first = hcc("checkpoint", "--at", 12, "-o", snap, binary, "--", "a")
    second = hcc("resume", snap, "--isa", "aarch64")

    assert 0 == first.returncode
    assert 2 == second.returncode
    assert b"a 210\n" == first.stdout + second.stdout


def test_checkpoint_after_the_end_says_so(binary: Path, tmp_path: Path) -> None:
    done = hcc("checkpoint", "--at", 10**6, "-o", tmp_path / "s.snap", binary)

    assert 1 == done.returncode
    assert b"the program ended after" in done.stderr
    assert not (tmp_path / "s.snap").exists()


def test_fat_binary_runs_as_it_stands(binary: Path) -> None:
    done = subprocess.run([binary, "x"], capture_output=True, check=False)

    assert (b"x 210\n", 2) == (done.stdout, done.returncode)


def test_same_input_gives_the_same_bytes(binary: Path, tmp_path: Path) -> None:
    hcc("compile", "p.c", "-o", tmp_path / "again.hcc", folder=binary.parent)

    assert binary.read_bytes() == (tmp_path / "again.hcc").read_bytes()


def test_inspect_objdump_extract_verify(binary: Path, tmp_path: Path) -> None:
    described = json.loads(hcc("inspect", "--json", binary).stdout)

    assert ["x86_64", "aarch64", "riscv64"] == described["isas"]
    assert any(f["name"] == "main" and f["sites"] for f in described["functions"])
    assert b"<main>:" in hcc("objdump", "--isa", "riscv64", "--function", "main", binary).stdout
    assert 0 == hcc("extract", binary, "--isa", "aarch64", "-o", tmp_path / "elf").returncode
    assert b"\x7fELF" == (tmp_path / "elf").read_bytes()[:4]
    assert (0, b"") == (hcc("verify", binary).returncode, hcc("verify", binary).stdout)


def test_a_dash_is_a_standard_stream(binary: Path, tmp_path: Path) -> None:
    built = subprocess.run(
        [HCC, "compile", "-", "-o", "-"],
        input=PROGRAM.encode(),
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    (tmp_path / "p.hcc").write_bytes(built.stdout)
    wrong = subprocess.run(
        [HCC, "compile", "-"], input=b"int x = y;", capture_output=True, check=False, cwd=tmp_path
    )

    assert b"none 210\n" == hcc("run", tmp_path / "p.hcc").stdout
    elf = hcc("extract", binary, "--isa", "aarch64", "-o", "-", folder=tmp_path).stdout
    assert b"\x7fELF" == elf[:4]
    assert wrong.stderr.startswith(b"/dev/stdin:1:9: error: ")
    assert [tmp_path / "p.hcc"] == list(tmp_path.iterdir())


def test_verify_of_a_damaged_file_is_a_no(binary: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.hcc"
    bad.write_bytes(binary.read_bytes()[:5000])
    done = hcc("verify", bad)

    assert 1 == done.returncode
    assert b"bad.hcc" in done.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "missing.hcc"], "missing.hcc: No such file or directory"),
        (["run", "p.c"], "p.c: not an ELF file"),
        (["run", "--isa", "mips", "p.hcc"], "no code for 'mips'"),
        (["run", "--migrate", "x86_64,mips@1", "p.hcc"], "no such ISA: 'mips'"),
        (["run", "--migrate", "x86_64@0", "p.hcc"], "migration plan 'x86_64@0'"),
        (["compile", "--isa", "sparc", "p.c"], "no such ISA: 'sparc'"),
        (["compile", "missing.c"], "missing.c"),
        (["resume", "p.hcc"], "p.hcc: not a snapshot"),
        (["extract", "p.hcc", "--isa", "arm", "-o", "x"], "no code for 'arm'"),
        (["objdump", "p.hcc", "--function", "nope"], "has no function 'nope'"),
        (["frobnicate"], "frobnicate"),
        (["run", "--sedd", "1", "p.hcc"], "--sedd"),
    ],
)
def test_bad_input_is_one_line_and_status_2(binary: Path, args: list[str], message: str) -> None:
    done = hcc(*args, folder=binary.parent)
    lines = done.stderr.decode().splitlines()

    assert 2 == done.returncode
    assert message in lines[0]
    assert "Traceback" not in done.stderr.decode()
    assert "hcc: error: " in lines[0] or ": error: " in lines[0]


def test_death_of_a_program_names_function_and_line(tmp_path: Path) -> None:
    (tmp_path / "d.c").write_text(
        "int main(int argc, char **argv) {\n  int zero = argc - 1;\n  return 5 / zero;\n}\n"
    )
    hcc("compile", "d.c", "-o", "d.hcc", folder=tmp_path)
    for isa in ("x86_64", "aarch64", "riscv64"):
        done = hcc("run", "--isa", isa, "d.hcc", folder=tmp_path)

        assert 128 + 8 == done.returncode
        assert b"hcc: division by zero: pc 0x" in done.stderr
        assert f"in main at line 3 on {isa}".encode() in done.stderr


def test_null_pointer_is_reported_alike(tmp_path: Path) -> None:
    (tmp_path / "n.c").write_text("int main(void) { int *volatile p = 0; return *p; }\n")
    hcc("compile", "n.c", "-o", "n.hcc", folder=tmp_path)
    for isa in ("x86_64", "aarch64", "riscv64"):
        done = hcc("run", "--isa", isa, "n.hcc", folder=tmp_path)

        assert 128 + 11 == done.returncode
        assert b"bad read of 4 bytes at 0x0: pc 0x" in done.stderr
        assert b" in main+" in done.stderr
