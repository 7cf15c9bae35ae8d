"""Which nests of loops are jammed, and that nothing is that may not be."""

from __future__ import annotations

import pytest

from hcc.compiler.ir import Module, Op, parse_module, verify
from hcc.compiler.passes import Points, prepare
from hcc.compiler.passes.jam import CARRIED, FACTOR, SIZE, jam_loops

GLOBALS = """global @a size 4096 align 8 local
global @b size 4096 align 8 local
global @c size 4096 align 8 local
global @exported size 4096 align 8
"""
NEST = """entry:
  br head(START, f64 0x0000000000000000)
head(%2: i64, %3: f64):
  %4 = TEST
  cbr %4, before, exit
before:
  %5 = shl i64 %2, i64 3
  %6 = ptradd ptr @a, %5
  BEFORE
  br inner(f64 0x0000000000000000, i64 0)
inner(%7: f64, %8: i64):
  %9 = slt i1 %8, %1
  cbr %9, body, behind
body:
  %10 = shl i64 %8, i64 3
  %11 = ptradd ptr @b, %10
  %12 = ptradd ptr %11, %5
  %13 = load f64 %12 align 8
  %14 = load f64 %11 align 8
  %15 = fmul f64 %13, %14
  BODY
  %16 = fadd f64 %7, %15
  %17 = add i64 %8, i64 1
  br inner(%16, %17)
behind:
  %18 = ptradd ptr @c, %5
  store %7, %18 align 8
  BEHIND
  %19 = STEP
  br head(%19, %7)
exit:
  ret %3"""
HEAD = "(%0: i64, %1: i64, %99: ptr) -> f64 export"


def parse(text: str, parts: dict[str, str]) -> Module:
    plain = {"START": "i64 0", "TEST": "slt i1 %2, %0", "STEP": "add i64 %2, i64 1"}
    for name, part in {**plain, "BEFORE": "", "BODY": "", "BEHIND": "", **parts}.items():
        text = text.replace(name, part)
    module = parse_module(f'module "t.c"\n{GLOBALS}func @f{HEAD} {{\n{text}\n}}')
    verify(module)
    return module


def nest(text: str = NEST, **parts: str) -> Module:
    module = parse(text, parts)
    jam_loops(module)
    verify(module)
    return module


def ops_of(module: Module) -> list[Op]:
    return [instr.op for instr in module.functions["f"].instrs()]


def is_jammed(module: Module) -> bool:
    added = ops_of(module).count(Op.FADD)
    assert added in (1, 1 + FACTOR)
    return added > 1


def test_rounds_share_the_inner_loop_and_what_they_load_alike() -> None:
    module = nest()
    ops = ops_of(module)
    assert is_jammed(module)
    assert 2 + (FACTOR + 1) == ops.count(Op.LOAD)
    assert 1 + FACTOR == ops.count(Op.STORE)
    (joined,) = (b for b in module.functions["f"].blocks if b.name.endswith(".body"))
    assert FACTOR == sum(i.op is Op.FADD for i in joined.instrs)


@pytest.mark.parametrize(("test", "step"), [
    ("slt i1 %2, %0", "add i64 %2, i64 3"),
    ("ult i1 %2, %0", "add i64 %2, i64 1"),
    ("sgt i1 %2, %0", "sub i64 %2, i64 2"),
    ("ne i1 %2, %0", "add i64 %2, i64 1"),
    ("sgt i1 %0, %2", "add i64 %2, i64 1"),
    ("slt i1 %2, i64 77", "add i64 %2, i64 1"),
])  # fmt: skip
def test_loops_that_count_in_any_way_are_jammed(test: str, step: str) -> None:
    assert is_jammed(nest(TEST=test, STEP=step))


@pytest.mark.parametrize(("test", "step"), [
    ("sle i1 %2, %0", "add i64 %2, i64 1"),
    ("ne i1 %2, %0", "add i64 %2, i64 2"),
    ("slt i1 %2, %0", "sub i64 %2, i64 1"),
    ("slt i1 %2, %0", "add i64 %2, %1"),
    ("slt i1 %2, %0", "shl i64 %2, i64 1"),
    ("slt i1 %2, %0", f"add i64 %2, i64 {1 << 61}"),
])  # fmt: skip
def test_loops_that_count_otherwise_are_not(test: str, step: str) -> None:
    assert not is_jammed(nest(TEST=test, STEP=step))


