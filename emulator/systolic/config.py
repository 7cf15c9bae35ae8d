"""SCALE-Sim configuration files: read with places, so that a mistake is named where it stands.

The format is that of Python's configparser: `[section]` headers, `key = value` or `key : value`,
keys without regard to case, `#` and `;` starting a comment line. configparser itself forgets the
line and column of a value, so the file is read here. Keys of all versions (2.0 to 3.0) are
accepted; the sections only version 3 has (`[layout]`, `[sparsity]`) are optional. A key no
version knows is an error, because a misspelt key silently keeps a default.
"""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from hcc.isa.errors import FormatError
from hcc.isa.numerals import whole

MOST = (1 << 31) - 1
"""The most that any number of a file may be, so that addresses keep within 64 bits."""


class Interface(enum.Enum):
    """Whether the DRAM bandwidth is given by the user or estimated from the demand."""

    USER = "USER"
    CALC = "CALC"


class Compat(enum.Enum):
    """Whose stall, stop-cycle and bandwidth rules apply; see docs/systolic.md for the table."""

    V2 = "2.0"
    V3 = "3.0"
    FIXED = "fixed"


@frozen
class Banks:
    """One operand's SRAM banks in `[layout]`: total words a cycle, banks, ports a bank."""

    custom: bool
    bandwidth: int
    banks: int
    ports: int


@frozen
class Sparsity:
    """`[sparsity]` of version 3: N:M weights, layer-wise or row-wise."""

    representation: str
    row_wise: bool
    block_size: int
    seed: int


@frozen
class Config:
    """One accelerator and one way to run it. Sizes in KiB, one word is one byte."""

    run_name: str = "scale_run"
    rows: int = 32
    cols: int = 32
    ifmap_kb: int = 64
    filter_kb: int = 64
    ofmap_kb: int = 64
    ifmap_offset: int = 0
    filter_offset: int = 10_000_000
    ofmap_offset: int = 20_000_000
    dataflow: str = "ws"
    interface: Interface = Interface.CALC
    bandwidths: tuple[int, ...] = (10,)
    topology: str | None = None
    ifmap_banks: Banks | None = None
    filter_banks: Banks | None = None
    sparsity: Sparsity | None = None
    warnings: tuple[str, ...] = field(default=(), eq=False)

    @property
    def uses_version_3(self) -> bool:
        """True if the file asks for something only SCALE-Sim 3 has."""
        custom = any(b is not None and b.custom for b in (self.ifmap_banks, self.filter_banks))
        return custom or self.sparsity is not None

    def read_bandwidths(self, compat: Compat) -> tuple[int, int]:
        """Words a cycle between DRAM and the ifmap and filter buffers.

        SCALE-Sim 3 takes them from the bank bandwidths in `[layout]`, not from Bandwidth.
        """
        if self.interface is Interface.CALC:
            return 10, 10
        first = self.bandwidths[0]
        if compat is not Compat.V3:
            return first, first
        ifmap, filter_ = self.ifmap_banks, self.filter_banks
        return (
            ifmap.bandwidth if ifmap else first,
            filter_.bandwidth if filter_ else first,
        )

    def write_bandwidth(self) -> int:
        """Words a cycle between the ofmap buffer and DRAM."""
        return self.bandwidths[0] if self.interface is Interface.USER else self.cols


@frozen
class Entry:
    """One `key = value` with its place; columns count from 1."""

    value: str
    line: int
    key_column: int
    value_column: int


