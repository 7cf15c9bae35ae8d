"""The fat binary: one program for several ISAs in one valid ELF file.

    .text  .rodata.local         code and private constants of the host ISA (allocated, so the
                                 file runs as it stands on that ISA's Linux)
    .rodata .data .bss           the program's data, one copy, at the same addresses everywhere
    .hcc.stack                   the data stack
    .text.<isa> .rodata.<isa>    the same for the other ISAs, not loaded by the kernel
    .hcc.meta                    JSON: version, ISAs, addresses, options, sources
    .hcc.sites                   the site tables (`sites`)
    .hcc.pim .hcc.lebug ...      what devices need
    .hcc.sums                    JSON: SHA-256 of every section and of the whole

The host ISA is x86-64 where present, else the first. `Program` is the same thing in memory: the
linker makes one, `encode` writes it, `decode` reads it back.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

from attrs import field, frozen

from hcc.isa import elf
from hcc.isa.errors import FormatError
from hcc.isa.sites import SiteTables

VERSION = 1

# The address-space plan: everything below 2 GiB is reachable by every ISA's small code model.
TEXT_BASE = 0x0040_0000
LOCAL_BASE = 0x0800_0000
LOCAL_SPAN = 0x0100_0000  # per ISA
RODATA_BASE = 0x1000_0000
DATA_STACK_BASE = 0x2000_0000
DATA_STACK_SIZE = 0x0400_0000
DATA_BASE = 0x3000_0000
STATIC_END = 0x7000_0000

ARCHITECTURES = ("x86_64", "aarch64", "riscv64")
_MACHINES = {"x86_64": (62, 0), "aarch64": (183, 0), "riscv64": (243, 0x5)}


def function_id(name: str) -> int:
    """The number by which activation records name a function: 31 bits of its name's hash.

    A hash rather than a count, so that objects compiled apart need no renumbering; the linker
    refuses programs in which two names collide.
    """
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little") >> 1


@frozen
class Region:
    """Bytes at an address."""

    addr: int
    content: bytes = field(repr=False)

    @property
    def end(self) -> int:
        return self.addr + len(self.content)


@frozen
class BuildInfo:
    """How a program was compiled: -O level, where migration points went, names of its sources."""

    opt_level: int
    points: str
    sources: tuple[str, ...]


@frozen
class Program:
    """A linked program. `text` and `local` are by ISA; `extra` holds device sections by name."""

    isas: tuple[str, ...]
    entry: int
    text: dict[str, Region]
    local: dict[str, Region]
    rodata: Region
    data: Region
    bss_size: int
    data_stack: tuple[int, int]
    symbols: tuple[elf.Symbol, ...]
    sites: SiteTables
    build: BuildInfo
    extra: dict[str, bytes] = field(factory=dict)

    @property
    def host_isa(self) -> str:
        return "x86_64" if "x86_64" in self.isas else self.isas[0]

    @property
    def movable(self) -> bool:
        """Whether the program has migration points."""
        return self.build.points != "none"

    @property
    def image_end(self) -> int:
        """The first address behind the static data: where the heap begins, page-aligned."""
        return -(-(self.data.end + self.bss_size) // elf.PAGE) * elf.PAGE

    def symbol(self, name: str) -> elf.Symbol | None:
        return next((s for s in self.symbols if s.name == name), None)


def _loaded(program: Program, isa: str) -> list[elf.Section]:
    """The allocated sections of an executable of one ISA."""
    alloc, write, execute = elf.SHF_ALLOC, elf.SHF_WRITE, elf.SHF_EXECINSTR
    p = program
    sections = [elf.Section(".text", p.text[isa].content, p.text[isa].addr, alloc | execute)]
    if p.local[isa].content:
        sections.append(
            elf.Section(".rodata.local", p.local[isa].content, p.local[isa].addr, alloc)
        )
    if p.rodata.content:
        sections.append(elf.Section(".rodata", p.rodata.content, p.rodata.addr, alloc))
    addr, size = p.data_stack
    sections.append(
        elf.Section(".hcc.stack", b"", addr, alloc | write, elf.SHT_NOBITS, size=size)
    )
    sections.append(elf.Section(".data", p.data.content, p.data.addr, alloc | write))
    if p.bss_size:
        bss = elf.Section(
            ".bss", b"", p.data.end, alloc | write, elf.SHT_NOBITS, size=p.bss_size
        )
        sections.append(bss)
    return sections


def encode_elf(program: Program, isa: str) -> bytes:
    """A plain static executable of one ISA."""
    machine, flags = _MACHINES[isa]
    sections = _loaded(program, isa)
    names = {s.name for s in sections}
    sizes = program.sites.isas[isa].code_sizes
    symbols = tuple(
        elf.Symbol(s.name, s.addr, sizes.get(s.name, s.size), s.type, s.section, s.local)
        for s in program.symbols
        if s.section in names
    )
    return elf.write(elf.ElfFile(machine, flags, program.entry, tuple(sections), symbols))


def encode(program: Program) -> bytes:
    """The fat binary's bytes."""
    host = program.host_isa
    machine, flags = _MACHINES[host]
    sections = _loaded(program, host)
    for isa in program.isas:
        if isa != host:
            for kind, region in (("text", program.text[isa]), ("rodata", program.local[isa])):
                sections.append(elf.Section(f".{kind}.{isa}", region.content, region.addr))
    meta = {
        "version": VERSION,
        "isas": list(program.isas),
        "entry": program.entry,
        "local": {isa: program.local[isa].addr for isa in program.isas},
        "opt_level": program.build.opt_level,
        "points": program.build.points,
        "sources": list(program.build.sources),
    }
    sections.append(elf.Section(".hcc.meta", _json(meta)))
    sections.append(elf.Section(".hcc.sites", program.sites.encode()))
    sections += [elf.Section(name, body) for name, body in sorted(program.extra.items())]
    names = {s.name for s in sections}
    symbols = tuple(s for s in program.symbols if s.section in names)
    sums = {s.name: _digest(s) for s in sections}
    sums["symbols"] = _symbol_digest(symbols)
    sections.append(elf.Section(".hcc.sums", _json(sums)))
    return elf.write(elf.ElfFile(machine, flags, program.entry, tuple(sections), symbols))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _digest(section: elf.Section) -> str:
    head = f"{section.name} {section.addr} {section.memory_size} {section.flags}".encode()
    return hashlib.sha256(head + b"\0" + section.content).hexdigest()


