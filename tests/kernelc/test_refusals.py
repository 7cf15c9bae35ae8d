"""What asks for too much, or for what hcc does not do, is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.compiler.diagnostics import CompileError
from hcc.compiler.kernelc import FrontEndOptions, compile_c, macros


def _complaint(folder: Path, source: str) -> str:
    path = folder / "t.c"
    path.write_text(source)
    with pytest.raises(CompileError) as caught:
        compile_c(path, FrontEndOptions(), "t")
    return str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "#define A(x) x x x x x x x x\n#define B(x) A(A(A(A(x))))\nint a = B(1);\n",
        "#define A0 A1 A1 A1 A1\n#define A1 A2 A2 A2 A2\n#define A2 A3 A3 A3 A3\n"
        "#define A3 A4 A4 A4 A4\n#define A4 A5 A5 A5 A5\n#define A5 1\nint a = A0;\n",
    ],
)
def test_macros_that_multiply_without_end(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(macros, "MAX_EXPANSION", 1000)

    assert "macros expand to more than 1000 tokens" in _complaint(tmp_path, source)


@pytest.mark.parametrize(
    ("header", "feature"),
    [
        ("setjmp.h", "setjmp and longjmp are"),
        ("pthread.h", "threads are"),
        ("signal.h", "signals are"),
        ("complex.h", "complex numbers are"),
    ],
)
def test_headers_of_what_hcc_does_not_do(header: str, feature: str, tmp_path: Path) -> None:
    text = _complaint(tmp_path, f"#include <{header}>\n")

    assert f"t.c:1:10: error: include file '{header}': {feature} not supported" in text


def test_a_folder_of_the_programs_own_may_have_such_a_header(tmp_path: Path) -> None:
    (tmp_path / "signal.h").write_text("int mine;\n")
    (tmp_path / "t.c").write_text("#include <signal.h>\nint f(void) { return mine; }\n")
    options = FrontEndOptions(include_dirs=(tmp_path,))

    assert "f" in compile_c(tmp_path / "t.c", options, "t").functions
