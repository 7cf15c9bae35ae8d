"""No text, bytecode, array or case makes a traceback or runs without end.

Everything fed in here is wrong in some way; the only exception that may come out is HccError.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hcc.compiler.firmware import compile_library, compile_text, library
from hcc.compiler.firmware.checks import check
from hcc.emulator.lebug import InstrumentationUnit, Mode
from hcc.isa.errors import HccError
from hcc.isa.lebug import Machine, decode, encode
from hcc.runtime.cli.firmware import command

DATA = Path(__file__).parent.parent / "data" / "lebug"
MACHINE = Machine(max_chains=32, fuvrf_size=32, vvvrf_size=32)
SOURCE = Path(library.__file__ or "").read_text()
PIECES = re.findall(r"\s+|\w+|\W", SOURCE)
HOSTILE = [
    *("while True:", "lambda", "exec('x')", "__import__('os')", "cp.__class__", "\t", "\\\n"),
    *("10**10**10", "1<<9999", "'a'*10**9", "range(10**18)", "((((", "))))", "[", '"""', "'"),
    *("for i in range(65536):", "def f(cp):", "f(cp)", "cp.begin_chain()", "cp.end_chain()"),
    *("return", "cp", "cp.compile()", "-" * 300, "not " * 300, "1e999", "0x", "1__0", "\0", "é"),
    *("if 1:", "else:", "elif", ":", "\n", "\n    ", "\n        ", "..", "@", "$", "=", "+=", ";"),
]


def survives(function: Any, *arguments: Any) -> None:
    start = time.monotonic()
    with contextlib.suppress(HccError):
        function(*arguments)
    assert time.monotonic() - start < 30


def mutated(seed: int, pieces: list[str]) -> str:
    """Source text with pieces dropped, doubled, swapped and replaced by hostile ones."""
    chance = random.Random(seed)
    start = chance.randrange(len(pieces))
    chosen = pieces[start : start + chance.randrange(20, 400)]
    for _ in range(chance.randrange(1, 12)):
        at = chance.randrange(len(chosen))
        match chance.randrange(4):
            case 0:
                del chosen[at : at + chance.randrange(1, 5)]
            case 1:
                chosen.insert(at, chance.choice(HOSTILE))
            case 2:
                chosen[at] = chance.choice(pieces)
            case _:
                chosen[at:at] = chosen[at : at + 20]
        if not chosen:
            chosen = [chance.choice(HOSTILE)]
    return "".join(chosen)


def compile_and_check(text: str) -> None:
    check(compile_text(text, MACHINE))


@pytest.mark.parametrize("seed", range(20))
def test_mutated_firmware_text(seed: int) -> None:
    for step in range(4):
        survives(compile_and_check, mutated(seed * 100 + step, PIECES))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1040))
def test_mutations_at_length(seed: int, tmp_path: Path) -> None:
    for step in range(60):
        survives(compile_and_check, mutated(seed * 100 + step, PIECES))
    for step in range(5):
        test_mutated_bytecode(seed * 100 + step)
        test_mutated_arrays(seed * 100 + step, tmp_path)
        test_mutated_cases(seed * 100 + step, tmp_path)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(HOSTILE + PIECES[:200]), max_size=30).map("".join))
def test_random_firmware_text(text: str) -> None:
    survives(compile_and_check, text)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=80))
def test_any_text(text: str) -> None:
    survives(compile_and_check, text)


@pytest.mark.parametrize(
    "text",
    [
        "def f(cp):\n" + "    x = 1\n" * 5_000,
        "x = " + "[" * 2000 + "]" * 2000 + "\n",
        "def f(cp):\n    x = " + "f(" * 2000 + ")" * 2000 + "\n",
        "def f(cp):\n    x = " + "1 if 1 else " * 3000 + "1\n",
        "def f(cp):\n    x = " + "2 ** " * 3000 + "1\n",
        "def f(cp):\n    x = " + "not " * 3000 + "1\n",
        "def f(cp):\n    x = cp" + ".N" * 3000 + "\n",
        "def f(cp):\n    x = (" + "1," * 8_000 + ")\n",
        "a" * 200_000,
        "'" * 100_000,
        "(" * 100_000,
        "\n" * 200_000,
        "def f(cp):\n    s = 'x'\n    for i in range(60):\n        s = s + s\n",
        "def f(cp):\n    x = 1\n    for i in range(100):\n        x = x * 3\n",
        "def f(cp, a=f(1)):\n    pass\n",
        "def f(cp):\n    for i in range(0, 2**63, 2**62):\n        f(i)\n",
        "def g(a):\n    return g\ndef f(cp):\n    g(1)(2)(3)\n",
        "f = 3\ndef f(cp):\n    f = 4\n    f(cp)\n",
        "cp.begin_chain()\n",
    ],
    ids=range(19),
)
def test_hostile_text_ends_quickly(text: str) -> None:
    survives(compile_and_check, text)