def _symbol_digest(symbols: tuple[elf.Symbol, ...]) -> str:
    rows = sorted(f"{s.name} {s.addr} {s.size} {s.type} {s.section} {s.local}" for s in symbols)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def decode(content: bytes, source: str, trust_sums: bool = False) -> Program:
    """The program in a fat binary. FormatError names what is wrong: not ELF, truncated, altered,
    of another version. With `trust_sums` checksums are not looked at: the caller has done so."""
    file = elf.read(content, source)
    by_name = {s.name: s for s in file.sections}
    if ".hcc.meta" not in by_name or ".hcc.sums" not in by_name:
        raise FormatError(f"{source}: not a fat binary of hcc (it has no .hcc.meta)")
    damaged = [] if trust_sums else check_sums(file, source)
    if damaged:
        raise FormatError(damaged[0])
    try:
        meta = json.loads(by_name[".hcc.meta"].content)
        if meta["version"] != VERSION:
            raise FormatError(f"{source}: written by another version of hcc")
        isas = tuple(meta["isas"])
        local_addrs = meta["local"]
        entry = int(meta["entry"])
        build = BuildInfo(
            int(meta["opt_level"]), str(meta["points"]), tuple(map(str, meta["sources"]))
        )
        if not isas or any(isa not in ARCHITECTURES for isa in isas):
            raise FormatError(f"{source}: .hcc.meta names unknown ISAs: {isas}")
        program = _assemble(file, by_name, build, isas, local_addrs, entry, source)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"{source}: .hcc.meta cannot be read: {error}") from error
    if not trust_sums and (damaged := check_container(program, content, source)):
        raise FormatError(damaged[0])
    return program


def _assemble(
    file: elf.ElfFile,
    by_name: dict[str, elf.Section],
    build: BuildInfo,
    isas: tuple[str, ...],
    local_addrs: dict[str, int],
    entry: int,
    source: str,
) -> Program:
    def region(name: str, addr: int) -> Region:
        section = by_name.get(name)
        return Region(addr, b"") if section is None else Region(section.addr, section.content)

    host = "x86_64" if "x86_64" in isas else isas[0]
    text, local = {}, {}
    for isa in isas:
        text_name = ".text" if isa == host else f".text.{isa}"
        if text_name not in by_name:
            raise FormatError(f"{source}: no section {text_name}")
        text[isa] = region(text_name, TEXT_BASE)
        local_name = ".rodata.local" if isa == host else f".rodata.{isa}"
        local[isa] = region(local_name, int(local_addrs[isa]))
    stack = by_name[".hcc.stack"]
    bss = by_name.get(".bss")
    known = {".rodata", ".data", ".bss", ".hcc.stack", ".hcc.meta", ".hcc.sites", ".hcc.sums"}
    return Program(
        isas=isas,
        entry=entry,
        text=text,
        local=local,
        rodata=region(".rodata", RODATA_BASE),
        data=region(".data", DATA_BASE),
        bss_size=bss.memory_size if bss else 0,
        data_stack=(stack.addr, stack.memory_size),
        symbols=file.symbols,
        sites=SiteTables.decode(by_name[".hcc.sites"].content, source),
        build=build,
        extra={
            s.name: s.content
            for s in file.sections
            if s.name.startswith(".hcc.") and s.name not in known
        },
    )


def check_sums(file: elf.ElfFile, source: str) -> list[str]:
    """What differs from the checksums in the file, one line each."""
    by_name = {s.name: s for s in file.sections}
    try:
        sums = json.loads(by_name[".hcc.sums"].content)
        expected = dict(sums.items())
    except (ValueError, AttributeError, RecursionError) as error:
        return [f"{source}: .hcc.sums cannot be read: {error}"]
    problems = []
    own = {".hcc.sums", ".symtab", ".strtab", ".shstrtab"}
    for section in file.sections:
        if section.name in own:
            continue
        if section.name not in expected:
            problems.append(f"{source}: section {section.name} has no checksum")
        elif expected[section.name] != _digest(section):
            problems.append(f"{source}: section {section.name} does not match its checksum")
    problems += [
        f"{source}: section {name} is missing"
        for name in expected
        if name != "symbols" and name not in by_name
    ]
    if expected.get("symbols") != _symbol_digest(file.symbols):
        problems.append(f"{source}: the symbol table does not match its checksum")
    return problems


def check_container(program: Program, content: bytes, source: str) -> list[str]:
    """Whether a file whose sections are sound is, byte for byte, what `encode` writes: headers,
    tables and padding have no checksums of their own, and Linux reads them."""
    try:
        same = encode(program) == content
    except (struct.error, ValueError, OverflowError) as error:
        return [f"{source}: damaged: {error}"]
    return [] if same else [f"{source}: bytes outside the sections have been altered"]
