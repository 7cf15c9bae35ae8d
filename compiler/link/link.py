"""The linker: units in, one `Program` for all ISAs out.

Symbols are resolved over all units first (a definition in the user's sources wins over the
library's), what nothing reaches is left out, the rest is laid out once for all ISAs, and each
ISA's relocations are applied to its own code. Start-up and system-call stubs come from `isa`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from attrs import define, field

from hcc.compiler.ir.module import DataReloc, Global
from hcc.compiler.link.layout import DataLayout, lay_out_data, lay_out_local, lay_out_text
from hcc.compiler.link.unit import TEXT_PREFIX, ObjectCode, ObjectReloc, Piece, Place, Unit
from hcc.isa import elf, fatbinary, lines, thread_block
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import BuildInfo, Program, Region
from hcc.isa.lines import LineTable
from hcc.isa.relocation import Relocation
from hcc.isa.sites import FunctionInfo, IsaTables, Record, SiteTables

START = "_start"
ENTRY = "__hcc_start"
STACK_SYMBOL = "__hcc_data_stack"
STUBS = ("__hcc_syscall", "__hcc_migrate")


@define
class _Symbols:
    """Who defines what: the unit of each function and object, and of its private sections."""

    functions: dict[str, Unit] = field(factory=dict)
    objects: dict[str, tuple[Unit | None, Global]] = field(factory=dict)


def link(
    units: Sequence[Unit], library: Sequence[Unit], isas: tuple[str, ...], build: BuildInfo
) -> Program:
    """Link the user's units with what they need of the library."""
    symbols = _resolve(units, library)
    for name in _synthetic_objects():
        symbols.objects.setdefault(name.name, (None, name))
    functions, objects, constants = _reachable(symbols, isas)
    _check_leaves([*units, *library], symbols, functions)
    return _Linker(symbols, functions, objects, constants, isas, build).program()


def _synthetic_objects() -> list[Global]:
    stack_end = fatbinary.DATA_STACK_SIZE
    block = Global(
        thread_block.SYMBOL,
        thread_block.SIZE,
        64,
        relocs=[
            DataReloc(thread_block.SELF, thread_block.SYMBOL),
            DataReloc(thread_block.DATA_STACK_POINTER, STACK_SYMBOL, stack_end),
            DataReloc(thread_block.DATA_STACK_LIMIT, STACK_SYMBOL),
        ],
    )
    return [block]


# ---- resolution ----


def _resolve(units: Sequence[Unit], library: Sequence[Unit]) -> _Symbols:
    symbols = _Symbols()
    for unit in units:
        for name in unit.functions:
            _define(symbols, unit, name)
            symbols.functions[name] = unit
        for name, item in unit.globals.items():
            known = symbols.objects.get(name)
            if known is not None and (known[1].tentative or item.tentative):
                winner = max((known[1], item), key=lambda g: (not g.tentative, g.size))
                symbols.objects[name] = known if winner is known[1] else (unit, item)
                continue
            _define(symbols, unit, name)
            symbols.objects[name] = (unit, item)
    for unit in library:
        for name in unit.functions:
            if name not in symbols.objects:
                symbols.functions.setdefault(name, unit)
        for name, item in unit.globals.items():
            if name not in symbols.functions:
                symbols.objects.setdefault(name, (unit, item))
    return symbols


def _define(symbols: _Symbols, unit: Unit, name: str) -> None:
    other = symbols.functions.get(name)
    if other is None and name in symbols.objects:
        other = symbols.objects[name][0]
    if other is not None:
        raise HccError(f"symbol '{name}' is defined in both {other.name} and {unit.name}")


def _reachable(
    symbols: _Symbols, isas: tuple[str, ...]
) -> tuple[list[str], list[str], set[tuple[int, str]]]:
    """The functions and objects that the program can reach, in a fixed order; and the sections of
    private constants, by unit and ISA."""
    seen: set[str] = set(STUBS) | {START, STACK_SYMBOL}
    sections: set[tuple[int, str]] = set()
    work: list[tuple[str, str]] = [(ENTRY, START), (thread_block.SYMBOL, START)]
    missing: dict[str, str] = {}
    inlined = {isa: _inlined_functions(symbols, isa) for isa in isas}
    while work:
        name, user = work.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in symbols.functions:
            unit = symbols.functions[name]
            if name + ".resume" in unit.functions:
                work.append((name + ".resume", name))
            for isa in isas:
                work += [(other, name) for other in inlined[isa].get(name, ())]
                for reloc in unit.code[isa].functions[name].relocs:
                    work += _targets(reloc, unit, isa, name, sections)
        elif name in symbols.objects:
            work += [(r.symbol, name) for r in symbols.objects[name][1].relocs]
        else:
            missing.setdefault(name, user)
    if missing:
        first = [f"'{name}' (used by '{user}')" for name, user in sorted(missing.items())]
        more = f" and {len(first) - 8} more" if len(first) > 8 else ""
        raise HccError(f"undefined symbols: {', '.join(first[:8])}{more}")
    functions = [n for n in symbols.functions if n in seen]
    return functions, [n for n in symbols.objects if n in seen], sections