_KNOWN: dict[str, tuple[str, ...]] = {
    "general": ("run_name",),
    "architecture_presets": (
        "ArrayHeight",
        "ArrayWidth",
        "IfmapSramSzkB",
        "FilterSramSzkB",
        "OfmapSramSzkB",
        "IfmapOffset",
        "FilterOffset",
        "OfmapOffset",
        "Bandwidth",
        "Dataflow",
        "MemoryBanks",
        "ReadRequestBuffer",
        "WriteRequestBuffer",
    ),
    "layout": (
        "IfmapCustomLayout",
        "IfmapSRAMBankBandwidth",
        "IfmapSRAMBankNum",
        "IfmapSRAMBankPort",
        "FilterCustomLayout",
        "FilterSRAMBankBandwidth",
        "FilterSRAMBankNum",
        "FilterSRAMBankPort",
    ),
    "sparsity": (
        "SparsitySupport",
        "SparseRep",
        "OptimizedMapping",
        "BlockSize",
        "RandomNumberGeneratorSeed",
        "NonZeroElems",
    ),
    "run_presets": ("InterfaceBandwidth", "UseRamulatorTrace"),
    "network_presets": ("TopologyCsvLoc",),
}
# Keys of side tools that live in the same files; they do not touch the cycle model.
_FOREIGN = {
    "run_presets": (
        "SRAM_row_size",
        "SRAM_bank_size",
        "DRAM_row_size",
        "DRAM_bank_size",
        "TimeLinearModel",
    ),
}
# The layout keys stood in [architecture_presets] before version 3.0.0.
_LAYOUT_KEYS = frozenset(name.lower() for name in _KNOWN["layout"])
_ACCEPTED = {
    section: frozenset(name.lower() for name in names + _FOREIGN.get(section, ()))
    | (_LAYOUT_KEYS if section == "architecture_presets" else frozenset())
    for section, names in _KNOWN.items()
}


@frozen
class ConfigFile:
    """The entries of a file by (section, key), both lower case, and the readers of values."""

    path: str
    entries: dict[tuple[str, str], Entry]
    last_line: int

    def error(self, entry: Entry, message: str) -> FormatError:
        """An error that points at an entry's value."""
        return FormatError(f"{self.path}:{entry.line}:{entry.value_column}: {message}")

    def find(self, section: str, key: str) -> Entry | None:
        """The entry, or None."""
        return self.entries.get((section, key.lower()))

    def need(self, section: str, key: str) -> Entry:
        """The entry, or an error that says what is missing."""
        entry = self.find(section, key)
        if entry is None:
            raise FormatError(f"{self.path}:{self.last_line}:1: no '{key}' in [{section}]")
        return entry

    def integer(self, entry: Entry, name: str, least: int, most: int = MOST) -> int:
        """The entry's value as a whole number from `least` to `most`."""
        value = whole(entry.value)
        if value is None:
            raise self.error(
                entry, f"'{name}' wants a whole number up to {most}, not '{entry.value[:40]}'"
            )
        if value < least:
            raise self.error(entry, f"'{name}' is {value}; the least is {least}")
        if value > most:
            raise self.error(entry, f"'{name}' is {value}; the most is {most}")
        return value

    def boolean(self, section: str, key: str, default: bool) -> bool:
        """The entry's value as true or false."""
        entry = self.find(section, key)
        if entry is None:
            return default
        match entry.value.lower():
            case "true" | "yes" | "on" | "1":
                return True
            case "false" | "no" | "off" | "0":
                return False
        raise self.error(entry, f"'{key}' wants True or False, not '{entry.value}'")


def _check_known(path: str, section: str, key: str, line: int, column: int) -> None:
    known = _ACCEPTED[section]
    if key.lower() in known:
        return
    if key.lower() in ("ifmapsramsz", "filtersramsz", "ofmapsramsz"):
        hint = f"; '{key}' is SCALE-Sim 1, write '{key}kB'"
    else:
        close = difflib.get_close_matches(key.lower(), sorted(known), n=1)
        names = {n.lower(): n for s in _KNOWN.values() for n in s}
        hint = f"; did you mean '{names.get(close[0], close[0])}'?" if close else ""
    raise FormatError(f"{path}:{line}:{column}: unknown key '{key}' in [{section}]{hint}")


def read_entries(path: str, text: str) -> ConfigFile:
    """Split a file into entries; errors name line and column."""
    entries: dict[tuple[str, str], Entry] = {}
    section: str | None = None
    number = 1
    for number, raw in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        stripped = raw.strip()
        if not stripped or stripped[0] in "#;":
            continue
        column = raw.index(stripped) + 1
        if stripped.startswith("["):
            name = stripped[1:].split("]")[0].strip().lower()
            if "]" not in stripped or name not in _KNOWN:
                raise FormatError(f"{path}:{number}:{column}: unknown section '{stripped}'")
            section = name
            continue
        if section is None:
            raise FormatError(f"{path}:{number}:{column}: text before the first [section]")
        found = re.match(r"([^:=]+?)\s*[:=]\s*", stripped)
        if found is None:
            raise FormatError(f"{path}:{number}:{column}: neither 'key = value' nor [section]")
        key = found[1]
        _check_known(path, section, key, number, column)
        home = "layout" if key.lower() in _LAYOUT_KEYS else section
        if (home, key.lower()) in entries:
            first = entries[home, key.lower()].line
            raise FormatError(f"{path}:{number}:{column}: '{key}' is already set in line {first}")
        entries[home, key.lower()] = Entry(
            stripped[found.end() :], number, column, column + found.end()
        )
    if not entries:
        raise FormatError(f"{path}:1:1: the file is empty")
    return ConfigFile(path, entries, number)


