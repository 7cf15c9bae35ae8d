"""The compiler as one function: C sources in, a linked program out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from attrs import evolve, frozen

from hcc.compiler.build import BuildOptions, build_units
from hcc.compiler.diagnostics import CompileError, Diagnostics
from hcc.compiler.garbage import collect_if_full, no_collection
from hcc.compiler.ir.module import Module
from hcc.compiler.ir.printer import print_module
from hcc.compiler.kernelc import FrontEndOptions, compile_c
from hcc.compiler.library import Busy, library_units
from hcc.compiler.link.link import link
from hcc.compiler.passes import prepare
from hcc.isa.errors import HccError
from hcc.isa.fatbinary import BuildInfo, Program


@frozen
class CompileOptions:
    """Everything `hcc compile` can be asked for."""

    front_end: FrontEndOptions
    build: BuildOptions


def compile_program(
    sources: Sequence[Path],
    options: CompileOptions,
    warn: Callable[[str], None] | None = None,
    busy: Busy = nullcontext,
) -> Program:
    """Compile and link C sources; CompileError carries the diagnostics of all of them. `warn` is
    called with the rendered warnings of each source that has some; `busy` goes round what takes
    long for no reason that the user sees."""
    with no_collection():
        modules = front_end(sources, options.front_end, warn)
        library = library_units(options.build, busy)
        _internalise(modules, {name for unit in library for name in unit.globals})
        units = build_units(modules, options.build)
        info = BuildInfo(
            options.build.opt_level, options.build.points.value, tuple(s.name for s in sources)
        )
        program = link(units, library, options.build.isas, info)
    kernels = [kernel for module in modules for kernel in module.pim]
    if not kernels:
        return program
    from hcc.isa.pim import section

    return evolve(program, extra=program.extra | {section.NAME: section.pack_section(kernels)})


def _internalise(modules: Sequence[Module], library: set[str]) -> None:
    """Make the objects private that no other module names: all of the program is here."""
    for module in modules:
        others = [other for other in modules if other is not module]
        named = {n for other in others for n in (*other.extern_data, *other.globals)} | library
        for name, item in module.globals.items():
            if name not in named:
                item.exported = item.tentative = False


def front_end(
    sources: Sequence[Path], options: FrontEndOptions, warn: Callable[[str], None] | None = None
) -> list[Module]:
    """The IR modules of the sources, before any pass."""
    names = unit_names(sources)
    modules: list[Module] = []
    failures: list[CompileError] = []
    for source, name in zip(sources, names, strict=True):
        diagnostics = Diagnostics()
        collect_if_full()
        try:
            modules.append(compile_c(source, options, name, diagnostics))
        except CompileError as error:
            failures.append(error)
        else:
            if warn is not None and diagnostics.found:
                warn(diagnostics.render())
    if failures:
        found = tuple(d for error in failures for d in error.diagnostics)
        raise CompileError(found, "\n".join(str(error) for error in failures))
    return modules


def unit_names(sources: Sequence[Path]) -> list[str]:
    """A short name for each source, unique in the program: its stem, numbered where repeated."""
    names: list[str] = []
    for source in sources:
        stem = re.sub(r"\W", "_", source.stem, flags=re.ASCII)
        name, number = stem, 2
        while name in names:
            name, number = f"{stem}_{number}", number + 1
        names.append(name)
    if not names:
        raise HccError("no source files")
    return names


def emit_form(
    sources: Sequence[Path],
    options: CompileOptions,
    form: str,
    warn: Callable[[str], None] | None = None,
) -> str:
    """The sources in one of the forms between C and machine code, as text: `ir`, `passes`, `llvm`
    (before optimisation, with its target marks), `opt` and `asm` (for the first ISA asked for)."""
    from hcc.compiler.codegen import llvm
    from hcc.compiler.codegen.llvm_text import llvm_module
    from hcc.compiler.codegen.targets import target_for

    build = options.build
    target = target_for(build.isas[0])
    texts = []
    for module in front_end(sources, options.front_end, warn):
        if form != "ir":
            prepare(module, build.points, build.opt_level, build.check)
        if form in ("ir", "passes"):
            texts.append(print_module(module))
            continue
        text = llvm_module(module, build.debug)
        match form:
            case "llvm":
                texts.append(text)
            case "opt":
                texts.append(llvm.optimised_ir(target.localise(text), target, build.opt_level))
            case "asm":
                texts.append(llvm.compile_assembly(target.localise(text), target, build.opt_level))
    return "".join(texts)
