"""The instrumentation unit as a device: vectors in, a trace out, all of its state as bytes.

One unit is one firmware on one machine in one mode. It is fed by `tap` (a vector), `tap_many`
(an array of them) or `tap_bytes` (elements in guest memory, for `hcc_tap`); it is asked for its
`trace` and its `report`, which change nothing; it is carried elsewhere by `snapshot` and
`restore`. It knows nothing of programs, engines or ISAs.

Modes: REFERENCE, the rules of LeBug's emulator in float64; FIXED, the same rules in the
machine's W-bit words (inputs rounded and clamped, sums wrapping, products floored); AS_BUILT,
the published hardware with its differences. With a DeltaCompressor among the machine's blocks
the trace is kept compressed.
"""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Self

import numpy as np
from attrs import evolve, frozen
from numpy.typing import ArrayLike, NDArray

from hcc.isa.errors import FormatError, HccError
from hcc.isa.lebug.bytecode import decode, encode
from hcc.isa.lebug.chain import Firmware
from hcc.isa.lebug.fixedpoint import decode_array
from hcc.isa.lebug.machine import Block
from hcc.isa.lebug.tap import FRAME_MASK, ElementType

from .core import Core, HardwareCore, RuleCore
from .delta import DeltaFormat, DeltaTrace
from .export import number
from .snapshot import Restorer, State, pack, unpack
from .trace import StampedRows, Trace, TraceMemory

_BATCH = 256


class Mode(Enum):
    REFERENCE = "reference"
    FIXED = "fixed"
    AS_BUILT = "as-built"


@frozen
class Report:
    """What a unit has done. Steps are clocks in as-built mode."""

    firmware: str
    mode: str
    chains: int
    vectors: int
    lost: int
    rows: int
    overwritten: int
    pending: int
    wedged: bool
    steps: int
    residue: tuple[float, ...]
    compression: float | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "firmware": self.firmware,
            "mode": self.mode,
            "chains": self.chains,
            "vectors": self.vectors,
            "vectors_lost": self.lost,
            "rows": self.rows,
            "rows_overwritten": self.overwritten,
            "packer_fill": self.pending,
            "packer_wedged": self.wedged,
            "packer_residue": [number(value) for value in self.residue],
            "steps": self.steps,
            "compression_ratio": self.compression,
        }

    def warnings(self) -> list[str]:
        """What a user should know about the data: losses, leftovers, a packer that stopped."""
        found = []
        if self.lost:
            found.append(
                f"{self.lost} of {self.vectors} vectors lost: they came faster than "
                f"{self.chains} chains allow"
            )
        if self.overwritten:
            found.append(
                f"the trace buffer wrapped: the oldest {self.overwritten} of {self.rows} rows "
                "are overwritten"
            )
        if self.wedged:
            found.append(
                f"the packer overflowed ({self.pending} elements pending) and emits no more rows"
            )
        elif self.pending:
            found.append(f"{self.pending} elements are left in the packer's unfinished row")
        return found


