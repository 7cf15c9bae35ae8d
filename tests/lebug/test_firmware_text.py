"""The text front end: what it takes, what it refuses, and where it says so."""

from __future__ import annotations

import pytest

from hcc.compiler.firmware import FirmwareError, compile_text
from hcc.compiler.firmware.text import compile_file
from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug import Chain, Machine
from hcc.isa.lebug.disassemble import chain_calls

MACHINE = Machine(n=8, m=4, max_chains=64, vvvrf_size=64, fuvrf_size=64)


def calls(text: str, **options: object) -> list[list[str]]:
    built = compile_text(text, MACHINE, **options)  # type: ignore[arg-type]
    return [chain_calls(chain) for chain in built.firmware.chains]


def place(text: str, **options: object) -> tuple[int, int, str]:
    """Line, column and words of the error a text gives."""
    with pytest.raises(FirmwareError) as caught:
        compile_text(text, MACHINE, file="f.py", **options)  # type: ignore[arg-type]
    error = caught.value
    assert error.span is not None
    assert str(error).startswith(f"f.py:{error.span.line}:{error.span.column}: {error.message}")
    return error.span.line, error.span.column, error.message


CHAIN = "    begin_chain()\n    v_commit()\n    end_chain()\n"


def test_loopback_as_the_guide_writes_it() -> None:
    text = """def loopback(cp,N):
    begin_chain()
    v_commit(N)   # Send N values to data packer
    end_chain()
"""
    assert [["v_commit(8)"]] == calls(text)


def test_distribution_as_the_guide_writes_it() -> None:
    text = """def distribution(cp,bins,M):
    assert bins%M==0, "Number of bins must be divisible by M"
    for i in range(int(bins/M)):
        begin_chain()
        vv_filter(i)
        m_reduce('M')
        vv_add(i,'notfirst')
        v_cache(i)
        v_commit(M,'last')
        end_chain()
"""
    found = calls(text, arguments={"bins": 8})

    assert 2 == len(found)
    assert [
        "vv_filter(1)",
        "m_reduce('M')",
        "vv_add(1, condition1='notfirst')",
        "v_cache(1)",
        "v_commit(4, condition1='last')",
    ] == found[1]
    assert (2, 5, "assertion failed: Number of bins must be divisible by M") == place(
        text, arguments={"bins": 7}
    )


def test_constants_functions_defaults_and_conditions() -> None:
    text = '''"""A firmware file."""
import firmware.firmware as firm
from hcc.compiler.firmware import *

ROWS = 3   # three chains
NAMES = ("last", 'notlast')

def one(cp, row, when=None, size=1) -> None:
    """A chain."""
    cp.begin_chain()
    if row == 0:
        cp.v_cache(row)
    elif row < ROWS - 1 and not when:
        cp.vv_add(row + 1)
    else:
        cp.vv_max(row, condition2=when)
    cp.v_commit(size if size else cp.N); cp.end_chain()

def entry(cp):
    for i in range(ROWS):
        one(cp, i, NAMES[1] if i == 2 else None, size=i and cp.M)
    x = 2
    x += 3
    one(cp, x, when=NAMES[0])
    return cp.compile()
'''
    assert [
        ["v_cache(0)", "v_commit(8)"],
        ["vv_add(2)", "v_commit(4)"],
        ["vv_max(2, condition2='notlast')", "v_commit(4)"],
        ["vv_max(5, condition2='last')", "v_commit(1)"],
    ] == calls(text, entry="entry")


def test_library_firmware_can_be_called() -> None:
    text = "def both(cp):\n    raw(cp)\n    firm.sumAll(cp)\n    return cp.compile()\n"

    assert [["v_commit(8)"], ["v_reduce()", "v_commit(1)"]] == calls(text)


