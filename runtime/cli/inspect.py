"""`hcc inspect`: what is in a fat binary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("binary", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Everything, for machines.")
@click.option("--sites", is_flag=True, help="List every site with the values it records.")
def command(binary: Path, as_json: bool, sites: bool) -> None:
    """Show a fat binary's ISAs, functions and migration sites."""
    from hcc.runtime.cli.files import read_program

    program = read_program(binary)
    description = describe(program)
    if as_json:
        print(json.dumps(description, indent=2))
        return
    _print_tables(binary, description, sites)


def describe(program: Any) -> dict[str, Any]:
    """A fat binary as plain data; sizes in bytes."""
    p = program
    by_name = {f.name: f for f in p.sites.functions}
    functions = []
    for symbol in sorted(p.symbols, key=lambda s: s.addr):
        if symbol.section != ".text":
            continue
        info = by_name.get(symbol.name)
        functions.append(
            {
                "name": symbol.name,
                "addr": symbol.addr,
                "size": {isa: p.sites.isas[isa].code_sizes[symbol.name] for isa in p.isas},
                "sites": [
                    {"id": s.id, "kind": s.kind, "line": s.line, "values": list(s.types)}
                    for s in (info.sites if info else ())
                ],
            }
        )
    objects = [
        {"name": s.name, "addr": s.addr, "size": s.size, "section": s.section}
        for s in sorted(p.symbols, key=lambda s: s.addr)
        if s.section != ".text"
    ]
    return {
        "isas": list(p.isas),
        "entry": p.entry,
        "opt_level": p.build.opt_level,
        "points": p.build.points,
        "sources": list(p.build.sources),
        "text": {isa: sum(p.sites.isas[isa].code_sizes.values()) for isa in p.isas},
        "rodata": len(p.rodata.content),
        "data": len(p.data.content),
        "bss": p.bss_size,
        "records": {isa: len(p.sites.isas[isa].records) for isa in p.isas},
        "devices": {name: len(content) for name, content in p.extra.items()},
        "functions": functions,
        "objects": objects,
    }


def _print_tables(binary: Path, d: dict[str, Any], sites: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True, width=140)
    isas = d["isas"]
    console.print(
        f"{binary}: -O{d['opt_level']}, points {d['points']}, from {', '.join(d['sources'])}; "
        f"entry {d['entry']:#x}; rodata {d['rodata']}, data {d['data']}, bss {d['bss']} bytes"
    )
    table = Table("function", "address", *(f"{i} bytes" for i in isas), "sites", "values at most")
    for column in table.columns[1:]:
        column.justify = "right"
    for f in d["functions"]:
        values = max((len(s["values"]) for s in f["sites"]), default=0)
        sizes = (str(f["size"][i]) for i in isas)
        row = (f"{f['addr']:#x}", *sizes, str(len(f["sites"]) or ""), str(values or ""))
        table.add_row(f["name"], *row)
    totals = (str(d["text"][i]) for i in isas)
    table.add_section()
    table.add_row("all", "", *totals, str(sum(len(f["sites"]) for f in d["functions"])), "")
    console.print(table)
    if sites:
        listing = Table("function", "site", "kind", "line", "values")
        for f in d["functions"]:
            for s in f["sites"]:
                types = " ".join(s["values"])
                listing.add_row(f["name"], str(s["id"]), s["kind"], str(s["line"]), types)
        console.print(listing)
