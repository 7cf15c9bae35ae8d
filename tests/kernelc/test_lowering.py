"""The shape of the IR: what later passes and the other ISAs' calling conventions rely on."""

from __future__ import annotations

from hcc.compiler.ir.module import Function, Instr, Module, Signature, Symbol
from hcc.compiler.ir.ops import Op
from hcc.compiler.ir.types import F32, F64, I32, I64, PTR, VOID
from tests.kernelc.building import call, module_of


def _function(source: str, name: str = "f") -> Function:
    return module_of(source).functions[name]


def _ops(source: str, name: str = "f") -> list[Op]:
    return [i.op for i in _function(source, name).instrs()]


def _calls(module: Module, name: str = "f") -> list[Instr]:
    return [i for i in module.functions[name].instrs() if i.op is Op.CALL]


# ---- signatures ----


def test_narrow_integers_travel_as_i32() -> None:
    f = _function("short f(char a, unsigned short b, _Bool c, long d) { return a + b + c + d; }")

    assert Signature((I32, I32, I32, I64), I32) == f.signature


def test_a_narrow_argument_is_extended_by_its_sign_and_cut_by_the_callee() -> None:
    source = """
    static int g(signed char a, unsigned char b, short c) { return a * 1000000 + b * 1000 + c; }
    int f(int x) { return g(x, x, x); }
    """

    assert (-56 * 1000000 + 200 * 1000 + 200) & 0xFFFFFFFF == call(source, "f", 200)


def test_records_travel_in_words_or_as_a_copy() -> None:
    source = """
    struct a { char c[3]; }; struct b { int x, y, z; }; struct c { long v[3]; };
    struct a fa(struct a s) { return s; }
    struct b fb(struct b s, float g) { return s; }
    struct c fc(struct c s, double d) { return s; }
    """
    module = module_of(source)

    assert Signature((I64,), I64) == module.functions["fa"].signature
    assert Signature((PTR, I64, I64, F32), VOID) == module.functions["fb"].signature
    assert Signature((PTR, PTR, F64), VOID) == module.functions["fc"].signature


def test_a_large_record_argument_is_a_fresh_copy() -> None:
    source = """
    struct big { int v[10]; };
    static void g(struct big b) { b.v[3] = 99; }
    int f(void) { struct big b = {{0, 1, 2, 3}}; g(b); return b.v[3]; }
    """

    assert 3 == call(source)


def test_the_bytes_behind_a_records_end_are_zero() -> None:
    source = """
    struct three { char c[3]; };
    extern long word(struct three);
    long f(struct three *p) { return word(*p); }
    """
    module = module_of(source)
    machine_loads = [i.type for i in module.functions["f"].instrs() if i.op is Op.LOAD]

    assert I64 not in machine_loads


def test_variadic_arguments_lie_in_slots_behind_one_pointer() -> None:
    source = "extern int v(int n, ...); int f(float x, char c) { return v(1, x, c, 2L) + v(0); }"
    module = module_of(source)
    first, second = _calls(module)

    assert Signature((I32, PTR), I32) == first.attr.signature
    assert (24, 8) == (first.args[2].attr.size, first.args[2].attr.align)  # type: ignore[union-attr]
    assert 0 == second.args[2].value  # type: ignore[union-attr]


def test_a_call_knows_what_its_declaration_promises() -> None:
    source = """
    void leaf(void) __attribute__((hcc_leaf));
    void stop(void) __attribute__((noreturn));
    void other(void);
    void f(int x) { leaf(); other(); if (x) stop(); }
    """
    module = module_of(source)

    assert [(True, False), (False, False), (False, True)] == [
        (c.attr.leaf, c.attr.noreturn) for c in _calls(module)
    ]
    assert {"leaf", "stop", "other"} == set(module.extern_functions)
    assert module.extern_functions["leaf"].leaf


# ---- operations ----


def test_a_comparison_is_branched_on_as_it_is() -> None:
    ops = _ops("int g(void); int f(int a, int b) { if (a < b && !(a == 3)) return g(); return 0; }")

    assert Op.ZEXT not in ops
    assert ops.count(Op.CBR) == ops.count(Op.SLT) + ops.count(Op.NE) + ops.count(Op.EQ)


def test_constants_and_member_chains_cost_nothing() -> None:
    source = """
    struct in { int a[4]; }; struct out { long l; struct in in[3]; };
    int f(struct out *p) { return p->in[2].a[1 + 2 * 0 + 1] + sizeof(int) * 8; }
    """

    assert 1 == _ops(source).count(Op.PTRADD)
    assert Op.MUL not in _ops(source)


def test_library_functions_that_are_operations() -> None:
    source = """
    #include <math.h>
    #include <string.h>
    #include <hcc.h>
    #include <hcc/syscall.h>
    double f(char *a, char *b, double d, float g, unsigned long n) {
        memcpy(a, b, n); memmove(a, b, 3); memset(a, 1, n); migrate_point();
        __hcc_syscall(64, 1L, a, n);
        return sqrt(d) + fabs(d) + sqrtf(g) + copysign(d, g);
    }
    """
    module = module_of(source)
    ops = [i.op for i in module.functions["f"].instrs()]

    assert {} == module.extern_functions
    assert {Op.MEMCPY, Op.MEMMOVE, Op.MEMSET, Op.POLL, Op.SYSCALL, Op.COPYSIGN, Op.FABS} <= set(ops)
    assert 2 == ops.count(Op.SQRT)
    assert [64] == [i.attr for i in module.functions["f"].instrs() if i.op is Op.SYSCALL]