def test_chains_outside_any_function_are_a_firmware() -> None:
    assert [["v_reduce()"]] == calls("begin_chain()\nv_reduce()\nend_chain()\n")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("2 + 3 * 4 - 1", 13),
        ("-7 // 2 + 10", 6),
        ("7 % 4 + (1 << 3)", 11),
        ("2 ** 3 ** 1", 8),
        ("int(9 / 2)", 4),
        ("max(1, 5, 3) + min((4, 2))", 7),
        ("abs(-6) + len('abc') + round(2.6)", 12),
        ("3 if 1 < 2 <= 2 else 4", 3),
        ("0 or 5", 5),
        ("5 and 6", 6),
        ("int(not 0) + int(2 in (1, 2)) + int('x' not in 'abc')", 3),
        ("0x10 + 0b11 + 1_0", 29),
        ("[4, 5, 6][-1]", 6),
        ("int(None is None) + int(1 != 2)", 2),
    ],
)
def test_arithmetic_is_pythons(expression: str, value: int) -> None:
    text = f"def f(cp):\n    cp.begin_chain()\n    cp.v_cache({expression})\n    cp.end_chain()\n"

    assert eval(expression) == value
    assert [[f"v_cache({value})"]] == calls(text)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("def f(cp):\n    cp.v_commit()\n", 2, 5, "v_commit outside a chain"),
        (
            "def f(cp):\n    cp.begin_chain()\n    cp.begin_chain()\n",
            3,
            5,
            "begin_chain inside chain 1",
        ),
        ("def f(cp):\n    cp.begin_chain()\n", 1, 1, "chain 1 has no end_chain"),
        ("def f(cp):\n    cp.end_chain()\n", 2, 5, "end_chain without begin_chain"),
        ("def f(cp):\n" + CHAIN + "    while True:\n        pass\n", 5, 11, "'while' is not part"),
        ("def f(cp):\n    x = lambda: 1\n", 2, 15, "'lambda' is not part"),
        ("class A:\n    pass\n", 1, 7, "'class' is not part"),
        (
            "def f(cp):\n    cp.v_comit()\n",
            2,
            5,
            "no firmware instruction is named 'v_comit'; is 'v_commit' meant?",
        ),
        (
            "def f(cp):\n    begin_chian()\n",
            2,
            5,
            "'begin_chian' is not defined; is 'begin_chain' meant?",
        ),
        ("def f(cp):\n    begin_chain()\n    vv_add()\n", 3, 5, "vv_add needs its argument 'addr'"),
        (
            "def f(cp):\n    begin_chain()\n    vv_add(0, 'never')\n",
            3,
            5,
            "condition not understood: 'never'",
        ),
        (
            "def f(cp):\n    begin_chain()\n    vv_add(0, cond='last')\n",
            3,
            5,
            "vv_add has no argument 'cond'",
        ),
        (
            "def f(cp):\n    begin_chain()\n    v_cache(0.5)\n",
            3,
            5,
            "v_cache: the address 0.5 is not an integer",
        ),
        (
            "def f(cp):\n    begin_chain()\n    m_reduce('K')\n",
            3,
            5,
            "unknown axis for instruction m_reduce",
        ),
        ("def f(cp):\n    begin_chain()\n    v_commit(3)\n", 3, 5, "cannot commit 3 elements"),
        ("def f(cp):\n    x = 1 / 0\n", 2, 9, "division by zero"),
        ("def f(cp):\n    x = y + 1\n", 2, 9, "'y' is not defined"),
        ("def f(cp):\n    x = 'a' * 9\n", 2, 9, "'*' on a string"),
        ("def f(cp):\n    x = 2 ** 100\n", 2, 9, "an integer of more than 64 bits"),
        (
            "def f(cp):\n    for i in range(10 ** 9):\n        pass\n",
            2,
            14,
            "a range of 1000000000 rounds",
        ),
        ("def f(cp):\n    f(cp)\n", 2, 5, "calls"),
        (
            "def f(cp):\n  if 1:\n      x = 1\n    y = 2\n",
            4,
            1,
            "this indentation matches no block",
        ),
        ("def f(cp):\n        x = 1\n    y = 2\n", 3, 1, "this indentation matches no block"),
        ("def f(cp:\n    x = 1\n", 2, 9, "unexpected end of the text"),
        ("def f(cp):\n    x = $\n", 2, 9, "unexpected character '$'"),
        ("def f(cp, cp):\n    pass\n", 1, 11, "two parameters are named 'cp'"),
        ("def f(cp):\n    g(1)\ndef g(a, b):\n    pass\n", 2, 5, "g needs its 'b'"),
        (
            "def f(cp):\n    assert cp.N == 4, 'N must be 4'\n",
            2,
            5,
            "assertion failed: N must be 4",
        ),
        ("def f(cp):\n    return cp.compile(1)\n", 2, 12, "compile takes no arguments"),
        ("x = (1,\n", 1, 7, "unexpected end"),
    ],
)
def test_error_says_where_and_what(text: str, line: int, column: int, words: str) -> None:
    if text.startswith("def f(cp):\n    g("):
        found = place(text, entry="f")
    else:
        found = place(text)

    assert (line, column) == found[:2], found
    assert words in found[2]


