"""`hcc pim` as others script against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hcc.runtime.cli import main

from .golden import golden


def hcc(capsys: pytest.CaptureFixture[str], *args: object) -> tuple[int, str, str]:
    """Status, stdout and stderr of one command."""
    with pytest.raises(SystemExit) as end:
        main([str(arg) for arg in args])
    captured = capsys.readouterr()
    return int(end.value.code or 0), captured.out, captured.err


def words(kernel: dict[str, Any]) -> list[str]:
    return [entry["hex"].removeprefix("0x").lower() for entry in kernel["crf"]]


def test_asm_and_disasm_are_inverse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kernel = golden()["samsung_kernels"][0]
    source, object_ = tmp_path / "add.pim", tmp_path / "add.hex"
    source.write_text("\n".join(entry["asm"].strip() for entry in kernel["crf"]) + "\n")
    status, out, _ = hcc(capsys, "pim", "asm", source, "--dialect", "samsung")

    assert (0, words(kernel)) == (status, out.split())
    object_.write_text(out)
    assert (0, source.read_text()) == hcc(capsys, "pim", "disasm", object_)[:2]


def test_asm_names_the_rule_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "bad.pim"
    source.write_text("MAC GRF_A[0], GRF_A[0], EVEN_BANK\nEXIT\n")
    status, _, err = hcc(capsys, "pim", "asm", source, "--dialect", "samsung")

    assert 2 == status
    assert err.startswith(f"hcc: error: {source}:1: ")
    assert "[operands]" in err


@pytest.mark.parametrize("case", golden()["samsung_functional"][:1])
def test_case_prints_outputs_under_the_same_keys(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps({k: v for k, v in case.items() if k != "y_u16be"}))
    status, out, _ = hcc(capsys, "pim", "case", file, "--json")
    found = json.loads(out)

    assert 0 == status
    assert {k: case[k] for k in found} == found


@pytest.mark.parametrize(
    ("args", "cycles"),
    [
        (("gemv", "64x256", "--channels", 1, "--ranks", 1, "--schedule", "reference"), 1138),
        (("add", "2048", "--channels", 1, "--schedule", "reference"), 731),
        (("relu", "16384", "--channels", 1, "--ranks", 2, "--schedule", "reference"), 2042),
        (("gemv", "4096x256", "--channels", 64, "--schedule", "reference"), 1138),
    ],
)
def test_bench_gives_the_reference_figures(
    args: tuple[object, ...], cycles: int, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = hcc(capsys, "pim", "bench", *args, "--json")
    found = json.loads(out)

    assert (0, cycles, True) == (status, found["cycles"], found["checked"])


@pytest.mark.parametrize("shape", ["1x1", "100x300", "1100x90"])
def test_bench_takes_any_shape(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = hcc(capsys, "pim", "bench", "gemv", shape, "--channels", 3, "--json")

    assert (0, True) == (status, json.loads(out)["checked"])


def test_run_computes_on_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.standard_normal(1000).astype(np.float16) for _ in range(2))
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    kernel, result = tmp_path / "mul.pim", tmp_path / "y.npy"
    kernel.write_text(
        "FILL GRF_A[0], EVEN_BANK\nMUL GRF_A[0], GRF_A[0], EVEN_BANK, auto\nNOP 8x\n"
        "FILL GRF_B[0], ODD_BANK\nMUL GRF_B[0], GRF_B[0], ODD_BANK, auto\nNOP 8x\nEXIT\n"
    )
    status, out, _ = hcc(capsys, "pim", "run", kernel, "--input", tmp_path / "a.npy",
                         "--input", tmp_path / "b.npy", "--output", result, "--json")  # fmt: skip

    assert 0 == status
    assert json.loads(out)["slots"] == 48
    assert np.array_equal(a * b, np.load(result))


GEMV_C = """
__pim void gemv(const _Float16 w[16][128], const _Float16 *x, _Float16 *y)
{ for (int r = 0; r < 16; r++) { _Float16 s = 0; for (int c = 0; c < 128; c++) s += w[r][c] * x[c]; y[r] = s; } }
"""  # noqa: E501


def test_compile_prints_microkernel_layout_and_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "gemv.c"
    source.write_text(GEMV_C)
    status, out, _ = hcc(capsys, "pim", "compile", source, "--dialect", "pimsys")

    assert 0 == status
    for line in ("MAC(AAM) GRF_B, BANK, GRF_A", "JUMP -1, 7", "18 triggers a channel, 36 in all",
                 "WR bank 0 row 3 column 0  FILL"):  # fmt: skip
        assert line in out
    status, out, _ = hcc(capsys, "pim", "compile", source, "--json")
    assert "gemv" == json.loads(out)["functions"][0]["function"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("asm", "{dir}/none"), "No such file or directory"),
        (("disasm", "{dir}/text"), "expected a hexadecimal word"),
        (("case", "{dir}/text"), "not JSON"),
        (("case", "{dir}/empty.json"), "a case has 'kernel' or 'config_json'"),
        (("case", "{dir}/short.json"), "'a_u16be' has 1 values, not 2048"),
        (("bench", "gemv", "100"), "is no shape of gemv"),
        (("bench", "add", "2x2"), "is no shape of add"),
        (("bench", "add", "5", "--schedule", "reference"), "takes multiples of 131072 elements"),
        (("bench", "gemv", "4096x100", "--schedule", "reference"), "multiples of 256 inputs"),
        (("bench", "div", "5"), "'div' is not one of"),
        (("bench", "add", "5", "--memory", "{dir}/text"), "not JSON"),
        (("run", "{dir}/exit", "--input", "{dir}/text"), "not a numpy array file"),
        (("run", "{dir}/exit", "--input", "{dir}/zip.npy"), "not a numpy array file"),
        (("run", "{dir}/exit", "--input", "{dir}/header.npy"), "malformed header"),
        (("run", "{dir}/exit", "--requests", "{dir}/digits"), "digits:1: expected RD or WR"),
        (("bench", "add", "²"), "'²' is no shape of add"),
        (("bench", "gemv", f"{'9' * 5000}x4"), f"'{'9' * 40}' is no shape of gemv"),
        (("compile", "{dir}/plain.c"), "there is no __pim function in it"),
    ],
)
def test_bad_input_has_one_line(
    args: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("hello\n")
    (tmp_path / "exit").write_text("EXIT\n")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "short.json").write_text('{"kernel": "add", "n": 2048, "a_u16be": "3c00"}')
    (tmp_path / "zip.npy").write_bytes(b"PK\x03\x04 damaged")
    (tmp_path / "header.npy").write_bytes(b"\x93NUMPY\x01\x00\x08\x00{'a':(((")
    (tmp_path / "digits").write_text(f"RD {'9' * 5000} 0 0\n")
    (tmp_path / "plain.c").write_text("int x;\n")
    status, out, err = hcc(capsys, "pim", *(arg.format(dir=tmp_path) for arg in args))

    assert (2, "") == (status, out)
    assert err.startswith("hcc: error: ")
    assert 1 == err.count("\n")
    assert said in err
