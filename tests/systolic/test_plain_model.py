"""The event-driven model against a plain cycle-by-cycle one, on random layers and arrays."""

from __future__ import annotations

import os
import random

import pytest

from hcc.emulator.systolic import Compat, Config, Interface, Layer, run_layer

from .plain_model import Spec, run

SEED = int(os.environ.get("HCC_TEST_SEED", "20261121"))


def random_spec(rng: random.Random) -> Spec:
    filter_h, filter_w = rng.randint(1, 4), rng.randint(1, 4)
    user = rng.random() < 0.6
    return Spec(
        height=filter_h + rng.randint(0, 9),
        width=filter_w + rng.randint(0, 9),
        filter_h=filter_h,
        filter_w=filter_w,
        channels=rng.randint(1, 8),
        filters=rng.randint(1, 20),
        stride=rng.randint(1, 4),
        rows=rng.choice([1, 2, 3, 4, 7, 8, 12, 17]),
        cols=rng.choice([1, 2, 3, 4, 7, 8, 12, 17]),
        dataflow=rng.choice(["os", "ws", "is"]),
        user=user,
        kib=(rng.choice([1, 1, 2]), rng.choice([1, 1, 2]), rng.choice([1, 1, 2])),
        bandwidth=rng.choice([1, 2, 3, 5, 8, 10, 16, 33, 600]),
        compat=rng.choice(["2.0", "3.0", "fixed"]),
    )


def wide_spec(rng: random.Random) -> Spec:
    """More words than a buffer holds, several times over."""
    spec = random_spec(rng)
    spec.height, spec.width = spec.filter_h + rng.randint(8, 16), spec.filter_w + rng.randint(8, 16)
    spec.channels = rng.randint(6, 12)
    spec.kib = (1, 1, 1)
    spec.rows, spec.cols = rng.choice([4, 12, 40, 100]), rng.choice([4, 12, 40])
    return spec


def figures(spec: Spec) -> dict[str, float]:
    config = Config(
        rows=spec.rows,
        cols=spec.cols,
        ifmap_kb=spec.kib[0],
        filter_kb=spec.kib[1],
        ofmap_kb=spec.kib[2],
        dataflow=spec.dataflow,
        interface=Interface.USER if spec.user else Interface.CALC,
        bandwidths=(spec.bandwidth,),
    )
    layer = Layer(
        "layer",
        spec.height,
        spec.width,
        spec.filter_h,
        spec.filter_w,
        spec.channels,
        spec.filters,
        spec.stride,
        spec.stride,
    )
    result = run_layer(config, layer, Compat(spec.compat))
    return {**result.compute_row(), **result.bandwidth_row(), **result.access_row()}


@pytest.mark.parametrize("part", range(8))
def test_all_figures_agree_with_the_plain_model(part: int) -> None:
    rng = random.Random(SEED + part)
    print(f"seed {SEED + part}")
    for _ in range(8):
        spec = random_spec(rng)

        assert run(spec) == figures(spec), spec


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_inputs_larger_than_the_buffers_agree_with_the_plain_model(part: int) -> None:
    rng = random.Random(SEED + 1000 + part)
    print(f"seed {SEED + 1000 + part}")
    for _ in range(6):
        spec = wide_spec(rng)

        assert run(spec) == figures(spec), spec
