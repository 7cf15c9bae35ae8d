"""A plain systolic array and its buffers: matrices of addresses, one cycle after another.

Nothing here is clever and nothing is shared with the package: address matrices, demand matrices
with -1 for no access, sets of addresses, a loop over lines. It is slow, and is what the
event-driven model has to agree with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

NULL = -1


@dataclass
class Spec:
    """A layer, an array and its buffers."""

    height: int
    width: int
    filter_h: int
    filter_w: int
    channels: int
    filters: int
    stride: int
    rows: int
    cols: int
    dataflow: str
    user: bool
    kib: tuple[int, int, int]
    bandwidth: int
    compat: str


def operand_matrices(spec: Spec):
    """A (M x K), B (K x N) and O (M x N) as address matrices from 0, 10 and 20 million."""
    out_h = math.ceil((spec.height - spec.filter_h + spec.stride) / spec.stride)
    out_w = math.ceil((spec.width - spec.filter_w + spec.stride) / spec.stride)
    a = []
    for y in range(out_h):
        for x in range(out_w):
            line = []
            for fy in range(spec.filter_h):
                for fx in range(spec.filter_w):
                    for channel in range(spec.channels):
                        row, col = y * spec.stride + fy, x * spec.stride + fx
                        inside = row < spec.height and col < spec.width
                        address = (row * spec.width + col) * spec.channels + channel
                        line.append(address if inside else NULL)
            a.append(line)
    k = len(a[0])
    b = [[10_000_000 + n * k + i for n in range(spec.filters)] for i in range(k)]
    o = [[20_000_000 + m * spec.filters + n for n in range(spec.filters)] for m in range(len(a))]
    return a, b, o


def transpose(matrix):
    return [list(column) for column in zip(*matrix, strict=True)]


def cut(matrix, top, bottom, left, right):
    """Rows top..bottom, columns left..right, filled up with nulls where the matrix ends."""
    out = []
    for i in range(top, bottom):
        row = matrix[i] if i < len(matrix) else []
        out.append([row[j] if j < len(row) else NULL for j in range(left, right)])
    return out


def blank(lines, width):
    return [[NULL] * width for _ in range(lines)]


def skew(matrix):
    """Column c a line later than column c - 1."""
    width = len(matrix[0])
    out = blank(len(matrix) + width - 1, width)
    for i, row in enumerate(matrix):
        for c, value in enumerate(row):
            out[i + c][c] = value
    return out


def diagonal_order(matrix):
    """Anti-diagonals, each from its lowest row up."""
    rows, cols = len(matrix), len(matrix[0])
    out = []
    for diagonal in range(rows + cols - 1):
        for row in range(min(diagonal, rows - 1), -1, -1):
            if diagonal - row < cols:
                out.append(matrix[row][diagonal - row])
    return out


@dataclass
class Streams:
    """Demand matrices, prefetch orders, and what is counted fold by fold."""

    ifmap: list = field(default_factory=list)
    filter: list = field(default_factory=list)
    ofmap: list = field(default_factory=list)
    ifmap_order: list = field(default_factory=list)
    filter_order: list = field(default_factory=list)
    mapping: list = field(default_factory=list)
    compute: list = field(default_factory=list)
    counts: list = field(default_factory=lambda: [0, 0, 0])


def count(streams, which, rows, cols):
    streams.counts[which] += rows * cols


def lay_out(spec: Spec) -> Streams:
    """The three demand matrices of a dataflow."""
    a, b, o = operand_matrices(spec)
    height, width = spec.rows, spec.cols
    m, k, n = len(a), len(b), len(b[0])
    sr, sc, time = {"os": (m, n, k), "ws": (k, n, m), "is": (k, m, n)}[spec.dataflow]
    row_folds, col_folds = math.ceil(sr / height), math.ceil(sc / width)
    streams = Streams()
    a_t, b_t = transpose(a), transpose(b)
    for fc in range(col_folds):
        left, right = fc * width, (fc + 1) * width
        for fr in range(row_folds):
            top, bottom = fr * height, (fr + 1) * height
            used_r, used_c = min(height, sr - top), min(width, sc - left)
            if spec.dataflow == "os":
                ifmap = skew(cut(a_t, 0, k, top, bottom) + blank(width - 1, height))
                filters = skew(cut(b, 0, k, left, right) + blank(height - 1, width))
                tile = cut(o, top, min(bottom, m), left, right)
                tile += blank(height - len(tile), width)
                ofmap = skew(blank(k - 1, width) + tile[::-1])
                lines = k + height + width - 2
                count(streams, 0, k, used_r)
                count(streams, 1, k, used_c)
                count(streams, 2, used_r, used_c)
                streams.counts[2] += height + width
            else:
                moving, still, out = (
                    (a, b, o) if spec.dataflow == "ws" else (b_t, a_t, transpose(o))
                )
                pumped = skew(
                    blank(height, height)
                    + cut(moving, 0, time, top, bottom)
                    + blank(width - 1, height)
                )
                loaded = cut(still, top, min(bottom, k), left, right)
                loaded += blank(height - len(loaded), width)
                loaded = loaded[::-1] + blank(height + width + time - 2, width)
                ofmap = skew(blank(2 * height - 1, width) + cut(out, 0, time, left, right))
                lines = 2 * height + 2 * width + time - 3
                ws = spec.dataflow == "ws"
                ifmap, filters = (pumped, loaded) if ws else (loaded, pumped)
                count(streams, 0 if ws else 1, time, used_r)
                count(streams, 1 if ws else 0, used_r, used_c)
                count(streams, 2, time, used_c)
            assert len(ifmap) == len(filters) == len(ofmap)
            streams.ifmap += ifmap
            streams.filter += filters
            streams.ofmap += ofmap
            streams.mapping.append(used_r * used_c / (height * width))
            streams.compute.append(used_r * used_c * time / (height * width * lines))
    order(spec, streams, a, b, row_folds, col_folds)
    return streams


def order(spec, streams, a, b, row_folds, col_folds):
    """The prefetch orders."""
    height, width = spec.rows, spec.cols
    a_t, b_t = transpose(a), transpose(b)

    def stack(matrix, folds, edge):
        rows = []
        for fold in range(folds):
            rows += cut(matrix, 0, len(matrix), fold * edge, (fold + 1) * edge)
        return rows

    def flat(matrix):
        return [value for row in matrix for value in row]

    if spec.dataflow == "os":
        streams.ifmap_order = diagonal_order(stack(a_t, row_folds, height))
        streams.filter_order = diagonal_order(stack(b, col_folds, width))
    elif spec.dataflow == "ws":
        streams.ifmap_order = diagonal_order(stack(a, row_folds, height))
        streams.filter_order = flat(stack(b, col_folds, width))
    else:
        streams.ifmap_order = flat(stack(a_t, col_folds, width))
        streams.filter_order = diagonal_order(stack(b_t, row_folds, height))


class UserReads:
    """A double buffer that fetches a fixed order at a fixed bandwidth."""

    def __init__(self, words, bandwidth, sequence, compat):
        self.compat, self.bandwidth = compat, bandwidth
        active = math.ceil(words / 2)
        self.refill = math.ceil((words - active) / bandwidth)
        size = math.ceil(words / 100)
        self.sets = [set()]
        held = 0
        for address in sequence:
            if address == NULL:
                continue
            self.sets[-1].add(address)
            held += 1
            if held == size:
                self.sets.append(set())
                held = 0
        total = len(self.sets)
        self.visible = min(math.ceil(active / size), total)
        self.step = min(math.ceil((words - active) / size), total - self.visible)
        self.start = 0
        first = min(math.ceil(active / bandwidth), math.ceil(len(sequence) / bandwidth))
        self.reads = first * bandwidth
        self.first_cycle, self.last = -first, -1
        self.show()

    def show(self):
        self.shown = set()
        for at in range(self.visible):
            self.shown |= self.sets[(self.start + at) % len(self.sets)]

    def serve(self, cycle, line):
        """The offset at which a line is served; 1 without waiting."""
        offset = 1
        for address in line:
            if address == NULL:
                continue
            while address not in self.shown:
                self.start = (self.start + self.step) % len(self.sets)
                self.show()
                self.last += self.refill + 1
                self.reads += self.refill * self.bandwidth
                wait = self.last - (cycle + offset)
                if self.compat == "2.0":
                    offset += wait
                elif self.compat == "3.0":
                    offset += wait
                    if wait > 0:
                        offset += wait
                elif wait > 0:
                    offset += wait
        return offset

    def close(self):
        return self.first_cycle, self.last, self.reads


class CalcReads:
    """A buffer that never waits and notes what it would have had to fetch."""

    def __init__(self, words):
        self.items = words // 100
        self.seen, self.held = set(), 0
        self.first = None
        self.flushed = False
        self.reads = 0
        self.last = 0

    def serve(self, cycle, line):
        for address in line:
            if address == NULL:
                continue
            if self.first is None:
                self.first = cycle
            if address in self.seen:
                continue
            self.seen.add(address)
            self.reads += 1
            if len(self.seen) == 50 * self.items:
                self.seen = set()
                self.flushed = True
                self.last = cycle
        return 1

    def close(self):
        if self.flushed:
            fill = math.ceil(50 * self.items / 10)
            return self.first - fill, self.last + 1, self.reads
        sets = math.ceil(self.reads / self.items)
        return -math.ceil(sets * self.items / 10), -1, self.reads


class Writes:
    """The write buffer, word by word."""

    def __init__(self, words, bandwidth):
        self.words, self.bandwidth = words, bandwidth
        self.drain_size = words - math.ceil(words / 2)
        self.free = words
        self.lines, self.line = [], 0
        self.drained = 0
        self.end = 0
        self.total = 0
        self.cycles = []

    def flush(self):
        if self.line:
            self.lines.append(self.line)
            self.line = 0

    def drain(self, cycle):
        wanted = math.ceil(self.drain_size / self.bandwidth)
        part = self.lines[self.drained : self.drained + wanted]
        amount = len(part) * self.bandwidth - (self.bandwidth - part[-1])
        self.drained += len(part)
        self.total += amount
        self.free += amount
        self.cycles += range(cycle, cycle + len(part))
        self.end = cycle + len(part) - 1

    def serve(self, cycle, line):
        for address in line:
            if address == NULL:
                continue
            self.line += 1
            self.free -= 1
            if self.line == self.bandwidth:
                self.flush()
            if cycle < self.end:
                if self.free <= 0:
                    cycle = self.end
            elif self.free < self.words - self.drain_size:
                self.flush()
                self.drain(cycle)
        return cycle

    def close(self, cycle):
        self.flush()
        while self.drained < len(self.lines):
            self.drain(cycle)
            cycle = self.end + 1


def run(spec: Spec):
    """All columns of the three reports by name."""
    streams = lay_out(spec)
    words = [1024 * size for size in spec.kib]
    if spec.user:
        readers = [
            UserReads(words[0], spec.bandwidth, streams.ifmap_order, spec.compat),
            UserReads(words[1], spec.bandwidth, streams.filter_order, spec.compat),
        ]
    else:
        readers = [CalcReads(words[0]), CalcReads(words[1])]
    writer = Writes(words[2], spec.bandwidth if spec.user else spec.cols)
    served = [[], [], []]
    stalls = 0
    for number, lines in enumerate(zip(streams.ifmap, streams.filter, streams.ofmap, strict=True)):
        cycle = number + stalls
        offsets = [reader.serve(cycle, line) for reader, line in zip(readers, lines, strict=False)]
        done = writer.serve(cycle, lines[2])
        served[0].append(cycle + offsets[0])
        served[1].append(cycle + offsets[1])
        served[2].append(done)
        waits = [offsets[0] - 1, offsets[1] - 1, done - cycle - (1 if spec.compat == "2.0" else 0)]
        stalls += max(waits)
    total = served[2][-1]
    writer.close(total)
    return figures(spec, streams, served, readers, writer, total, stalls)


def figures(spec, streams, served, readers, writer, total, stalls):
    """The report columns from what was observed."""
    folds = len(streams.mapping)
    mapping = compute = 0
    for share in streams.mapping:
        mapping += share
    for share in streams.compute:
        compute += share
    a, b, _ = operand_matrices(spec)
    macs = len(a) * len(b) * len(b[0])
    row = {}
    spans = [reader.close() for reader in readers]
    stop = max(writer.cycles) if spec.compat != "2.0" else writer.cycles[-1]
    start = min(writer.cycles) if spec.compat != "2.0" else writer.cycles[0]
    spans.append((start, stop, writer.total))
    if spec.compat == "3.0":
        row["Total Cycles (incl. prefetch)"] = stop - min(spans[0][0], spans[1][0])
    row["Total Cycles"] = total
    row["Stall Cycles"] = stalls
    row["Overall Util %"] = macs * 100 / (total * spec.rows * spec.cols)
    row["Mapping Efficiency %"] = mapping / folds * 100
    row["Compute Util %"] = compute / folds * 100
    names = ("IFMAP", "FILTER", "OFMAP")
    for name, number in zip(names, streams.counts, strict=True):
        row[f"Avg {name} SRAM BW"] = number / total
    for name, (first, last, number) in zip(names, spans, strict=True):
        row[f"Avg {name} DRAM BW"] = number / (last - first + 1)
    matrices = (streams.ifmap, streams.filter, streams.ofmap)
    for name, cycles, matrix, number in zip(
        ("IFMAP", "Filter", "OFMAP"), served, matrices, streams.counts, strict=True
    ):
        real = [cycle for cycle, line in zip(cycles, matrix, strict=True) if max(line) > NULL]
        row[f"SRAM {name} Start Cycle"] = real[0]
        row[f"SRAM {name} Stop Cycle"] = real[-1]
        row[f"SRAM {name} {'Writes' if name == 'OFMAP' else 'Reads'}"] = number
    for name, (first, last, number) in zip(("IFMAP", "Filter", "OFMAP"), spans, strict=True):
        row[f"DRAM {name} Start Cycle"] = first
        row[f"DRAM {name} Stop Cycle"] = last
        row[f"DRAM {name} {'Writes' if name == 'OFMAP' else 'Reads'}"] = number
    return row
