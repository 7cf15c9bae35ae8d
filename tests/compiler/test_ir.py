"""The IR: its text form round-trips, and the verifier finds each kind of mistake."""

from __future__ import annotations

import pytest

from hcc.compiler.ir import InvalidIR, parse_module, print_module, verify
from hcc.isa.errors import FormatError

EVERYTHING = '''module "all.c"
extern func @puts(ptr) -> i32 leaf
extern data @table align 8 readonly
global @count size 4 align 4 = x"05000000"
global @link size 16 align 8 local tentative reloc 8 @count+-4
func @f(%0.a: ptr, %1.n: i64) -> f64 export noreturn noinline {
entry:
  %2.slot = alloca ptr size 8 align 8 volatile
  store i64 7, %2 align 8 volatile
  br loop(i64 0, f64 0x8000000000000000) !3:5
loop(%3.i: i64, %4.s: f64):
  %5 = slt i1 %3, %1
  cbr %5, body, exit(%4)
body:
  %6 = ptradd ptr %0, %3
  %7 = load f32 %6 align 4
  %8 = fpext f64 %7
  %9 = fadd f64 %4, %8
  %10 = call i32 @puts, @count+2 : (ptr) -> i32 leaf
  memset %6, i8 0, i64 16 #4
  %11 = syscall i64 %3, i64 0, i64 0, i64 0, i64 0, i64 0 #64
  poll site 0 [%0, %1, %3, %9]
  switch %10 [1: exit(%9)] [7: stop] else next
next:
  %12 = add i64 %3, i64 1
  br loop(%12, %9)
exit(%13: f64):
  ret %13
stop:
  trap abort
  unreachable
}
'''


def test_text_form_round_trips() -> None:
    module = parse_module(EVERYTHING)
    verify(module)

    assert print_module(module) == EVERYTHING


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("%9 = fadd f64 %4, %8", "%9 = fadd f64 %4, %7", "f32 and f64"),
        ("br loop(%12, %9)", "br loop(%12)", "carries"),
        ("ret %13", "ret %1", "does not dominate|returns i64"),
        ("%12 = add i64 %3, i64 1", "%12 = add i64 %12, i64 1", "before its definition"),
        ("  br loop(%12, %9)\n", "  br entry\n", "edge to the entry block"),
        ("@count+2", "@missing", "@missing unknown"),
        ("[7: stop]", "[1: stop]", "case twice"),
        ("i8 0, i64 16", "i8 300, i64 16", "constant 300"),
        (": (ptr) -> i32 leaf\n", ": (i64) -> i32 leaf\n", "passes"),
        ("%8 = fpext f64 %7", "%8 = fptrunc f64 %7", "does not narrow"),
    ],
)
def test_verifier_rejects(old: str, new: str, message: str) -> None:
    assert old in EVERYTHING
    module = parse_module(EVERYTHING.replace(old, new))

    with pytest.raises(InvalidIR, match=message):
        verify(module)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ('module "a"\nfunc f', 2, "a symbol"),
        ('module "a"\nfunc @f() -> i32 {\nentry:\n  %0 = plus i32 i32 1\n}', 4, "an operation"),
        ('module "a"\nglobal @x size four align 4', 2, "a number"),
        ('module "a"\nglobal @x size 4 align 4 = x"zz"', 2, "hexadecimal digits"),
        ('module "a"\n\n??', 3, "cannot read"),
        ('module "a"\nfunc @f() -> i32 {\nentry:\n  ret %7\n}', 4, "'%7' is not defined"),
    ],
)
def test_parser_names_the_line_of_a_mistake(text: str, line: int, expected: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse_module(text, "x.ir")

    assert str(caught.value).startswith(f"x.ir:{line}: ")
    assert expected in str(caught.value)


def test_constants_differ_by_bits() -> None:
    """0.0 == -0.0 in Python, but they are two constants."""
    from hcc.compiler.ir.module import Const
    from hcc.compiler.ir.types import F64

    assert Const(F64, 0.0) != Const(F64, -0.0)
