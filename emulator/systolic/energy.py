"""Energy of a layer from a small table: so much for a MAC, an SRAM access, a DRAM access.

The default table is for 8-bit words in a 45 nm process, from the figures M. Horowitz gave in
"Computing's energy problem" (ISSCC 2014): an 8-bit multiplication 0.2 pJ and a 32-bit addition
0.1 pJ; 64 bits of cache at 8, 32 and 1024 KiB 10, 20 and 100 pJ; 64 bits of DRAM 1.3 nJ. An SRAM
between the table's sizes is interpolated in log-log; a write costs what a read costs. Leakage and
clocks are one figure for each cell and cycle, zero unless given. Accesses are those of the
reports: SRAM reads and writes off the input's edge included, DRAM words in whole lines.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from attrs import Factory, asdict, frozen

from hcc.isa.errors import FormatError
from hcc.isa.numerals import whole

from .config import MOST, Config, read_text
from .layer import LayerResult

_MOST = 1e12  # picojoules of one event
_LEAST_SRAM = 1e-12  # sizes are interpolated by logarithms


@frozen
class EnergyTable:
    """Picojoules for a MAC, a DRAM word, a cell's cycle, and an SRAM word by KiB."""

    mac: float = 0.3
    dram: float = 162.5
    cell_cycle: float = 0.0
    sram: dict[int, float] = Factory(lambda: {8: 1.25, 32: 2.5, 1024: 12.5})

    def sram_word(self, kb: int) -> float:
        """Picojoules for a word of an SRAM of a size; beyond the table the nearest slope goes
        on, up to a joule."""
        sizes = sorted(self.sram)
        if len(sizes) == 1:
            return self.sram[sizes[0]]
        at = max(1, min(len(sizes) - 1, sum(size < kb for size in sizes)))
        low, high = sizes[at - 1], sizes[at]
        share = math.log(kb / low) / math.log(high / low)
        ratio = self.sram[high] / self.sram[low]
        if math.log(self.sram[low]) + share * math.log(ratio) > math.log(_MOST):
            return _MOST
        return float(self.sram[low] * ratio**share)


@frozen
class LayerEnergy:
    """Picojoules of one layer by where they go."""

    mac: float
    sram_ifmap: float
    sram_filter: float
    sram_ofmap: float
    dram_ifmap: float
    dram_filter: float
    dram_ofmap: float
    cells: float

    @property
    def total(self) -> float:
        """All of it."""
        return math.fsum(asdict(self).values())

    def as_dict(self) -> dict[str, float]:
        """By name, with the total."""
        return {**asdict(self), "total": self.total}


def layer_energy(
    config: Config, result: LayerResult, table: EnergyTable | None = None
) -> LayerEnergy:
    """The energy of a simulated layer."""
    cost = table or EnergyTable()
    return LayerEnergy(
        mac=result.macs * cost.mac,
        sram_ifmap=result.sram_ifmap.count * cost.sram_word(config.ifmap_kb),
        sram_filter=result.sram_filter.count * cost.sram_word(config.filter_kb),
        sram_ofmap=result.sram_ofmap.count * cost.sram_word(config.ofmap_kb),
        dram_ifmap=result.dram_ifmap.count * cost.dram,
        dram_filter=result.dram_filter.count * cost.dram,
        dram_ofmap=result.dram_ofmap.count * cost.dram,
        cells=result.cells * result.total_cycles * cost.cell_cycle,
    )


def read_energy_table(path: Path | str) -> EnergyTable:
    """Read a table: a JSON object with any of mac, dram, cell_cycle, and sram (KiB to pJ)."""
    try:
        data: Any = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise FormatError(f"{path}:{error.lineno}:{error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise FormatError(f"{path}:1:1: an energy table is a JSON object")
    values: dict[str, Any] = {}
    for key, value in data.items():
        match key:
            case "mac" | "dram" | "cell_cycle":
                values[key] = _energy(path, key, value)
            case "sram" if isinstance(value, dict) and value:
                sizes = {}
                for text, pj in value.items():
                    size = whole(text)
                    if size is None or not 1 <= size <= MOST:
                        raise FormatError(f"{path}: sram size '{text[:40]}' is no number of KiB")
                    sizes[size] = _energy(path, f"sram {text}", pj, _LEAST_SRAM)
                values[key] = sizes
            case "sram":
                raise FormatError(f"{path}: 'sram' is an object from KiB to picojoules")
            case _:
                raise FormatError(
                    f"{path}: unknown key '{key}'; there are mac, dram, cell_cycle, sram"
                )
    return EnergyTable(**values)


def _energy(path: Path | str, key: str, value: object, least: float = 0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= _MOST:
        raise FormatError(
            f"{path}: '{key}' wants picojoules from {least:g} to {_MOST:g}, not {value!r:.40}"
        )
    return float(value)
