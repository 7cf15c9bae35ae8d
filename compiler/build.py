"""From IR modules to units: passes once, code generation for each ISA in parallel.

LLVM works outside the GIL, so the ISAs of a module are compiled in threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from attrs import evolve, frozen

from hcc.compiler.codegen.llvm import compile_object
from hcc.compiler.codegen.llvm_text import llvm_module
from hcc.compiler.codegen.targets import target_for
from hcc.compiler.garbage import collect_if_full, no_collection
from hcc.compiler.ir.module import Function, Module, Symbol
from hcc.compiler.ir.ops import Op
from hcc.compiler.link.objects import read_object
from hcc.compiler.link.unit import ObjectCode, Unit, UnitFunction
from hcc.compiler.passes import Points, prepare
from hcc.compiler.passes.points import reaches_point
from hcc.isa.fatbinary import ARCHITECTURES, function_id
from hcc.isa.sites import SiteInfo


@frozen
class BuildOptions:
    """What code is generated: -O level, ISAs, migration points; `check` verifies every pass,
    `debug` keeps source lines."""

    opt_level: int = 2
    isas: tuple[str, ...] = ARCHITECTURES
    points: Points = Points.LOOPS
    check: bool = False
    debug: bool = False


def build_unit(module: Module, options: BuildOptions) -> Unit:
    """Run the passes over a module and generate its code for every ISA."""
    return build_units([module], options)[0]


def build_units(modules: Sequence[Module], options: BuildOptions) -> list[Unit]:
    """The units of several modules; code of all ISAs and modules is generated in parallel."""
    with no_collection(), ThreadPoolExecutor(max_workers=4) as pool:
        pending = []
        for module in modules:
            collect_if_full()
            prepare(module, options.points, options.opt_level, options.check)
            text = llvm_module(module, options.debug)
            jobs = {isa: pool.submit(_generate, text, isa, options) for isa in options.isas}
            pending.append((module, jobs))
        return [
            _unit(module, {isa: job.result() for isa, job in jobs.items()}, options)
            for module, jobs in pending
        ]


def _generate(text: str, isa: str, options: BuildOptions) -> ObjectCode:
    target = target_for(isa)
    content = compile_object(target.localise(text), target, options.opt_level)
    code = read_object(content, isa)
    if options.debug:
        from hcc.compiler.link.lines import read_lines

        code = evolve(code, lines=read_lines(content))
    return code


def _unit(module: Module, code: dict[str, ObjectCode], options: BuildOptions) -> Unit:
    suspending = reaches_point(module) if options.points is not Points.NONE else set()
    leaf_uses = {
        i.args[0].name
        for f in module.functions.values()
        for i in f.instrs()
        if i.op is Op.CALL and i.attr.leaf and isinstance(i.args[0], Symbol)
    }
    leaf_uses |= {e.name for e in module.extern_functions.values() if e.leaf}
    functions = {
        name: _unit_function(module, f, name in suspending)
        for name, f in module.functions.items()
    }
    return Unit(module.name, functions, module.globals, frozenset(leaf_uses), code)


def _unit_function(module: Module, function: Function, suspends: bool) -> UnitFunction:
    return UnitFunction(
        name=function.name,
        id=function_id(function.name),
        exported=function.exported,
        result=function.signature.result.text,
        file=function.loc.file if function.loc else module.name,
        sites=() if function.resumes else tuple(_sites(function)),
        resumes=function.resumes,
        suspends=suspends,
    )


def _sites(function: Function) -> list[SiteInfo]:
    return [
        SiteInfo(
            i.site.id,
            i.op.text,
            i.loc.line if i.loc else 0,
            tuple(o.type.text for o in i.site.live),
        )
        for i in function.instrs()
        if i.site is not None
    ]
