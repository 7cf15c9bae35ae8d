"""An independent model of a firmware: untimed, chain by chain, straight from the rules.

It shares no code with the emulator: it reads programs in their JSON form (lists of calls), and
computes with numpy on float64, or with Python integers in W-bit words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Call = dict[str, Any]


def merged(chain: list[Call], n: int) -> dict[str, Any]:
    """The fields of a chain: the last call of a kind wins, conditions add up."""
    fields: dict[str, Any] = {"alu": None, "cache": None, "commit": None, "axis": None}
    fields |= {"filter": None, "load": False, "save": False, "sum": False, "cast": False}
    fields |= {"alu_if": [], "cache_if": [], "commit_if": []}
    for call in chain:
        tests = [
            (call.get(f"condition{stream}"), stream - 1)
            for stream in (1, 2)
            if call.get(f"condition{stream}") is not None
        ]
        match call["op"]:
            case "vv_filter":
                fields["filter"] = call["addr"]
            case "m_reduce":
                fields["axis"] = call.get("axis", "N")
            case "v_cache":
                fields["cache"] = call["addr"]
                fields["cache_if"] += tests
            case "v_mc_load":
                fields["load"] = True
            case "v_mc_save":
                fields["save"] = True
            case "v_reduce":
                fields["sum"] = True
            case "v_commit":
                fields["commit"] = n if call.get("size") is None else call["size"]
                fields["commit_if"] += tests
                fields["cast"] |= bool(call.get("cast_to_int"))
            case name:
                fields["alu"] = (name, call["addr"])
                fields["alu_if"] += tests
    return fields


def met(tests: list[tuple[str, int]], eof: tuple[bool, bool], bof: tuple[bool, bool]) -> bool:
    answers = {"last": eof, "notlast": [not x for x in eof], "first": bof}
    answers["notfirst"] = [not x for x in bof]
    return all(answers[name][stream] for name, stream in tests)


class Model:
    """Runs a program; `rows` are (vector, chain, values) in the order they are emitted."""

    def __init__(
        self,
        program: list[list[Call]],
        n: int,
        m: int,
        rows: int,
        edges: list[float],
        blocks: list[str],
        word: Word | None = None,
    ) -> None:
        self.chains = [merged(chain, n) for chain in program]
        self.n, self.m, self.blocks = n, m, blocks
        self.word = word
        dtype: Any = object if word else np.float64
        lift = word.encode if word else float
        self.edges = [lift(edge) for edge in edges]
        self.cache = [np.array([lift(0.0)] * n, dtype=dtype) for _ in range(rows)]
        self.minicache = np.array([lift(0.0)] * n, dtype=dtype)
        self.bof = (True, True)
        self.pending: list[Any] = []
        self.rows: list[tuple[int, int, list[Any]]] = []
        self.vectors = 0

    def fix(self, vector: Any) -> Any:
        if self.word is None:
            return vector
        return np.array([self.word.wrap(int(x)) for x in vector], dtype=object)

    def push(self, values: Any, eof: tuple[bool, bool]) -> None:
        if self.word:
            start = np.array([self.word.encode(float(x)) for x in values], dtype=object)
        else:
            start = np.array(values, dtype=np.float64)
        for number, chain in enumerate(self.chains):
            self.chain(number, chain, start, eof)
        self.bof = eof
        self.vectors += 1

    def chain(self, number: int, chain: dict[str, Any], x: Any, eof: tuple[bool, bool]) -> None:
        for block in self.blocks:
            if block == "FilterReduceUnit":
                x = self.filter_reduce(chain, x)
            elif block == "VectorVectorALU":
                x = self.alu(chain, x, eof)
            elif block == "VectorScalarReduce" and chain["sum"]:
                x = self.fix([x.sum()] + [x[0] * 0] * (self.n - 1))
                if not self.word:
                    x = np.array(x, dtype=np.float64)
                    x[1:] = 0.0
        if chain["commit"] and met(chain["commit_if"], eof, self.bof):
            self.pending += list(x[: chain["commit"]])
            if len(self.pending) == self.n:
                row = self.pending
                if chain["cast"]:
                    row = [self.truncate(value) for value in row]
                self.rows.append((self.vectors, number, row))
                self.pending = []

    def truncate(self, value: Any) -> Any:
        if self.word is None:
            return float(np.trunc(value))
        unit = 1 << self.word.fraction
        return int(value / unit) * unit if abs(value) < 1 << 50 else value

    def high(self, q: int) -> Any:
        if q + 1 < len(self.edges):
            return self.edges[q + 1]
        with np.errstate(invalid="ignore"):
            low = self.edges[q]
            high = low + (low - self.edges[q - 1])
        return self.word.wrap(int(high)) if self.word else high

    def filter_reduce(self, chain: dict[str, Any], x: Any) -> Any:
        if chain["filter"] is None:
            if chain["axis"] != "M":
                return x
            return self.first(x.sum())
        hits = []
        for j in range(self.m):
            q = chain["filter"] * self.m + j
            low, high = self.edges[q], self.high(q)
            hits.append([1 if (low < v and v <= high) else 0 for v in x])
        one = 1 << self.word.fraction if self.word else 1
        if chain["axis"] is None:
            return self.fix(np.array(hits[0], dtype=x.dtype) * one)
        if chain["axis"] == "N":
            return self.fix(np.array(np.sum(hits, axis=0), dtype=x.dtype) * one)
        counts = [sum(row) for row in hits] + [0] * (self.n - self.m)
        return self.fix(np.array(counts, dtype=x.dtype) * one)

    def first(self, value: Any) -> Any:
        out = np.zeros(self.n) if not self.word else np.array([0] * self.n, dtype=object)
        out[0] = value
        return self.fix(out)

    def alu(self, chain: dict[str, Any], x: Any, eof: tuple[bool, bool]) -> Any:
        if chain["load"]:
            x = self.minicache
        if chain["alu"] and met(chain["alu_if"], eof, self.bof):
            name, addr = chain["alu"]
            y = self.cache[addr]
            shift = self.word.fraction if self.word else 0
            operations: dict[str, Callable[[], Any]] = {
                "vv_add": lambda: x + y,
                "vv_sub": lambda: x - y,
                "vv_mul": lambda: x * y if not self.word else np.array(
                    [(a * b) >> shift for a, b in zip(x, y, strict=True)], dtype=object),
                "vv_max": lambda: np.maximum(x, y),
            }  # fmt: skip
            with np.errstate(all="ignore"):
                x = self.fix(operations[name]())
        if chain["cache"] is not None and met(chain["cache_if"], eof, self.bof):
            self.cache[chain["cache"]] = x
        if chain["save"]:
            self.minicache = x
        return x


class Word:
    """W-bit two's complement with `fraction` fraction bits, in Python integers."""

    def __init__(self, width: int, fraction: int) -> None:
        self.width, self.fraction = width, fraction

    def wrap(self, value: int) -> int:
        value &= (1 << self.width) - 1
        return value - (1 << self.width) if value >> (self.width - 1) else value

    def encode(self, value: float) -> int:
        largest = (1 << (self.width - 1)) - 1
        if abs(value) == float("inf"):
            return largest if value > 0 else -largest
        return max(-largest, min(largest, round(value * (1 << self.fraction))))

    def decode(self, value: int) -> float:
        return value / (1 << self.fraction)