def _inlined_functions(symbols: _Symbols, isa: str) -> dict[str, set[str]]:
    """For each function, those whose activation records its frames hold: they were inlined, so
    nothing may refer to them, but a move needs their resume functions."""
    names = {u.functions[n].id: n for n, u in symbols.functions.items()}
    result: dict[str, set[str]] = {}
    for unit in dict.fromkeys(symbols.functions.values()):
        for record in unit.code[isa].records:
            found = result.setdefault(record.function, set())
            found.update(names[frame.function] for frame in record.frames)
    return result


def _targets(
    reloc: ObjectReloc, unit: Unit, isa: str, user: str, sections: set[tuple[int, str]]
) -> Iterable[tuple[str, str]]:
    """The symbols a relocation leads to, also through private constants."""
    place = reloc.place
    if place.symbol:
        return [(place.symbol, user)]
    if place.section.startswith(TEXT_PREFIX):
        return [(place.section.removeprefix(TEXT_PREFIX), user)]
    key = (id(unit), isa + place.section)
    if key in sections or place.section not in unit.code[isa].local:
        return []
    sections.add(key)
    result: list[tuple[str, str]] = []
    for inner in unit.code[isa].local[place.section].relocs:
        result += _targets(inner, unit, isa, user, sections)
    return result


def _check_leaves(units: list[Unit], symbols: _Symbols, functions: list[str]) -> None:
    """A function that some unit took for a leaf must not suspend."""
    linked = set(functions)
    for unit in units:
        for name in unit.leaf_uses:
            definer = symbols.functions.get(name) if name in linked else None
            if definer is not None and definer.functions[name].suspends:
                raise HccError(
                    f"{unit.name} declares '{name}' hcc_leaf, but {definer.name} defines it "
                    "with migration points"
                )


# ---- placing and relocating ----


