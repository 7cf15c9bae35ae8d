"""Passes on small IR texts: what each one establishes, and where points and sites go."""

from __future__ import annotations

import pytest

from hcc.compiler.ir import Module, Op, parse_module, print_function, verify
from hcc.compiler.passes import Points, prepare
from hcc.compiler.passes.data_stack import lower_data_stack
from hcc.compiler.passes.hoist import hoist_loads
from hcc.compiler.passes.inline import LARGE, SMALL, inline_functions
from hcc.compiler.passes.points import insert_points, reaches_point
from hcc.compiler.passes.promote import promote
from hcc.compiler.passes.split import split_objects
from hcc.compiler.passes.tidy import tidy
from hcc.isa.errors import HccError


def module_of(body: str, head: str = "(%0: i64) -> i64 export", extra: str = "") -> Module:
    module = parse_module(f'module "t.c"\n{extra}\nfunc @f{head} {{\n{body}\n}}')
    verify(module)
    return module


def ops_of(module: Module, name: str = "f") -> list[Op]:
    return [i.op for i in module.functions[name].instrs()]


LOOP = """entry:
  br head(i64 0, i64 0)
head(%1: i64, %2: i64):
  %3 = slt i1 %1, BOUND
  cbr %3, body, exit
body:
  %4 = add i64 %2, %1
  BODY
  %5 = add i64 %1, i64 1
  br head(%5, %4)
exit:
  ret %2"""


def test_promote_makes_values_of_stack_objects() -> None:
    module = module_of(
        """entry:
  %1 = alloca ptr size 8 align 8
  %2 = alloca ptr size 8 align 8
  %3 = load i64 %2 align 8
  store %0, %1 align 8
  %4 = load i64 %1 align 8
  %5 = add i64 %3, %4
  ret %5"""
    )
    function = module.functions["f"]
    promote(function)
    verify(module)

    assert [Op.ADD, Op.RET] == ops_of(module)
    # The object that was never stored reads as zero.
    assert "add i64 i64 0, %0" in print_function(function)


def test_promote_leaves_volatile_and_escaping_objects() -> None:
    module = module_of(
        """entry:
  %1 = alloca ptr size 8 align 8 volatile
  %2 = alloca ptr size 8 align 8
  store i64 1, %1 align 8 volatile
  store i64 1, %2 align 8
  %3 = ptrtoint i64 %2
  ret %3"""
    )
    promote(module.functions["f"])

    assert 2 == ops_of(module).count(Op.ALLOCA)


def test_split_takes_structs_apart_through_copies() -> None:
    module = module_of(
        """entry:
  %1.a = alloca ptr size 16 align 8
  %2.b = alloca ptr size 16 align 8
  store %0, %1 align 8
  %3 = ptradd ptr %1, i64 8
  store i32 5, %3 align 4
  memcpy %2, %1, i64 16 #8
  %4 = load i64 %2 align 8
  %5 = ptradd ptr %2, i64 8
  %6 = load i32 %5 align 4
  %7 = sext i64 %6
  %8 = add i64 %4, %7
  ret %8"""
    )
    function = module.functions["f"]
    split_objects(function)
    verify(module)
    promote(function)
    tidy(function)
    verify(module)

    assert {Op.ALLOCA, Op.MEMCPY, Op.LOAD, Op.STORE}.isdisjoint(ops_of(module))


def test_counted_loop_is_strip_mined() -> None:
    module = module_of(LOOP.replace("BOUND", "%0").replace("BODY", ""))
    insert_points(module, Points.LOOPS)
    verify(module)
    text = print_function(module.functions["f"])

    assert 1 == ops_of(module).count(Op.POLL)
    # The poll is outside the inner loop, whose test now has the strip's limit.
    assert "strip" in text
    poll_block = text.split("poll\n")[0].rsplit("\n", 2)[-2]
    assert poll_block.startswith("strip")


GLOBALS = """global @bound size 8 align 8 local
global @other size 8 align 8 local
global @taken size 8 align 8 local
global @addr size 8 align 8 reloc 0 @taken+0
global @shared size 8 align 8
global @table size 80 align 8
extern data @far align 8
extern func @g() -> void
"""
REREAD = """entry:
  cbr i1 1, head(i64 0), exit
head(%1: i64):
  %2 = load i64 SOURCE align 8
  %3 = slt i1 %1, %2
  cbr %3, body, exit
body:
  BODY
  %5 = add i64 %1, i64 1
  br head(%5)
exit:
  ret i64 0"""