def _read_banks(file: ConfigFile, operand: str, divides: bool) -> Banks | None:
    """The banks of one operand; None if the file says nothing about them.

    `divides`: the bandwidth has to be a multiple of the banks. Only SCALE-Sim 3 in USER mode
    minds, and files that never meet it have other numbers there.
    """
    names = [f"{operand}SRAMBank{part}" for part in ("Bandwidth", "Num", "Port")]
    custom = file.boolean("layout", f"{operand}CustomLayout", False)
    found = [file.find("layout", name) for name in names]
    if all(entry is None for entry in found):
        if custom:
            file.need("layout", names[0])
        return None
    bandwidth, banks, ports = (file.integer(file.need("layout", name), name, 1) for name in names)
    if (divides or custom) and bandwidth % banks:
        raise file.error(
            file.need("layout", names[0]),
            f"'{names[0]}' of {bandwidth} does not divide into {banks} banks",
        )
    return Banks(custom, bandwidth, banks, ports)


def _read_sparsity(file: ConfigFile, rows: int) -> Sparsity | None:
    if not file.boolean("sparsity", "SparsitySupport", False):
        return None
    entry = file.need("sparsity", "SparseRep")
    representation = entry.value.lower()
    if representation not in ("csr", "csc", "ellpack_block"):
        raise file.error(entry, f"'SparseRep' is csr, csc or ellpack_block, not '{entry.value}'")
    row_wise = file.boolean("sparsity", "OptimizedMapping", False)
    block, seed = 1, 0
    if row_wise:
        entry = file.need("sparsity", "BlockSize")
        block = file.integer(entry, "BlockSize", 2)
        if block > rows:
            raise file.error(entry, f"'BlockSize' of {block} is above the {rows} array rows")
    seed_entry = file.find("sparsity", "RandomNumberGeneratorSeed")
    if seed_entry is not None:
        seed = file.integer(seed_entry, "RandomNumberGeneratorSeed", 0)
    elif row_wise:
        file.need("sparsity", "RandomNumberGeneratorSeed")
    return Sparsity(representation, row_wise, block, seed)


def _read_bandwidths(file: ConfigFile, interface: Interface) -> tuple[int, ...]:
    entry = file.find("architecture_presets", "Bandwidth")
    if interface is Interface.CALC:
        return (10,)
    if entry is None:
        entry = file.need("architecture_presets", "Bandwidth")
    values = []
    column = entry.value_column
    for part in entry.value.split(","):
        place = Entry(
            part.strip(), entry.line, entry.key_column, column + len(part) - len(part.lstrip())
        )
        values.append(file.integer(place, "Bandwidth", 1))
        column += len(part) + 1
    return tuple(values)


