"""The compiler's only door to LLVM: IR text in, object file or assembly out.

LLVM is used through `llvmlite.binding`. Each compilation has a context of its own, so the targets
can be compiled in parallel threads (llvmlite releases the GIL inside LLVM). What LLVM rejects is
a bug of ours: the text has come from verified IR.
"""

from __future__ import annotations

from functools import cache
from threading import local
from typing import Any

import llvmlite.binding as llvm

from hcc.compiler.codegen.targets import Target


@cache
def _initialise() -> None:
    # AArch64's instruction selector for -O0 (GlobalISel) drops deopt bundles without a word.
    llvm.set_option("hcc", "--aarch64-enable-global-isel-at-O=-1")
    # Pushing a call's arguments moves the stack pointer, which stack maps do not tell.
    llvm.set_option("hcc", "--no-x86-call-frame-opt")
    # Whether peeling a loop's first turns off would decide comparisons is asked of an analysis that
    # takes exponential time in nested loops, such as recursive functions leave when inlined.
    llvm.set_option("hcc", "--unroll-allow-peeling=0")
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


_machines = local()


def _machine(target: Target, opt_level: int) -> Any:
    """A target machine; one per thread, since a machine is not to be shared."""
    known: dict[tuple[str, int], Any] = _machines.__dict__.setdefault("by_key", {})
    key = (target.arch, opt_level)
    if key not in known:
        _initialise()
        known[key] = llvm.Target.from_triple(target.triple).create_target_machine(
            cpu=target.cpu,
            features=target.features,
            opt=opt_level,
            reloc="static",
            codemodel="small",
            abiname=target.abi,
        )
    return known[key]


def _optimised(text: str, target: Target, opt_level: int) -> tuple[Any, Any]:
    machine = _machine(target, opt_level)
    context = llvm.create_context()
    module = llvm.parse_assembly(text, context)
    if opt_level:
        options = llvm.create_pipeline_tuning_options(opt_level)
        options.loop_vectorization = opt_level >= 2
        options.slp_vectorization = opt_level >= 2
        options.loop_interleaving = opt_level >= 2
        options.loop_unrolling = True
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    return module, machine


def compile_object(text: str, target: Target, opt_level: int) -> bytes:
    """The ELF relocatable object of a module; `text` is localised for the target."""
    module, machine = _optimised(text, target, opt_level)
    content: bytes = machine.emit_object(module)
    return content


def compile_assembly(text: str, target: Target, opt_level: int) -> str:
    """The assembly of a module, for readers."""
    module, machine = _optimised(text, target, opt_level)
    assembly: str = machine.emit_assembly(module)
    return assembly


def optimised_ir(text: str, target: Target, opt_level: int) -> str:
    """The module's LLVM IR after optimisation, for readers."""
    return str(_optimised(text, target, opt_level)[0])