def loads_in_the_loop(source: str, body: str) -> int:
    """How many of the loads from somewhere stay where they were."""
    text = REREAD.replace("SOURCE", source).replace("BODY", body)
    module = module_of(text, "(%0: ptr, %9: i64) -> i64 export", GLOBALS)
    hoist_loads(module)
    verify(module)
    loop = {"head", "body"}
    blocks = [b for b in module.functions["f"].blocks if b.name in loop]
    assert 2 == len(blocks)
    return sum(i.op is Op.LOAD for b in blocks for i in b.instrs)


@pytest.mark.parametrize(("source", "body", "left"), [
    ("@bound", "", 0),
    ("%0", "", 0),
    ("@shared", "", 0),
    ("@table+72", "", 0),
    ("@far", "", 0),
    ("@bound", "store %1, %0 align 8", 0),
    ("@bound", "store %1, @other align 8", 0),
    ("@bound", "store %1, @bound align 8", 1),
    ("@shared", "store %1, @other align 8", 0),
    ("@shared", "store %1, @far align 8", 0),
    ("@shared", "store %1, @shared align 8", 1),
    ("@shared", "store %1, %0 align 8", 1),
    ("@taken", "store %1, %0 align 8", 1),
    ("@far", "store %1, %0 align 8", 1),
    ("%0", "store %1, @other align 8", 0),
    ("%0", "store %1, @shared align 8", 1),
    ("%0", "store %1, %0 align 8", 1),
    ("%0", "store %1, @taken align 8", 1),
    ("@bound", "memset %0, i8 0, i64 8 #1", 0),
    ("@bound", "memset @bound, i8 0, i64 8 #1", 1),
    ("@bound", "memcpy @bound, %0, i64 8 #1", 1),
    ("@bound", "call @g : () -> void", 1),
    ("@bound", "%6 = syscall i64 i64 0, i64 0, i64 0, i64 0, i64 0, i64 0 #1", 1),
])  # fmt: skip
def test_bound_is_read_once_unless_the_loop_may_write_it(source: str, body: str, left: int) -> None:
    assert left == loads_in_the_loop(source, body)


@pytest.mark.parametrize(("load", "left"), [
    ("%6 = load i64 @other align 8", 0),
    ("%6 = load i64 @shared align 8", 0),
    ("%6 = load i64 @other align 8 volatile", 1),
    ("%6 = load i64 @table+72 align 8", 0),
    ("%6 = load i64 @table+73 align 1", 1),
    ("%7 = ptradd ptr @table+8, i64 64\n  %6 = load i64 %7 align 8", 0),
    ("%7 = ptradd ptr @table+8, i64 72\n  %6 = load i64 %7 align 8", 1),
    ("%7 = ptradd ptr @table, i64 72\n  %6 = load i64 %7 align 8", 0),
    ("%7 = ptradd ptr @table, i64 73\n  %6 = load i64 %7 align 1", 1),
    ("%7 = ptradd ptr @table, i64 18446744073709551608\n  %6 = load i64 %7 align 8", 1),
    ("%7 = ptradd ptr @table, %9\n  %6 = load i64 %7 align 8", 1),
    ("%6 = load i64 @far align 8", 1),
    ("%6 = load i64 %0 align 8", 1),
])  # fmt: skip
def test_body_reads_nothing_early_that_might_fault(load: str, left: int) -> None:
    assert left == loads_in_the_loop("@bound", load)


def test_bound_in_memory_makes_no_difference_to_strips() -> None:
    texts = []
    for bound in ("%9", "@bound"):
        text = REREAD.replace("BODY", "").replace("load i64 SOURCE align 8", f"LOAD {bound}")
        text = text.replace("LOAD %9", "add i64 %9, i64 0")
        text = text.replace("LOAD @bound", "load i64 @bound align 8")
        module = module_of(text, "(%0: ptr, %9: i64) -> i64 export", GLOBALS)
        prepare(module, Points.LOOPS, 2, check=True)
        texts.append(ops_of(module))
    assert 1 == texts[0].count(Op.POLL)
    assert texts[0].count(Op.CBR) == texts[1].count(Op.CBR)
    assert texts[0].count(Op.SELECT) == texts[1].count(Op.SELECT) == 1