class InstrumentationUnit:
    """One LeBug unit. See the module for its modes and its life."""

    def __init__(
        self,
        firmware: Firmware,
        mode: Mode = Mode.REFERENCE,
        edges: Sequence[float] | None = None,
    ) -> None:
        if edges is not None:
            firmware = evolve(firmware, edges=tuple(float(edge) for edge in edges))
        self.firmware, self.mode = firmware, mode
        self.machine = machine = firmware.machine
        if mode is Mode.FIXED and machine.data_width > 32:
            raise HccError(f"fixed mode takes a DATA_WIDTH of up to 32, not {machine.data_width}")
        self._core: Core = (
            HardwareCore(firmware)
            if mode is Mode.AS_BUILT
            else RuleCore(firmware, mode is Mode.FIXED)
        )
        kind = "<f8" if mode is Mode.REFERENCE else "<i8"
        self._memory = TraceMemory(machine.tb_size, machine.n, kind)
        self._delta: DeltaTrace | None = None
        self._tags: deque[tuple[int, int, int]] = deque()
        if Block.DELTA in machine.blocks:
            form = DeltaFormat(machine.n, machine.tb_size, machine.data_width, machine.delta_slots)
            self._delta = DeltaTrace(form)
            self._tags = deque(maxlen=form.size * form.slots + 1)
        self._offered = 0
        self._waiting: list[tuple[NDArray[np.float64], int]] = []

    # Input

    def tap(self, vector: ArrayLike, flags: int = 0, at: int | None = None) -> None:
        """Send one vector of N values (float, double, fp16 or integers); flags eof1 + 2 * eof2.

        `at` is the step it arrives at, for a source with its own time; without it the source
        waits for the unit. A vector of k * N values is k vectors, the flags on the last.
        Raises HccError for any other length.
        """
        values = _values(vector).reshape(-1)
        n = self.machine.n
        if values.size == 0 or values.size % n:
            raise HccError(f"a vector of {values.size} values: the unit has {n} lanes")
        frames = flags & FRAME_MASK
        if at is None and values.size == n:
            self._waiting.append((values.copy(), frames))
            if len(self._waiting) >= _BATCH:
                self._flush()
            return
        rows = values.reshape(-1, n)
        marks = np.zeros(len(rows), dtype=np.uint8)
        marks[-1] = frames
        times = None if at is None else np.full(len(rows), at, dtype=np.int64)
        self.tap_many(rows, marks, times)

    def tap_bytes(
        self, data: bytes, kind: ElementType, flags: int = 0, at: int | None = None
    ) -> None:
        """Send elements as they lie in guest memory."""
        if len(data) % kind.size:
            raise HccError(f"{len(data)} bytes are no whole number of {kind.name} elements")
        self.tap(np.frombuffer(data, dtype=kind.dtype), flags, at)

    def tap_many(
        self,
        vectors: ArrayLike,
        flags: ArrayLike | None = None,
        times: ArrayLike | None = None,
    ) -> None:
        """Send an array of vectors, (count, N), with a flag byte and an arrival step for each."""
        self._flush()
        values = _values(vectors)
        if values.ndim != 2 or values.shape[1] != self.machine.n:
            raise HccError(
                f"input of shape {'x'.join(map(str, values.shape))}: wanted vectors of "
                f"{self.machine.n} values"
            )
        count = len(values)
        marks = np.zeros(count, dtype=np.uint8) if flags is None else np.asarray(flags)
        if marks.shape != (count,):
            raise HccError(f"{marks.size} frame flags for {count} vectors")
        marks = (marks & FRAME_MASK).astype(np.uint8)
        moments = None if times is None else np.asarray(times, dtype=np.int64)
        if moments is not None and moments.shape != (count,):
            raise HccError(f"{moments.size} arrival times for {count} vectors")
        for start in range(0, count, self.batch):
            part = slice(start, min(start + self.batch, count))
            rows = self._core.feed(
                values[part], marks[part], self._offered,
                None if moments is None else moments[part],
            )  # fmt: skip
            self._offered += len(values[part])
            self._write(rows)

    @property
    def batch(self) -> int:
        """How many vectors to hand over at once, to keep memory and cache use small."""
        return self._core.engine.batch if isinstance(self._core, RuleCore) else 1024

    def set_edges(self, edges: Sequence[float]) -> None:
        """Reprogram the filter memory, as LeBug does at run time."""
        self._flush()
        self._core.set_edges(edges)

    def drain(self) -> None:
        """Let what is under way come out. Only as-built mode has anything under way, and there
        the clocks this takes are part of the unit's history."""
        self._flush()
        self._write(self._core.drain())

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            values = np.array([vector for vector, _ in waiting])
            self.tap_many(values, np.array([flags for _, flags in waiting], dtype=np.uint8))

    def _write(self, rows: StampedRows) -> None:
        if self._delta is None:
            self._memory.write(rows)
            return
        if not np.isfinite(rows.lanes).all():
            raise HccError(
                "the delta compressor keeps integers: a row has a value that is not finite"
            )
        for index, row in enumerate(rows.lanes):
            self._delta.write([int(value) for value in row])
            self._tags.append(
                (int(rows.steps[index]), int(rows.vectors[index]), int(rows.chains[index]))
            )

    # Output

    def trace(self) -> Trace:
        """The rows in the trace buffer, oldest first, with everything under way come out."""
        settled = self._settled()
        if settled._delta is not None:
            return settled._delta_trace(settled._delta)
        memory = settled._memory
        order = memory.order()
        lanes = memory.lanes[order]
        tags = (memory.steps[order], memory.vectors[order], memory.chains[order])
        if self.mode is Mode.REFERENCE:
            return Trace(np.asarray(lanes, dtype=np.float64), *tags, memory.overwritten)
        words = np.asarray(lanes, dtype=np.int64)
        return Trace(self._decoded(words), *tags, memory.overwritten, words)

    def _delta_trace(self, delta: DeltaTrace) -> Trace:
        rows = delta.decompress() if delta.started else []
        words = np.array(rows, dtype=np.int64).reshape(-1, self.machine.n)
        tags = np.array(list(self._tags)[-len(rows) :] if rows else [], dtype=np.int64)
        steps, vectors, chains = tags.reshape(-1, 3).T
        lanes = words.astype(np.float64) if self.mode is Mode.REFERENCE else self._decoded(words)
        return Trace(lanes, steps, vectors, chains, delta.rows_in - len(rows), words)

    @property
    def memory(self) -> NDArray[np.float64]:
        """The whole trace memory as values, in its own order (uncompressed units)."""
        lanes = self._settled()._memory.lanes
        if self.mode is Mode.REFERENCE:
            return np.asarray(lanes, dtype=np.float64)
        return self._decoded(np.asarray(lanes, dtype=np.int64))

    @property
    def write_index(self) -> int:
        """The next-write counter: LeBug's emulator lets it reach TB_SIZE, its hardware does not."""
        index = self._settled()._memory.index
        return index % self.machine.tb_size if self.mode is Mode.AS_BUILT else index

    @property
    def compressed(self) -> DeltaTrace | None:
        """The compressor's memory, if the machine has one."""
        return self._settled()._delta

    def caches(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cache rows and mini-cache, as values."""
        cache, minicache, _ = self._settled()._core.words()
        return self._as_values(cache), self._as_values(minicache)

    def report(self) -> Report:
        settled = self._settled()
        core, delta = settled._core, settled._delta
        memory = settled._memory
        residue = self._as_values(core.words()[2])
        recovered = delta.decompress() if delta is not None and delta.started else []
        return Report(
            firmware=self.firmware.name,
            mode=self.mode.value,
            chains=len(self.firmware.chains),
            vectors=settled._offered,
            lost=core.lost,
            rows=memory.written if delta is None else delta.rows_in,
            overwritten=memory.overwritten if delta is None else delta.rows_in - len(recovered),
            pending=core.fill,
            wedged=core.fill > self.machine.n,
            steps=core.now,
            residue=tuple(residue.tolist()),
            compression=delta.ratio() if delta is not None and delta.started else None,
        )

    def _settled(self) -> InstrumentationUnit:
        """This unit, or a copy of it in which everything has come out."""
        self._flush()
        if self.mode is not Mode.AS_BUILT:
            return self
        copy = type(self).restore(self.snapshot())
        copy.drain()
        return copy

    def _decoded(self, words: NDArray[np.int64]) -> NDArray[np.float64]:
        return decode_array(words, self.machine.data_width, self.machine.data_type)

    def _as_values(self, lanes: NDArray[np.generic]) -> NDArray[np.float64]:
        if self.mode is Mode.REFERENCE:
            return np.asarray(lanes, dtype=np.float64)
        return self._decoded(np.asarray(lanes, dtype=np.int64))

    # State

    def snapshot(self) -> bytes:
        """The whole unit: firmware, memories, counters. `restore` goes on exactly from here."""
        self._flush()
        core = self._core.save()
        memory = self._memory
        values: dict[str, object] = {f"core.{name}": value for name, value in core.values.items()}
        values |= {
            "firmware": base64.b64encode(encode(self.firmware)).decode("ascii"),
            "mode": self.mode.value,
            "offered": self._offered,
            "written": memory.written,
        }
        arrays = {f"core.{name}": array for name, array in core.arrays.items()}
        kept = min(memory.written, memory.size)
        for name in ("lanes", "steps", "vectors", "chains"):
            arrays[f"trace.{name}"] = getattr(memory, name)[:kept]
        if self._delta is not None:
            delta = self._delta
            values |= {
                "delta.words": [item for row in delta.words for item in row],
                "delta.flags": delta.flags,
                "delta.last": delta.last,
                "delta.pointer": delta.pointer,
                "delta.slot": delta.slot,
                "delta.started": int(delta.started),
                "delta.rows_in": delta.rows_in,
            }
            arrays["delta.tags"] = np.array(list(self._tags), dtype=np.int64).reshape(-1, 3)
        return pack(State(values, arrays))

    @classmethod
    def restore(cls, data: bytes, source: str = "snapshot") -> Self:
        """The unit of a snapshot; FormatError if the bytes are not one."""
        saved = Restorer(unpack(data, source), source)
        try:
            bytecode = base64.b64decode(saved.text("firmware"), validate=True)
        except (binascii.Error, ValueError):
            raise FormatError(f"{source}: malformed firmware") from None
        try:
            unit = cls(decode(bytecode, source), Mode(saved.text("mode")))
        except ValueError:
            raise FormatError(f"{source}: unknown mode") from None
        except HccError as error:
            raise FormatError(f"{source}: {error}") from None
        state = saved.state
        unit._core.load(
            Restorer(
                State(
                    {k[5:]: v for k, v in state.values.items() if k.startswith("core.")},
                    {k[5:]: v for k, v in state.arrays.items() if k.startswith("core.")},
                ),
                source,
            )
        )
        unit._offered = saved.within("offered", 0, 1 << 62)
        memory = unit._memory
        memory.written = saved.within("written", 0, 1 << 62)
        kept = min(memory.written, memory.size)
        for name in ("lanes", "steps", "vectors", "chains"):
            saved.into(f"trace.{name}", getattr(memory, name)[:kept])
        if unit._delta is not None:
            unit._load_delta(unit._delta, saved)
        return unit

    def _load_delta(self, delta: DeltaTrace, saved: Restorer) -> None:
        form = delta.format
        words, flags = saved.integers("delta.words"), saved.integers("delta.flags")
        last = saved.integers("delta.last")
        if (len(words), len(flags), len(last)) != (form.size * form.n, form.size, form.n):
            raise FormatError(f"{saved.source}: a compressed trace of another size")
        delta.words = [words[i : i + form.n] for i in range(0, len(words), form.n)]
        delta.flags, delta.last = flags, last
        delta.pointer = saved.within("delta.pointer", 0, form.size - 1)
        delta.slot = saved.within("delta.slot", 0, form.slots - 1)
        delta.started = bool(saved.within("delta.started", 0, 1))
        delta.rows_in = saved.within("delta.rows_in", 0, 1 << 62)
        tags = saved.array("delta.tags", "<i8", 2)
        if tags.shape[1] != 3:
            raise FormatError(f"{saved.source}: malformed row tags")
        self._tags.extend((int(a), int(b), int(c)) for a, b, c in tags.tolist())


def _values(given: ArrayLike) -> NDArray[np.float64]:
    """Numbers of any real type as float64; HccError for anything else."""
    array = np.asarray(given)
    if array.dtype.kind not in "fiub":
        raise HccError(f"values of type {array.dtype} cannot be instrumented (real numbers can)")
    return np.asarray(array, dtype=np.float64)
