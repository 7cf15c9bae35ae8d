"""Instructions for an element-wise expression: which, and in which registers.

Two ways, tried in this order:

*Windows* (samsung): auto-indexed instructions work on eight bursts at a time, one register of a
file each, so a value is a whole file and there are two. The tree is evaluated the heavier side
first, operands in banks are read by the instruction that uses them, and a product that is added
becomes a MAD.

*Single bursts* (both dialects): a value is one register of sixteen, and a pass over the program
computes one burst; more values fit, but every instruction serves one burst only.

Both need the program to fit the command file. `Step` says what each instruction reads, which is
what the host's requests are made from. Scalars are in SRF_M and SRF_A under one number for both.
"""

from __future__ import annotations

from attrs import define, field, frozen

from hcc.isa.errors import HccError
from hcc.isa.pim import Dialect, File, Instruction, Op, Operand, compute

from .expressions import Add, Array, Expr, Mul, Relu, Scalar, is_leaf, scalars

WINDOW = 8
_A, _B = File.GRF_A, File.GRF_B


class DoesNotFit(HccError):
    """An expression that has no program; the message says what is short."""


@frozen
class Step:
    """An instruction, and the array whose bursts its triggers read ("" for any)."""

    instruction: Instruction
    array: str = ""


@frozen
class Numbered:
    """The number of each scalar in the SRF: both files hold it, MAD's pairs share one."""

    multipliers: tuple[Scalar | None, ...]  # SRF_M
    addends: tuple[Scalar | None, ...]  # SRF_A

    def multiplier(self, scalar: Scalar) -> Operand:
        return Operand(File.SRF_M, self.multipliers.index(scalar))

    def addend(self, scalar: Scalar) -> Operand:
        return Operand(File.SRF_A, self.addends.index(scalar))

    def either(self, scalar: Scalar) -> Operand:
        if scalar in self.multipliers:
            return self.multiplier(scalar)
        return self.addend(scalar)


def _pairs(expr: Expr) -> list[tuple[Scalar, Scalar]]:
    """Scalars s, t of every array * s + t, which a MAD takes from one number."""
    match expr:
        case Add(Mul(left, Scalar() as s), Scalar() as t):
            return [*_pairs(left), (s, t)]
        case Add(left, right) | Mul(left, right):
            return _pairs(left) + _pairs(right)
        case Relu(operand):
            return _pairs(operand)
    return []


def number_scalars(expr: Expr) -> Numbered:
    """Places for all scalars; DoesNotFit if there are more than the SRF holds."""
    multipliers: list[Scalar | None] = []
    addends: list[Scalar | None] = []
    for s, t in dict.fromkeys(_pairs(expr)):
        if s not in multipliers and t not in addends:
            multipliers.append(s)
            addends.append(t)
    for scalar in scalars(expr):
        if scalar not in multipliers and scalar not in addends:
            multipliers.append(scalar)
            addends.append(None)
    if len(multipliers) > 8:
        extra = [scalar for scalar in multipliers[8:] if scalar is not None]
        free = [at for at, scalar in enumerate(addends[:8]) if scalar is None]
        if len(extra) > len(free) or any(addends[8:]):
            raise DoesNotFit(f"{len(scalars(expr))} scalars; the SRF holds 16")
        for at, scalar in zip(free, extra, strict=False):
            addends[at] = scalar
        del multipliers[8:], addends[8:]
    return Numbered(tuple(multipliers), tuple(addends))


def demand(expr: Expr) -> int:
    """How many vector values are alive at once while the expression is evaluated."""
    match expr:
        case Array() | Scalar():
            return 1
        case Relu(operand):
            return demand(operand)
        case Add(Mul(a, b), c) if not is_leaf(c) or isinstance(c, Array):
            return _mad_demand(a, b, c)
        case Add(left, right) | Mul(left, right):
            return _pair_demand(left, right)
    raise AssertionError(expr)


def _pair_demand(left: Expr, right: Expr) -> int:
    if is_leaf(right):
        return demand(left)
    one, two = demand(left), demand(right)
    return max(one, two) if one != two else one + 1


