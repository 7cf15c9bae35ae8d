"""The JIT's only door to LLVM: IR text in, object file out.

Each compilation has a context of its own and llvmlite releases the GIL inside LLVM, so this can
run in a thread beside the guest. Code is made for the CPU at hand.
"""

from __future__ import annotations

from functools import cache
from threading import local
from typing import Any

import llvmlite
import llvmlite.binding as llvm


@cache
def _initialise() -> None:
    # As in the compiler: the analysis that peeling asks can take forever in nested loops.
    llvm.set_option("hcc", "--unroll-allow-peeling=0")
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    llvm.initialize_native_asmparser()  # for inline assembly


@cache
def host() -> tuple[str, str]:
    """The host CPU as LLVM names it: model and features."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def has_avx() -> bool:
    """Whether the host computes with AVX's instructions."""
    return bool(llvm.get_host_cpu_features().get("avx"))


def version() -> str:
    """What the code depends on besides its source: LLVM and the CPU."""
    return f"{llvmlite.__version__} {llvm.llvm_version_info} {host()}"


_machines = local()


def _machine(level: int) -> Any:
    known: dict[int, Any] = _machines.__dict__.setdefault("by_level", {})
    if level not in known:
        _initialise()
        name, features = host()
        known[level] = llvm.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine(
            cpu=name, features=features, opt=level, reloc="pic", codemodel="small"
        )
    return known[level]


def _optimised(text: str, level: int) -> tuple[Any, Any]:
    machine = _machine(level)
    module = llvm.parse_assembly(text, llvm.create_context())
    if level:
        options = llvm.create_pipeline_tuning_options(level)
        options.loop_vectorization = False
        options.slp_vectorization = False
        options.loop_interleaving = False
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    return module, machine


def compile_object(text: str, level: int = 2) -> bytes:
    """The ELF relocatable object of a module."""
    module, machine = _optimised(text, level)
    content: bytes = machine.emit_object(module)
    return content


def compile_quickly(text: str) -> bytes:
    """The ELF relocatable object of a module, not optimised."""
    return compile_object(text, 0)


def compile_assembly(text: str, level: int = 2) -> str:
    """The assembly of a module, for readers."""
    module, machine = _optimised(text, level)
    assembly: str = machine.emit_assembly(module)
    return assembly


def optimised_ir(text: str, level: int = 2) -> str:
    """The module after optimisation, for readers."""
    return str(_optimised(text, level)[0])