CALLS_TWICE = """func @small(%0: i64, %1: ptr) -> i64 FLAGS {
BODY
}
func @f(%0: i64, %1: ptr) -> i64 export {
entry:
  br head(i64 0)
head(%2: i64):
  %3 = call i64 @small, %2, %1 : (i64, ptr) -> i64
  %4 = call i64 @small, %3, %1 : (i64, ptr) -> i64
  %5 = add i64 %2, i64 1
  %6 = slt i1 %5, %0
  cbr %6, head(%5), exit
exit:
  ret %4
}
"""
CHOOSES = """entry:
  %2 = slt i1 %0, i64 7
  cbr %2, low, high
low:
  store %0, %1 align 8
  ret %0
high:
  %3 = srem i64 %0, i64 7
  ret %3"""


def calls_left(body: str, flags: str = "export") -> int:
    text = CALLS_TWICE.replace("BODY", body).replace("FLAGS", flags)
    module = parse_module(f'module "t.c"\n{text}')
    verify(module)
    inline_functions(module, tidy)
    verify(module)
    return ops_of(module).count(Op.CALL)


def test_small_function_is_inlined_wherever_it_is_called() -> None:
    assert 0 == calls_left(CHOOSES)
    assert 0 == calls_left("entry:\n  ret %0", "")


@pytest.mark.parametrize(("body", "flags"), [
    (CHOOSES, "export noinline"),
    (CHOOSES.replace("i64 %0, i64 7\n  ret", "i64 %0, %0\n  ret"), "export"),
    (CHOOSES.replace("i64 %0, i64 7\n  ret", "i64 %0, i64 0\n  ret"), "export"),
    (CHOOSES.replace("i64 %0, i64 7\n  ret", f"i64 %0, i64 {(1 << 64) - 1}\n  ret"), "export"),
    ("entry:\n  poll\n  ret %0", "export"),
    ("entry:\n  %2 = alloca ptr size 8 align 8\n  store %2, %1 align 8\n  ret %0", "export"),
    ("entry:\n  %2 = call i64 @f, %0, %1 : (i64, ptr) -> i64\n  ret %2", "export"),
    ("entry:\n  br entry2\nentry2:\n  %2 = load i1 %1 align 1\n  cbr %2, entry2, end\n"
     "end:\n  ret %0", "export"),
    ("entry:\n" + "  store %0, %1 align 8\n" * SMALL + "  ret %0", "export"),
], ids=["noinline", "divides", "by 0", "by -1", "point", "object", "call", "loop", "large"],
)  # fmt: skip
def test_function_is_called_that_is_not_small_or_has_more_to_it(body: str, flags: str) -> None:
    assert 2 == calls_left(body, flags)


def test_function_called_by_another_type_is_called() -> None:
    text = CALLS_TWICE.replace("BODY", "entry:\n  ret i64 0").replace("FLAGS", "export")
    module = parse_module(
        f'module "t.c"\n{text.replace("@small(%0: i64, %1: ptr)", "@small(%0: i64)")}'
    )
    inline_functions(module, tidy)
    assert 2 == ops_of(module).count(Op.CALL)


def test_functions_grow_only_so_far() -> None:
    call = "  %{} = call i64 @small, %0, %1 : (i64, ptr) -> i64\n"
    count = LARGE // SMALL * 3
    body = "entry:\n" + "".join(call.format(2 + i) for i in range(count)) + "  ret %2"
    small = "entry:\n" + "  store %0, %1 align 8\n" * (SMALL - 1) + "  ret %0"
    head = "(%0: i64, %1: ptr) -> i64 export"
    module = module_of(body, head, f"func @small{head} {{\n{small}\n}}\n")
    inline_functions(module, tidy)
    verify(module)
    assert 0 < ops_of(module).count(Op.CALL) < count
    assert LARGE < len(ops_of(module)) < LARGE + 2 * SMALL


def test_local_whose_address_a_small_function_takes_is_a_value() -> None:
    body = """entry:
  %1 = alloca ptr size 8 align 8
  store %0, %1 align 8
  br head(i64 0)
head(%2: i64):
  call @step, %1 : (ptr) -> void
  %3 = add i64 %2, i64 1
  %4 = slt i1 %3, %0
  cbr %4, head(%3), exit
exit:
  %5 = load i64 %1 align 8
  ret %5"""
    step = """func @step(%0: ptr) -> void {
entry:
  %1 = load i64 %0 align 8
  %2 = mul i64 %1, i64 5
  store %2, %0 align 8
  ret
}
"""
    module = module_of(body, extra=step)
    prepare(module, Points.LOOPS, 0, check=True)
    assert {Op.CALL, Op.LOAD} < set(ops_of(module))
    module = module_of(body, extra=step)
    prepare(module, Points.LOOPS, 1, check=True)
    assert not {Op.CALL, Op.LOAD, Op.STORE} & set(ops_of(module))
    assert 1 == ops_of(module).count(Op.POLL)


