"""The list of packages in pyproject.toml is the tree's."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("isa", "compiler", "emulator", "runtime")


def test_every_package_of_the_tree_is_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = set(project["tool"]["setuptools"]["packages"])
    found = {
        "hcc." + ".".join(path.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for path in (ROOT / room).rglob("__init__.py")
    }

    assert sorted(found) == sorted(listed)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    scripts = {ROOT / "compiler" / "libhcc"}

    assert [] == [f for f in sorted(folders - scripts) if not (f / "__init__.py").exists()]
