"""A PIM memory on an address range: loads and stores of a program become requests.

    window   16 KiB     JSON messages byte by byte (pimsys); its last word is the fence
    channel  rows + 3   rows of 16 KiB: 16 banks x 32 bursts x 32 bytes; the last three rows stand
                        for the vendor's rows 0x17ff, 0x1fff and 0x3fff

The bus is eight bytes wide and a burst is 32 bytes, so one buffer lies between: a store to a
burst's last bytes sends a WR of the burst; a load of its first bytes sends an RD and later bytes
come from what was read. A burst that is left half written is completed from the memory. The host
runs as fast as the memory takes its requests: only the memory's time is counted, and channels,
which are independent, run side by side.

Values are computed when a request arrives. Times are worked out when a kernel has ended (the
channel is back in single-bank mode), when the group of plain requests before one ends, or when
somebody asks; each such group is a segment of the time line. A fence is a barrier for the
reference controller; hcc's scheduler keeps the order anyway.

In the pimsys dialect a request drives its own pseudo-channel or, with `per_pch_trigger` false as
in the published memory, all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from attrs import define, evolve, field, frozen

from hcc.isa.errors import HccError
from hcc.isa.pim import BURST_SIZE, Dialect, modes
from hcc.isa.pim.configuration import WINDOW_SIZE, BankMode
from hcc.isa.pim.modes import Mode
from hcc.isa.pim.requests import Access, Purpose

from .attribution import attribute
from .controller import Controller
from .energy import estimate
from .machine import Schedule
from .pimsys import COLUMNS_PER_BURST, PimsysChannels
from .samsung import PimFault, SamsungChannels
from .scheduler import Scheduler
from .specification import SAMSUNG_HBM2, MemorySpec

BANKS, BURSTS = 16, 32
ROW_SIZE = BANKS * BURSTS * BURST_SIZE
FENCE_OFFSET = WINDOW_SIZE - 8
MAGIC = (modes.ENTER_ROW, modes.LEAVE_ROW, modes.CONTROL_ROW)
_MOST_MESSAGE = WINDOW_SIZE - 16
_MOST_PENDING = 1 << 16


@frozen
class PortSpec:
    """What is on the range."""

    dialect: Dialect = Dialect.SAMSUNG
    channels: int = 1
    rows: int = 1024
    memory: MemorySpec = SAMSUNG_HBM2
    schedule: Schedule = Schedule.HCC
    shared_units: bool = True
    per_pch_trigger: bool = True

    @property
    def channel_size(self) -> int:
        return (self.rows + len(MAGIC)) * ROW_SIZE

    @property
    def size(self) -> int:
        """Bytes of the whole range."""
        return WINDOW_SIZE + self.channels * self.channel_size


@frozen
class Segment:
    """A group of requests of one channel: what it was, and when. Kernels are numbered from 1."""

    channel: int
    kernel: int  # 0: plain requests
    start: int
    cycles: int
    requests: int
    causes: dict[str, int]
    energy_pj: float


@define(eq=False)
class _Channel:
    """One pseudo-channel: its units, its clock, the requests not timed yet."""

    device: SamsungChannels | PimsysChannels
    clock: Controller | Scheduler
    pending: list[Access] = field(factory=list)
    kernels: int = 0
    read_at: int = -1
    read_data: bytes = b""
    write_at: int = -1
    write_data: bytearray = field(factory=lambda: bytearray(BURST_SIZE))
    written: int = 0  # how far the burst being written has come


@define(eq=False)
class PimPort:
    """The device of emulator/memory.py's protocol."""

    spec: PortSpec
    segments: list[Segment] = field(factory=list, repr=False)
    on_segment: Callable[[Segment], None] | None = None
    _channels: list[_Channel] = field(init=False, repr=False)
    _window: bytearray = field(factory=bytearray, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._channels = [self._channel() for _ in range(self.spec.channels)]

    def _channel(self) -> _Channel:
        spec = self.spec
        if spec.dialect is Dialect.PIMSYS:
            device = PimsysChannels(1, shared=spec.shared_units)
            return _Channel(device, Scheduler(spec.memory, magic_rows=False))
        clock: Controller | Scheduler
        if spec.schedule is Schedule.REFERENCE:
            clock = Controller(spec.memory)
        else:
            clock = Scheduler(spec.memory)
        return _Channel(SamsungChannels(1), clock)

    @property
    def busy(self) -> bool:
        """Whether a kernel is under way in some channel."""
        return any(self._in_kernel(channel) for channel in self._channels)

    def _in_kernel(self, channel: _Channel) -> bool:
        if isinstance(channel.device, SamsungChannels):
            return channel.device.mode is not Mode.SB
        return channel.device.mode is BankMode.PIM_ALL_BANK

    # The bus

    def read(self, offset: int, size: int) -> int:
        """A load."""
        if offset < WINDOW_SIZE:
            return 0
        number, at = divmod(offset - WINDOW_SIZE, self.spec.channel_size)
        channel, first = self._channels[number], at % BURST_SIZE
        self._complete(channel)
        if first + size > BURST_SIZE:
            raise PimFault(f"a load of {size} bytes at {offset:#x} of the PIM range spans bursts")
        if first == 0 or channel.read_at != at - first:
            channel.read_at = at - first
            channel.read_data = self._request(number, at - first, None)
        return int.from_bytes(channel.read_data[first : first + size], "little")

    def write(self, offset: int, size: int, value: int) -> None:
        """A store."""
        content = value.to_bytes(size, "little")
        if offset < WINDOW_SIZE:
            self._write_window(offset, content)
            return
        number, at = divmod(offset - WINDOW_SIZE, self.spec.channel_size)
        channel, first = self._channels[number], at % BURST_SIZE
        if first + size > BURST_SIZE:
            raise PimFault(f"a store of {size} bytes at {offset:#x} of the PIM range spans bursts")
        burst = at - first
        if channel.write_at != burst:
            self._complete(channel)
            channel.write_at = burst
            channel.write_data[:] = bytes(BURST_SIZE) if first == 0 else self._peek(number, burst)
        channel.write_data[first : first + size] = content
        channel.written = first + size
        channel.read_at = -1
        if first + size == BURST_SIZE:
            self._send(channel, number)

    def _complete(self, channel: _Channel) -> None:
        """Send a burst that is half written: its rest is what the memory has."""
        if channel.write_at < 0:
            return
        number = self._channels.index(channel)
        rest = self._peek(number, channel.write_at)
        channel.write_data[channel.written :] = rest[channel.written :]
        self._send(channel, number)

    def _send(self, channel: _Channel, number: int) -> None:
        at, channel.write_at = channel.write_at, -1
        self._request(number, at, bytes(channel.write_data))

    def _place(self, at: int) -> tuple[int, int, int]:
        """Bank, row and column of an offset in a channel."""
        slot, rest = divmod(at, ROW_SIZE)
        row = slot if slot < self.spec.rows else MAGIC[slot - self.spec.rows]
        return rest // (BURSTS * BURST_SIZE), row, rest // BURST_SIZE % BURSTS

    def _peek(self, number: int, at: int) -> bytes:
        bank, row, column = self._place(at)
        content: bytes = self._channels[number].device.banks.read(row, bank, column)[0].tobytes()
        return content

    def _write_window(self, offset: int, content: bytes) -> None:
        if offset == FENCE_OFFSET:
            for channel in self._channels:
                self._complete(channel)
                if channel.pending and self.spec.schedule is Schedule.REFERENCE:
                    channel.pending[-1] = evolve(channel.pending[-1], barrier=True)
            return
        if offset == 0:
            self._window.clear()
        if offset != len(self._window):
            raise PimFault(f"a PIM message is written in order; {offset:#x} was out of turn")
        if len(self._window) + len(content) > _MOST_MESSAGE:
            raise PimFault("a PIM message is longer than its window")
        text, zero, _ = content.partition(b"\0")
        self._window += text
        if not zero:
            return
        message = self._window.decode("utf-8", "replace")
        self._window.clear()
        for number, channel in enumerate(self._channels):
            device = channel.device
            if not isinstance(device, PimsysChannels):
                raise PimFault("a samsung memory takes no messages: its modes are rows")
            before = self._in_kernel(channel)
            if not before:
                self._settle(number, 0)
            device.configure(message)
            if before and not self._in_kernel(channel):
                channel.kernels += 1
                self._settle(number, channel.kernels)

    # Requests

    def _request(self, number: int, at: int, data: bytes | None) -> bytes:
        """One RD, or one WR of `data`; what an RD returned."""
        bank, row, column = self._place(at)
        channel = self._channels[number]
        device = channel.device
        if isinstance(device, PimsysChannels):
            return self._request_pimsys(number, bank, row, column, data)
        before = device.mode
        if before is Mode.SB and row == modes.ENTER_ROW:
            if not device.entering:
                self._settle(number, 0)
            device.activate(bank, row, column)
        found = b""
        purpose = _purpose(row, column, before)
        channel.pending.append(Access(data is not None, bank, row, column, purpose=purpose))
        if data is None:
            result = device.read(bank, row, column)
            if result is not None:
                found = result[0, 0].tobytes()
        else:
            device.write(bank, row, column, np.frombuffer(data, "<u2").reshape(1, -1))
        if row == modes.LEAVE_ROW and before is not Mode.SB:
            device.precharge(bank, row)
            if device.mode is Mode.SB:
                channel.kernels += 1
                self._settle(number, channel.kernels)
        if len(channel.pending) >= _MOST_PENDING and device.mode is Mode.SB:
            self._settle(number, 0)
        return found or bytes(BURST_SIZE)

    def _request_pimsys(
        self, number: int, bank: int, row: int, column: int, data: bytes | None
    ) -> bytes:
        if row in MAGIC:
            raise PimFault("a pimsys memory has no rows for modes: it takes messages")
        driven = [number]
        if not self.spec.per_pch_trigger and self._in_kernel(self._channels[number]):
            driven = list(range(len(self._channels)))
        found = b""
        for each in driven:
            channel = self._channels[each]
            device = channel.device
            assert isinstance(device, PimsysChannels)
            purpose = Purpose.TRIGGER if self._in_kernel(channel) else Purpose.DATA
            channel.pending.append(Access(data is not None, bank, row, column, purpose=purpose))
            at = column * COLUMNS_PER_BURST
            if data is not None:
                device.write(bank, row, at, np.frombuffer(data, "<u2"))
            else:
                result = device.read(bank, row, at)
                if each == number:
                    found = result[0].tobytes()
        return found or bytes(BURST_SIZE)

    # Time

    def _settle(self, number: int, kernel: int) -> None:
        """Time the requests of a channel that wait for it."""
        channel = self._channels[number]
        accesses, channel.pending = channel.pending, []
        if not accesses:
            return
        clock = channel.clock
        before, start = len(clock.commands), clock.clock
        cycles = clock.run(accesses)
        commands = clock.commands[before:]
        clock.commands.clear()
        energy = estimate(commands, accesses, self.spec.memory, cycles, 1).total
        causes = attribute(commands, accesses, self.spec.memory, start, cycles)
        segment = Segment(number, kernel, start, cycles, len(accesses), causes, energy)
        self.segments.append(segment)
        if self.on_segment is not None:
            self.on_segment(segment)

    def settle(self) -> None:
        """Time everything that has been requested; HccError in the middle of a kernel."""
        for number, channel in enumerate(self._channels):
            self._complete(channel)
            if self._in_kernel(channel):
                raise HccError("the program asks for times in the middle of a PIM kernel")
            self._settle(number, 0)


def _purpose(row: int, column: int, mode: Mode) -> Purpose:
    if row in (modes.ENTER_ROW, modes.LEAVE_ROW):
        return Purpose.MODE
    if row != modes.CONTROL_ROW:
        return Purpose.DATA if mode is Mode.SB else Purpose.TRIGGER
    if column == modes.CONTROL_COLUMN:
        return Purpose.MODE
    if modes.CRF_COLUMN <= column < modes.CRF_COLUMN + 4:
        return Purpose.PROGRAM
    return Purpose.OPERAND
