"""Bytecode back as firmware text, which the text front end takes again.

The calls come in a fixed order, the default block order, because the order of calls in a
chain carries no meaning; what was written twice in a chain appears once, as it was encoded. A
condition byte may hold several flags of one signal; each further one is written as a repeated
call, which is how such a byte comes about.
"""

from __future__ import annotations

from .chain import CONDITION_NAMES, Axis, Chain, Firmware, Op

_OP_NAMES = {Op.ADD: "vv_add", Op.MUL: "vv_mul", Op.SUB: "vv_sub", Op.MAX: "vv_max"}


def disassemble(firmware: Firmware) -> str:
    """One function named like the firmware, with the machine in a comment above it."""
    machine = firmware.machine
    name = firmware.name if firmware.name.isidentifier() else "firmware"
    blocks = ", ".join(block.value for block in machine.blocks)
    sizes = ", ".join(
        f"{key}={value}" for key, value in machine.parameters().items() if isinstance(value, int)
    )
    lines = [f"# {sizes}, DATA_TYPE={machine.data_type.label}", f"# {blocks}"]
    if firmware.edges is not None:
        lines.append(f"# filter edges: {', '.join(f'{edge:g}' for edge in firmware.edges)}")
    lines += ["", f"def {name}(cp):"]
    for number, chain in enumerate(firmware.chains, 1):
        lines.append(f"    # chain {number}")
        lines.append("    cp.begin_chain()")
        lines += [f"    cp.{call}" for call in chain_calls(chain)]
        lines += ["    cp.end_chain()", ""]
    lines.append("    return cp.compile()")
    return "\n".join(lines) + "\n"


def chain_calls(chain: Chain) -> list[str]:
    """The instructions that give this chain."""
    calls = []
    if chain.filter:
        calls.append(f"vv_filter({chain.filter_addr})")
    if chain.axis is not Axis.NONE:
        calls.append(f"m_reduce('{chain.axis.name}')")
    if chain.mc_load:
        calls.append("v_mc_load()")
    if chain.op is not Op.PASS:
        calls += _conditional(_OP_NAMES[chain.op], [str(chain.addr)], chain.cond)
    if chain.cache:
        calls += _conditional("v_cache", [str(chain.cache_addr)], chain.cache_cond)
    if chain.mc_save:
        calls.append("v_mc_save()")
    if chain.reduce:
        calls.append("v_reduce()")
    if chain.commit:
        extra = ["cast_to_int=True"] if chain.cast_to_int else []
        calls += _conditional("v_commit", [str(chain.commit)], chain.commit_cond, extra)
    return calls


def _conditional(
    name: str, arguments: list[str], bits: int, extra: list[str] | None = None
) -> list[str]:
    streams = [
        [CONDITION_NAMES[i] for i in range(4) if bits >> (i + shift) & 1] for shift in (0, 4)
    ]
    calls = []
    for repeat in range(max(1, len(streams[0]), len(streams[1]))):
        parts = list(arguments)
        for number, names in enumerate(streams, 1):
            if repeat < len(names):
                parts.append(f"condition{number}='{names[repeat]}'")
        calls.append(f"{name}({', '.join(parts + (extra or []))})")
    return calls
