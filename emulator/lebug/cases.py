"""One test case in the form of LeBug's golden data: from JSON to the object under `expected`.

A case carries its machine, filter edges, program and inputs; what it prints is what LeBug's own
tools would have left: rows with steps, the trace memory, the caches, what the packer still
holds. In as-built mode the rows carry clocks and raw words as well. Delta cases have a schema
of their own, and so has the fixed-point table. Anything malformed is an HccError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hcc.isa.errors import HccError
from hcc.isa.lebug.chain import Firmware
from hcc.isa.lebug.fixedpoint import decode_value, encode_value

from . import pipeline
from .delta import DeltaFormat, DeltaTrace
from .export import number
from .hardware import Hardware

MAX_STEPS = 10_000_000
MAX_LOGGED_STEPS = 20_000

Json = Mapping[str, object]


def integer(case: Json, name: str) -> int:
    value = case.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise HccError(f"case: '{name}' must be an integer")
    return value


def real(value: object, where: str) -> float:
    """A number of the JSON, or one of the texts "inf", "-inf", "nan"."""
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError
        return float(value)
    except (ValueError, OverflowError):
        raise HccError(f"case: {where}: '{str(value)[:40]}' is not a number") from None


def case_edges(case: Json, firmware_edges: int, as_built: bool) -> tuple[float, ...] | None:
    """The filter memory: in as-built mode the values the hardware was given, where recorded."""
    given = case.get("fu_vrf_used") if as_built else None
    if given is None:
        given = case.get("fu_vrf")
    if given is None:
        return None
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise HccError("case: 'fu_vrf' must be a list of numbers")
    if len(given) != firmware_edges:
        raise HccError(f"case: 'fu_vrf' has {len(given)} values, the machine {firmware_edges}")
    return tuple(real(value, "fu_vrf") for value in given)


def case_inputs(case: Json, n: int) -> list[pipeline.Input]:
    """The vectors whose valid signal (by default high) is high."""
    given = case.get("inputs")
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise HccError("case: 'inputs' must be a list of vectors")
    inputs = []
    for index, item in enumerate(given):
        vector = item.get("v") if isinstance(item, Mapping) else None
        if not isinstance(vector, Sequence) or isinstance(vector, str) or len(vector) != n:
            raise HccError(f"case: input {index} must have 'v', a list of {n} values")
        if not item.get("valid", True):
            continue
        values = np.array([real(value, f"input {index}") for value in vector])
        inputs.append(pipeline.Input(values, bool(item.get("eof1")), bool(item.get("eof2"))))
    return inputs


def reference_case(case: Json, firmware: Firmware, with_log: bool) -> dict[str, object]:
    """Run under the emulator's rules, for the case's number of steps."""
    inputs = case_inputs(case, firmware.machine.n)
    steps = integer(case, "steps") if case.get("steps") is not None else None
    if steps is not None and not 0 <= steps <= MAX_STEPS:
        raise HccError(f"case: 'steps' is {steps}: must be 0 to {MAX_STEPS}")
    if with_log and steps is not None and steps > MAX_LOGGED_STEPS:
        raise HccError(f"case: a cycle trace of {steps} steps (up to {MAX_LOGGED_STEPS})")
    unit = pipeline.run(firmware, firmware.edges, inputs, steps, with_log)
    machine = firmware.machine
    cache = unit.alu.cache if unit.alu else np.zeros((machine.vvvrf_size, machine.n))
    minicache = unit.alu.minicache if unit.alu else np.zeros(machine.n)
    found: dict[str, object] = {
        "packed_rows": [{"step": step, "row": _row(row)} for step, row in unit.rows],
        "trace_buffer": [_row(row) for row in unit.trace.memory],
        "tb_write_index": unit.trace.index,
        "packer_residue": [number(value) for value in unit.packer.residue],
        "packer_fill": unit.packer.fill,
        "vvvrf_final": [_row(row) for row in cache],
        "minicache_final": _row(minicache),
    }
    if unit.log is not None:
        found["cycle_trace"] = _jsonable(unit.log)
    return found


def as_built_case(case: Json, firmware: Firmware) -> dict[str, object]:
    """Run as the published hardware, one vector a clock from clock 0, until all has come out."""
    inputs = case_inputs(case, firmware.machine.n)
    unit = Hardware(firmware)
    machine = firmware.machine
    words = unit.encode(
        np.array([item.values for item in inputs]).reshape(-1, machine.n), "input vector "
    )
    for clock, item in enumerate(inputs):
        unit.enqueue(words[clock], (item.eof1, item.eof2), clock, clock)
    unit.drain()
    memory = np.zeros((machine.tb_size, machine.n), dtype=np.int64)
    for index, (_, _, _, row) in enumerate(unit.rows):
        memory[index % machine.tb_size] = row
    pending = unit.packed[machine.n - unit.fill :]
    return {
        "packed_rows": [
            {"step": clock, "row": _row(unit.values(row))} for clock, _, _, row in unit.rows
        ],
        "hw_rows": [
            {"clock": clock, "raw": row.tolist(), "value": _row(unit.values(row))}
            for clock, _, _, row in unit.rows
        ],
        "trace_buffer": [_row(row) for row in unit.values(memory)],
        "tb_write_index": len(unit.rows) % machine.tb_size,
        "packer_residue": _row(unit.values(pending)),
        "packer_fill": unit.fill,
        "vvvrf_final": [_row(row) for row in unit.values(unit.cache_now())],
        "minicache_final": _row(unit.values(unit.minicache)),
        "vectors_lost": unit.lost,
    }


def delta_case(case: Json) -> dict[str, object]:
    """Run rows through the delta compressor and back."""
    form = DeltaFormat(
        integer(case, "N"),
        integer(case, "TB_SIZE"),
        integer(case, "DATA_WIDTH"),
        integer(case, "DELTA_SLOTS"),
    )
    if form.size * form.n > 1 << 22:
        raise HccError(f"case: a compressed trace of {form.size} x {form.n} values is too large")
    given = case.get("input")
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise HccError("case: 'input' must be a list of rows")
    trace = DeltaTrace(form)
    for index, row in enumerate(given):
        if not isinstance(row, Sequence) or isinstance(row, str):
            raise HccError(f"case: input row {index} must be a list of integers")
        values = [real(value, f"input row {index}") for value in row]
        if any(not np.isfinite(value) for value in values):
            raise HccError(f"case: input row {index} has a value that is not finite")
        trace.write([v if isinstance(v, int) else int(float(v)) for v in row])
    return {
        "tb_words": trace.words,
        "comp_flags": trace.flags,
        "tb_ptr": trace.pointer,
        "last_vector": trace.last,
        "decompressed": trace.decompress(),
    }


def codec_case(case: Json) -> dict[str, object]:
    """One line of the fixed-point table: a value, its word and what the word stands for."""
    width = integer(case, "width")
    if width % 2 or not 2 <= width <= 64:
        raise HccError(f"case: 'width' is {width}: must be even and from 2 to 64")
    word = encode_value(real(case.get("value"), "value"), width)
    return {"encoded": word, "decoded": decode_value(word, width)}


def _row(values: NDArray[np.float64]) -> list[float | str]:
    return [number(float(value)) for value in values]


def _jsonable(value: object) -> object:
    match value:
        case float():
            return number(value)
        case dict():
            return {key: _jsonable(item) for key, item in value.items()}
        case list():
            return [_jsonable(item) for item in value]
    return value
