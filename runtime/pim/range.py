"""A PIM memory beside a program: where its range lies, what it answers, what is reported.

The range begins at 0xC000_0000, between the heap and the records of migration, and holds at most
128 MiB. SPEC.json is an object with any of `dialect`, `channels`, `rows` (a channel), `memory` (a
built-in specification's name or its parameters), `schedule` (hcc or reference), `shared_units` and
`per_pch_trigger`; a memory specification alone will do as well.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import define, field

from hcc.emulator.memory import Memory
from hcc.emulator.pim.machine import Schedule
from hcc.emulator.pim.port import ROW_SIZE, PimPort, PortSpec, Segment
from hcc.emulator.pim.specification import BUILT_IN, from_dict, load
from hcc.isa.errors import FormatError, HccError
from hcc.isa.pim import BURST_SIZE, Dialect
from hcc.isa.pim.configuration import WINDOW_ADDR

RANGE_SIZE = 0x0800_0000
_DATA_SIZE = 0x0400_0000  # of all channels, unless the specification says more
_KEYS = frozenset(
    {"dialect", "channels", "rows", "memory", "schedule", "shared_units", "per_pch_trigger"}
)


def read_spec(name: str) -> PortSpec:
    """What a specification file (or built-in name) describes."""
    if name in BUILT_IN:
        return make_spec({"memory": name}, name)
    try:
        value = json.loads(Path(name).read_text())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise FormatError(f"{name}: {reason}") from None
    except (ValueError, RecursionError) as error:
        if name.endswith(".ini"):
            return make_spec({"memory": name}, name)
        raise FormatError(f"{name}: not JSON: {error}") from None
    if isinstance(value, dict) and value.keys() - _KEYS and not value.keys() & _KEYS - {"rows"}:
        value = {"memory": value}
    return make_spec(value, name)


def make_spec(value: Any, source: str) -> PortSpec:
    """A specification from parsed JSON."""
    if not isinstance(value, dict):
        raise FormatError(f"{source}: a PIM specification is a JSON object")
    for key in value:
        if key not in _KEYS:
            raise FormatError(
                f"{source}: no parameter is called '{key}'; there are {', '.join(sorted(_KEYS))}"
            )
    dialect = _one_of(Dialect, value, "dialect", source)
    channels = _whole(value, "channels", 1, 64, source)
    share = _DATA_SIZE // ROW_SIZE // channels
    rows = _whole(value, "rows", min(4096, share - share % 2), 4096, source)
    if rows % 2:
        raise FormatError(f"{source}: 'rows' is odd; tiles take rows by pairs")
    memory = value.get("memory", "samsung" if dialect is Dialect.SAMSUNG else "dramsys")
    if isinstance(memory, str):
        spec = load(memory)
    else:
        spec = from_dict(memory, source)
    if spec.banks != 16 or spec.bursts_per_row != 32 or spec.bus_bits * spec.BL != 256:
        raise FormatError(
            f"{source}: a PIM range needs 16 banks and rows of 32 bursts of 32 bytes, not "
            f"{spec.banks} banks and {spec.bursts_per_row} bursts"
        )
    made = PortSpec(
        dialect, channels, rows, spec, _one_of(Schedule, value, "schedule", source),
        _flag(value, "shared_units", source), _flag(value, "per_pch_trigger", source),
    )  # fmt: skip
    if made.size > RANGE_SIZE:
        raise FormatError(
            f"{source}: {channels} channels of {rows} rows take {made.size >> 20} MiB; the range "
            f"has {RANGE_SIZE >> 20}"
        )
    return made


def _one_of(kind: Any, value: dict[str, Any], key: str, source: str) -> Any:
    default = Dialect.SAMSUNG if kind is Dialect else Schedule.HCC
    given = value.get(key, default.value)
    known = {item.value: item for item in kind}
    if not isinstance(given, str) or given not in known:
        raise FormatError(f"{source}: '{key}' is {json.dumps(given)}, not {' or '.join(known)}")
    return known[given]


def _whole(value: dict[str, Any], key: str, default: int, most: int, source: str) -> int:
    given = value.get(key, default)
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise FormatError(
            f"{source}: '{key}' is {json.dumps(given)}, not a number from 1 to {most}"
        )
    return given


def _flag(value: dict[str, Any], key: str, source: str) -> bool:
    given = value.get(key, True)
    if not isinstance(given, bool):
        raise FormatError(f"{source}: '{key}' is {json.dumps(given)}, not true or false")
    return given


@define(eq=False)
class PimRange:
    """The memory of one process, and what is to be reported of it."""

    port: PimPort
    memory: Memory
    direct: bool = True  # whether the engine's loads and stores reach devices
    dumps: list[dict[str, Any]] = field(factory=list)
    _since: int = 0  # segments before the last reset

    @classmethod
    def attach(cls, memory: Memory, spec: PortSpec, engine: str = "interp") -> PimRange:
        """Map a PIM memory into the address space of an engine."""
        if engine == "lockstep":
            raise HccError("--engine lockstep would send every request twice: use jit or interp")
        made = cls(PimPort(spec), memory, engine == "interp")
        memory.map_device(WINDOW_ADDR, -(-spec.size // 4096) * 4096, made.port)
        return made

    @property
    def busy(self) -> bool:
        return self.port.busy

    def call(self, question: int, addr: int, value: int, content: int) -> int:
        """The system call `hcc_pim`: what there is, and requests from engines whose loads and
        stores do not get here."""
        at = addr - WINDOW_ADDR
        if question < 8:
            return self._answer(question)
        if not 0 <= at < self.port.spec.size:
            return -errno.EFAULT
        match question:
            case 8:
                burst = self.memory.read(value, BURST_SIZE)
                for step in range(0, BURST_SIZE, 8):
                    word = int.from_bytes(burst[step : step + 8], "little")
                    self.port.write(at + step, 8, word)
            case 9:
                words = [self.port.read(at + step, 8) for step in range(0, BURST_SIZE, 8)]
                if value:
                    self.memory.write(value, b"".join(w.to_bytes(8, "little") for w in words))
            case 10 if value in (1, 2, 4, 8):
                self.port.write(at, value, content & ((1 << 8 * value) - 1))
            case _:
                return -errno.EINVAL
        return 0

    def _answer(self, question: int) -> int:
        """Base address, channels, rows, dialect, whether loads and stores get here."""
        spec = self.port.spec
        dialects = (Dialect.SAMSUNG, Dialect.PIMSYS)
        answers = (
            WINDOW_ADDR, spec.channels, spec.rows, dialects.index(spec.dialect), int(self.direct),
        )  # fmt: skip
        return answers[question] if question < len(answers) else -errno.EINVAL

    def statistics(self, operation: int) -> int:
        """The system call `hcc_stats`."""
        match operation:
            case 0:
                self.port.settle()
                self._since = len(self.port.segments)
            case 1:
                self.port.settle()
                self.dumps.append(self.summary())
            case _:
                return -errno.EINVAL
        return 0

    def finish(self) -> None:
        """At the end of the program: report what has not been dumped."""
        if not self.port.busy:
            self.port.settle()

    def summary(self) -> dict[str, Any]:
        """Cycles, energy and causes since the last reset. Channels run side by side: the cycles
        are those of the one that took longest."""
        segments = self.port.segments[self._since :]
        spec = self.port.spec
        by_channel = [0] * spec.channels
        in_kernels = [0] * spec.channels
        causes: dict[str, int] = {}
        for segment in segments:
            by_channel[segment.channel] += segment.cycles
            if segment.kernel:
                in_kernels[segment.channel] += segment.cycles
            for cause, cycles in segment.causes.items():
                causes[cause] = causes.get(cause, 0) + cycles
        cycles = max(by_channel)
        return {
            "dialect": spec.dialect.value,
            "channels": spec.channels,
            "cycles": cycles,
            "kernel_cycles": max(in_kernels),
            "ns": cycles * spec.memory.tCK_ns,
            "kernels": len({s.kernel for s in segments if s.kernel}),
            "requests": sum(segment.requests for segment in segments),
            "energy_nj": round(sum(segment.energy_pj for segment in segments) / 1000, 2),
            "causes_all_channels": causes,
        }

    def timeline(self) -> list[dict[str, Any]]:
        """The segments since the last reset, in order of time."""
        found = sorted(self.port.segments[self._since :], key=lambda s: (s.start, s.channel))
        return [_row(segment) for segment in found]

    def report(self) -> dict[str, Any]:
        """What `--stats` has under `pim`."""
        return self.summary() | {"dumps": self.dumps, "timeline": self.timeline()}


def _row(segment: Segment) -> dict[str, Any]:
    return {
        "channel": segment.channel,
        "kernel": segment.kernel,
        "start": segment.start,
        "cycles": segment.cycles,
        "requests": segment.requests,
        "energy_nj": round(segment.energy_pj / 1000, 3),
        "causes": segment.causes,
    }


def text_report(found: PimRange, width: int = 60, most: int = 24) -> Iterable[str]:
    """Cycles, energy and a time line for a reader: `=` kernels, `.` plain requests."""
    for number, dump in enumerate(found.dumps, 1):
        yield f"pim: dump {number}: {_line(dump)}"
    summary = found.summary()
    yield f"pim: {_line(summary)}"
    rows = found.timeline()
    if not rows:
        return
    begin = min(row["start"] for row in rows)
    end = max(row["start"] + row["cycles"] for row in rows)
    scale = max(1, end - begin) / width
    for channel in range(found.port.spec.channels):
        marks = [" "] * width
        for row in rows:
            if row["channel"] != channel:
                continue
            first = int((row["start"] - begin) / scale)
            last = max(first + 1, int((row["start"] + row["cycles"] - begin) / scale))
            for at in range(first, min(last, width)):
                marks[at] = "=" if row["kernel"] else "."
        yield f"pim: channel {channel:2} |{''.join(marks)}| {begin}..{end}"
    kernels = [row for row in rows if row["kernel"]]
    for row in kernels[:most]:
        causes = ", ".join(f"{cause} {cycles}" for cause, cycles in row["causes"].items())
        yield (
            f"pim: kernel {row['kernel']} on channel {row['channel']} at {row['start']}: "
            f"{row['cycles']} cycles ({causes})"
        )
    if len(kernels) > most:
        yield f"pim: and {len(kernels) - most} more; --stats has them all"


def _line(summary: dict[str, Any]) -> str:
    return (
        f"{summary['cycles']} cycles, {summary['kernel_cycles']} of them in "
        f"{summary['kernels']} kernels; {summary['requests']} requests; "
        f"about {summary['energy_nj']} nJ"
    )
