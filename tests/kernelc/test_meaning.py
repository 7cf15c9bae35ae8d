"""What C leaves open has one meaning: the values a program gets are the same everywhere."""

from __future__ import annotations

import pytest

from tests.kernelc.building import call
from tests.kernelc.ir_interpreter import GuestTrap

DIRT = "static void dirt(void) { volatile long a[50]; for (int i = 0; i < 50; i++) a[i] = -1; }\n"


def _value(body: str, head: str = "") -> int:
    result = call(f"{head}{DIRT}int f(void) {{ dirt(); {body} }}\n")
    return result - (1 << 32) if result >> 31 else result


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("int x; return x;", 0),
        ("int a[10]; int s = 0; for (int i = 0; i < 10; i++) s += a[i]; return s;", 0),
        ("struct { int a; char b; } s; return s.a + s.b;", 0),
        ("double d; return d == 0 ? 7 : 8;", 7),
        ("int *p; return p == 0;", 1),
        ("int s = 0; for (int i = 0; i < 3; i++) { int x; s += x; x = 5; } return s;", 0),
        ("int n = 4, a[n]; int s = 0; for (int i = 0; i < n; i++) s += a[i]; return s;", 0),
        ("int a[4] = {1}; return a[1] + a[2] + a[3];", 0),
        ("struct { int a, b; } s = {.b = 2}; return s.a;", 0),
        ("int x = x + 3; return x;", 3),
        ("goto in; { int x = 5; in: return x; }", 0),
        ("switch (1) { int x = 5; case 1: return x; }", 0),
        ("for (int i = 0; i < 2; i++) { int x = x + 3; if (i) return x; } return 9;", 3),
        ("struct { char c; int i; } s; s.c = 1; return ((char *)&s)[1];", 0),
    ],
)
def test_what_is_not_initialised_reads_as_zero(body: str, expected: int) -> None:
    assert expected == _value(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("int x = 2147483647; x++; return x;", -(2**31)),
        ("int x = -2147483647 - 1; return -x;", -(2**31)),
        ("int n = 33; return 1 << n;", 2),
        ("int n = -1; return 1 << n;", -(2**31)),
        ("int n = 63; return -8 >> n;", -1),
        ("long n = 65; return (int)(3L << n);", 6),
        ("return 1 << 35;", 8),
        ("char c = 200; return c;", -56),
        ("return -9 >> 1;", -5),
        ("double d = 1e20; return (int)d;", 2**31 - 1),
        ("double d = -1e20; return (int)d;", -(2**31)),
        ("double d = 0; d /= d; return (int)d;", 0),
        ("float g = -5; return (unsigned)g == 0;", 1),
        ("double d = 300; return (unsigned char)d;", 44),
        ("return (int)1e20;", 2**31 - 1),
        ("return (unsigned)-5.0;", 0),
        ("return (long)(0.0 / 0.0) == 0;", 1),
    ],
)
def test_arithmetic_beyond_the_range_of_its_type(body: str, expected: int) -> None:
    assert expected == _value(body)


def test_the_order_of_evaluation_is_from_left_to_right() -> None:
    head = """
    static int order;
    static int t(int n) { order = order * 10 + n; return n; }
    static int *at(int n) { static int a[9]; t(n); return &a[n]; }
    static int three(int a, int b, int c) { return a + b + c; }
    static int (*get(int n))(int, int, int) { t(n); return three; }
    struct pair { int a, b; };
    """
    body = """
    int a[3] = {t(1), t(2), t(3)};
    *at(4) = t(5);
    *at(6) += t(7) - t(8);
    return order;
    """
    assert 12345678 == _value(body, head)
    assert 1234 == _value("get(1)(t(2), t(3), t(4)); return order;", head)
    assert 123456 == _value("(t(1) + t(2)) * (t(3) - t(4)) < (t(5), t(6)); return order;", head)
    assert 21 == _value("struct pair p = {.b = t(2), .a = t(1)}; return order + p.a - 1;", head)


def test_a_compound_assignment_reads_its_target_after_the_value() -> None:
    head = "static int x = 1; static int set(void) { x = 10; return 5; }\n"

    assert 15 == _value("x += set(); return x;", head)


def test_floats_are_rounded_to_their_type_at_each_operation() -> None:
    assert 1 == _value("float a = 16777216.0f, b = 1; return a + b == a;")
    assert 1 == _value("float a = 0.1f; double d = a * 3; return d == (float)(0.1f * 3);")


@pytest.mark.parametrize(
    "expression", ["1 / zero", "1 % zero", "least / (zero - 1)", "least % (zero - 1)", "1 / 0"]
)
def test_division_that_has_no_value_traps(expression: str) -> None:
    head = "static int zero; static int least = -2147483647 - 1;\n"

    with pytest.raises(GuestTrap):
        _value(f"return {expression};", head)


def test_division_behind_a_condition_that_is_false_does_not_trap() -> None:
    assert 3 == _value("int z = 0; return z && 1 / z ? 2 : 3;")


def test_falling_off_the_end_returns_zero() -> None:
    assert 0 == call(DIRT + "int f(void) { dirt(); }")
    assert 0 == call("int main(void) { int x = 5; x++; }", "main")


def test_memory_has_no_types() -> None:
    assert 1 == _value("float g = 1.0f; int *p = (int *)&g; *p = 0x40000000; return g == 2.0f;")


def test_trap_and_unreachable_stop_the_program() -> None:
    for name in ("trap", "unreachable"):
        with pytest.raises(GuestTrap, match="abort" if name == "trap" else "unreachable"):
            _value(f"__builtin_{name}();")