@pytest.mark.parametrize("parts", [
    {"BEFORE": "store f64 0x0000000000000000, %6 align 8"},
    {"BEFORE": "%20 = load f64 @c align 8"},
    {"BEFORE": "%20 = load f64 @a align 8 volatile"},
    {"BODY": "store %15, @a align 8"},
    {"BODY": "%20 = call f64 @f, %8, %8, %99 : (i64, i64, ptr) -> f64"},
    {"BODY": "%20 = sdiv i64 %8, %2"},
    {"BODY": "poll"},
    {"BEHIND": "store %7, @b align 8"},
    {"BEHIND": "store %7, @a align 8 volatile"},
    {"BEHIND": "memset %99, i8 0, i64 8 #8"},
    {"BEHIND": "poll"},
], ids=["store before", "load of what is stored", "volatile load", "store inside", "call",
        "division", "point inside", "store to the same object", "volatile store", "memset",
        "point behind"],
)  # fmt: skip
def test_nest_with_more_to_it_is_not_jammed(parts: dict[str, str]) -> None:
    assert not is_jammed(nest(**parts))


def test_pointer_may_lead_to_what_others_know_but_to_nothing_private() -> None:
    assert is_jammed(nest(BEHIND="store %7, %99 align 8"))
    loads = NEST.replace("ptradd ptr @b", "ptradd ptr @exported")
    assert is_jammed(nest(loads))
    assert not is_jammed(nest(loads, BEHIND="store %7, %99 align 8"))
    through = NEST.replace("ptradd ptr @b", "ptradd ptr %99")
    assert is_jammed(nest(through))
    assert not is_jammed(nest(through, BEHIND="store %7, @exported align 8"))


def test_inner_loop_must_run_equally_often_in_each_round() -> None:
    bound = NEST.replace("slt i1 %8, %1", "slt i1 %8, BOUND")
    assert is_jammed(nest(bound.replace("BOUND", "i64 9")))
    loaded = NEST.replace(
        "  %9 = slt i1 %8, %1", "  %21 = load i64 @a align 8\n  %9 = slt i1 %8, %21"
    )
    assert is_jammed(nest(loaded))
    assert not is_jammed(nest(loaded, BEHIND="store i64 3, @a align 8"))
    assert not is_jammed(nest(bound.replace("BOUND", "%2")))
    assert not is_jammed(
        nest(NEST.replace("f64 0x0000000000000000, i64 0)\ninner", "%3, %2)\ninner"))
    )


def test_what_the_inner_loop_begins_with_may_not_come_from_itself() -> None:
    assert not is_jammed(nest(NEST.replace("br inner(f64 0x0000000000000000", "br inner(%3")))


def test_inner_loop_without_floats_to_wait_for_is_left_alone() -> None:
    text = NEST.replace("%16 = fadd f64 %7, %15", "%16 = fneg f64 %15\n  %30 = fadd f64 %15, %15")
    text = text.replace("inner(%7: f64, %8: i64)", "inner(%8: i64)")
    text = text.replace("inner(f64 0x0000000000000000, i64 0)", "inner(i64 0)")
    text = text.replace("inner(%16, %17)", "inner(%17)").replace("store %7", "store %3")
    assert not is_jammed(nest(text.replace("head(%19, %7)", "head(%19, %3)")))


def test_large_inner_loops_are_left_alone() -> None:
    assert is_jammed(nest(BODY="%20 = fmul f64 %15, %15"))
    many = "\n".join(f"  %{20 + i} = fmul f64 %15, %15" for i in range(SIZE))
    assert not is_jammed(nest(BODY=many))
    names = [f"%{20 + i}" for i in range(CARRIED)]
    params = "".join(f", {name}: f64" for name in names)
    text = NEST.replace("inner(%7: f64, %8: i64)", f"inner(%7: f64, %8: i64{params})")
    text = text.replace(
        "i64 0)\ninner", "i64 0" + ", f64 0x0000000000000000" * CARRIED + ")\ninner"
    )
    text = text.replace("inner(%16, %17)", "inner(%16, %17" + ", %15" * CARRIED + ")")
    assert not is_jammed(nest(text))


@pytest.mark.parametrize("level", [1, 2])
def test_points_are_put_around_the_joined_rounds(level: int) -> None:
    module = parse(NEST, {})
    prepare(module, Points.LOOPS, level, check=True)
    blocks = module.functions["f"].blocks
    assert (level == 2) == any(b.name.startswith("jam") for b in blocks)
    adding = [b for b in blocks if any(i.op is Op.FADD for i in b.instrs)]
    assert not any(i.op is Op.POLL for b in adding for i in b.instrs)
