"""Line, column and text of what is said of faulty programs, and that it is all that is said."""

from __future__ import annotations

import pytest

from hcc.compiler.diagnostics import CompileError, Diagnostics, Severity, Span
from tests.kernelc.building import complaints, found_in, module_of

FUNCTION = "int f(int a, const char *s);\nstruct point { int x, y; };\nint main(void) {\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("valeu = 4;", "4:1: error: 'valeu' undeclared"),
        ("int value; valeu = 4;", "4:12: error: 'valeu' undeclared; did you mean 'value'?"),
        ("const int k = 4; k = 5;", "4:20: error: cannot assign to 'k': it is const"),
        ("int v; 3 = v;", "4:10: error: cannot assign to this: it is a value, not an object"),
        ("struct point p; p.z = 3;", "4:19: error: 'struct point' has no member named 'z'"),
        (
            "struct point p; p->x = 3;",
            "4:18: error: 'struct point' is not a pointer; did you mean to use '.'?",
        ),
        (
            "struct point *p; p.x = 3;",
            "4:19: error: 'struct point *' is a pointer; did you mean to use '->'?",
        ),
        (
            "double A[4][4]; A[1][2][3] = 1;",
            "4:24: error: subscript of a value that is neither array nor pointer ('double')",
        ),
        ("f(1);", "4:2: error: too few arguments to 'f': 2 expected, 1 given"),
        ('f(1, "a", 3);', "4:11: error: too many arguments to 'f': 2 expected, 3 given"),
        (
            'f("x", "y");',
            "4:3: error: passing argument 1 of 'f' as 'int' makes an integer from a pointer "
            "('char *') without a cast",
        ),
        ("int v; v();", "4:9: error: called object is not a function ('int')"),
        ("double d; d % 3;", "4:13: error: invalid operands to binary '%' ('double' and 'int')"),
        ("int v; *v;", "4:8: error: '*' applied to a value that is no pointer ('int')"),
        ("&3;", "4:1: error: cannot take the address of a value ('int')"),
        (
            "double d; int *q = &d;",
            "4:20: error: initialising 'int *' from incompatible pointer type 'double *'",
        ),
        (
            "int *r = 5;",
            "4:10: error: initialising 'int *' makes a pointer from an integer ('int') "
            "without a cast",
        ),
        ("const int c = 1; int *p = &c;", "4:27: warning: initialising 'int *' from "
         "'const int *' discards 'const'"),
        ("foo bar;", "4:1: error: unknown type name 'foo'"),
        ("point p;", "4:1: error: unknown type name 'point'; did you mean 'struct point'?"),
        ("uint32_t u;", "4:1: error: unknown type name 'uint32_t'; did you forget "
         "#include <stdint.h>?"),
        ("int b; int b;", "4:12: error: redeclaration of 'b'"),
        ("break;", "4:1: error: 'break' outside of a loop or switch"),
        ("continue;", "4:1: error: 'continue' outside of a loop"),
        ("case 3: ;", "4:1: error: 'case' outside of a switch"),
        ("switch (1) { case 1: case 1: ; }", "4:27: error: two case labels with the value 1"),
        ("goto nowhere;", "4:6: error: label 'nowhere' is used but not defined"),
        ("lab: lab: goto lab;", "4:6: error: label 'lab' is defined twice"),
        ("return;", "4:1: error: return without a value in 'main', which returns 'int'"),
        ("struct nope n;", "4:13: error: variable 'n' has incomplete type 'struct nope'"),
        ("void v;", "4:6: error: variable 'v' is declared void"),
        ("int n = 2; static int s = n;", "4:27: error: initialiser is not constant"),
        ("int n = 2; switch (n) { case n: ; }", "4:30: error: a case label must be an integer "
         "constant"),
        ("int z = 1 / 0;", "4:11: warning: division by zero"),
        ("int a[-1];", "4:7: error: the size of 'a' is negative"),
        ("int a[2] = {1, 2, 3};", "4:19: warning: excess elements in initialiser"),
        ("int a[2] = {[2] = 1};", "4:13: error: index 2 is beyond the end of 'int[2]'"),
        ("register int r; &r;", "4:17: error: address of register variable 'r' requested"),
        ("int n = 1; int a[n] = {1};", "4:23: error: an array of variable length cannot be "
         "initialised"),
        ("goto in; { int n = 1, a[n]; in: ; }", "4:1: error: goto into the scope of a "
         "variable-length array"),
        ("if (1) { int n = 1; switch (n) { int a[n]; case 1: ; } }", "4:44: error: switch into the "
         "scope of a variable-length array"),
        ("const int c; __builtin_add_overflow(1, 2, &c);", "4:43: error: '__builtin_add_overflow' "
         "wants a pointer to an integer ('const int *')"),
        ("double d; __builtin_mul_overflow(1, d, &d);", "4:37: error: '__builtin_mul_overflow' "
         "wants an integer ('double')"),
        ("while (1) ({ break; });", "4:14: error: 'break' outside of a loop or switch"),
        ("int s = ({ int x = 1; x }); int t;", "4:24: error: expected ';' before '}'"),
        ("nofunc(1);", "4:1: warning: implicit declaration of function 'nofunc'"),
        ("int s = sizeof(struct nope);", "4:9: error: sizeof of incomplete type 'struct nope'"),
        ("long long long l;", "4:1: error: 'long long long' is not a type"),
        ("static extern int x;", "4:8: error: 'extern' and 'static' in one declaration"),
        ('_Static_assert(1 > 2, "no");', "4:1: error: static assertion failed: no"),
    ],
)  # fmt: skip
def test_statement(line: str, expected: str) -> None:
    assert [expected] == complaints(f"{FUNCTION}{line}\n}}\n")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("int f(int a, int a);", ["1:18: error: two parameters named 'a'"]),
        ("struct s { int m; char m; };", ["1:24: error: two members named 'm'"]),
        ("struct s { struct s t; };", ["1:21: error: member 't' has incomplete type 'struct s'"]),
        ("enum e { X, Y, X };", ["1:16: error: redeclaration of 'X'"]),
        ("int f(int); int f(char);", ["1:17: error: conflicting types for 'f': 'int(char)'"]),
        ("int t; double t;", ["1:15: error: 't' redeclared as 'double'"]),
        ("int x = 1; int x = 2;", ["1:18: error: redefinition of 'x'"]),
        ("int f(void) { return 0; } int f(void) { return 1; }",
         ["1:31: error: redefinition of 'f'"]),
        ("struct s { int i; }; struct s { int j; };", ["1:29: error: redefinition of 'struct s'"]),
        ("struct { int f : 40; } b;", ["1:18: error: the width of bit-field 'f' is not within 0 "
                                       "to 32"]),
        ("int n; int a[n];", ["1:14: error: the size of 'a' is not constant, and it is not in a "
                              "function"]),
        ("int f(void)[3];", ["1:6: error: 'f' is declared as a function that returns an array"]),
        ("static int s(void); int f(void) { return s(); }",
         ["1:12: error: static function 's' is used but not defined"]),
        ("union u { int i; }; struct u v;", ["1:28: error: 'u' is not a struct tag"]),
        ("extern int e; static int e;",
         ["1:26: error: static declaration of 'e' after non-static"]),
        ("int k = 0x;", ["1:9: error: invalid number '0x'"]),
        ("int k = 99999999999999999999;", ["1:9: error: integer constant '99999999999999999999' "
                                            "is too large for its type"]),
        ("int c = '';", ["1:9: error: empty character constant"]),
        ('char *s = "\\q";', ["1:11: error: unknown escape sequence '\\q'"]),
        ("int @ x;", ["1:5: error: stray '@' in program"]),
    ],
)  # fmt: skip
def test_declaration(source: str, expected: list[str]) -> None:
    assert expected == complaints(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("int f(void) {\n  int x = 3\n  return x;\n}",
         ["2:12: error: expected ';' before 'return'"]),
        ("struct s { int a; }\nint main() { return 0; }",
         ["1:20: error: expected ';' before 'int'"]),
        ("int f(int x) { if (x == 3 { x = 1; } return x; }",
         ["1:27: error: expected ')' before '{'"]),
        ("int f(int x) { x = (3 + ; x = 4; return y; }",
         ["1:25: error: expected an expression before ';'", "1:41: error: 'y' undeclared"]),
        ("int f(int *a) { a[3 = 4; return z; }",
         ["1:21: error: cannot assign to this: it is a value, not an object",
          "1:24: error: expected ']' before ';'", "1:33: error: 'z' undeclared"]),
        ("int x = { 1, 2 ;\nint y = q;\n", ["1:16: error: expected ',' or '}' before ';'",
                                              "2:9: error: 'q' undeclared"]),
        ("void f( { }\nint g(void) { return q; }", ["1:9: error: expected ')' before '{'",
                                                    "2:22: error: 'q' undeclared"]),
        ("int f(void) { return 1; ", ["1:23: error: expected '}' at end of file"]),
        ("int f(void) { return 1)); }", ["1:23: error: expected ';' before ')'"]),
        ("int f(int a) { if a > 3 return 2; return b; }",
         ["1:19: error: expected '(' before 'a'", "1:42: error: 'b' undeclared"]),
        ("int main( { foo bar; }", ["1:11: error: expected ')' before '{'",
                                    "1:13: error: unknown type name 'foo'"]),
    ],
)  # fmt: skip
def test_syntax_error_and_what_is_found_behind_it(source: str, expected: list[str]) -> None:
    assert expected == complaints(source)