def _mad_demand(a: Expr, b: Expr, c: Expr) -> int:
    """a * b + c, with c evaluated into the accumulator first."""
    if is_leaf(a):
        beside = 0 if not (isinstance(a, Array) and isinstance(b, Array)) else 1
        return max(demand(c), 1 + beside)
    if is_leaf(b):
        return max(demand(c), 1 + demand(a))
    return _pair_demand(Mul(a, b), c)


@define
class _Windows:
    """Evaluation in whole files, for the banks of one parity."""

    bank: File
    numbers: Numbered
    steps: list[Step] = field(factory=list)

    def _emit(self, op: Op, dst: File, *sources: Operand, array: str = "", relu: bool = False
              ) -> None:  # fmt: skip
        aam = op not in (Op.FILL, Op.MOV)
        instruction = compute(op, Operand(dst), *sources, aam=aam, relu=relu)
        self.steps.append(Step(instruction, array))

    def evaluate(self, expr: Expr, into: File, spare: tuple[File, ...]) -> None:
        """Compute `expr` into a file, using only that and the spare ones."""
        match expr:
            case Array(name):
                self._emit(Op.FILL, into, Operand(self.bank), array=name)
            case Relu(Array(name)):
                self._emit(Op.FILL, into, Operand(self.bank), array=name, relu=True)
            case Relu(operand):
                self.evaluate(operand, into, spare)
                self._emit(Op.FILL, into, Operand(into), relu=True)
            case Add(Mul(a, b), Scalar() as t) if isinstance(b, Scalar):
                self._scaled(a, b, t, into, spare)
            case Add(Mul(a, b), c) if not isinstance(c, Scalar) and self._mad(a, b, c, into, spare):
                pass
            case Add(left, right):
                self._binary(Op.ADD, left, right, into, spare)
            case Mul(left, right):
                self._binary(Op.MUL, left, right, into, spare)
            case Scalar():
                raise DoesNotFit("a constant alone is not computed from any array")

    def _source(self, expr: Expr, into: File, spare: tuple[File, ...]) -> tuple[Operand, str]:
        """An operand for an instruction into `into`: a bank, or computed there first."""
        if isinstance(expr, Array):
            return Operand(self.bank), expr.name
        self.evaluate(expr, into, spare)
        return Operand(into), ""

    def _scaled(self, a: Expr, s: Scalar, t: Scalar, into: File, spare: tuple[File, ...]) -> None:
        source, array = self._source(a, into, spare)
        m = self.numbers.either(s)
        if (
            m.file is File.SRF_M
            and t in self.numbers.addends
            and (self.numbers.addend(t).index == m.index)
        ):
            self._emit(Op.MAD, into, source, m, self.numbers.addend(t), array=array)
        else:
            self._emit(Op.MUL, into, source, m, array=array)
            self._emit(Op.ADD, into, Operand(into), self.numbers.either(t))

    def _mad(self, a: Expr, b: Expr, c: Expr, into: File, spare: tuple[File, ...]) -> bool:
        """a * b + c as a MAD, where it saves a trigger; whether it was done."""
        if isinstance(b, Scalar):
            if self.numbers.either(b).file is not File.SRF_M:
                return False
            if not isinstance(a, Array) and not (spare and demand(a) <= len(spare)):
                return False
            if not isinstance(a, Array) and isinstance(c, Array):
                return False  # MUL, then ADD with the bank, takes no more
            self.evaluate(c, into, spare)
            source, array = self._source(a, spare[0] if spare else into, spare[1:])
            m = self.numbers.multiplier(b)  # its index field is src2's, too
            self._emit(Op.MAD, into, source, m, Operand(into, m.index), array=array)
            return True
        if isinstance(b, Array) and spare and demand(a) <= len(spare) and not is_leaf(c):
            self.evaluate(c, into, spare)
            self.evaluate(a, spare[0], spare[1:])
            self._emit(Op.MAD, into, Operand(spare[0]), Operand(self.bank), Operand(into),
                       array=b.name)  # fmt: skip
            return True
        return False

    def _binary(self, op: Op, left: Expr, right: Expr, into: File, spare: tuple[File, ...]
                ) -> None:  # fmt: skip
        match right:
            case Scalar():
                source, array = self._source(left, into, spare)
                self._emit(op, into, source, self.numbers.either(right), array=array)
            case Array(name):
                self.evaluate(left, into, spare)
                self._emit(op, into, Operand(into), Operand(self.bank), array=name)
            case _:
                if not spare:
                    raise DoesNotFit("more than two values are alive at once")
                first, second = (left, right) if demand(left) >= demand(right) else (right, left)
                self.evaluate(first, into, spare)
                self.evaluate(second, spare[0], spare[1:])
                self._emit(op, into, Operand(into), Operand(spare[0]))


