"""One reference vector run by our device, in the schema of the reference data's functional lists.

Two schemas are told apart by their keys. A vector of the vendor's simulator has `kernel` (add,
mul, relu, gemv, gemv_tree), `ch`, the sizes (`n`, or `out` and `in`), and operands as `…_u16be`
strings, four hexadecimal digits a value; its outputs are the result, the cycles of putting the
operands into the banks (`preload_cycles`) and those of the kernel (`exec_cycles`). A vector of
PIMSys has its messages, its requests and bursts of memory as [bank, row, column, hexadecimal
bytes]; its outputs are the bursts that were stored (`mem_out`, by bank, row and column) and the
program counter of each unit.

Outputs have the names that the schema gives them, so a case file may hold expected ones, too;
they are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hcc.compiler.pim import vendor
from hcc.emulator.pim.controller import Controller
from hcc.emulator.pim.machine import Machine, Schedule
from hcc.emulator.pim.pimsys import PimsysChannels
from hcc.emulator.pim.specification import SAMSUNG_HBM2
from hcc.isa.errors import FormatError
from hcc.isa.pim import BURST_SIZE, LANES
from hcc.isa.pim.configuration import BankMode
from hcc.isa.pim.plan import Plan
from hcc.isa.pim.requests import Access

Half = NDArray[np.float16]
_PIMSYS_BANKS, _PIMSYS_ROWS, _PIMSYS_COLUMNS = 64, 1 << 16, 128


def run_case(case: Any, source: str) -> dict[str, Any]:
    """The outputs of a case; FormatError names what is missing or malformed."""
    if not isinstance(case, dict):
        raise FormatError(f"{source}: a case is a JSON object")
    if "config_json" in case:
        return _pimsys(case, source)
    if "kernel" in case:
        return _samsung(case, source)
    raise FormatError(f"{source}: a case has 'kernel' or 'config_json'")


# The vendor's vectors


def _number(case: Mapping[str, Any], name: str, source: str, default: int | None = None) -> int:
    value = case.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise FormatError(f"{source}: '{name}' is not a positive number")
    return value


def _values(case: Mapping[str, Any], name: str, count: int, source: str) -> Half:
    text = case.get(name)
    if not isinstance(text, str):
        raise FormatError(f"{source}: '{name}' is not a string of hexadecimal digits")
    try:
        bits = np.frombuffer(bytes.fromhex(text), dtype=">u2")
    except ValueError:
        raise FormatError(
            f"{source}: '{name}' is not a string of four hexadecimal digits a value"
        ) from None
    if bits.size != count:
        raise FormatError(f"{source}: '{name}' has {bits.size} values, not {count}")
    return bits.astype(np.uint16).view(np.float16)


def _hexadecimal(values: Half) -> str:
    return values.reshape(-1).view(np.uint16).astype(">u2").tobytes().hex()


def _samsung(case: dict[str, Any], source: str) -> dict[str, Any]:
    kernel = case["kernel"]
    channels = _number(case, "ch", source, 1)
    ranks = _number(case, "ranks", source, 1)
    if kernel in vendor.ELEMENTWISE:
        size = _number(case, "n", source)
        plan = vendor.elementwise(kernel, size, channels)
        names = [place.name for place in plan.places[:-1]]
        values = {name: _values(case, f"{name}_u16be", size, source) for name in names}
        shape = {"n": size}
        preload = _preload_elementwise(len(names), size, channels)
        key = "y_u16be"
    elif kernel in ("gemv", "gemv_tree"):
        outputs, inputs = _number(case, "out", source), _number(case, "in", source)
        plan = vendor.gemv(outputs, inputs, channels, tree=kernel == "gemv_tree")
        weights = _values(case, "w_u16be", outputs * inputs, source)
        values = {
            "w": weights.reshape(outputs, inputs),
            "x": _values(case, "x_u16be", inputs, source),
        }
        shape = {"out": outputs, "in": inputs}
        preload = _preload_matrix(outputs // channels, inputs)
        key = "partial_sums_16_per_row_u16be"
    else:
        raise FormatError(f"{source}: no kernel is called {kernel!r}")
    cycles, result = _execute(plan, values, ranks)
    return {
        "kernel": kernel,
        "ch": channels,
        **shape,
        "preload_cycles": Controller(SAMSUNG_HBM2, ranks).run(preload),
        "exec_cycles": cycles,
        key: _hexadecimal(result),
    }


def _execute(plan: Plan, values: Mapping[str, Half], ranks: int) -> tuple[int, Half]:
    machine = Machine(plan.channels, Schedule.REFERENCE, ranks=ranks)
    packed = plan.pack(values)
    machine.load(packed.rows)
    timing = machine.run(plan.accesses, plan.constants, packed.streams)
    return timing.cycles, plan.unpack(machine.device.banks.row)


def _preload_elementwise(operands: int, size: int, channels: int) -> list[Access]:
    """Writes that put each operand into its banks, burst by burst."""
    bursts = size // LANES // channels
    return [
        Access(True, x % vendor.BANKS, first + x // (vendor.BANKS * 32), x // vendor.BANKS % 32)
        for first in vendor.INPUT_ROWS[:operands]
        for x in range(bursts)
    ]


def _preload_matrix(outputs: int, inputs: int) -> list[Access]:
    """Writes that put a matrix into the banks: tile by tile, output by output."""
    window, tiles = vendor.WINDOW, inputs // (vendor.WINDOW * LANES)
    writes = []
    for number in range(outputs // (vendor.UNITS * window)):
        for tile in range(tiles):
            first = window * window * (tile // 2 + number * tiles // 2)
            for output in range(vendor.UNITS * window):
                unit, register = divmod(output, window)
                for burst in range(window):
                    row, column = divmod(first + window * burst + register, vendor.BURSTS_PER_ROW)
                    writes.append(Access(True, 2 * unit + tile % 2, row, column))
    return writes


# PIMSys's vectors


def _burst(text: Any, source: str) -> NDArray[np.uint16]:
    try:
        data = bytes.fromhex(text)
    except (TypeError, ValueError):
        raise FormatError(f"{source}: {text!r} is not a burst in hexadecimal") from None
    if len(data) != BURST_SIZE:
        raise FormatError(f"{source}: a burst has {BURST_SIZE} bytes, not {len(data)}")
    return np.frombuffer(data, dtype="<u2")


def _place(entry: Any, first: int, banks: int, source: str) -> tuple[int, int, int]:
    """Bank, row and column of a burst or request."""
    place = entry[first : first + 3] if isinstance(entry, list) else []
    limits = (banks, _PIMSYS_ROWS, _PIMSYS_COLUMNS)
    fits = len(place) == 3 and all(
        isinstance(value, int) and 0 <= value < limit
        for value, limit in zip(place, limits, strict=True)
    )
    if not fits:
        raise FormatError(f"{source}: {entry!r} names no bank, row and column")
    bank, row, column = place
    return bank, row, column


def _list(case: Mapping[str, Any], name: str, source: str) -> list[Any]:
    value = case.get(name, [])
    if not isinstance(value, list):
        raise FormatError(f"{source}: '{name}' is not a list")
    return value


def _pimsys(case: dict[str, Any], source: str) -> dict[str, Any]:
    banks = _number(case, "banks", source, 16)
    shared = bool(case.get("shared_units", False))
    if banks > _PIMSYS_BANKS or (shared and banks % 2):
        raise FormatError(f"{source}: {banks} banks{' for shared units' * shared}")
    device = PimsysChannels(1, banks, shared)
    for entry in _list(case, "mem_in", source):
        bank, row, column = _place(entry, 0, banks, source)
        device.banks.write(row, bank, column // 4, _burst(entry[-1], source))
    for name in ("config_json", "mode_json"):
        text = case.get(name)
        if not isinstance(text, str):
            raise FormatError(f"{source}: '{name}' is not a string of JSON")
        device.configure(text)
    stored: set[tuple[int, int, int]] = set()
    requests = _list(case, "requests", source)
    for entry in requests:
        bank, row, column = _place(entry, 1, banks, source)
        match entry[0]:
            case "RD":
                device.read(bank, row, column)
            case "WR":
                data = _burst(entry[4], source) if len(entry) > 4 else np.zeros(LANES, np.uint16)
                device.write(bank, row, column, data)
                stored |= {(b, row, column) for b in _reached(device, bank)}
            case _:
                raise FormatError(f"{source}: a request is RD or WR, not {entry[0]!r}")
    return {
        "name": case.get("name", ""),
        "banks": banks,
        "shared_units": shared,
        "num_requests": len(requests),
        "mem_out": [
            [bank, row, column, device.banks.read(row, bank, column // 4)[0].tobytes().hex()]
            for bank, row, column in sorted(stored)
        ],
        "pc_after": [device.pc] * device.units,
    }


def _reached(device: PimsysChannels, bank: int) -> range:
    """The banks that a write to `bank` stores to."""
    if device.mode is BankMode.SINGLE_BANK:
        return range(bank, bank + 1)
    if device.mode is BankMode.PIM_ALL_BANK and device.shared:
        return range(bank & 1, device.bank_count, 2)
    return range(device.bank_count)
