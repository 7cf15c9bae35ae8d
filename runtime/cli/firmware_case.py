"""`hcc firmware case`: one test case in the form of LeBug's golden data.

Scripts compare what this prints with what the golden file has under `expected`; so the object is
the same, whichever mode makes it. A case without inputs is only compiled, and prints what
LeBug's compiler would have said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from hcc.isa.errors import FormatError, HccError

from .firmware_sources import print_guide, read_json


@click.command("case")
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "--mode",
    type=click.Choice(["reference", "as-built", "delta"]),
    default="reference",
    help="Whose rules the case is run under.",
)
@click.option("--id", "wanted", help="The case to run, in a file that holds several.")
@click.option(
    "--cycles/--no-cycles",
    default=None,
    help="With the values between blocks at every step, or without; by default as the "
    "case's own 'expected' has them.",
)
@click.option("--check", is_flag=True, help="Compare with 'expected'; exit with 1 if it differs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def case_command(
    file: str, mode: str, wanted: str | None, cycles: bool | None, check: bool, as_json: bool
) -> None:
    """Run one test case in the form of LeBug's golden data and print its results."""
    case = read_json(file)
    if isinstance(case, dict) and isinstance(case.get("cases"), list):
        case = _pick(case["cases"], wanted, file)
    if not isinstance(case, dict):
        raise FormatError(f"{file}: a case is a JSON object")
    try:
        found = _run_case(case, mode, cycles)
    except HccError as error:
        if as_json:
            click.echo(json.dumps({"error": str(error)}))
        raise
    if check:
        _compare(case, found)
    if as_json:
        click.echo(json.dumps(found))
    elif "packed_rows" in found:
        _print_case(case, found)
    else:
        click.echo(json.dumps(found, indent=1))


def _pick(cases: list[Any], wanted: str | None, file: str) -> Any:
    if wanted is None:
        raise HccError(f"{file}: holds {len(cases)} cases: which? (--id)")
    for case in cases:
        if isinstance(case, dict) and case.get("id") == wanted:
            return case
    raise HccError(f"{file}: no case '{wanted}'")


def _run_case(case: Mapping[str, Any], mode: str, cycles: bool | None) -> dict[str, object]:
    from hcc.compiler.firmware import compile_library, from_program
    from hcc.emulator.lebug import cases
    from hcc.isa.lebug import Machine

    if mode == "delta":
        return cases.delta_case(case)
    if "width" in case and "value" in case:
        return cases.codec_case(case)
    params = case.get("params", case)
    if not isinstance(params, dict):
        raise HccError("case: 'params' must be an object")
    named = dict(params)
    for key in ("data_type", "data_width"):
        if key in case or key in params:
            named[key.upper()] = case.get(key, params.get(key))
    machine = Machine.from_parameters(named, "case")
    as_built = mode == "as-built"
    edges = cases.case_edges(case, machine.edge_count, as_built)
    name = case.get("firmware")
    name = name if isinstance(name, str) else ""
    if "program" in case:
        firmware = from_program(case["program"], machine, name, edges).firmware
    elif name:
        arguments = case.get("firmware_args") or {}
        if not isinstance(arguments, dict):
            raise HccError("case: 'firmware_args' must be an object")
        firmware = compile_library(name, machine, arguments=arguments, edges=edges).firmware
    else:
        raise HccError("case: no 'program' and no 'firmware'")
    if "inputs" not in case:
        return {"error": None, "valid_chains": len(firmware.chains)}
    if as_built:
        return cases.as_built_case(case, firmware)
    if cycles is None:
        expected = case.get("expected")
        cycles = not isinstance(expected, dict) or "cycle_trace" in expected
        steps = case.get("steps")
        if not isinstance(expected, dict) and isinstance(steps, int):
            cycles = steps <= cases.MAX_LOGGED_STEPS
    return cases.reference_case(case, firmware, cycles)


def _print_case(case: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """The case as LeBug's guide prints it; the rows of one histogram are joined."""
    import numpy as np

    vectors = [np.array([float(x) if isinstance(x, str) else x for x in item["v"]])
               for item in case["inputs"]]  # fmt: skip
    lanes = np.array([[float(x) for x in row["row"]] for row in found["packed_rows"]])
    arguments = case.get("firmware_args") or {}
    bins = arguments.get("bins") if isinstance(arguments, dict) else None
    join = bins if isinstance(bins, int) and 0 < bins <= lanes.size else None
    if join is not None and lanes.size % join:
        join = None
    print_guide(vectors, lanes, join)  # type: ignore[arg-type]


def _compare(case: Mapping[str, Any], found: dict[str, object]) -> None:
    expected = case.get("expected")
    if not isinstance(expected, dict):
        raise HccError("case: no 'expected' to compare with")
    wrong = [name for name, value in expected.items() if not _same(value, found.get(name))]
    for name in wrong:
        click.echo(f"differs: {name}", err=True)
    if wrong:
        click.get_current_context().exit(1)


def _same(a: object, b: object) -> bool:
    """Equal, numbers within 1e-9."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return a == b
