"""Chains compiled to machine code: one function that runs a batch of vectors through a firmware.

The unit is sequential (each chain sees what the one before wrote), so long inputs cannot be
vectorised over vectors; but within a vector all lanes do the same. This module writes LLVM IR
for one firmware: a loop over vectors whose body is the chains, one after the other, each block
working on up to eight lanes at a time. What is known when the firmware is loaded (operations,
addresses, sizes, conditions as 16-entry truth tables) is constant in the code; the memories are
passed in, so that the state stays the caller's.

Two arithmetics share the code: float64 as in LeBug's emulator (sums in numpy's pairwise order,
so that results agree to the last bit), and W-bit integers held in 64-bit lanes (add, subtract
and sum wrap, the fixed-point product is floored, comparisons are signed).

llvmlite is used here and nowhere else in this package.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

from attrs import frozen
from llvmlite import binding as llvm
from llvmlite import ir

from hcc.isa.lebug.chain import Axis, Chain, Op, truth_table
from hcc.isa.lebug.machine import Block

MAX_VECTOR = 8
GROUP = 16
PAIRWISE_BLOCK = 128

_I1, _I8, _I32, _I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
_PTR = ir.PointerType()


@frozen
class Arithmetic:
    """width 0 is float64; otherwise W-bit integers with `fraction` fraction bits."""

    width: int = 0
    fraction: int = 0


@frozen
class Shape:
    """All that the code depends on besides the chains."""

    n: int
    m: int
    middle: tuple[Block, ...]
    pending_capacity: int
    arithmetic: Arithmetic


# inputs, flags, number of vectors, cache, mini-cache, pending, state, low, high, count points,
# count changes, count begins, rows, and the vector and chain of each row
_ARGUMENTS = 15

Kernel = Callable[..., int]


@functools.lru_cache(maxsize=64)
def compile_kernel(chains: tuple[Chain, ...], shape: Shape) -> Kernel:
    """The machine code of a firmware: a function of raw addresses that returns the row count.

    state is int64[2]: elements pending in the packer, and bof1 + 2 * bof2. flags has a byte per
    vector, eof1 + 2 * eof2. rows must have room for one row per commit per vector.
    """
    module = ir.Module("lebug")
    _Generator(module, chains, shape).emit()
    engine = _machine_code(str(module))
    address = engine.get_function_address("run")
    prototype = ctypes.CFUNCTYPE(
        ctypes.c_int64,
        *(ctypes.c_int64 if i == 2 else ctypes.c_void_p for i in range(_ARGUMENTS)),
    )
    function = prototype(address)

    def kernel(*arguments: int) -> int:
        assert engine  # the code lives as long as its engine
        return int(function(*arguments))

    return kernel


def _machine_code(text: str) -> llvm.ExecutionEngine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=2
    )
    module = llvm.parse_assembly(text)
    module.verify()
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    builder = llvm.create_pass_builder(target, tuning)
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine


def _const(value: int) -> ir.Constant:
    return ir.Constant(_I64, value)


class _Generator:
    """Writes the function `run` into a module."""

    def __init__(self, module: ir.Module, chains: tuple[Chain, ...], shape: Shape) -> None:
        self.module, self.chains, self.shape = module, chains, shape
        self.n, self.m = shape.n, shape.m
        self.lanes = min(self.n, MAX_VECTOR)
        self.chunks = self.n // self.lanes
        self.real = shape.arithmetic.width == 0
        self.scalar: ir.Type = ir.DoubleType() if self.real else _I64
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.parameters = [_I64 if i == 2 else _PTR for i in range(_ARGUMENTS)]

    def emit(self) -> None:
        """The function `run`, and one function for each group of chains, which it calls.

        Grouping keeps the compiler's work linear in the number of chains; a single group is
        inlined.
        """
        chains = list(enumerate(self.chains))
        groups = [chains[i : i + GROUP] for i in range(0, len(chains), GROUP)]
        functions = [self.group(chosen, len(groups) == 1) for chosen in groups]
        run = ir.Function(self.module, ir.FunctionType(_I64, self.parameters), "run")
        self.enter(run)
        b = self.b
        counters = b.alloca(ir.ArrayType(_I64, 2))
        progress = b.bitcast(counters, _I64.as_pointer())
        self.fill, self.emitted = progress, self.at(progress, _I64, _const(1))
        bof_place = b.alloca(_I64, name="bof")
        b.store(b.load(self.state, typ=_I64), self.fill)
        b.store(_const(0), self.emitted)
        b.store(b.load(self.at(self.state, _I64, _const(1)), typ=_I64), bof_place)

        def one_vector(k: ir.Value) -> None:
            eof = b.zext(b.load(self.at(self.flags, _I8, k), typ=_I8), _I64)
            bof = b.load(bof_place, typ=_I64)
            one, two = _const(1), _const(2)
            low = b.or_(b.and_(eof, one), b.shl(b.and_(bof, one), one))
            high = b.or_(b.and_(eof, two), b.shl(b.and_(bof, two), one))
            frames = b.or_(low, b.shl(high, one))
            for function in functions:
                b.call(function, [*run.args, progress, k, frames])
            b.store(b.and_(eof, _const(3)), bof_place)

        self.loop(self.count, one_vector)
        b.store(b.load(self.fill, typ=_I64), self.state)
        b.store(b.load(bof_place, typ=_I64), self.at(self.state, _I64, _const(1)))
        b.ret(b.load(self.emitted, typ=_I64))

    def group(self, chosen: list[tuple[int, Chain]], alone: bool) -> ir.Function:
        """A function that runs some chains on one vector."""
        kind = ir.FunctionType(ir.VoidType(), [*self.parameters, _PTR, _I64, _I64])
        function = ir.Function(self.module, kind, f"chains_{chosen[0][0]}")
        function.linkage = "internal"
        function.attributes.add("alwaysinline" if alone else "noinline")
        self.enter(function)
        progress, self.k, self.frames = function.args[_ARGUMENTS:]
        self.work = [self.buffer(self.n), self.buffer(self.n)]
        self.partials = self.buffer(max(1, self.n // PAIRWISE_BLOCK))
        self.counter = self.b.alloca(_I64, name="counter")
        self.fill, self.emitted = progress, self.at(progress, _I64, _const(1))
        source = self.at(self.inputs, self.scalar, self.b.mul(self.k, _const(self.n)))
        for number, chain in chosen:
            self.chain(number, chain, source)
        self.b.ret_void()
        return function

    def enter(self, function: ir.Function) -> None:
        """Go on writing into a function whose first arguments are the memories."""
        for argument in function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        (
            self.inputs, self.flags, self.count, self.cache, self.minicache, self.pending,
            self.state, self.low, self.high, self.points, self.changes, self.begins,
            self.rows, self.row_vectors, self.row_chains,
        ) = function.args[:_ARGUMENTS]  # fmt: skip
        self.b = ir.IRBuilder(function.append_basic_block("entry"))

    # Building blocks of code

    def buffer(self, size: int) -> ir.Value:
        memory = self.b.alloca(ir.ArrayType(self.scalar, size))
        memory.align = 64
        return self.b.bitcast(memory, self.scalar.as_pointer())

    def at(self, base: ir.Value, kind: ir.Type, index: ir.Value) -> ir.Value:
        return self.b.gep(base, [index], inbounds=True, source_etype=kind)

    def loop(self, count: ir.Value, body: Callable[[ir.Value], None]) -> None:
        """for i in range(count): body(i), where count may be zero at run time."""
        b = self.b
        before = b.block
        head = b.append_basic_block("loop")
        inside = b.append_basic_block("body")
        after = b.append_basic_block("after")
        b.branch(head)
        b.position_at_end(head)
        index = b.phi(_I64)
        index.add_incoming(_const(0), before)
        b.cbranch(b.icmp_signed("<", index, count), inside, after)
        b.position_at_end(inside)
        body(index)
        index.add_incoming(b.add(index, _const(1)), b.block)
        b.branch(head)
        b.position_at_end(after)

    def over_chunks(self, body: Callable[[ir.Value], None]) -> None:
        """body(first lane) for each group of lanes; written out when there are few."""
        if self.chunks <= 2:
            for chunk in range(self.chunks):
                body(_const(chunk * self.lanes))
        else:
            self.loop(_const(self.chunks), lambda i: body(self.b.mul(i, _const(self.lanes))))

    def load(self, base: ir.Value, lane: ir.Value) -> ir.Value:
        value = self.b.load(self.lanes_at(base, lane), typ=self.vector)
        value.align = 8
        return value

    def store(self, value: ir.Value, base: ir.Value, lane: ir.Value) -> None:
        self.b.store(value, self.lanes_at(base, lane)).align = 8

    def lanes_at(self, base: ir.Value, lane: ir.Value) -> ir.Value:
        """The address of a group of lanes; llvmlite still types what alloca returns."""
        place = self.at(base, self.scalar, lane)
        return place if place.type.is_opaque else self.b.bitcast(place, self.vector.as_pointer())

    def copy(self, source: ir.Value, target: ir.Value) -> None:
        self.over_chunks(lambda lane: self.store(self.load(source, lane), target, lane))

    def splat(self, value: ir.Value) -> ir.Value:
        undefined = ir.Constant(ir.VectorType(value.type, self.lanes), ir.Undefined)
        first = self.b.insert_element(undefined, value, ir.Constant(_I32, 0))
        mask = ir.Constant(ir.VectorType(_I32, self.lanes), [0] * self.lanes)
        return self.b.shuffle_vector(first, undefined, mask)

    def same(self, value: int) -> ir.Constant:
        """A constant in every lane."""
        return ir.Constant(self.vector, [float(value) if self.real else value] * self.lanes)

    def other(self, buffer: ir.Value) -> ir.Value:
        return self.work[1] if buffer is self.work[0] else self.work[0]

    def condition(self, bits: int) -> ir.Value | None:
        """Whether the condition byte holds for this vector; None where it always does."""
        if bits == 0:
            return None
        table = ir.Constant(_I64, truth_table(bits))
        return self.b.trunc(self.b.lshr(table, self.frames), _I1)

    def when(self, condition: ir.Value | None, body: Callable[[], None]) -> None:
        if condition is None:
            body()
            return
        with self.b.if_then(condition):
            body()

    # Arithmetic

    def wrapped(self, value: ir.Value) -> ir.Value:
        """A 64-bit result reduced to W bits and sign-extended; float64 as it is."""
        if self.real:
            return value
        spare = 64 - self.shape.arithmetic.width
        if spare == 0:
            return value
        if isinstance(value.type, ir.VectorType):
            amount: ir.Value = ir.Constant(value.type, [spare] * value.type.count)
        else:
            amount = _const(spare)
        return self.b.ashr(self.b.shl(value, amount), amount)

    def add(self, x: ir.Value, y: ir.Value) -> ir.Value:
        return self.b.fadd(x, y) if self.real else self.wrapped(self.b.add(x, y))

    def operate(self, op: Op, x: ir.Value, y: ir.Value) -> ir.Value:
        b = self.b
        match op:
            case Op.ADD:
                return self.add(x, y)
            case Op.SUB:
                return b.fsub(x, y) if self.real else self.wrapped(b.sub(x, y))
            case Op.MUL:
                if self.real:
                    return b.fmul(x, y)
                fraction = ir.Constant(self.vector, [self.shape.arithmetic.fraction] * self.lanes)
                return self.wrapped(b.ashr(b.mul(x, y), fraction))
        if self.real:
            # numpy's maximum: a NaN on either side is the result
            first = b.or_(b.fcmp_ordered(">=", x, y), b.fcmp_unordered("uno", x, x))
        else:
            first = b.icmp_signed(">=", x, y)
        return b.select(first, x, y)

    def above(self, x: ir.Value, edge: ir.Value) -> ir.Value:
        return self.b.fcmp_ordered(">", x, edge) if self.real else self.b.icmp_signed(">", x, edge)

    def counted(self, counts: ir.Value) -> ir.Value:
        """Counts (64-bit integers) as lane values."""
        if self.real:
            kind = self.vector if isinstance(counts.type, ir.VectorType) else self.scalar
            return self.b.sitofp(counts, kind)
        fraction: ir.Value = _const(self.shape.arithmetic.fraction)
        if isinstance(counts.type, ir.VectorType):
            fraction = ir.Constant(counts.type, [self.shape.arithmetic.fraction] * self.lanes)
        return self.wrapped(self.b.shl(counts, fraction))

    # The chains

    def chain(self, number: int, chain: Chain, source: ir.Value) -> None:
        for block in self.shape.middle:
            match block:
                case Block.FILTER_REDUCE:
                    source = self.filter_reduce(chain, source)
                case Block.ALU:
                    source = self.alu(chain, source)
                case Block.SCALAR_REDUCE if chain.reduce:
                    source = self.first_lane(self.total(source), self.other(source))
        if chain.commit:
            self.when(self.condition(chain.commit_cond), lambda: self.commit(number, chain, source))

    def filter_reduce(self, chain: Chain, source: ir.Value) -> ir.Value:
        if not chain.filter:
            if chain.axis is Axis.M:
                return self.first_lane(self.total(source), self.other(source))
            return source
        target = self.other(source)
        base = chain.filter_addr * self.m
        if chain.axis is Axis.M:
            self.loop(_const(self.m), lambda j: self.count_lanes(base, j, source, target))
            if self.m < self.n:
                self.loop(
                    _const(self.n - self.m),
                    lambda i: self.zero_lane(target, self.b.add(i, _const(self.m))),
                )
            return target
        if chain.axis is Axis.N:
            self.over_chunks(
                lambda lane: self.count_ranges(chain.filter_addr, source, target, lane)
            )
        else:
            self.over_chunks(lambda lane: self.first_range(base, source, target, lane))
        return target

    def zero_lane(self, target: ir.Value, lane: ir.Value) -> None:
        self.b.store(ir.Constant(self.scalar, 0), self.at(target, self.scalar, lane))

    def edge(self, memory: ir.Value, index: ir.Value) -> ir.Value:
        return self.splat(self.b.load(self.at(memory, self.scalar, index), typ=self.scalar))

    def inside(self, x: ir.Value, index: ir.Value) -> ir.Value:
        """Which lanes are in range `index`: low < x <= high."""
        upper = self.edge(self.high, index)
        below = (
            self.b.fcmp_ordered("<=", x, upper) if self.real else self.b.icmp_signed("<=", x, upper)
        )
        return self.b.and_(self.above(x, self.edge(self.low, index)), below)

    def first_range(self, base: int, source: ir.Value, target: ir.Value, lane: ir.Value) -> None:
        """Per lane, 1 if it is in the row's first range."""
        counts = ir.VectorType(_I64, self.lanes)
        hits = self.b.zext(self.inside(self.load(source, lane), _const(base)), counts)
        self.store(self.counted(hits), target, lane)

    def count_ranges(self, row: int, source: ir.Value, target: ir.Value, lane: ir.Value) -> None:
        """Per lane, how many of the row's ranges it is in: the changes at the points below it."""
        b = self.b
        kind = ir.VectorType(_I64, self.lanes)
        zero = ir.Constant(kind, [0] * self.lanes)
        x = self.load(source, lane)
        begin = b.load(self.at(self.begins, _I64, _const(row)), typ=_I64)
        end = b.load(self.at(self.begins, _I64, _const(row + 1)), typ=_I64)
        before = b.block
        head, inside = b.append_basic_block("points"), b.append_basic_block("point")
        after = b.append_basic_block("counted")
        b.branch(head)
        b.position_at_end(head)
        j, counts = b.phi(_I64), b.phi(kind)
        j.add_incoming(begin, before)
        counts.add_incoming(zero, before)
        b.cbranch(b.icmp_signed("<", j, end), inside, after)
        b.position_at_end(inside)
        change = self.splat(b.load(self.at(self.changes, _I64, j), typ=_I64))
        above = self.above(x, self.edge(self.points, j))
        j.add_incoming(b.add(j, _const(1)), inside)
        counts.add_incoming(b.add(counts, b.select(above, change, zero)), inside)
        b.branch(head)
        b.position_at_end(after)
        self.store(self.counted(counts), target, lane)

    def count_lanes(self, base: int, j: ir.Value, source: ir.Value, target: ir.Value) -> None:
        """Per range, how many lanes are in it."""
        b = self.b
        index = b.add(j, _const(base))
        bits = ir.IntType(self.lanes)
        population = self.module.declare_intrinsic("llvm.ctpop", [bits])
        b.store(_const(0), self.counter)

        def chunk(lane: ir.Value) -> None:
            hits = b.bitcast(self.inside(self.load(source, lane), index), bits)
            count = b.call(population, [hits])
            wide = count if self.lanes == 64 else b.zext(count, _I64)
            b.store(b.add(b.load(self.counter, typ=_I64), wide), self.counter)

        self.over_chunks(chunk)
        b.store(self.counted(b.load(self.counter, typ=_I64)), self.at(target, self.scalar, j))

    def alu(self, chain: Chain, source: ir.Value) -> ir.Value:
        result = self.minicache if chain.mc_load else source
        if chain.op is not Op.PASS:
            operand = self.at(self.cache, self.scalar, _const(chain.addr * self.n))
            target, operator = self.other(source), result
            condition = self.condition(chain.cond)

            def chunk(lane: ir.Value) -> None:
                x = self.load(operator, lane)
                value = self.operate(chain.op, x, self.load(operand, lane))
                if condition is not None:
                    value = self.b.select(condition, value, x)
                self.store(value, target, lane)

            self.over_chunks(chunk)
            result = target
        if chain.cache:
            row = self.at(self.cache, self.scalar, _const(chain.cache_addr * self.n))
            stored = result
            self.when(self.condition(chain.cache_cond), lambda: self.copy(stored, row))
        if chain.mc_save and result is not self.minicache:
            self.copy(result, self.minicache)
        return result

    def first_lane(self, value: ir.Value, target: ir.Value) -> ir.Value:
        """The vector [value, 0, 0, …]."""
        self.over_chunks(lambda lane: self.store(self.same(0), target, lane))
        self.b.store(value, self.at(target, self.scalar, _const(0)))
        return target

    # Sums, in the order of numpy's pairwise summation

    def total(self, source: ir.Value) -> ir.Value:
        if self.n < MAX_VECTOR:
            return self.total_in_order(source)
        block = min(self.n, PAIRWISE_BLOCK)
        blocks = self.n // block
        if blocks == 1:
            return self.total_of_block(source, _const(0), block)

        def one(index: ir.Value) -> None:
            first = self.b.mul(index, _const(block))
            value = self.total_of_block(source, first, block)
            self.b.store(value, self.at(self.partials, self.scalar, index))

        self.loop(_const(blocks), one)
        while blocks > 1:
            blocks //= 2

            def pair(index: ir.Value) -> None:
                left = self.b.mul(index, _const(2))
                right = self.b.add(left, _const(1))
                value = self.add(self.partial(left), self.partial(right))
                self.b.store(value, self.at(self.partials, self.scalar, index))

            self.loop(_const(blocks), pair)
        return self.partial(_const(0))

    def partial(self, index: ir.Value) -> ir.Value:
        return self.b.load(self.at(self.partials, self.scalar, index), typ=self.scalar)

    def total_in_order(self, source: ir.Value) -> ir.Value:
        value: ir.Value = ir.Constant(self.scalar, -0.0 if self.real else 0)
        for lane in range(self.n):
            item = self.b.load(self.at(source, self.scalar, _const(lane)), typ=self.scalar)
            value = self.add(value, item)
        return value

    def total_of_block(self, source: ir.Value, first: ir.Value, size: int) -> ir.Value:
        """Eight running sums over the block, then ((0+1)+(2+3)) + ((4+5)+(6+7))."""
        value = self.load(source, first)
        for offset in range(MAX_VECTOR, size, MAX_VECTOR):
            value = self.add(value, self.load(source, self.b.add(first, _const(offset))))
        width = MAX_VECTOR
        while width > 1:
            width //= 2
            kind = ir.VectorType(_I32, width)
            undefined = ir.Constant(value.type, ir.Undefined)
            even = ir.Constant(kind, [2 * i for i in range(width)])
            odd = ir.Constant(kind, [2 * i + 1 for i in range(width)])
            value = self.add(
                self.b.shuffle_vector(value, undefined, even),
                self.b.shuffle_vector(value, undefined, odd),
            )
        return self.b.extract_element(value, ir.Constant(_I32, 0))

    # The packer

    def commit(self, number: int, chain: Chain, source: ir.Value) -> None:
        """Append to the pending row; emit at exactly N. Past N it only grows, and past the
        buffer only the count does."""
        b = self.b
        fill = b.load(self.fill, typ=_I64)
        grown = b.add(fill, _const(chain.commit))
        room = b.icmp_signed("<=", grown, _const(self.shape.pending_capacity))
        with b.if_then(room, likely=True):
            place = self.at(self.pending, self.scalar, fill)
            if chain.commit == self.n:
                self.copy(source, place)
            else:
                self.loop(_const(chain.commit), lambda i: self.copy_lane(source, place, i))
        b.store(grown, self.fill)
        with b.if_then(b.icmp_signed("==", grown, _const(self.n))):
            self.emit_row(number, chain.cast_to_int)

    def copy_lane(self, source: ir.Value, target: ir.Value, lane: ir.Value) -> None:
        value = self.b.load(self.at(source, self.scalar, lane), typ=self.scalar)
        self.b.store(value, self.at(target, self.scalar, lane))

    def emit_row(self, number: int, cast: bool) -> None:
        b = self.b
        index = b.load(self.emitted, typ=_I64)
        row = self.at(self.rows, self.scalar, b.mul(index, _const(self.n)))
        self.over_chunks(
            lambda lane: self.store(self.truncated(self.load(self.pending, lane), cast), row, lane)
        )
        b.store(self.k, self.at(self.row_vectors, _I64, index))
        b.store(_const(number), self.at(self.row_chains, _I64, index))
        b.store(b.add(index, _const(1)), self.emitted)
        b.store(_const(0), self.fill)

    def truncated(self, value: ir.Value, cast: bool) -> ir.Value:
        """The value without its fraction, towards zero."""
        if not cast:
            return value
        if self.real:
            name = f"llvm.trunc.v{self.lanes}f64"
            known = self.module.globals.get(name)
            kind = ir.FunctionType(self.vector, [self.vector])
            return self.b.call(known or ir.Function(self.module, kind, name), [value])
        mask = (1 << self.shape.arithmetic.fraction) - 1
        sign = self.b.ashr(value, self.same(63))
        biased = self.b.add(value, self.b.and_(sign, self.same(mask)))
        return self.b.and_(biased, self.same(~mask))
