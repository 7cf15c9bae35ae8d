"""`hcc verify`: checks a fat binary from the outside in, and says everything that is wrong.

First the container: checksums, truncation. Then, on the program inside, that

1. all ISAs have the same functions, each within its slot, no two symbols overlap, every symbol
   lies in its section, and every function is aligned;
2. the site tables are consistent: ids match names, sites count from 0, types exist, addresses are
   those of the symbols;
3. every record of every ISA lies in the code of the function it is for, its frame has the shape of
   the ABI, and each value has a slot of its size inside the frame;
4. every call that may suspend has a record: no return address can be on a stack without one;
5. source lines and the devices' sections can be read.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from hcc.isa import architecture, elf, fatbinary, lines
from hcc.isa.errors import FormatError, HccError
from hcc.isa.fatbinary import Program
from hcc.isa.sites import VALUE_SIZES, FunctionInfo, Record, SiteInfo

RESUME_SUFFIX = ".resume"
FUNCTION_ALIGN = 16


def verify_file(content: bytes, source: str) -> list[str]:
    """Every problem found in a fat binary's bytes, one line each; empty if it is sound."""
    try:
        file = elf.read(content, source)
    except FormatError as error:
        return [str(error)]
    if file.section(".hcc.meta") is None or file.section(".hcc.sums") is None:
        return [f"{source}: not a fat binary of hcc (it has no .hcc.meta)"]
    problems = fatbinary.check_sums(file, source)
    try:
        program = fatbinary.decode(content, source, trust_sums=True)
    except FormatError as error:
        return [*problems, str(error)]
    problems = problems or fatbinary.check_container(program, content, source)
    return [*problems, *(f"{source}: {p}" for p in verify_program(program))]


def verify_program(program: Program) -> list[str]:
    """Every problem of a program, apart from its container."""
    checker = _Checker(program)
    return [
        *checker.symbols(),
        *checker.site_tables(),
        *(problem for isa in program.isas for problem in checker.records(isa)),
        *(problem for isa in program.isas for problem in checker.calls(isa)),
        *other_sections(program),
    ]


def other_sections(program: Program) -> Iterator[str]:
    """Problems of the sections beside code and data: source lines, what devices read."""
    if lines.SECTION in program.extra:
        try:
            lines.LineTable.decode(program.extra[lines.SECTION])
        except FormatError as error:
            yield str(error)
    if ".hcc.lebug" in program.extra:
        from hcc.isa.lebug.section import unpack_section

        try:
            unpack_section(program.extra[".hcc.lebug"])
        except FormatError as error:
            yield str(error)