def run_unit(firmware: Any) -> None:
    for mode in Mode:
        unit = InstrumentationUnit(firmware, mode)
        unit.tap_many(np.ones((3, firmware.machine.n)), np.array([1, 2, 3], dtype=np.uint8))
        unit.trace(), unit.report()


def decode_and_run(data: bytes) -> None:
    firmware = decode(data)
    if firmware.machine.tb_size * firmware.machine.n < 1 << 20:
        run_unit(firmware)


@pytest.mark.parametrize("seed", range(30))
def test_mutated_bytecode(seed: int) -> None:
    chance = random.Random(seed)
    name, arguments = chance.choice(
        [("minicache", {}), ("distribution", {"bins": 8}), ("numSparse", {}), ("conditions", {})]
    )
    edges = [float(i) for i in range(16)]
    built = compile_library(name, Machine(), arguments=arguments, edges=edges).firmware
    body = bytearray(encode(built)[:-4])
    for _ in range(chance.randrange(1, 5)):
        match chance.randrange(3):
            case 0:
                body[chance.randrange(8, len(body))] = chance.randrange(256)
            case 1:
                del body[chance.randrange(8, len(body)) :][: chance.randrange(3)]
            case _:
                body.insert(chance.randrange(8, len(body)), chance.randrange(256))
    survives(decode_and_run, bytes(body) + struct.pack("<I", zlib.crc32(body)))


def invoke(*arguments: str) -> None:
    result = CliRunner().invoke(command, list(arguments))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception


@pytest.mark.parametrize("seed", range(40))
def test_mutated_arrays(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    stream = io.BytesIO()
    kinds = ["<f8", "<f4", "<f2", "<i8", "<u1", "<c16", "<U4", "?", "<M8[s]", ">f8"]
    array = np.zeros(chance.choice([(3, 8), (24,), (0, 8), (), (2, 3, 8), (3, 7)]))
    with np.errstate(all="ignore"):
        np.save(stream, array.astype(chance.choice(kinds)))
    data = bytearray(stream.getvalue())
    for _ in range(chance.randrange(3)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.2:
        del data[chance.randrange(len(data)) :]
    path = tmp_path / f"x{chance.choice(['.npy', '.npz'])}"
    path.write_bytes(bytes(data))
    survives(invoke, "run", "vvalu_simple", str(path), "--set", "N=8", "--json")


WEIRD: list[Any] = [None, True, -1, 0, 1.5, 1e400, "", "inf", [], {}, [[]], 10**30, "x" * 50]


def change(value: Any, chance: random.Random) -> Any:
    """The JSON value with one place of it replaced."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        return {**value, key: change(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], change(value[at], chance), *value[at + 1 :]]
    return chance.choice(WEIRD)


@pytest.mark.parametrize("seed", range(25))
def test_mutated_cases(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    for name, mode in (("emulator", "reference"), ("random", "as-built"), ("delta", "delta")):
        case = chance.choice(json.loads((DATA / f"{name}.json").read_text())["cases"])
        case.pop("expected", None)
        for _ in range(3):
            case = change(case, chance)
        path = tmp_path / "case.json"
        path.write_text(json.dumps(case))
        survives(invoke, "case", str(path), "--json", "--mode", mode)
        survives(invoke, "case", str(path), "--mode", mode)


def test_infinite_and_huge_inputs_run_in_every_mode() -> None:
    vectors = np.array([[np.inf, -np.inf, 1e308, -1e308, 0, -0.0, 1e-320, 5]] * 4)
    for name in ("correlation", "minicache", "summaryStats", "activationPredictivenessFixed"):
        built = compile_library(name, MACHINE, edges=[float(i) for i in range(128)]).firmware
        for mode in Mode:
            unit = InstrumentationUnit(built, mode)
            unit.tap_many(vectors, np.array([1, 2, 3, 0], dtype=np.uint8))
            assert len(unit.trace()) == min(unit.report().rows, MACHINE.tb_size)