def test_error_shows_the_line_and_a_caret() -> None:
    with pytest.raises(FirmwareError) as caught:
        compile_text("def f(cp):\n    cp.v_commit()\n", MACHINE, file="f.py")

    assert (
        "f.py:2:5: v_commit outside a chain (begin_chain comes first)\n"
        "   2 |     cp.v_commit()\n"
        "     |     ^"
    ) == str(caught.value)


def test_nested_loops_end() -> None:
    text = "def f(cp):\n" + "".join(
        f"{'    ' * (i + 1)}for i{i} in range(60000):\n" for i in range(4)
    )
    text += "    " * 5 + "pass\n"

    assert "steps to unroll" in place(text)[2]


def test_deep_nesting_is_refused_not_recursed() -> None:
    deep = "def f(cp):\n    x = " + "(" * 5000 + "1" + ")" * 5000 + "\n"
    chain = "def f(cp):\n    x = " + "-" * 5000 + "1\n"
    blocks = "".join("    " * i + "if 1:\n" for i in range(300)) + "    " * 300 + "pass\n"

    assert [] == calls(deep)  # parentheses leave no trace in the tree
    assert "nested more than" in place(chain)[2]
    assert "nested more than" in place(blocks)[2]


def test_long_flat_text_is_taken() -> None:
    text = "def f(cp):\n    x = " + " + ".join(["1"] * 5000) + "\n"
    text += "    if x == 0:\n        pass\n" + "    elif x == 1:\n        pass\n" * 500

    assert [] == calls(text)


def test_recursion_through_many_frames_is_refused() -> None:
    text = "def f(cp, n):\n" + "    if n:\n        f(cp, (((n - 1))))\n"

    assert "nest" in place(text, arguments={"n": 10_000})[2]


def test_entry_is_chosen_by_name() -> None:
    text = f"def a(cp):\n{CHAIN}\ndef b(cp):\n{CHAIN}{CHAIN}"

    assert 2 == len(calls(text, entry="b"))
    assert 1 == len(calls(text, file="dir/a.py"))
    with pytest.raises(FirmwareError, match=r"which function is the firmware\? \(defined: a, b\)"):
        compile_text(text, MACHINE)
    with pytest.raises(FirmwareError, match="no function 'c'"):
        compile_text(text, MACHINE, entry="c")


def test_arguments_are_checked() -> None:
    text = f"def a(cp, bins):\n{CHAIN}"

    assert "a needs a value for its parameter 'bins'" in place(text)[2]
    assert "a has no parameter 'x'" in place(text, arguments={"bins": 1, "x": 2})[2]


def test_files_that_are_no_text(tmp_path: object) -> None:
    path = tmp_path / "f.py"  # type: ignore[operator]
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not UTF-8 text"):
        compile_file(path, MACHINE)
    path.write_bytes(b"x = 1\0\n")
    with pytest.raises(FirmwareError, match="NUL"):
        compile_file(path, MACHINE)
    with pytest.raises(HccError, match="no such file"):
        compile_file(path.with_name("none.py"), MACHINE)


def test_empty_chain_is_a_chain() -> None:
    built = compile_text("def f(cp):\n    cp.begin_chain()\n    cp.end_chain()\n", MACHINE)

    assert (Chain(),) == built.firmware.chains
