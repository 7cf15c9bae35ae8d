"""`hcc pim bench`: cycles of a kernel, its values computed and compared with numpy."""

from __future__ import annotations

import json

import click


@click.command("bench")
@click.argument("kernel", type=click.Choice(["gemv", "add", "mul", "relu"]))
@click.argument("shape")
@click.option("--channels", type=click.IntRange(1, 4096), default=64, show_default=True,
              help="Pseudo-channels.")  # fmt: skip
@click.option("--ranks", type=click.IntRange(1, 1024),
              help="Ranks a channel (default: 2 from 64 channels on, else 1).")  # fmt: skip
@click.option("--schedule", type=click.Choice(["reference", "hcc"]), default="hcc",
              show_default=True,
              help="The vendor's requests and controller, or hcc's.")  # fmt: skip
@click.option("--memory", default="samsung", show_default=True,
              help="Memory specification: samsung, dramsys or a file.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
              help="Of the operands.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_command(
    kernel: str, shape: str, channels: int, ranks: int | None, schedule: str, memory: str,
    seed: int, as_json: bool,
) -> int:  # fmt: skip
    """Run gemv, add, mul or relu of SHAPE (4096x4096, or 1048576) and count cycles.

    All channels compute; they take the same commands, so the timing is worked out once.
    """
    from hcc.emulator.pim.machine import Schedule
    from hcc.emulator.pim.specification import load
    from hcc.runtime.pim import bench

    spec = load(memory)
    outcome = bench.run(
        kernel, bench.parse_shape(kernel, shape), channels, Schedule(schedule),
        ranks=ranks, spec=spec, seed=seed,
    )  # fmt: skip
    timing = outcome.timing
    used = bench.default_ranks(channels) if ranks is None else ranks
    if as_json:
        found = {
            "kernel": kernel,
            "shape": shape,
            "schedule": schedule,
            "channels": channels,
            "channels_used": outcome.plan.channels,
            "ranks": used,
            "cycles": timing.cycles,
            "ns": timing.cycles * spec.tCK_ns,
            "checked": outcome.checked,
            "triggers": outcome.plan.work,
            "commands": len(timing.commands),
            "causes": dict(timing.causes),
            "energy_nj": round(timing.energy.total / 1000, 1),
            "seconds": round(outcome.seconds, 4),
        }
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo(
            f"{kernel} {shape} on {outcome.plan.channels} of {channels} channels, {used} ranks, "
            f"{schedule} schedule: {timing.cycles} cycles"
        )
        for cause, cycles in timing.causes.items():
            click.echo(f"  {cause:20}{cycles:8}  {100 * cycles / timing.cycles:5.1f} %")
        click.echo(f"  energy about {timing.energy.total / 1000:.1f} nJ")
        click.echo(f"  values {'agree' if outcome.checked else 'DISAGREE'} with numpy")
    return 0 if outcome.checked else 1
