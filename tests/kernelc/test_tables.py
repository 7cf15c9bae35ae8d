"""The parse tables: made from the grammar, cached, and made anew when the cache is no good."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.compiler.kernelc.actions import Actions
from hcc.compiler.kernelc.tables import GRAMMAR, build_tables, cache_folder, load_tables


def test_every_action_of_the_grammar_exists() -> None:
    tables = build_tables(GRAMMAR.read_text())

    assert [] == [
        name for _, _, name in tables.rules if name and not hasattr(Actions, f"on_{name}")
    ]


def test_every_action_is_used_by_the_grammar() -> None:
    names = {f"on_{name}" for _, _, name in build_tables(GRAMMAR.read_text()).rules}

    assert set() == {name for name in dir(Actions) if name.startswith("on_")} - names


def test_tables_come_from_the_cache_once_they_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path))
    made = load_tables()
    (file,) = tmp_path.iterdir()
    stamp = file.stat().st_mtime_ns

    again = load_tables()

    assert (made.actions, made.rules) == (again.actions, again.rules)
    assert stamp == file.stat().st_mtime_ns


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_cache_is_replaced(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path))
    made = load_tables()
    (file,) = tmp_path.iterdir()
    good = file.read_bytes()
    bad = {
        "cut": good[:-5],
        "flip": good[:100] + bytes((good[100] ^ 1,)) + good[101:-1],
        "empty": b"",
    }[damage]
    file.write_bytes(bad)

    again = load_tables()  # lark numbers states and rules as it likes

    assert sorted(made.rules) == sorted(again.rules)
    assert sorted(map(len, made.actions)) == sorted(map(len, again.actions))
    assert len(bad) < len(file.read_bytes())


def test_a_cache_folder_that_cannot_be_made_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    monkeypatch.setenv("HCC_CACHE_DIR", str(blocked / "below"))

    assert load_tables().rules


def test_where_the_cache_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HCC_CACHE_DIR", "/a/b")
    assert Path("/a/b") == cache_folder()
    monkeypatch.delenv("HCC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert Path("/x/hcc") == cache_folder()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/u")
    assert Path("/home/u/.cache/hcc") == cache_folder()