class _Linker:
    def __init__(
        self,
        symbols: _Symbols,
        functions: list[str],
        objects: list[str],
        constants: set[tuple[int, str]],
        isas: tuple[str, ...],
        build: BuildInfo,
    ) -> None:
        self.symbols = symbols
        self.functions = functions
        self.objects = objects
        self.constants = constants
        self.isas = isas
        self.build = build
        self.addrs: dict[str, int] = {}
        self.startup = {i: importlib.import_module(f"hcc.isa.{i}.startup") for i in isas}

    def program(self) -> Program:
        data = lay_out_data([self.symbols.objects[n][1] for n in self.objects])
        self.addrs = dict(data.addrs)
        self.addrs[STACK_SYMBOL] = fatbinary.DATA_STACK_BASE
        self.addrs[thread_block.SYMBOL] = data.addrs[thread_block.SYMBOL]
        versions = {START: self.stubs(START)} | {name: self.stubs(name) for name in STUBS}
        for name in self.functions:
            code = self.symbols.functions[name].code
            versions[name] = [code[isa].functions[name] for isa in self.isas]
        text_addrs, text_size = lay_out_text(versions)
        self.addrs.update(text_addrs)
        text, local = {}, {}
        for i, isa in enumerate(self.isas):
            text[isa], local[isa] = self.link_isa(i, isa, versions, text_size)
        self.relocate_data(data)
        return Program(
            isas=self.isas,
            entry=self.addrs[START],
            text=text,
            local=local,
            rodata=Region(fatbinary.RODATA_BASE, bytes(data.rodata)),
            data=Region(fatbinary.DATA_BASE, bytes(data.data)),
            bss_size=data.bss_size,
            data_stack=(fatbinary.DATA_STACK_BASE, fatbinary.DATA_STACK_SIZE),
            symbols=self.symbol_table(versions, data),
            sites=self.site_tables(versions),
            build=self.build,
            extra=self.line_table(),
        )

    def stubs(self, name: str) -> list[Piece]:
        """The versions of a stub; the start stub's addresses are filled in by `link_isa`."""
        result = []
        for isa in self.isas:
            startup = self.startup[isa]
            match name:
                case "_start":
                    content = startup.start(fatbinary.TEXT_BASE, 0, fatbinary.TEXT_BASE)
                case "__hcc_syscall":
                    content = startup.SYSCALL
                case _:
                    content = startup.MIGRATE
            result.append(Piece(name, content, 16, ()))
        return result

    def link_isa(
        self, index: int, isa: str, versions: dict[str, list[Piece]], text_size: int
    ) -> tuple[Region, Region]:
        units = list(dict.fromkeys(self.symbols.functions[n] for n in self.functions))
        pieces = [
            (unit, piece)
            for unit in units
            for piece in unit.code[isa].local.values()
            if (id(unit), isa + piece.name) in self.constants
        ]
        addrs, base, size = lay_out_local([p for _, p in pieces], index)
        local_addrs = {(id(u), p.name): a for (u, p), a in zip(pieces, addrs, strict=True)}
        local = bytearray(size)
        for (unit, piece), addr in zip(pieces, addrs, strict=True):
            local[addr - base : addr - base + len(piece.content)] = self.relocated(
                isa, unit.code[isa], unit, piece, addr, local_addrs
            )
        text = bytearray(text_size)
        for name, versions_of in versions.items():
            addr = self.addrs[name]
            piece = versions_of[index]
            if name == START:
                thread = self.addrs[thread_block.SYMBOL]
                content = self.startup[isa].start(addr, thread, self.addrs[ENTRY])
            elif name in STUBS:
                content = piece.content
            else:
                unit = self.symbols.functions[name]
                content = self.relocated(isa, unit.code[isa], unit, piece, addr, local_addrs)
            at = addr - fatbinary.TEXT_BASE
            text[at : at + len(content)] = content
        return Region(fatbinary.TEXT_BASE, bytes(text)), Region(base, bytes(local))

    def relocated(
        self,
        isa: str,
        code: ObjectCode,
        unit: Unit,
        piece: Piece,
        addr: int,
        local_addrs: dict[tuple[int, str], int],
    ) -> bytes:
        """A piece's bytes at its address."""
        if not piece.relocs:
            return piece.content

        def value(place: Place) -> int:
            if place.symbol:
                return self.addrs[place.symbol]
            if place.section.startswith(TEXT_PREFIX):
                return self.addrs[place.section.removeprefix(TEXT_PREFIX)] + place.offset
            return local_addrs[id(unit), place.section] + place.offset

        content = bytearray(piece.content)
        relocations = [
            Relocation(r.offset, r.type, p.symbol or p.section, value(p), r.addend)
            for r in piece.relocs
            for p in (r.place,)
        ]
        module = importlib.import_module(f"hcc.isa.{isa}.relocations")
        try:
            module.relocate(content, addr, relocations)
        except HccError as error:
            raise HccError(f"{unit.name}({piece.name}): {error}") from error
        return bytes(content)

    def relocate_data(self, data: DataLayout) -> None:
        regions = {
            ".rodata": (fatbinary.RODATA_BASE, data.rodata),
            ".data": (fatbinary.DATA_BASE, data.data),
        }
        for name in self.objects:
            item = self.symbols.objects[name][1]
            if not item.relocs:
                continue
            base, content = regions[data.sections[name]]
            for reloc in item.relocs:
                at = data.addrs[name] - base + reloc.offset
                target = self.addrs[reloc.symbol] + reloc.addend
                content[at : at + 8] = (target & (1 << 64) - 1).to_bytes(8, "little")

    # ---- tables ----

    def symbol_table(
        self, versions: dict[str, list[Piece]], data: DataLayout
    ) -> tuple[elf.Symbol, ...]:
        host = self.isas.index("x86_64") if "x86_64" in self.isas else 0
        result = []
        for name, pieces in versions.items():
            unit = self.symbols.functions.get(name)
            local = unit is not None and not unit.functions[name].exported
            size = len(pieces[host].content)
            result.append(elf.Symbol(name, self.addrs[name], size, elf.STT_FUNC, ".text", local))
        for name in self.objects:
            item = self.symbols.objects[name][1]
            section = data.sections[name]
            addr = self.addrs[name]
            result.append(
                elf.Symbol(name, addr, item.size, elf.STT_OBJECT, section, not item.exported)
            )
        return tuple(result)

    def site_tables(self, versions: dict[str, list[Piece]]) -> SiteTables:
        infos: dict[int, FunctionInfo] = {}
        for name in self.functions:
            f = self.symbols.functions[name].functions[name]
            if f.resumes is not None or not f.sites:
                continue
            if f.id in infos:
                raise HccError(f"the names '{infos[f.id].name}' and '{name}' collide: rename one")
            resume = self.addrs[name + ".resume"]
            infos[f.id] = FunctionInfo(
                name, f.id, self.addrs[name], resume, f.result, f.file, f.sites
            )
        isas = {}
        for index, isa in enumerate(self.isas):
            sizes = {name: len(pieces[index].content) for name, pieces in versions.items()}
            isas[isa] = IsaTables(isa, sizes, tuple(self.records(isa)))
        return SiteTables(tuple(infos.values()), isas)

    def line_table(self) -> dict[str, bytes]:
        """The source lines of the functions that have any, as a section."""
        rows = {
            isa: {
                name: found
                for name in self.functions
                if (found := self.symbols.functions[name].code[isa].lines.get(name))
            }
            for isa in self.isas
        }
        return {lines.SECTION: LineTable(rows).encode()} if any(rows.values()) else {}

    def records(self, isa: str) -> Iterable[Record]:
        linked = set(self.functions)
        for unit in dict.fromkeys(self.symbols.functions[n] for n in self.functions):
            for r in unit.code[isa].records:
                if r.function in linked and self.symbols.functions[r.function] is unit:
                    addr = self.addrs[r.function] + r.return_offset
                    yield Record(addr, r.size, r.return_slot, r.frames)
