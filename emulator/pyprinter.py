"""Prints the effects of a block as the lines of a Python function.

A node that is used once is printed in place, so that a `select` arm costs nothing when it is not
taken; one used more often becomes a local variable at its first use. Sums and products are
printed without their mask where whatever uses them masks anyway.

Loads and stores test the page's permission byte and the alignment in line and go to
`Memory.load` and `Memory.store` for everything else: other pages, devices, misaligned accesses.
An address beyond the page table raises IndexError, which the interpreter turns into a fault; in
`checked` mode every access takes the slow path, which names the address.
"""

from __future__ import annotations

from typing import Any

from hcc.emulator.memory import READ, WRITE
from hcc.emulator.pynodes import PACK, Node
from hcc.emulator.pyops import LOOSE, REPEATS, SPELLINGS, through
from hcc.isa.builder import Op, Trap
from hcc.isa.values import I1

_TRAP_NAMES = {kind: f"TRAP_{kind.name}" for kind in Trap}

# Python's parser takes about 200 nested parentheses; longer texts become variables.
_MAX_TEXT = 400
# Taller graphs are printed in slices, as the printer's recursion has its limit too.
_MAX_HEIGHT = 40


def count_uses(node: Node) -> None:
    """Count the uses of a node that will be printed, and of its operands the first time."""
    stack = [node]
    while stack:
        node = stack.pop()
        node.uses += 1
        if node.uses == 1:
            operands = printed_operands(node)
            stack.extend(operands)
            if node.op in REPEATS:
                stack.extend(operands)


def printed_operands(node: Node) -> tuple[Node, ...]:
    """The nodes that the text of a node names; bits read as a number are their image's."""
    if node.op is Op.BITCAST and node.ty.is_float and node.args[0].image is not None:
        return (node.args[0].image,)
    return node.args