def test_short_loop_gets_no_poll() -> None:
    module = module_of(LOOP.replace("BOUND", "i64 100").replace("BODY", ""))
    insert_points(module, Points.LOOPS)

    assert Op.POLL not in ops_of(module)
    assert set() == reaches_point(module)


def test_loop_that_may_wrap_around_is_not_short() -> None:
    body = LOOP.replace("slt i1 %1, BOUND", "ule i1 %1, i64 18446744073709551615")
    module = module_of(body.replace("BODY", ""))
    insert_points(module, Points.LOOPS)

    assert 1 == ops_of(module).count(Op.POLL)


def test_uncounted_loop_is_strip_mined_by_a_counter() -> None:
    body = LOOP.replace("slt i1 %1, BOUND", "ne i1 %2, i64 77")
    module = module_of(body.replace("BODY", ""))
    insert_points(module, Points.LOOPS)
    verify(module)

    assert 1 == ops_of(module).count(Op.POLL)
    assert "left" in print_function(module.functions["f"])


def test_loop_by_an_unknown_step_is_strip_mined_by_its_bound() -> None:
    body = LOOP.replace("BOUND", "%6").replace("add i64 %1, i64 1", "add i64 %1, %6")
    body = body.replace("  BODY\n", "").replace("%3 =", "%6 = xor i64 %0, i64 1\n  %3 =")
    module = module_of(body)
    insert_points(module, Points.LOOPS)
    verify(module)
    text = print_function(module.functions["f"])

    assert 1 == ops_of(module).count(Op.POLL)
    assert "left" not in text
    # What the step is computed from has left the loop.
    assert text.index("xor") < text.index("head")


@pytest.mark.parametrize("step", [1 << 52, 1 << 62])
def test_loop_by_a_step_too_long_for_strips_counts_rounds(step: int) -> None:
    body = LOOP.replace("BOUND", "%0").replace("slt", "ult").replace("i64 1\n", f"i64 {step}\n")
    module = module_of(body.replace("BODY", ""))
    insert_points(module, Points.LOOPS)
    verify(module)

    assert 1 == ops_of(module).count(Op.POLL)
    assert "left" in print_function(module.functions["f"])


RARE = """entry:
  br head(i64 0)
head(%1: i64):
  %2 = slt i1 %1, %0
  cbr %2, body, exit
body:
  %3 = load i8 @g align 1
  %4 = ne i1 %3, i8 0
  cbr %4, ENTER, latch
inner(%5: i64):
  %6 = add i64 %5, i64 3
  %7 = slt i1 %6, %0
  cbr %7, inner(%6), latch
latch:
  %8 = add i64 %1, i64 1
  br head(%8)
exit:
  ret %1"""


@pytest.mark.parametrize(("enter", "else_", "strips"), [
    ("inner(%1)", "latch", 2),
    ("inner(%1)", "inner(i64 7)", 1),
], ids=["inner loop in some rounds", "inner loop in each round"])  # fmt: skip
def test_outer_loop_is_strip_mined_if_few_rounds_are_long(
    enter: str, else_: str, strips: int
) -> None:
    body = RARE.replace("ENTER, latch", f"{enter}, {else_}")
    module = module_of(body, extra="extern data @g align 1")
    insert_points(module, Points.LOOPS)
    verify(module)
    text = print_function(module.functions["f"])

    # One poll for each strip, or at the latch; one in front of an inner loop that is rarely run.
    assert strips == sum(line.startswith("strip") and ".end" in line for line in text.splitlines())
    assert strips + 1 == ops_of(module).count(Op.POLL)


@pytest.mark.parametrize(("step", "per_round"), [(1 << 50, False), (1 << 62, True)])
def test_outer_loop_that_cannot_be_limited_is_polled_in_each_round(
    step: int, per_round: bool
) -> None:
    body = """entry:
  br head(i64 0)
head(%1: i64):
  %2 = ult i1 %1, %0
  cbr %2, inner(i64 0), exit
inner(%3: i64):
  %4 = add i64 %3, i64 1
  %5 = ne i1 %4, i64 5
  cbr %5, inner(%4), latch
latch:
  %6 = add i64 %1, i64 STEP
  br head(%6)
exit:
  ret %1"""
    module = module_of(body.replace("STEP", str(step)))
    insert_points(module, Points.LOOPS)
    verify(module)

    (polled,) = (
        b.name for b in module.functions["f"].blocks if any(i.op is Op.POLL for i in b.instrs)
    )
    assert per_round == (polled == "latch")
    assert per_round or polled.startswith("strip")


