"""A module: the LLVM IR text of several regions compiled together, so that they may be inlined."""

from __future__ import annotations

from collections.abc import Sequence, Set

from hcc.emulator.jit.flow import DirectFlow, Flow
from hcc.emulator.jit.function import RegionPrinter
from hcc.emulator.jit.layout import Layout
from hcc.emulator.jit.options import CodeSpan, Options, function_name
from hcc.emulator.jit.quick import QuickPrinter
from hcc.emulator.jit.variables import Accesses, Module
from hcc.isa.arch import RegisterFile

HEAD = 'target triple = "x86_64-unknown-linux-gnu"\n'

# Attributes: 0 regions, 1 faults, 2 marks, which change no memory that anyone reads, 3 what hides
# values, which touches none.
# Metadata: 0 empty, 1 unlikely, 2 and 3 the two kinds of memory, 4 the stack pointer, 5 likely,
# 14 and 15 rarely the one way or the other
_METADATA = """
attributes #0 = { nounwind "no-builtins" "frame-pointer"="none" }
attributes #1 = { cold noreturn nounwind }
attributes #2 = { nounwind memory(inaccessiblemem: readwrite) }
attributes #3 = { nounwind memory(none) }
!0 = !{}
!1 = !{!"branch_weights", i32 1, i32 100000}
!2 = !{!6, !6, i64 0}
!3 = !{!7, !7, i64 0}
!4 = !{!"rsp"}
!5 = !{!"branch_weights", i32 100000, i32 1}
!6 = !{!"state", !8, i64 0}
!7 = !{!"guest", !8, i64 0}
!8 = !{!"hcc"}
!llvm.module.flags = !{!9, !10}
!9 = !{i32 2, !"Debug Info Version", i32 3}
!10 = !{i32 7, !"Dwarf Version", i32 4}
!llvm.dbg.cu = !{!11}
!11 = distinct !DICompileUnit(language: DW_LANG_C, file: !12, emissionKind: LineTablesOnly)
!12 = !DIFile(filename: "guest", directory: "")
!13 = !DISubroutineType(types: !0)
!14 = !{!"branch_weights", i32 1, i32 64}
!15 = !{!"branch_weights", i32 64, i32 1}
"""


def module_text(
    flows: Sequence[Flow],
    registers: RegisterFile,
    state: Layout,
    span: CodeSpan,
    options: Options,
    own_nans: bool = False,
    doubted: Set[int] = frozenset(),
) -> str:
    """The text of a module with one function for each region. With `own_nans` the host's
    floating-point instructions give the guest's NaNs. Of the addresses in the `doubted` regions
    nothing is assumed.

    Functions of quick code call each other by the table, where better code may come to stand.
    """
    together = frozenset(f.region.start for f in flows if not isinstance(f, DirectFlow))
    accesses = Accesses(first=20 + len(flows))
    module = Module(registers, state, span, options, together, accesses, own_nans, doubted)
    lines: list[str] = []
    metadata: list[str] = []
    for i, flow in enumerate(flows):
        scope = f"!{20 + i}"
        if isinstance(flow, DirectFlow):
            lines += QuickPrinter(flow, module, scope).function()
        else:
            lines += RegionPrinter(flow, module, scope).function()
        metadata.append(
            f'{scope} = distinct !DISubprogram(name: "{function_name(flow.region.start)}", '
            "file: !12, unit: !11, type: !13, spFlags: DISPFlagDefinition)"
        )
    metadata += accesses.metadata()
    return "\n".join([HEAD, *sorted(module.declarations), *lines, _METADATA, *metadata]) + "\n"