class Printer:
    """Collects lines and the guest PC each belongs to."""

    def __init__(self, checked: bool) -> None:
        self.lines: list[str] = []
        self.pcs: list[int] = []
        self._count = 0
        self._checked = checked
        self._pc = 0
        self._indent = " "
        self._named: list[Node] = []

    def line(self, pc: int, text: str) -> None:
        self.lines.append(self._indent + text)
        self.pcs.append(pc)

    def _temp(self) -> str:
        self._count += 1
        return f"t{self._count}"

    # ---- expressions ----

    def expr(self, node: Node, loose: bool = False) -> str:
        """The text of a node; `loose`: any integer will do that is right modulo its width."""
        if node.name is not None:
            return node.name
        if node.image is not None and node.args[2].name is None:
            return self._float_bits(node)
        shared = node.uses > 1
        text = self._text(node, loose and not shared)
        if node.name is not None:
            return node.name
        if shared or len(text) > _MAX_TEXT:
            return self._assign(node, text)
        return text

    def _assign(self, node: Node, text: str) -> str:
        """Give the node a variable."""
        name = node.name = self._temp()
        self.line(self._pc, f"{name} = {text}")
        self._named.append(node)
        return name

    def _float_bits(self, node: Node) -> str:
        """The bits of a float in a statement of its own: what it takes to choose a NaN is long,
        and nothing of it, shared or not, is computed unless there is one."""
        condition, bits, nan = node.args
        name = self._temp()
        self.line(self._pc, f"if {self.expr(condition)}: {name} = {self.expr(bits)}")
        self.line(self._pc, "else:")
        outer, self._indent = self._indent, self._indent + " "
        before = len(self._named)
        self.line(self._pc, f"{name} = {self.expr(nan)}")
        self._indent = outer
        for local in self._named[before:]:
            local.name = None
        del self._named[before:]
        node.name = name
        self._named.append(node)
        return name

    def _text(self, node: Node, loose: bool) -> str:
        op, args = node.op, printed_operands(node)
        if op == PACK:
            return self._pack(node)
        if args is not node.args:
            return self.expr(args[0])
        match op:
            case Op.TRUNC if _is_top(node):
                return self.expr(args[0])
            case Op.ADD | Op.SUB | Op.MUL | Op.TRUNC:
                texts = [self.expr(a, True) for a in args]
            case Op.SHL:
                texts = [self.expr(args[0], True), self.expr(args[1])]
            case Op.AND if args[1].const is not None:
                texts = [self.expr(args[0], True), self.expr(args[1])]
            case Op.OR | Op.XOR | Op.AND:
                texts = [self.expr(a, loose) for a in args]
            case Op.SELECT if not node.ty.is_float:
                arms = [self.expr(a, loose) for a in args[1:]]
                texts = [self.expr(args[0]), *arms]
            case _:
                texts = [self.expr(a) for a in args]
        spellings = LOOSE if loose and op in LOOSE else SPELLINGS
        text = spellings[op](node.ty, texts, [a.ty for a in args], node.attr)  # type: ignore[index]
        if isinstance(op, Op) and (node.ty.is_float or op is Op.BITCAST):
            cells = through(op, node.ty, args[0].ty)
            if cells is not None and args[0].const is None:
                return self._through(node, texts[0] if op is Op.BITCAST else text, *cells)
        return text

    def _through(self, node: Node, text: str, put: str, take: str) -> str:
        """Convert in a statement of its own, as an expression cannot write a cell."""
        name = node.name = self._temp()
        self.line(self._pc, f"{put}[0] = {text}; {name} = {take}[0]")
        self._named.append(node)
        return name

    def _pack(self, node: Node) -> str:
        width = node.args[0].ty.bits
        parts = []
        for i, lane in enumerate(node.args):
            text = self.expr(lane)
            if i == 0:
                parts.append(text)
            elif text != "0":
                parts.append(f"({text} << {i * width})")
        return f"({' | '.join(parts)})"

    def _name(self, pc: int, text: str) -> str:
        """The text itself if it is a name or number, else a variable that holds it."""
        if text.isalnum():
            return text
        name = self._temp()
        self.line(pc, f"{name} = {text}")
        return name

    def _slice(self, root: Node) -> None:
        """Assign variables to nodes at regular heights below a tall node, the lowest first."""
        marks: dict[int, Node] = {}
        seen, stack = {id(root)}, [root]
        while stack:
            node = stack.pop()
            if node.height % _MAX_HEIGHT == 0:
                marks[id(node)] = node
            for arg in printed_operands(node):
                if arg.name is None and arg.height >= _MAX_HEIGHT and id(arg) not in seen:
                    seen.add(id(arg))
                    stack.append(arg)
        for node in sorted(marks.values(), key=lambda node: node.height):
            text = self.expr(node)
            if node.name is None:
                self._assign(node, text)

    # ---- effects ----

    def effect(self, pc: int, kind: str, *parts: Any) -> None:
        self._pc = pc
        for part in parts:
            if isinstance(part, Node) and part.height >= _MAX_HEIGHT and part.name is None:
                self._slice(part)
        match kind:
            case "get":
                index, node = parts
                if node.uses:
                    node.name = self._temp()
                    self.line(pc, f"{node.name} = r[{index}]")
            case "set":
                index, value = parts
                text = self.expr(value)
                self.line(pc, f"r[{index}] = {f'+{text}' if value.ty is I1 else text}")
            case "load":
                self._load(pc, *parts)
            case "store":
                self._store(pc, *parts)
            case "jump":
                self.line(pc, f"return {self.expr(parts[0])}")
            case "branch":
                condition, target, next_pc = parts
                self.line(pc, f"return {target} if {self.expr(condition)} else {next_pc}")
            case "exit_if":
                self.line(pc, f"if {self.expr(parts[0])}: return {parts[1]}")
            case "syscall":
                self.line(pc, f"return {~parts[0]}")
            case "trap":
                self.line(pc, f"raise Trapped({_TRAP_NAMES[parts[0]]})")
            case "trap_if":
                self.line(pc, f"if {self.expr(parts[0])}: raise Trapped({_TRAP_NAMES[parts[1]]})")

    def _load(self, pc: int, node: Node, addr: Node) -> None:
        a, size = self._name(pc, self.expr(addr)), node.ty.bits // 8
        node.name = self._temp()
        slow = f"load({a}, {size})"
        if self._checked:
            self.line(pc, f"{node.name} = {slow}")
            return
        if size == 16:
            value = f"mem8[{a} >> 3] | mem8[({a} >> 3) + 1] << 64"
        else:
            value = _place(a, size)
        self.line(pc, f"{node.name} = {value} if {_plain(a, size, READ)} else {slow}")

    def _store(self, pc: int, addr: Node, value: Node) -> None:
        text = self.expr(value)
        a, size = self._name(pc, self.expr(addr)), value.ty.bits // 8
        slow = f"store({a}, {size}, {text})"
        if self._checked:
            self.line(pc, slow)
            return
        if size == 16:
            text = self._name(pc, text)
            slow = f"store({a}, {size}, {text})"
            fast = f"mem8[{a} >> 3] = {text} & {(1 << 64) - 1}; mem8[({a} >> 3) + 1] = {text} >> 64"
        else:
            fast = f"{_place(a, size)} = {text}"
        self.line(pc, f"if {_plain(a, size, WRITE)}: {fast}")
        self.line(pc, f"else: {slow}")


def _is_top(node: Node) -> bool:
    """Whether a TRUNC cuts nothing off: what it takes was shifted down from the top."""
    shifted = node.args[0]
    return (
        shifted.op is Op.LSHR
        and shifted.args[1].const is not None
        and shifted.args[1].const + node.ty.bits >= shifted.ty.bits
    )


def _place(a: str, size: int) -> str:
    """`size` bytes at address `a` as an element of a view of the memory."""
    return f"mem[{a}]" if size == 1 else f"mem{size}[{a} >> {size.bit_length() - 1}]"


def _plain(a: str, size: int, access: int) -> str:
    """The test that an access is one to an ordinary page, and aligned as its view wants it."""
    page = f"pages[{a} >> 12] & {access}"
    if size == 1:
        return page
    if size == 16:
        return f"{page} and not {a} & 7 and {a} & 4095 <= 4080"
    return f"{page} and not {a} & {size - 1}"
