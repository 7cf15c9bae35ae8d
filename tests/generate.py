"""Random kernel C programs whose result every correct compiler agrees on.

Programs compute over integers of all widths, doubles, arrays, structs and pointers, with loops,
branches, switches, calls and recursion, and print a running checksum. They avoid what C leaves
undefined even under -fwrapv: divisors are made nonzero, shift counts masked, indices reduced,
every variable initialised, and floats never converted to integers.
"""

from __future__ import annotations

import random

from attrs import define, field

INTEGERS = (
    "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t",
)  # fmt: skip

HEAD = """#include <hcc.h>
#include <stdint.h>
#include <stdio.h>
static uint64_t sum_ = 14695981039346656037ull;
static void mix_(uint64_t x) { sum_ = (sum_ ^ x) * 1099511628211ull; sum_ ^= sum_ >> 29; }
static void mixd_(double x) { union { double d; uint64_t u; } c; c.d = x; if (x == x) mix_(c.u); }
struct s_ { int32_t a; uint8_t b; int64_t c; double d; int16_t e[3]; };
static struct s_ g_s = {1, 2, 3, 4.5, {5, 6, 7}};
static int32_t g_a[8] = {3, 1, 4, 1, 5, 9, 2, 6};
static uint64_t g_u = 0x123456789abcdefull;
static int fuel_ = 250;
"""