def parse_config(path: str, text: str, compat: Compat | None = None) -> Config:
    """The configuration a file describes; `path` is only for messages.

    With `compat` of version 3 the file has to obey that version's rules for banks too.
    """
    file = read_entries(path, text)
    section = "architecture_presets"
    interface_entry = file.need("run_presets", "InterfaceBandwidth")
    if interface_entry.value.upper() not in ("USER", "CALC"):
        raise file.error(
            interface_entry,
            f"'InterfaceBandwidth' is USER or CALC, not '{interface_entry.value}'",
        )
    interface = Interface(interface_entry.value.upper())
    dataflow = file.need(section, "Dataflow")
    if dataflow.value.lower() not in ("os", "ws", "is"):
        raise file.error(dataflow, f"'Dataflow' is os, ws or is, not '{dataflow.value}'")

    def number(key: str, least: int) -> int:
        return file.integer(file.need(section, key), key, least)

    rows = number("ArrayHeight", 1)
    divides = compat is Compat.V3 and interface is Interface.USER
    warnings = []
    if file.boolean("run_presets", "UseRamulatorTrace", False):
        raise file.error(
            file.need("run_presets", "UseRamulatorTrace"),
            "replaying Ramulator latencies is not supported; set UseRamulatorTrace to False",
        )
    linear = file.find("run_presets", "TimeLinearModel")
    if linear is not None and linear.value.lower() != "none":
        warnings.append(
            f"{path}:{linear.line}:{linear.key_column}: 'TimeLinearModel' is not modelled"
        )
    topology = file.find("network_presets", "TopologyCsvLoc")
    return Config(
        run_name=file.need("general", "run_name").value,
        rows=rows,
        cols=number("ArrayWidth", 1),
        ifmap_kb=number("IfmapSramSzkB", 1),
        filter_kb=number("FilterSramSzkB", 1),
        ofmap_kb=number("OfmapSramSzkB", 1),
        ifmap_offset=number("IfmapOffset", 0),
        filter_offset=number("FilterOffset", 0),
        ofmap_offset=number("OfmapOffset", 0),
        dataflow=dataflow.value.lower(),
        interface=interface,
        bandwidths=_read_bandwidths(file, interface),
        topology=topology.value.strip().strip('"') if topology else None,
        ifmap_banks=_read_banks(file, "Ifmap", divides),
        filter_banks=_read_banks(file, "Filter", divides),
        sparsity=_read_sparsity(file, rows),
        warnings=tuple(warnings),
    )


def read_config(path: Path | str, compat: Compat | None = None) -> Config:
    """Read a configuration file."""
    return parse_config(str(path), read_text(path), compat)


def read_text(path: Path | str) -> str:
    """A file's text; unreadable or binary files are the user's error."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not a text file (byte {error.start})") from error


def config_from_list(values: Sequence[object], base: Config | None = None) -> Config:
    """SCALE-Sim's `update_from_list`: name, rows, cols, 3 sizes, 3 offsets, dataflow, mode,
    bandwidths."""
    if len(values) < 11:
        raise FormatError(f"a configuration list has at least 11 entries, not {len(values)}")
    if str(values[10]).upper() not in ("USER", "CALC"):
        raise FormatError(f"entry 11 of the list is USER or CALC, not '{values[10]}'")
    interface = Interface(str(values[10]).upper())
    if interface is Interface.USER and len(values) < 12:
        raise FormatError("USER mode wants the bandwidths as entry 12 of the list")
    dataflow = str(values[9]).lower()
    if dataflow not in ("os", "ws", "is"):
        raise FormatError(f"entry 10 of the list is os, ws or is, not '{values[9]}'")
    numbers: list[int] = []
    for position, value in enumerate(values[1:9], 2):
        least = 0 if position > 6 else 1
        number = whole(str(value))
        if number is None or not least <= number <= MOST:
            raise FormatError(
                f"entry {position} of the list wants a whole number from {least} to {MOST},"
                f" not '{value}'"
            )
        numbers.append(number)
    bandwidths: tuple[int, ...] = (10,)
    if interface is Interface.USER:
        given = values[11]
        parts = given if isinstance(given, list | tuple) else str(given).split(",")
        words = [whole(str(part).strip()) for part in parts]
        bandwidths = tuple(word for word in words if word is not None and 1 <= word <= MOST)
        if not words or len(bandwidths) < len(words):
            raise FormatError(
                f"entry 12 of the list wants bandwidths from 1 to {MOST}, not '{given}'"
            )
    rows, cols, ifmap_kb, filter_kb, ofmap_kb, ifmap_at, filter_at, ofmap_at = numbers
    return evolve(
        base or Config(),
        run_name=str(values[0]),
        rows=rows,
        cols=cols,
        ifmap_kb=ifmap_kb,
        filter_kb=filter_kb,
        ofmap_kb=ofmap_kb,
        ifmap_offset=ifmap_at,
        filter_offset=filter_at,
        ofmap_offset=ofmap_at,
        dataflow=dataflow,
        interface=interface,
        bandwidths=bandwidths,
    )