@frozen
class Selection:
    """Steps for even and for odd banks (samsung windows), or for one burst (`window` 1)."""

    window: int
    even: tuple[Step, ...]
    odd: tuple[Step, ...]
    numbers: Numbered
    shared: bool = False  # even and odd steps use both files: results are stored in between


def windows(expr: Expr, numbers: Numbered) -> Selection:
    """Auto-indexed instructions for eight bursts; DoesNotFit if two files are too few."""
    sides = []
    used = set()
    for bank, into, other in ((File.EVEN_BANK, _A, _B), (File.ODD_BANK, _B, _A)):
        side = _Windows(bank, numbers)
        side.evaluate(expr, into, (other,))
        sides.append(tuple(side.steps))
        used |= {o.file for s in side.steps for o in s.instruction.operands if o.file == other}
    return Selection(WINDOW, sides[0], sides[1], numbers, shared=bool(used))


@define
class _Singles:
    """Evaluation in single registers, for one burst."""

    dialect: Dialect
    numbers: Numbered
    steps: list[Step] = field(factory=list)
    _free: list[Operand] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._free = [Operand(f, i) for f in (_B, _A) for i in reversed(range(8))]

    def _take(self) -> Operand:
        if not self._free:
            raise DoesNotFit("more than sixteen values are alive at once")
        return self._free.pop()

    def result(self, expr: Expr) -> Operand:
        """Compute into GRF_A[0], where the store takes it from."""
        into = self._take()
        self._into(expr, into)
        return into

    def _emit(self, op: Op, dst: Operand, *sources: Operand, array: str = "", relu: bool = False
              ) -> None:  # fmt: skip
        self.steps.append(Step(compute(op, dst, *sources, relu=relu), array))

    def _into(self, expr: Expr, into: Operand) -> None:
        bank = Operand(File.EVEN_BANK)
        match expr:
            case Array(name):
                self._emit(Op.MOV, into, bank, array=name)
            case Relu() if self.dialect is Dialect.PIMSYS:
                raise DoesNotFit("pimsys has no ReLU; the host applies it")
            case Relu(Array(name)):
                self._emit(Op.MOV, into, bank, array=name, relu=True)
            case Relu(operand):
                self._into(operand, into)
                self._emit(Op.MOV, into, into, relu=True)
            case Add(left, right) | Mul(left, right):
                op = Op.ADD if isinstance(expr, Add) else Op.MUL
                if isinstance(right, Scalar):
                    if isinstance(left, Array):
                        self._emit(op, into, bank, self.numbers.either(right), array=left.name)
                    else:
                        self._into(left, into)
                        self._emit(op, into, into, self.numbers.either(right))
                elif isinstance(right, Array):
                    self._into(left, into)
                    self._emit(op, into, bank, into, array=right.name)
                else:
                    self._into(left, into)
                    other = self._take()
                    self._into(right, other)
                    self._emit(op, into, into, other)
                    self._free.append(other)
            case Scalar():
                raise DoesNotFit("a constant alone is not computed from any array")


def singles(expr: Expr, numbers: Numbered, dialect: Dialect) -> Selection:
    """Instructions for one burst in the even banks (pimsys: in every bank)."""
    side = _Singles(dialect, numbers)
    side.result(expr)
    return Selection(1, tuple(side.steps), (), numbers)
