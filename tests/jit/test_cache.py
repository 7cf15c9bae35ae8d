"""Compiled code kept between runs: used, keyed by all that matters, and distrusted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hcc.emulator.jit import cache, translator
from hcc.emulator.jit.options import CodeSpan, Options
from hcc.isa import fatbinary, store
from tests.jit.running import compiled

HCC = Path(sys.executable).parent / "hcc"
TEXT = """
#include <stdio.h>
int main(void) {
    unsigned sum = 0;
    for (int i = 0; i < 100000000; i++) sum = sum * 31 + (sum >> 7) + i;
    printf("%u\\n", sum);
    return 0;
}
"""


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    path = folder / "p.hcc"
    path.write_bytes(fatbinary.encode(compiled(folder / "p.c", TEXT)))
    return path


def bundles(folder: Path) -> list[Path]:
    """The bundles of a store, without the support module."""
    files = [f for f in (folder / "jit").rglob("*") if f.is_file()]
    return [f for f in files if f.read_bytes()[32:34] == b"[["]


def execute(binary: Path) -> bytes:
    done = subprocess.run([HCC, "run", binary], capture_output=True, check=False, timeout=120)
    assert (0, b"") == (done.returncode, done.stderr)
    return done.stdout


def test_second_run_starts_with_the_code_of_the_first(binary: Path, cache_dir: Path) -> None:
    output = execute(binary)
    (bundle,) = bundles(cache_dir)
    before = bundle.stat().st_mtime_ns

    assert output == execute(binary)
    assert before == bundle.stat().st_mtime_ns, "something was compiled again"


def test_second_run_loads_neither_llvm_nor_capstone(binary: Path, cache_dir: Path) -> None:
    imports = []
    for _ in range(2):
        command = [sys.executable, "-X", "importtime", HCC, "run", binary]
        imports.append(subprocess.run(command, capture_output=True, check=True).stderr)

    assert (True, False) == tuple(b"llvmlite" in found for found in imports)
    assert b"capstone" not in imports[1]


def test_code_that_was_made_anew_is_not_kept(cache_dir: Path) -> None:
    old = cache.Entry(((1,), (2,)), b"old")
    other = cache.Entry(((2,), (3,)), b"other", False, (7,))
    quick = cache.Entry(((1, 2, 3),), b"quick", True, (2,), (1, 3))
    cache.save("key", [old, quick])
    cache.save("key", [other])
    assert [old, quick, other] == cache.load("key")

    new = cache.Entry(((1,),), b"new")
    cache.save("key", [new])
    assert [quick, other, new] == cache.load("key")


RARER = ("cut", "empty", "other object", "no object")
DAMAGES = ("flip", "foreign", *(pytest.param(d, marks=pytest.mark.long) for d in RARER))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entries_are_ignored_and_replaced(
    damage: str, binary: Path, cache_dir: Path
) -> None:
    output = execute(binary)
    (bundle,) = bundles(cache_dir)
    content = bundle.read_bytes()
    key = bundle.parent.name + bundle.name
    match damage:
        case "flip":
            bundle.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
        case "cut":
            bundle.write_bytes(content[: len(content) // 2])
        case "empty":
            bundle.write_bytes(b"")
        case "foreign":
            store.keep(cache.KIND, key, b"something else altogether")
        case "other object":
            support = next(f for f in (cache_dir / "jit").rglob("*") if f.is_file() and f != bundle)
            bundle.unlink()
            cache.save(key, [cache.Entry(((4194304,),), support.read_bytes()[32:])])
        case "no object":
            bundle.unlink()
            cache.save(key, [cache.Entry(((4194304,),), b"no object")])
    damaged = bundle.read_bytes()

    assert output == execute(binary)
    assert damaged != bundle.read_bytes(), "the entry was not replaced"
    assert cache.load(key)


def test_two_runs_at_once_share_a_store(binary: Path, cache_dir: Path) -> None:
    command = [str(HCC), "run", str(binary)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    outputs = {child.communicate(timeout=120)[0] for child in children}

    assert 1 == len(outputs)
    assert all(child.returncode == 0 for child in children)
    assert outputs == {execute(binary)}
    assert 1 == len(bundles(cache_dir))


def test_key_depends_on_code_constants_options_sources_and_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    span = CodeSpan(0x1000, 64, 4)

    def key(
        code: bytes = b"code", constants: bytes = b"constants", isa: str = "riscv64",
        functions: tuple[tuple[int, int], ...] = ((0x1000, 8),), count: bool = False,
    ) -> str:  # fmt: skip
        return cache.bundle_key(isa, [(0, code)], [(9, constants)], functions, span, Options(count))

    keys = [
        key(), key(b"edoc"), key(constants=b""), key(isa="aarch64"), key(functions=()),
        key(count=True),
    ]  # fmt: skip
    monkeypatch.setattr(cache, "host_digest", lambda: b"another LLVM or CPU")
    keys.append(key())
    monkeypatch.setattr(cache, "source_digest", lambda isa: b"another version of the JIT")
    keys.append(key())

    assert len(keys) == len(set(keys))


def test_a_store_that_cannot_be_written_is_no_error(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path / "file"))

    assert execute(binary)


def test_code_that_is_no_object_is_refused() -> None:
    with pytest.raises(translator.FormatError, match="compiled code"):
        translator.read_image(b"\x7fELF but no more")