def test_loop_that_asks_for_a_point_gets_no_second_one() -> None:
    module = module_of(LOOP.replace("BOUND", "%0").replace("BODY", "poll"))
    insert_points(module, Points.LOOPS)

    assert 1 == ops_of(module).count(Op.POLL)


CALLER = """entry:
  %1 = call i64 @g, %0 : (i64) -> i64
  ret %1"""


@pytest.mark.parametrize(
    ("extra", "polls"),
    [
        ("extern func @g(i64) -> i64", 1),
        ("extern func @g(i64) -> i64 leaf", 0),
        ("func @g(%0: i64) -> i64 export {\nentry:\n  ret %0\n}", 0),
        ("func @g(%0: i64) -> i64 export {\nentry:\n"
         "  %1 = call i64 @g, %0 : (i64) -> i64\n  ret %1\n}", 0),
        ("func @g(%0: i64) -> i64 export {\nentry:\n"
         "  %1 = call i64 @f, %0 : (i64) -> i64\n  ret %1\n}", 1),
    ],
    ids=["unknown callee", "leaf callee", "quiet callee", "callee that recurs", "recursion"],
)  # fmt: skip
def test_entry_poll_where_a_call_may_lead_back(extra: str, polls: int) -> None:
    module = module_of(CALLER, extra=extra)
    insert_points(module, Points.LOOPS)

    assert polls == ops_of(module).count(Op.POLL)


def test_no_points_drops_even_those_asked_for() -> None:
    module = module_of(LOOP.replace("BOUND", "%0").replace("BODY", "poll"))
    insert_points(module, Points.NONE)

    assert Op.POLL not in ops_of(module)


def test_leaf_promise_is_checked() -> None:
    module = module_of(
        CALLER, head="(%0: i64) -> i64 export leaf", extra="extern func @g(i64) -> i64"
    )

    with pytest.raises(HccError, match="'f' is declared hcc_leaf but may reach"):
        insert_points(module, Points.LOOPS)


def test_object_that_lives_across_a_site_moves_to_the_data_stack() -> None:
    module = module_of(
        """entry:
  %1 = alloca ptr size 24 align 8
  %2 = alloca ptr size 8 align 8
  store i64 3, %2 align 8
  %3 = load i64 %2 align 8
  store %3, %1 align 8
  poll
  %4 = load i64 %1 align 8
  ret %4"""
    )
    function = module.functions["f"]
    lower_data_stack(function, lambda i: i.op is Op.POLL)
    verify(module)
    ops = ops_of(module)

    assert 1 == ops.count(Op.ALLOCA)  # the one that no site sees stays native
    assert 1 == ops.count(Op.DSP_GET)
    assert 2 == ops.count(Op.DSP_SET)  # taken and given back
    assert "i64 18446744073709551584" in print_function(function)  # a frame of 32 bytes


def test_sites_record_the_values_live_after_them_in_order() -> None:
    module = module_of(
        """entry:
  %1 = add i64 %0, i64 1
  %2 = add i64 %0, i64 2
  %3 = call i64 @g, %2 : (i64) -> i64
  %4 = add i64 %3, %1
  %5 = add i64 %4, %0
  ret %5""",
        extra="extern func @g(i64) -> i64",
    )
    prepare(module, Points.LOOPS, 2, check=True)
    sites = [i.site for i in module.functions["f"].instrs() if i.site is not None]

    assert [0, 1] == [s.id for s in sites]
    # At the entry poll only the parameter lives; after the call the parameter and %1, not %2.
    assert [1, 2] == [len(s.live) for s in sites]


def test_resume_function_has_an_entry_per_site() -> None:
    module = module_of(
        LOOP.replace("BOUND", "%0").replace("BODY", "%9 = call i64 @g, %4 : (i64) -> i64"),
        extra="extern func @g(i64) -> i64",
    )
    prepare(module, Points.LOOPS, 2, check=True)
    resume = module.functions["f.resume"]
    switch = resume.entry.terminator

    assert "f" == resume.resumes
    assert switch.op is Op.SWITCH
    assert (0, 1, 2) == switch.attr
