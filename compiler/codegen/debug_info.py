"""Line tables (`-g`): the metadata by which LLVM says in the object where code comes from.

Every line of a function's text gets a `!dbg` attachment: the location of the IR instruction it was
made for, or line 0 where that has none (LLVM wants one on each call that it may inline). Only
lines are asked for, in DWARF 4, whose line program needs no other section.
"""

from __future__ import annotations

from attrs import define, field

from hcc.compiler.ir.module import Function, Location, Module

# Metadata numbers beyond those of profiles and alias scopes.
_FIRST = 1_000_000
_UNIT, _DWARF, _VERSION, _TYPE = range(_FIRST, _FIRST + 4)


@define(eq=False)
class DebugInfo:
    """The metadata of one module, made as functions and locations are named."""

    module: Module
    _lines: list[str] = field(factory=list)
    _known: dict[object, int] = field(factory=dict)
    _next: int = _TYPE + 1

    def subprogram(self, function: Function) -> int:
        """The number of a function's entry."""
        name = function.resumes or function.name
        place = function.loc or Location(self.module.name, 0)
        file = self._file(place.file)
        text = (
            f'distinct !DISubprogram(name: "{name}", scope: !{file}, file: !{file}, '
            f"line: {place.line}, scopeLine: {place.line}, type: !{_TYPE}, unit: !{_UNIT}, "
            "spFlags: DISPFlagDefinition)"
        )
        return self._number(("function", function.name), text)

    def location(self, place: Location | None, function: Function) -> int:
        """The number of a place in a function."""
        scope = self.subprogram(function)
        line, column = (place.line, place.column) if place else (0, 0)
        if place and function.loc and place.file != function.loc.file:
            file = self._file(place.file)
            text = f"!DILexicalBlockFile(scope: !{scope}, file: !{file}, discriminator: 0)"
            scope = self._number((scope, place.file), text)
        text = f"!DILocation(line: {line}, column: {min(column, 0xFFFF)}, scope: !{scope})"
        return self._number((scope, line, column), text)

    def definitions(self) -> list[str]:
        """The metadata's own lines, for the end of the module."""
        file = self._file(self.module.name)
        return [
            f"!llvm.dbg.cu = !{{!{_UNIT}}}",
            f"!llvm.module.flags = !{{!{_DWARF}, !{_VERSION}}}",
            f"!{_UNIT} = distinct !DICompileUnit(language: DW_LANG_C99, file: !{file}, "
            "isOptimized: true, runtimeVersion: 0, emissionKind: LineTablesOnly)",
            f'!{_DWARF} = !{{i32 7, !"Dwarf Version", i32 4}}',
            f'!{_VERSION} = !{{i32 2, !"Debug Info Version", i32 3}}',
            f"!{_TYPE} = !DISubroutineType(types: !{{}})",
            *self._lines,
        ]

    def _file(self, name: str) -> int:
        escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\{ord(c) & 0xFF:02X}"
                          for c in name)  # fmt: skip
        return self._number(("file", name), f'!DIFile(filename: "{escaped}", directory: "")')

    def _number(self, key: object, text: str) -> int:
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._next
            self._next += 1
            self._lines.append(f"!{number} = {text}")
        return number
