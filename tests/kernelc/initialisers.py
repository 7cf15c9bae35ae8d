"""Random initialised objects as C text: types, and initialisers in all the ways C writes them."""

from __future__ import annotations

import random

PRELUDE = """\
enum shade { DARK = -3, PALE = 7, WHITE = 200 };
#define BIG (65535)
#define PAIR 3, 4
#define TWICE(...) __VA_ARGS__, __VA_ARGS__
extern int printf(const char *, ...);
int target[16];
"""
_INTEGERS = (
    "char", "signed char", "unsigned char", "short", "unsigned short", "int", "unsigned",
    "long", "unsigned long", "long long", "_Bool", "enum shade",
)  # fmt: skip
_SPICE = (
    "'a'", "'\\377'", "sizeof(long)", "BIG", "WHITE", "DARK", "(char)300", "1 + 2 * 3", "~0u",
    "- 5", "-7u", "-0x80000000", "0b101", "(7)", "1 ? 5 : 6", "5 -3", "!0",
)  # fmt: skip
_FLOATS = ("2.75", "1e2")  # what they are as bit-fields, C does not say


class Type:
    """A scalar by its C name, an array (`element`, `length`), or a record (`members`)."""

    def __init__(self, name: str, members: tuple[Type, ...] = (), union: bool = False) -> None:
        self.name = name
        self.members = members
        self.union = union
        self.element: Type | None = None
        self.length = 0
        self.bits = False

    def array(self, length: int) -> Type:
        made = Type("")
        made.element, made.length = self, length
        return made

    def declare(self, name: str) -> str:
        if self.element is not None:
            return self.element.declare(f"{name}[{self.length or ''}]")
        return f"{self.name} {name}"