def test_a_function_of_that_name_but_another_type_is_called() -> None:
    module = module_of("float sqrt(float); float f(float x) { return sqrt(x); }")

    assert ["sqrt"] == list(module.extern_functions)


def test_loops_have_one_edge_back_to_a_header_that_tests() -> None:
    source = """
    int f(int n, int *a) {
        int s = 0;
        for (int i = 0; i < n; i++) { if (a[i] == 3) continue; if (a[i] > 9) break; s += a[i]; }
        while (n--) s++;
        return s;
    }
    """
    function = _function(source)
    order = {id(b): i for i, b in enumerate(function.blocks)}
    back = [
        (order[id(b)], order[id(s)])
        for b in function.blocks
        for s in b.successors()
        if order[id(s)] <= order[id(b)]
    ]

    headers = [to for _, to in back]
    assert len(headers) == len(set(headers)) == 2
    for header in headers:
        assert function.blocks[header].terminator.op is Op.CBR


def test_unreachable_code_is_not_emitted() -> None:
    source = """
    int g(void);
    int f(void) { return 1; g(); while (1) g(); }
    int h(void) { if (0) g(); return 2; }
    """

    assert [Op.RET] == _ops(source)
    assert [Op.RET] == _ops(source, "h")


def test_a_variable_length_array_gives_the_data_stack_back() -> None:
    source = (
        "int f(int n) { int s = 0; for (int i = 0; i < n; i++) { int a[n]; s += a[i]; } return s; }"
    )
    ops = _ops(source)

    assert 2 == ops.count(Op.DSP_SET)
    assert Op.MEMSET in ops


def test_small_records_are_copied_by_their_scalars_and_large_ones_as_bytes() -> None:
    head = "struct s { int a; double d; char c[2]; }; struct b { int v[20]; }; union u { int i; };"

    assert Op.MEMCPY not in _ops(head + "void f(struct s *a, struct s *b) { *a = *b; }")
    assert Op.MEMCPY in _ops(head + "void f(struct b *a, struct b *b) { *a = *b; }")
    assert Op.MEMCPY in _ops(head + "void f(union u *a, union u *b) { *a = *b; }")


def test_volatile_shows_on_accesses_and_slots() -> None:
    function = _function("int f(volatile int *p) { volatile int v = *p; return v + v; }")
    loads = [i for i in function.instrs() if i.op is Op.LOAD and i.type is I32]
    slots = [i for i in function.instrs() if i.op is Op.ALLOCA and i.name == "v"]

    assert 3 == len([i for i in loads if i.attr.volatile])
    assert [True] == [i.attr.volatile for i in slots]


def test_half_precision_goes_through_libhcc() -> None:
    module = module_of("_Float16 f(_Float16 a, double d) { return a * d; }")

    assert {"__hcc_f16_to_f32", "__hcc_f64_to_f16"} == set(module.extern_functions)
    assert all(e.leaf for e in module.extern_functions.values())
    assert Signature((I32, F64), I32) == module.functions["f"].signature


def test_every_instruction_knows_its_line() -> None:
    function = _function("int f(int a)\n{\n  int b = a;\n  b += 2;\n  return b;\n}\n")

    assert all(i.loc is not None for i in function.instrs())
    assert {1, 3, 4, 5} == {i.loc.line for i in function.instrs() if i.loc}


# ---- symbols ----


def test_what_has_internal_linkage_carries_the_unit_and_is_emitted_only_if_used() -> None:
    source = """
    static int used(void) { static int n = 1; { static int n = 5; n++; } return n++; }
    static int unused(void) { return 1; }
    static int table[3] = {1}, idle[3] = {2};
    int f(void) { return used() + table[0]; }
    inline int copy(int x) { return x; }
    int g(void) { return copy(2); }
    """
    module = module_of(source)

    assert ["used.t", "f", "copy.t", "g"] == list(module.functions)
    assert {"used.n.t", "used.n.1.t", "table.t"} == set(module.globals)
    assert [False, True] == [module.functions[n].exported for n in ("used.t", "f")]


def test_equal_strings_are_one_read_only_object() -> None:
    module = module_of('const char *f(int x) { return x ? "same" : "same"; } char *g = "other";')

    assert ["str.0.t", "str.1.t"] == sorted(n for n in module.globals if n.startswith("str"))
    assert all(module.globals[n].readonly for n in module.globals if n.startswith("str"))


def test_definitions_declarations_and_tentative_definitions() -> None:
    source = """
    int tentative, tentative; extern int elsewhere; int defined = 5; extern int unused;
    const int fixed[2] = {1, 2}; int *where = &defined + 1; int (*fn)(void);
    int f(void) { return elsewhere + tentative; }
    """
    module = module_of(source)

    assert module.globals["tentative"].tentative
    assert not module.globals["defined"].tentative
    assert module.globals["fixed"].readonly
    assert ["elsewhere"] == list(module.extern_data)
    (reloc,) = module.globals["where"].relocs
    assert (0, "defined", 4) == (reloc.offset, reloc.symbol, reloc.addend)


def test_the_result_does_not_depend_on_anything_but_the_source() -> None:
    from hcc.compiler.ir.printer import print_module

    source = '#include <stdio.h>\nint main(void) { printf(__DATE__ "%d", 3); }\n'

    assert print_module(module_of(source)) == print_module(module_of(source))


def test_calls_are_direct_where_the_callee_is_named() -> None:
    module = module_of("int g(int); int f(int (*p)(int)) { return g(1) + (*p)(2) + (&g)(3); }")
    direct = [isinstance(c.args[0], Symbol) for c in _calls(module)]

    assert [True, False, True] == direct