@define
class ProgramGenerator:
    """Makes one program from a seed."""

    seed: int
    rng: random.Random = field(init=False)
    lines: list[str] = field(factory=list)
    functions: list[tuple[str, int]] = field(factory=list)  # name, number of parameters
    names: int = 0

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def program(self, entry: str = "main") -> str:
        """The whole source; only `entry` is seen by other sources."""
        for i in range(self.rng.randrange(2, 5)):
            self.function(f"f{i}")
        calls = "\n".join(
            f"  mix_((uint64_t){name}({', '.join(self.constant() for _ in range(count))}));"
            for name, count in self.functions
            for _ in range(2)
        )
        main = f'int {entry}(void) {{\n{calls}\n  printf("%llx\\n", (unsigned long long)sum_);\n'
        main += "  return (int)(sum_ & 63);\n}\n"
        return HEAD + "\n".join(self.lines) + "\n" + main

    # ---- functions ----

    def function(self, name: str) -> None:
        count = self.rng.randrange(1, 5)
        params = [(f"p{i}", self.rng.choice(INTEGERS)) for i in range(count)]
        self.functions.append((name, count))
        head = ", ".join(f"{t} {n}" for n, t in params)
        self.lines.append(f"static int64_t {name}({head}) {{")
        self.lines.append("  if (--fuel_ < 0) return 1;")
        scope = Scope([n for n, _ in params])
        for _ in range(self.rng.randrange(1, 4)):
            self.declare(scope, 1)
        self.block(scope, 1, self.rng.randrange(3, 8))
        self.lines.append(f"  return (int64_t)({self.expression(scope, 2)});\n}}")

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def put(self, depth: int, text: str) -> None:
        self.lines.append("  " * depth + text)

    # ---- statements ----

    def block(self, scope: Scope, depth: int, count: int) -> None:
        inner = scope.child()
        for _ in range(count):
            self.statement(inner, depth)

    def declare(self, scope: Scope, depth: int) -> None:
        kind = self.rng.randrange(10)
        if kind < 5:
            name = self.fresh("v")
            self.put(
                depth, f"{self.rng.choice(INTEGERS)} {name} = {self.expression(scope, 2)};"
            )
            scope.integers.append(name)
        elif kind < 7:
            name = self.fresh("d")
            self.put(depth, f"double {name} = {self.real(scope, 2)};")
            scope.doubles.append(name)
        elif kind < 8:
            name = self.fresh("a")
            values = ", ".join(self.constant() for _ in range(4))
            self.put(depth, f"int32_t {name}[4] = {{{values}}};")
            scope.arrays.append((name, 4))
        elif kind < 9:
            name = self.fresh("s")
            self.put(depth, f"struct s_ {name} = g_s;")
            scope.structs.append(name)
        elif scope.integers:
            target = self.rng.choice(scope.arrays)[0] if scope.arrays else "g_a"
            name = self.fresh("q")
            self.put(depth, f"int32_t *{name} = &{target}[{self.rng.randrange(4)}];")
            scope.pointers.append(name)

    def statement(self, scope: Scope, depth: int) -> None:
        kind = self.rng.randrange(16 if depth < 4 else 9)
        match kind:
            case 0 | 1:
                self.declare(scope, depth)
            case 2 | 3 | 4:
                op = self.rng.choice(["=", "+=", "-=", "*=", "^=", "|=", "&="])
                self.put(depth, f"{self.place(scope)} {op} {self.expression(scope, 3)};")
            case 5:
                if scope.doubles:
                    op = self.rng.choice(["=", "+=", "-=", "*="])
                    name = self.rng.choice(scope.doubles)
                    self.put(depth, f"{name} {op} {self.real(scope, 2)};")
                    self.put(depth, f"if (!({name} < 1e100 && {name} > -1e100)) {name} = 0.5;")
            case 6:
                self.put(depth, f"mix_((uint64_t)({self.expression(scope, 2)}));")
            case 7:
                if scope.doubles:
                    self.put(depth, f"mixd_({self.rng.choice(scope.doubles)});")
                else:
                    self.put(depth, "migrate_point();")
            case 8:
                self.put(depth, f"{self.place(scope)} = (int32_t){self.call(scope)};")
            case 9 | 10:
                self.put(depth, f"if ({self.expression(scope, 2)}) {{")
                self.block(scope, depth + 1, self.rng.randrange(1, 4))
                if self.rng.random() < 0.5:
                    self.put(depth, "} else {")
                    self.block(scope, depth + 1, self.rng.randrange(1, 3))
                self.put(depth, "}")
            case 11 | 12 | 13:
                self.loop(scope, depth)
            case 14:
                self.switch(scope, depth)
            case 15:
                if scope.structs:
                    a, b = self.rng.choice(scope.structs), self.rng.choice([*scope.structs, "g_s"])
                    self.put(depth, f"{b} = {a};" if self.rng.random() < 0.5 else f"{a} = {b};")

    def loop(self, scope: Scope, depth: int) -> None:
        name, rounds = self.fresh("i"), self.rng.choice([3, 5, 9, 17])
        inner = scope.child()
        inner.integers.append(name)
        form = self.rng.randrange(3)
        if form == 0:
            self.put(depth, f"for (int {name} = 0; {name} < {rounds}; {name}++) {{")
        elif form == 1:
            self.put(depth, f"for (unsigned {name} = {rounds}; {name}-- > 0;) {{")
        else:
            self.put(depth, f"int {name} = {rounds};")
            self.put(depth, "do {")
        inner.readonly.add(name)
        for _ in range(self.rng.randrange(1, 4)):
            self.statement(inner, depth + 1)
        if self.rng.random() < 0.3:
            exit_ = self.rng.choice(["break", "continue"]) if form != 2 else "break"
            self.put(depth + 1, f"if (({self.expression(inner, 1)}) == 3) {exit_};")
        self.put(depth + 1, "if (--fuel_ < 0) break;")
        self.put(depth, f"}} while (--{name} > 0);" if form == 2 else "}")

    def switch(self, scope: Scope, depth: int) -> None:
        self.put(depth, f"switch (({self.expression(scope, 2)}) & 7) {{")
        for case in self.rng.sample(range(8), 3):
            self.put(depth, f"case {case}:")
            self.put(depth + 1, f"{self.place(scope)} += {self.expression(scope, 1)};")
            if self.rng.random() < 0.7:
                self.put(depth + 1, "break;")
        self.put(depth, "default:")
        self.put(depth + 1, f"mix_({case});")
        self.put(depth, "}")

    # ---- places and expressions ----

    def place(self, scope: Scope) -> str:
        choices = ["g_u", f"g_a[{self.index(scope, 8)}]", "g_s.c", "g_s.b"]
        choices += [n for n in scope.integers if n not in scope.readonly] * 2
        choices += [f"{n}[{self.index(scope, size)}]" for n, size in scope.arrays]
        choices += [f"{n}.{f}" for n in scope.structs for f in ("a", "b", "c", "e[1]")]
        choices += [f"*{n}" for n in scope.pointers]
        return self.rng.choice(choices)

    def index(self, scope: Scope, size: int) -> str:
        name = self.rng.choice(scope.integers) if scope.integers else self.constant()
        return f"(({name}) & {size - 1})"

    def constant(self) -> str:
        value = self.rng.choice(
            [0, 1, 2, 7, 255, 256, 65535, 2147483647, self.rng.getrandbits(31)]
        )
        return str(-value if self.rng.random() < 0.3 else value)

    def call(self, scope: Scope) -> str:
        name, count = self.rng.choice(self.functions)
        return f"{name}({', '.join(self.expression(scope, 1) for _ in range(count))})"

    def expression(self, scope: Scope, depth: int) -> str:
        if depth == 0 or self.rng.random() < 0.15:
            return self.constant() if self.rng.random() < 0.3 else self.place_or_name(scope)
        a, b = self.expression(scope, depth - 1), self.expression(scope, depth - 1)
        match self.rng.randrange(14):
            case 0 | 1 | 2:
                return f"({a} {self.rng.choice('+-*')} {b})"
            case 3 | 4:
                return f"({a} {self.rng.choice('&|^')} {b})"
            case 5:
                # Never 0, and never -1, which would overflow.
                return f"({a} {self.rng.choice(['/', '%'])} ((({b}) & 1023) | 1))"
            case 6:
                return f"({a} {self.rng.choice(['<<', '>>'])} (({b}) & 7))"
            case 7:
                return f"({a} {self.rng.choice(['<', '<=', '>', '>=', '==', '!='])} {b})"
            case 8:
                return f"({a} {self.rng.choice(['&&', '||'])} {b})"
            case 9:
                return f"({a} ? {b} : {self.expression(scope, depth - 1)})"
            case 10:
                return f"(({self.rng.choice(INTEGERS)})({a}))"
            case 11:
                return f"({self.rng.choice('~-!')}({a}))"
            case 12 if scope.doubles:
                name = self.rng.choice(scope.doubles)
                return f"({name} {self.rng.choice('<>')} {self.real(scope, 1)})"
            case _:
                return f"({a}, {b})" if self.rng.random() < 0.2 else f"({a} + {b})"

    def place_or_name(self, scope: Scope) -> str:
        if scope.integers and self.rng.random() < 0.7:
            return self.rng.choice(scope.integers)
        return self.place(scope)

    def real(self, scope: Scope, depth: int) -> str:
        if depth == 0 or self.rng.random() < 0.3:
            if scope.doubles and self.rng.random() < 0.6:
                return self.rng.choice(scope.doubles)
            if scope.integers and self.rng.random() < 0.5:
                return f"(double){self.rng.choice(scope.integers)}"
            return self.rng.choice(["0.5", "1e-3", "3.0", "-7.25", "1e10", "g_s.d"])
        a, b = self.real(scope, depth - 1), self.real(scope, depth - 1)
        if self.rng.random() < 0.15:
            return f"({a} / ({b} * {b} + 1.0))"
        return f"({a} {self.rng.choice('+-*')} {b})"


@define
class Scope:
    """The names that expressions may use."""

    integers: list[str] = field(factory=list)
    doubles: list[str] = field(factory=list)
    arrays: list[tuple[str, int]] = field(factory=list)
    structs: list[str] = field(factory=list)
    pointers: list[str] = field(factory=list)
    readonly: set[str] = field(factory=set)

    def child(self) -> Scope:
        """A scope inside this one."""
        return Scope(
            list(self.integers), list(self.doubles), list(self.arrays), list(self.structs),
            list(self.pointers), set(self.readonly),
        )  # fmt: skip
