"""What the tests of the JIT share: a store of their own, and a JIT that compiles at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hcc.emulator.jit import background, cache, compiler, engine, generator, heat, slices


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the test's own."""
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Everything is hot at first sight, and the guest waits for its code.

    The cache is the test's own. Only long tests take the time to optimise the code.
    """
    monkeypatch.setattr(engine, "SLICE", 100)
    monkeypatch.setattr(engine, "WARM_UP", 0)
    monkeypatch.setattr(slices, "TRIAL", -(1 << 40))
    monkeypatch.setattr(heat, "HOT_PASSES", 1)
    monkeypatch.setattr(background, "QUIET", 0)
    monkeypatch.setattr(background, "MOMENT", 0)
    monkeypatch.setattr(generator, "LONG_TURN", 0)
    ask = background.Background.request

    def at_once(self: background.Background, pc: int) -> None:
        ask(self, pc)
        self.wait()

    monkeypatch.setattr(background.Background, "request", at_once)
    kept: dict[str, list[cache.Entry]] = {}
    monkeypatch.setattr(cache, "load", lambda key: kept.get(key, []))
    monkeypatch.setattr(cache, "save", lambda key, entries: kept.update({key: list(entries)}))
    if request.node.get_closest_marker("long") is None:
        monkeypatch.setattr(compiler.compile_object, "__defaults__", (0,))


@pytest.fixture
def never_optimised(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `eager`, but nothing is ever hot: there is quick code only."""
    monkeypatch.setattr(heat, "HOT_PASSES", (1 << 31) - 1)
    monkeypatch.setattr(heat, "HOT_PASSES_AGAIN", (1 << 31) - 1)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    """The place of a C file for a test to write."""
    yield tmp_path / "program.c"
