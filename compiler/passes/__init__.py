"""The passes over the IR, each a function with a contract, in the order `prepare` runs them."""

from __future__ import annotations

from hcc.compiler.ir.module import Function, Instr, Module
from hcc.compiler.ir.verifier import verify
from hcc.compiler.passes.data_stack import lower_data_stack
from hcc.compiler.passes.hoist import hoist_loads
from hcc.compiler.passes.inline import inline_functions
from hcc.compiler.passes.jam import jam_loops
from hcc.compiler.passes.liveness import assign_sites
from hcc.compiler.passes.points import Points, insert_points, may_suspend, reaches_point
from hcc.compiler.passes.promote import promote
from hcc.compiler.passes.resume import resume_function
from hcc.compiler.passes.sink import sink_addresses
from hcc.compiler.passes.split import split_objects
from hcc.compiler.passes.tidy import tidy

__all__ = ["Points", "prepare"]


def prepare(module: Module, points: Points, opt_level: int, check: bool = False) -> None:
    """Bring a module from the front end's IR to what the code generator takes.

    With `check` the verifier runs after every pass.
    """

    def done() -> None:
        if check:
            verify(module)

    done()
    for function in module.functions.values():
        _simplify(function)
    done()
    if opt_level:
        inline_functions(module, _simplify)
        done()
    hoist_loads(module)
    done()
    if opt_level >= 2:
        jam_loops(module)
        done()
    insert_points(module, points)
    done()
    quiet = module.functions.keys() - reaches_point(module)

    def suspends(instr: Instr) -> bool:
        return points is not Points.NONE and may_suspend(instr, module, quiet)

    resumes: list[Function] = []
    for function in module.functions.values():
        lower_data_stack(function, suspends)
        sink_addresses(function, suspends)
        tidy(function)
        assign_sites(function, suspends)
        resume = resume_function(function)
        if resume is not None:
            resumes.append(resume)
    for function in resumes:
        module.functions[function.name] = function
    done()


def _simplify(function: Function) -> None:
    split_objects(function)
    promote(function)
    tidy(function)
