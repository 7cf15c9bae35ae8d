"""What a memory is like: geometry and timing of one pseudo-channel, loadable from files.

Times are in clock cycles, with the names of the data sheets. Three kinds of file are read: hcc's
own JSON (the fields of `MemorySpec` by name, any of them), DRAMSys's memspec JSON, and the ini
files of DRAMSim2 and its descendants. Two specifications are built in: `samsung`, the HBM2 of the
vendor's PIMSimulator, and `dramsys`, the HBM2 that DRAMSys ships with the geometry that PIMSys
gives it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, fields, frozen

from hcc.isa.errors import FormatError
from hcc.isa.numerals import whole

MOST = (1 << 31) - 1
MOST_NS = 1_000_000  # of a clock cycle


@frozen
class MemorySpec:
    """One rank of one pseudo-channel. Columns count bus words; a burst is `BL` of them."""

    name: str = "samsung"
    bank_groups: int = 4
    banks: int = 16
    columns: int = 128
    rows: int = 16384
    bus_bits: int = 64
    BL: int = 4
    tCK_ns: float = 1.0
    RL: int = 20
    WL: int = 8
    tRCDRD: int = 14
    tRCDWR: int = 10
    tRP: int = 14
    tRAS: int = 33
    tRC: int = 47
    tCCDS: int = 2
    tCCDL: int = 4
    tRRDS: int = 4
    tRRDL: int = 6
    tRTPS: int = 4
    tRTPL: int = 5
    tWR: int = 16
    tWTRS: int = 4
    tWTRL: int = 9
    tRTRS: int = 1
    tRTW: int = 15
    tFAW: int = 16
    tREFI: int = 3900
    tRFC: int = 350
    act_cycles: int = 1  # command cycles of an ACT
    split_buses: bool = False  # row and column commands on buses of their own

    def __attrs_post_init__(self) -> None:
        for f in fields(type(self)):
            value = getattr(self, f.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            most = MOST_NS if f.name == "tCK_ns" else MOST
            if value < 0:
                raise FormatError(f"memory specification: {f.name} is negative")
            if not value <= most:
                raise FormatError(f"memory specification: {f.name} is not a number up to {most}")
        for name in ("banks", "bank_groups", "columns", "rows", "BL", "tREFI", "bus_bits"):
            if getattr(self, name) <= 0:
                raise FormatError(f"memory specification: {name} must be positive")
        if self.BL < 2:
            raise FormatError("memory specification: a burst has at least two words")
        if self.tREFI <= self.tRFC + self.tRC + self.tRP + self.WL + self.tWR:
            raise FormatError(
                f"memory specification: tREFI of {self.tREFI} leaves no time between refreshes"
            )
        if self.banks % self.bank_groups:
            raise FormatError("memory specification: banks do not divide into bank groups")

    @property
    def burst_cycles(self) -> int:
        """Clock cycles a burst takes on the data bus."""
        return self.BL // 2

    @property
    def bursts_per_row(self) -> int:
        return self.columns // self.BL

    @property
    def read_to_precharge(self) -> int:
        return self.burst_cycles + max(self.tRTPL, self.tCCDL) - self.tCCDL

    @property
    def write_to_precharge(self) -> int:
        return self.WL + self.burst_cycles + self.tWR

    @property
    def read_to_write(self) -> int:
        return self.tRTW

    @property
    def write_to_read_long(self) -> int:
        return self.WL + self.burst_cycles + self.tWTRL

    @property
    def write_to_read_short(self) -> int:
        return self.WL + self.burst_cycles + self.tWTRS

    def bank_group(self, bank: int) -> int:
        return bank // (self.banks // self.bank_groups)


SAMSUNG_HBM2 = MemorySpec()

DRAMSYS_HBM2 = MemorySpec(
    name="dramsys",
    rows=65536,
    RL=17,
    WL=7,
    tRCDRD=12,
    tRCDWR=6,
    tRAS=28,
    tRC=42,
    tCCDL=3,
    tRTPS=5,
    tRTPL=5,
    tWR=14,
    tRTW=18,
    tRFC=220,
    act_cycles=2,
    split_buses=True,
)

BUILT_IN = {"samsung": SAMSUNG_HBM2, "dramsys": DRAMSYS_HBM2}

_INI = {
    "NUM_BANK_GROUPS": "bank_groups", "NUM_BANKS": "banks", "NUM_COLS": "columns",
    "NUM_ROWS": "rows", "DEVICE_WIDTH": "bus_bits", "tCK": "tCK_ns", "tXAW": "tFAW",
}  # fmt: skip
_DRAMSYS_TIMES = {
    "RL": "RL", "WL": "WL", "RCDRD": "tRCDRD", "RCDWR": "tRCDWR", "RP": "tRP", "RAS": "tRAS",
    "RC": "tRC", "CCDS": "tCCDS", "CCDL": "tCCDL", "RRDS": "tRRDS", "RRDL": "tRRDL",
    "WR": "tWR", "WTRS": "tWTRS", "WTRL": "tWTRL", "RTW": "tRTW", "FAW": "tFAW",
    "REFI": "tREFI", "RFC": "tRFC",
}  # fmt: skip
_DRAMSYS_GEOMETRY = {
    "nbrOfBankGroups": "bank_groups", "nbrOfBanks": "banks", "nbrOfRows": "rows",
    "width": "bus_bits", "burstLength": "BL",
}  # fmt: skip


def _number(value: Any, name: str, source: str) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise FormatError(f"{source}: {name} is not a whole number")
    return value


def _real(value: Any, name: str, source: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= MOST_NS:
        raise FormatError(f"{source}: {name} is not a positive number up to {MOST_NS}")
    return float(value)


def from_dict(value: Any, source: str) -> MemorySpec:
    """A specification from a parsed JSON document, hcc's or DRAMSys's."""
    if not isinstance(value, dict):
        raise FormatError(f"{source}: a memory specification is a JSON object")
    if "memspec" in value:
        value = value["memspec"]
        if not isinstance(value, dict):
            raise FormatError(f"{source}: a memory specification is a JSON object")
    if "memtimingspec" in value:
        return _from_dramsys(value, source)
    known = {f.name: f for f in fields(MemorySpec)}
    base = value.get("base", "samsung")
    if not isinstance(base, str) or base not in BUILT_IN:
        raise FormatError(f"{source}: no built-in specification is called '{base}'")
    changes: dict[str, Any] = {}
    for name, given in value.items():
        if name == "base":
            continue
        if name not in known:
            raise FormatError(f"{source}: no parameter is called '{name}'")
        match known[name].type:
            case "str" | "bool" as kind:
                if not isinstance(given, str if kind == "str" else bool):
                    raise FormatError(f"{source}: {name} is no {kind}")
                changes[name] = given
            case "float":
                changes[name] = _real(given, name, source)
            case _:
                changes[name] = _number(given, name, source)
    return evolve(BUILT_IN[base], **changes)


def _from_dramsys(value: dict[str, Any], source: str) -> MemorySpec:
    times, geometry = value["memtimingspec"], value.get("memarchitecturespec", {})
    if not isinstance(times, dict) or not isinstance(geometry, dict):
        raise FormatError(f"{source}: memtimingspec and memarchitecturespec are objects")
    changes: dict[str, Any] = {"name": str(value.get("memoryType", "dramsys"))}
    for name, ours in _DRAMSYS_TIMES.items():
        if name in times:
            changes[ours] = _number(times[name], name, source)
    if "RTP" in times:
        changes["tRTPS"] = changes["tRTPL"] = _number(times["RTP"], "RTP", source)
    if "tCK" in times:
        changes["tCK_ns"] = round(_real(times["tCK"], "tCK", source) * 1e9, 6)
    for name, ours in _DRAMSYS_GEOMETRY.items():
        if name in geometry:
            changes[ours] = _number(geometry[name], name, source)
    if "nbrOfColumns" in geometry:
        columns = _number(geometry["nbrOfColumns"], "nbrOfColumns", source)
        changes["columns"] = columns
    return evolve(DRAMSYS_HBM2, **changes)


def _decimal(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def from_ini(text: str, source: str) -> MemorySpec:
    """A specification from an ini file of DRAMSim2 or PIMSimulator."""
    known = {f.name: f for f in fields(MemorySpec)}
    changes: dict[str, Any] = {"name": Path(source).stem}
    for number, raw in enumerate(text.splitlines(), 1):
        content = raw.split(";")[0].strip()
        if not content:
            continue
        name, equals, value = (part.strip() for part in content.partition("="))
        if not equals:
            raise FormatError(f"{source}:{number}: expected NAME=VALUE, found '{content}'")
        ours = _INI.get(name, name)
        if ours not in known or ours == "name":
            continue
        found = _decimal(value) if ours == "tCK_ns" else whole(value)
        if found is None:
            raise FormatError(f"{source}:{number}: {name} is not a number: '{value[:40]}'")
        changes[ours] = found
    spec = evolve(SAMSUNG_HBM2, **changes)
    turnaround = spec.RL + spec.burst_cycles + spec.tRTRS - spec.WL
    return evolve(spec, tRTW=changes.get("tRTW", turnaround))


def load(name: str) -> MemorySpec:
    """A built-in specification by name, or the one in a file."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    try:
        text = Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise FormatError(f"{name}: {reason}") from None
    if name.endswith(".ini"):
        return from_ini(text, name)
    try:
        return from_dict(json.loads(text), name)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: not JSON: {error}") from None


def to_json(spec: MemorySpec) -> dict[str, Any]:
    """The specification in hcc's own format."""
    return asdict(spec)
