"""The on-disk store keeps to its size; the oldest entries go first."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hcc.isa import store
from hcc.isa.errors import HccError

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path))
    return tmp_path


def keep_old(key: str, age: float, size: int = 1000) -> None:
    """An entry that was last used some seconds ago."""
    store.keep("kind", key, bytes(size))
    then = time.time() - age
    os.utime(store._path("kind", key), (then, then))


def present() -> set[str]:
    return {key for key in ("aa1", "bb2", "cc3") if store.fetch("kind", key) is not None}


def test_what_was_used_least_recently_goes_first() -> None:
    for key, age in (("aa1", 300), ("bb2", 100), ("cc3", 200)):
        keep_old(key, age)
    store.prune(2500)

    assert present() == {"bb2", "cc3"}


def test_a_store_within_its_size_is_left_alone() -> None:
    for key in ("aa1", "bb2", "cc3"):
        keep_old(key, 1000)
    store.prune(1 << 20)

    assert present() == {"aa1", "bb2", "cc3"}


@pytest.mark.parametrize(("age", "left"), [(DAY / 2, {"aa1", "bb2"}), (2 * DAY, {"bb2"})])
def test_somebody_looks_once_a_day(
    age: float, left: set[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCC_CACHE_SIZE", "1")
    keep_old("aa1", 1000, 600_000)
    then = time.time() - age
    os.utime(folder / "pruned", (then, then))
    store.keep("kind", "bb2", bytes(600_000))

    assert present() == left


@pytest.mark.parametrize("size", ["much", "-1", "1.5", "1G"])
def test_a_size_that_is_no_number_is_refused(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCC_CACHE_SIZE", size)

    with pytest.raises(HccError, match=f"HCC_CACHE_SIZE is '{size}', not a number of MiB"):
        store.fetch("kind", "aa1")


def test_what_is_no_entry_is_left_alone(folder: Path) -> None:
    other = folder / "kernels" / "x86_64" / "image"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"a download")
    store.prune(0)

    assert other.read_bytes() == b"a download"


def test_an_entry_that_another_process_removed_is_absent() -> None:
    store.keep("kind", "aa1", b"x")
    store.prune(0)

    assert store.fetch("kind", "aa1") is None
    store.keep("kind", "aa1", b"y")
    assert store.fetch("kind", "aa1") == b"y"
