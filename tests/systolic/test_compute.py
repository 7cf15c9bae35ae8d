"""The array computes: fold schedules and streams against numpy."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hcc.emulator.systolic import Layer, gemm_layer, multiply
from hcc.isa.errors import FormatError
from hcc.runtime.systolic.compute import by_numpy, compare


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
@pytest.mark.parametrize("kind", ["int8", "float16"])
def test_random_layers_agree_with_numpy(dataflow: str, kind: str) -> None:
    seed = 20261121
    print(f"seed {seed}")
    rng = random.Random(seed)
    for at in range(6):
        filter_h, filter_w = rng.randint(1, 3), rng.randint(1, 3)
        layer = Layer(
            f"layer {at}",
            filter_h + rng.randint(0, 6),
            filter_w + rng.randint(0, 6),
            filter_h,
            filter_w,
            rng.randint(1, 4),
            rng.randint(1, 9),
            rng.randint(1, 3),
            rng.randint(1, 3),
        )

        assert compare(layer, rng.randint(1, 9), rng.randint(1, 9), dataflow, kind, at) is None


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
def test_a_matrix_product(dataflow: str) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(-9, 9, (13, 10)), rng.integers(-9, 9, (10, 6))
    layer = gemm_layer("product", 13, 6, 10)

    found = multiply(layer, a[:, :, None], b.T[:, None, :, None], 4, 5, dataflow)

    assert (a @ b).tolist() == found[:, 0, :].tolist()


def test_windows_over_the_edge_read_zeros() -> None:
    layer = Layer("edge", 4, 4, 1, 1, 1, 1, 2, 2)
    ones = np.ones((4, 4, 1), dtype=np.int64)

    found = multiply(layer, ones, np.ones((1, 1, 1, 1), dtype=np.int64), 2, 2)

    assert found[:, :, 0].tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert found.tolist() == by_numpy(layer, ones, np.ones((1, 1, 1, 1), dtype=int)).tolist()


def test_shapes_and_types_are_checked() -> None:
    layer = gemm_layer("product", 2, 2, 2)
    ints = np.ones((2, 2, 1), dtype=np.int8)

    with pytest.raises(FormatError, match="does not take an input of shape"):
        multiply(layer, ints[:1], np.ones((2, 1, 2, 1), dtype=np.int8), 2, 2)
    with pytest.raises(FormatError, match="integers or float16"):
        multiply(layer, ints, np.ones((2, 1, 2, 1)), 2, 2)