class Initialisers:
    """Makes programs that print what gcc makes of their objects, one per line in hexadecimal."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.records: list[str] = []

    def program(self, objects: int) -> tuple[str, list[str]]:
        """A program and the names of its static objects; `sum_of_locals` is about its others."""
        rng = self.rng
        names = [f"object{i}" for i in range(objects)]
        definitions = []
        for name in names:
            type_ = self.type(rng.choice([1, 1, 2, 3]))
            static = rng.choice(["static ", "", "const "])
            definitions.append(f"{static}{self._definition(type_, name)}")
        inner = self._scalar(pointers=False).array(0).declare("local")
        local = [f"  {inner} = {self._table(Type('int'), rng.randrange(3, 30))};"]
        dumps = [f"  dump(&{name}, sizeof {name});" for name in names]
        text = [
            PRELUDE,
            *self.records,
            *definitions,
            "unsigned sum_of_locals(void) {",
            *local,
            "  unsigned sum = 0;",
            "  const unsigned char *at = (const unsigned char *)local;",
            "  for (unsigned i = 0; i < sizeof local; i++) sum = sum * 31 + at[i];",
            "  return sum;",
            "}",
            "static void dump(const void *at, int size) {",
            '  for (int i = 0; i < size; i++) printf("%02x", ((const unsigned char *)at)[i]);',
            '  printf("\\n");',
            "}",
            "int main(void) {",
            '  printf("%lx\\n%u\\n", (unsigned long)target, sum_of_locals());',
            *dumps,
            "}",
        ]
        return "\n".join(text) + "\n", names

    # ---- types ----

    def type(self, depth: int) -> Type:
        rng = self.rng
        if depth == 0:
            return self._scalar()
        if rng.random() < 0.6:
            return self.type(depth - 1).array(rng.randrange(1, 5))
        return self._record(depth)

    def _scalar(self, pointers: bool = True) -> Type:
        others = ["float", "double", "const int *"] if pointers else ["double"]
        return Type(self.rng.choice(_INTEGERS if self.rng.random() < 0.8 else others))

    def _record(self, depth: int) -> Type:
        rng = self.rng
        union = rng.random() < 0.1
        members: list[Type] = []
        lines = []
        for i in range(rng.randrange(1, 6)):
            if rng.random() < 0.2 and not union:
                base = Type(rng.choice(["int", "unsigned", "unsigned char", "_Bool"]))
                width = 1 if base.name == "_Bool" else rng.randrange(1, 9)
                lines.append(f"  {base.declare(f'm{i}')} : {width};")
                base.bits = True
                members.append(base)
            else:
                members.append(self.type(rng.randrange(depth)))
                lines.append(f"  {members[-1].declare(f'm{i}')};")
        kind = f"{'union' if union else 'struct'} r{len(self.records)}"
        self.records.append("\n".join([f"{kind} {{", *lines, "};"]))
        return Type(kind, tuple(members), union)

    # ---- initialisers ----

    def _definition(self, type_: Type, name: str) -> str:
        rng = self.rng
        spice = rng.choice([0.0, 0.0, 0.0, 0.05, 0.3])
        loose = rng.choice([0.0, 0.0, 0.1, 0.3])
        if rng.random() < 0.7:
            length = rng.randrange(1, 12)
            rows = [self._value(type_, spice, loose) for _ in range(length)]
            open_ = type_.array(0 if rng.random() < 0.5 else length + rng.randrange(3))
            return f"{open_.declare(name)} = {self._braces(rows)};"
        return f"{type_.declare(name)} = {self._value(type_, spice, loose, True)};"

    def _table(self, leaf: Type, length: int) -> str:
        return self._braces([self._value(leaf, 0.05, 0) for _ in range(length)])

    def _value(self, type_: Type, spice: float, loose: float, outermost: bool = False) -> str:
        rng = self.rng
        if type_.element is None and not type_.members:
            text = self._leaf(type_.name, spice, type_.bits)
            return f"{{{text}}}" if rng.random() < loose / 4 else text
        if type_.element is not None:
            parts = [type_.element] * type_.length
        else:
            parts = list(type_.members[:1] if type_.union else type_.members)
        count = len(parts) if rng.random() < 0.7 else rng.randrange(len(parts) + 1)
        rows = [self._value(part, spice, loose) for part in parts[:count]]
        if rng.random() < loose and rows:
            at = rng.randrange(len(rows))
            if type_.element is not None:
                rows[at] = f"[{at}] = {rows[at]}"
            else:
                rows[at] = f".m{at} = {rows[at]}"
        whole = count == len(parts)
        plain = not outermost and not any("=" in row or "{" in row for row in rows)
        if whole and rows and plain and rng.random() < loose:
            return self._joined(rows)  # braces left out
        if whole and rng.random() < loose / 3 and not type_.union:
            rows.append("99")  # one too many
        return self._braces(rows)

    def _leaf(self, name: str, spice: float, bits: bool) -> str:
        rng = self.rng
        if name == "const int *":
            if rng.random() < 0.5:
                return "0"
            return rng.choice(["&target[3]", "target + 2", "(void *)0", "target"])
        if rng.random() < spice:
            return rng.choice(_SPICE if bits else _SPICE + _FLOATS)
        value = rng.choice([rng.randrange(10), rng.randrange(300), rng.randrange(1 << 33)])
        match rng.randrange(12):
            case 0 | 1:
                return hex(value) + rng.choice(["", "", "u", "UL", "ll"])
            case 2:
                return f"0{value:o}"
            case 3 | 4:
                return f"-{value}"
            case 5:
                return f"{value}{rng.choice(['u', 'L', 'ull', 'LLU'])}"
        return str(value)

    def _braces(self, rows: list[str]) -> str:
        rng = self.rng
        end = "," if rows and rng.random() < 0.3 else ""
        return f"{{{self._space()}{self._joined(rows)}{end}{self._space()}}}"

    def _joined(self, rows: list[str]) -> str:
        text = ""
        for i, row in enumerate(rows):
            text += (f"{self._space()},{self._space()}" if i else "") + row
        return text

    def _space(self) -> str:
        return self.rng.choice(["", "", " ", " ", " ", "  ", "\n  ", "\n", " /* of 1, 2 */ ", "\t"])