@define
class _Checker:
    program: Program
    by_name: dict[str, elf.Symbol] = field(init=False)
    site_of: dict[tuple[int, int], SiteInfo] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.by_name = {s.name: s for s in self.program.symbols}
        self.site_of = {
            (f.id, s.id): s for f in self.program.sites.functions for s in f.sites
        }

    # ---- symbols ----

    def symbols(self) -> Iterator[str]:
        p = self.program
        bounds = {
            ".text": (p.text[p.host_isa].addr, p.text[p.host_isa].end),
            ".rodata": (p.rodata.addr, p.rodata.end),
            ".data": (p.data.addr, p.data.end),
            ".bss": (p.data.end, p.data.end + p.bss_size),
        }
        if len({len(p.text[isa].content) for isa in p.isas}) != 1:
            yield "the text sections of the ISAs differ in size"
        for isa in p.isas:
            if isa not in p.sites.isas:
                yield f"there are no site tables for {isa}"
        ordered = sorted(p.symbols, key=lambda s: (s.addr, s.size))
        for symbol in ordered:
            low, high = bounds.get(symbol.section, (0, 0))
            if not low <= symbol.addr <= symbol.addr + symbol.size <= high:
                yield f"symbol '{symbol.name}' at {symbol.addr:#x} lies outside {symbol.section}"
            if symbol.type == elf.STT_FUNC and symbol.addr % FUNCTION_ALIGN:
                yield f"function '{symbol.name}' at {symbol.addr:#x} is not aligned"
        yield from self.overlaps(ordered)
        start = self.by_name.get("_start")
        if start is None or start.addr != p.entry:
            yield f"the entry point {p.entry:#x} is not '_start'"

    def overlaps(self, ordered: list[elf.Symbol]) -> Iterator[str]:
        p = self.program
        functions = {s.name for s in ordered if s.type == elf.STT_FUNC}
        for isa in p.isas:
            sizes = p.sites.isas[isa].code_sizes if isa in p.sites.isas else {}
            if sizes.keys() != functions:
                odd = sorted(sizes.keys() ^ functions)[:3]
                yield f"the functions of {isa} are not those of the symbol table: {', '.join(odd)}"
            end, owner = 0, ""
            for symbol in ordered:
                size = sizes.get(symbol.name, symbol.size)
                if symbol.addr < end:
                    yield f"symbols '{owner}' and '{symbol.name}' overlap on {isa}"
                end, owner = symbol.addr + size, symbol.name

    # ---- site tables ----

    def site_tables(self) -> Iterator[str]:
        for f in self.program.sites.functions:
            for name, addr in ((f.name, f.addr), (f.name + RESUME_SUFFIX, f.resume_addr)):
                symbol = self.by_name.get(name)
                if symbol is None or symbol.addr != addr:
                    yield f"site table: '{name}' is not at {addr:#x}"
            if f.id != fatbinary.function_id(f.name):
                yield f"site table: '{f.name}' has the wrong id {f.id}"
            if f.result not in (*VALUE_SIZES, "void"):
                yield f"site table: '{f.name}' returns unknown type '{f.result}'"
            for i, site in enumerate(f.sites):
                if site.id != i:
                    yield f"site table: '{f.name}' has site {site.id} in the place of {i}"
                if site.kind not in ("poll", "call"):
                    yield f"site table: site {i} of '{f.name}' is of unknown kind '{site.kind}'"
                for type_ in site.types:
                    if type_ not in VALUE_SIZES:
                        yield f"site table: site {i} of '{f.name}' has unknown type '{type_}'"

    # ---- records ----

    def records(self, isa: str) -> Iterator[str]:
        tables = self.program.sites.isas.get(isa)
        if tables is None:
            return
        seen: set[int] = set()
        for record in tables.records:
            where = f"{isa} record at {record.return_addr:#x}"
            if record.return_addr in seen:
                yield f"{where}: a second one for this return address"
            seen.add(record.return_addr)
            for problem in self.record(record, isa):
                yield f"{where}: {problem}"

    def record(self, record: Record, isa: str) -> Iterator[str]:
        if not record.frames:
            yield "it describes no frame"
            return
        outer = self.program.sites.by_id.get(record.frames[0].function)
        if outer is None:
            yield f"function id {record.frames[0].function} is unknown"
            return
        if not self.inside(record.return_addr, outer, isa):
            yield f"it is not in the code of '{outer.name}'"
        pushed = 8 if isa == "x86_64" else 0
        if record.size < 0 or (record.size + pushed) % 16:
            yield f"a frame of {record.size} bytes is not aligned"
        limit = record.size + pushed
        if not 0 <= record.return_offset <= limit - 8 or record.return_offset % 8:
            yield f"the return address at sp+{record.return_offset} lies outside the frame"
        for frame in record.frames:
            info = self.program.sites.by_id.get(frame.function)
            site = self.site_of.get((frame.function, frame.site))
            if info is None or site is None:
                yield f"function {frame.function} has no site {frame.site}"
                continue
            what = f"site {frame.site} of '{info.name}'"
            if len(frame.slots) != len(site.types):
                yield f"{what} has {len(site.types)} values, the record {len(frame.slots)}"
                continue
            for i, (slot, type_) in enumerate(zip(frame.slots, site.types, strict=True)):
                size = VALUE_SIZES.get(type_, 0)
                if slot.in_frame and not 0 <= slot.value <= record.size - size:
                    yield (
                        f"{what}: value {i} ({type_}) at sp+{slot.value} lies outside the frame "
                        f"of {record.size} bytes"
                    )
                if slot.in_frame and slot.size != size:
                    yield f"{what}: value {i} is {type_}, its slot has {slot.size} bytes"
                if slot.in_frame and slot.value < record.return_offset + 8 and (
                    record.return_offset < slot.value + size
                ):
                    yield f"{what}: value {i} overlaps the return address"

    def inside(self, return_addr: int, function: FunctionInfo, isa: str) -> bool:
        sizes = self.program.sites.isas[isa].code_sizes
        for name, addr in (
            (function.name, function.addr),
            (function.name + RESUME_SUFFIX, function.resume_addr),
        ):
            if addr < return_addr <= addr + sizes.get(name, 0):
                return True
        return False

    # ---- calls ----

    def calls(self, isa: str) -> Iterator[str]:
        """Calls to functions that may suspend, or to anyone from a function that may, and that
        have no record."""
        tables = self.program.sites.isas.get(isa)
        if tables is None:
            return
        recorded = {r.return_addr for r in tables.records}
        suspending: dict[int, str] = {}
        for f in self.program.sites.functions:
            suspending[f.addr] = f.name
        hook = self.by_name.get("__hcc_migrate")
        if hook is not None:
            suspending[hook.addr] = hook.name
        arch = architecture(isa)
        text = self.program.text[isa]
        for name, size in tables.code_sizes.items():
            symbol = self.by_name.get(name)
            if symbol is None or name in ("_start", "__hcc_syscall", "__hcc_migrate"):
                continue
            at, before = symbol.addr, None
            while at < symbol.addr + size:
                offset = at - text.addr
                raw = text.content[offset : offset + arch.max_insn_size]
                try:
                    insn = arch.decode(raw, at)
                except HccError:
                    yield f"{isa}: '{name}' has no instruction at {at:#x}"
                    break
                target = arch.call_target(insn, before)
                if target in suspending and insn.next_addr not in recorded:
                    yield (
                        f"{isa}: the call of '{suspending[target]}' at {at:#x} in '{name}' "
                        "has no record"
                    )
                at, before = insn.next_addr, insn