def test_statement_expression_needs_a_function() -> None:
    expected = "1:9: error: a statement expression '({ ... })' outside of a function"
    assert [expected] == complaints("int s = ({ return 3; });\n")


@pytest.mark.parametrize(
    ("body", "feature"),
    [
        ("__int128 a;", "__int128"),
        ("_Complex double c;", "_Complex"),
        ("int v __attribute__((vector_size(16)));", "vector extension"),
        ("void *l = &&x; x: ;", "computed goto"),
        ("void *l = 0; goto *l;", "computed goto"),
        ("int s = ({ goto a; a: ; 3; });", "label in a statement expression"),
        ("int nested(int x) { return x; }", "nested function"),
        ('asm("nop");', "inline assembly"),
        ("_Thread_local int t;", "thread-local"),
        ("jmp_buf env;", "setjmp"),
        ("setjmp(0);", "setjmp"),
        ("_Atomic int a;", "_Atomic"),
        ("int i __attribute__((mode(TI)));", "mode(TI)"),
        ("enum { A } e __attribute__((mode(QI)));", "mode on an enumeration"),
        ("struct { int i; } __attribute__((mode(QI))) s;", "mode on a struct"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(body: str, feature: str) -> None:
    (only,) = found_in(f"int main(void) {{\n{body}\nreturn 0; }}\n")

    assert Severity.ERROR is only.severity
    assert 2 == only.span.line
    assert feature in only.message
    assert "not supported" in only.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("int x __attribute__((mode(DF)));", "1:22: error: mode 'DF' does not fit 'int'"),
        ("int *p __attribute__((mode(SI)));", "1:23: error: mode 'SI' does not fit 'int *'"),
        ("__auto_type a;", "1:13: error: 'a' is __auto_type and has no value"),
        ("__auto_type a = {1};", "1:17: error: 'a' is __auto_type and initialised by a list"),
        ("__auto_type *a = 0;", "1:14: error: __auto_type declares one plain name"),
        ("__auto_type a = 1, b = 2;", "1:20: error: __auto_type declares one plain name"),
        ("typedef __auto_type t;", "1:1: error: '__auto_type' is not a type"),
        ("int f(__auto_type x);", "1:7: error: '__auto_type' is not a type"),
        ("int f(void) { enum e x; return 0; }",
         "1:22: error: variable 'x' has incomplete type 'enum e'"),
        ("enum e *p; int s = sizeof *p;", "1:20: error: sizeof of incomplete type 'enum e'"),
        ("struct s { enum e m; };", "1:19: error: member 'm' has incomplete type 'enum e'"),
        ("struct s { int n; int a[]; }; void f(void) { struct s x = {1, {2}}; }",
         "1:63: error: flexible array member 'a' is initialised within an object that is not "
         "static or part of another"),
        ("struct s { int n; int a[]; }; struct { struct s s; } x = {{.a = {2}}};",
         "1:61: error: flexible array member 'a' is initialised within an object that is not "
         "static or part of another"),
    ],
)  # fmt: skip
def test_gnu_types_where_gcc_has_them_not(source: str, expected: str) -> None:
    assert [expected] == complaints(source)


def test_an_error_shows_the_line_a_caret_and_the_note() -> None:
    source = "double A[2][2];\nvoid f(double s)\n{\n\ts += A[0][0][1];\n}\n"
    with pytest.raises(CompileError) as caught:
        module_of(source)
    lines = str(caught.value).split("\n")
    path = lines[0].partition(":")[0]

    fact = "subscript of a value that is neither array nor pointer ('double')"
    assert [
        f"{path}:4:14: error: {fact}",
        "    4 | \ts += A[0][0][1];",
        "      | \t            ^",
    ] == lines


def test_a_note_says_where_the_other_declaration_is() -> None:
    (only,) = found_in("int b;\nint f(void) { return b[0]; }")

    assert ["'b' is declared here as 'int'"] == [n.message for n in only.notes]
    assert [(1, 5)] == [(n.span.line, n.span.column) for n in only.notes]


def test_an_error_in_a_macro_stands_where_the_macro_is_used() -> None:
    source = "#define BAD(x) (x).none\nstruct s { int a; } v;\nint f(void) {\n  return BAD(v);\n}\n"

    assert ["4:10: error: 'struct s' has no member named 'none'"] == complaints(source)


def test_an_undeclared_name_is_reported_once_per_function() -> None:
    source = "int f(void) { return x + x + x; }\nint g(void) { return x; }\n"

    assert ["1:22: error: 'x' undeclared", "2:22: error: 'x' undeclared"] == complaints(source)


def test_errors_come_in_the_order_of_the_source_whatever_stage_finds_them() -> None:
    source = 'int a = b;\nchar *s = "open;\nint c = d;\n#error stop\n'

    assert [1, 2, 3, 4] == sorted({d.span.line for d in found_in(source)})
    assert [1, 2] == [d.span.line for d in found_in(source)][:2]


def test_a_run_stops_after_twenty_errors() -> None:
    source = "".join(f"int a{i} = x{i};\n" for i in range(50))

    assert 20 == len(complaints(source))


def test_warnings_do_not_stop_the_compilation() -> None:
    diagnostics = Diagnostics()

    module = module_of("int f(void) { return g(1); }", diagnostics)

    assert ["f"] == list(module.functions)
    assert [Severity.WARNING] == [d.severity for d in diagnostics.found]


def test_a_span_prints_as_compilers_print_it() -> None:
    assert "a.c:3:4" == str(Span("a.c", 3, 4))
    assert "a.c:3" == str(Span("a.c", 3))
