"""`hcc firmware` and `hcc bench lebug` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from hcc.isa.errors import HccError
from hcc.runtime.bench.lebug import command as bench
from hcc.runtime.cli.firmware import command

CONFIG = """\
# LeBug's own file
---
N: 8                      # Input vector width
M: 4
IB_DEPTH: 32
FUVRF_SIZE: 4
VVVRF_SIZE: 8
TB_SIZE: 8
MAX_CHAINS: 4
DATA_TYPE: 'fixed_point'  # Data type
DATA_WIDTH: 32
DEVICE_FAM: 'Stratix 10'

BUILDING_BLOCKS:
    - InputBuffer
    - FilterReduceUnit
    - VectorVectorALU
    - VectorScalarReduce
    - DataPacker
    - TraceBuffer

FIRM: distribution
"""


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def error(*arguments: str) -> str:
    result = call(*arguments)
    assert isinstance(result.exception, HccError), result.output
    return str(result.exception)


def vectors(name: str = "in.npy", count: int = 4, width: int = 8) -> str:
    np.save(name, np.arange(count * width, dtype=float).reshape(count, width) % 7)
    return name


def test_list_shows_the_library() -> None:
    result = call("list")
    listed = json.loads(call("list", "--json").stdout)

    assert 0 == result.exit_code
    assert all(entry["name"] in result.stdout for entry in listed)
    assert 21 == len(listed)
    assert "Pearson" in call("list", "correlation").stdout
    assert "no library firmware 'x'" in error("list", "x")


def test_compile_and_disassemble_round_trip() -> None:
    Path("f.py").write_text("def f(cp):\n    raw(cp)\n    sumAll(cp)\n    return cp.compile()\n")
    first = call("compile", "f.py", "-o", "one.lbc", "--json")
    text = call("disasm", "one.lbc")
    Path("g.py").write_text(text.stdout)
    call("compile", "g.py", "-q")

    assert 0 == first.exit_code
    assert 2 == json.loads(first.stdout)["chains"]
    assert Path("one.lbc").read_bytes() == Path("f.lbc").read_bytes()
    assert "chain 2: v_commit of 8 can meet" not in text.stdout
    assert 2 == len(json.loads(call("disasm", "one.lbc", "--json").stdout)["encoded_chains"])


def test_warnings_go_to_stderr_and_strict_makes_the_answer_no() -> None:
    Path("f.py").write_text("def f(cp):\n    sumAll(cp)\n    raw(cp)\n")
    loose, strict = call("compile", "f.py"), call("compile", "f.py", "--strict")

    assert (0, 1) == (loose.exit_code, strict.exit_code)
    assert "warning: chain 2: v_commit of 8 can meet a row with 1" in loose.stderr
    assert "" == loose.stdout
    assert "" == call("compile", "f.py", "-q").stderr


def test_compile_refuses_errors_with_their_place() -> None:
    Path("f.py").write_text(
        "def f(cp):\n    cp.begin_chain()\n    cp.v_cache(8)\n    cp.end_chain()\n"
    )

    assert error("compile", "f.py").startswith("f.py:3:5: chain 1: v_cache uses row 8")
    assert not Path("f.lbc").exists()


def test_uart_image_for_lebugs_configuration() -> None:
    Path("config.yaml").write_text(CONFIG)
    call("compile", "distribution", "-c", "config.yaml", "-a", "bins=16", "--format", "uart")
    text = call("disasm", "distribution.uart", "--format", "uart", "-c", "config.yaml").stdout

    assert 118 == Path("distribution.uart").stat().st_size
    assert "cp.vv_filter(3)" in text


def test_run_takes_its_machine_from_lebugs_configuration() -> None:
    Path("config.yaml").write_text(CONFIG)
    result = call("run", vectors(), "-c", "config.yaml", "-a", "bins=16", "--eof1", "all", "--json")
    found = json.loads(result.stdout)

    assert 8 == len(found["rows"])
    assert 4 == found["report"]["chains"]
    # values are 0 to 6, and a zero is in no bin
    assert 4 * 8 - 5 == sum(sum(row["row"]) for row in found["rows"])


def test_run_takes_the_width_of_its_input() -> None:
    result = call("run", "sumAll", vectors(width=2, count=2), "--json")

    assert [1.0, 5.0] == json.loads(result.stdout)["rows"][0]["row"]


def test_run_table_and_report() -> None:
    result = call("run", "raw", vectors(count=3))

    assert "step" in result.stdout
    assert "3 vectors, 1 chains, 3 rows, 10 steps (reference)" in result.stdout


def test_run_prints_as_the_guide_does() -> None:
    np.save("in.npy", np.array([[2, 2, 6, 1, 3, 6, 1, 0], [1, 0, 0, 3, 4, 0, 0, 4]]))
    result = call("run", "minicache", "in.npy", "--eof1", "all", "--guide")

    assert (
        "********** Input vectors **********\n"
        "Cycle 0:\t[2 2 6 1 3 6 1 0]\n"
        "Cycle 1:\t[1 0 0 3 4 0 0 4]\n"
        "\n"
        "********** Emulation results **********\n"
        "[[ 4.  4. 12.  2.  6. 12.  2.  0.]\n"
        " [10.  8. 24. 10. 20. 24.  4.  8.]]\n"
    ) == result.stdout


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".json"])
def test_run_writes_the_trace(suffix: str) -> None:
    result = call("run", "raw", vectors(), "-o", f"out{suffix}")

    assert 0 == result.exit_code
    assert ["in.npy", f"out{suffix}"] == sorted(
        path.name for path in Path().iterdir()
    )  # no temporary left behind
    if suffix == ".npy":
        np.testing.assert_array_equal(np.load("in.npy"), np.load("out.npy"))


def test_output_goes_through_links_and_into_devices() -> None:
    Path("link.npy").symlink_to("trace.npy")
    Path("null").symlink_to("/dev/null")
    call("run", "raw", vectors(), "-o", "link.npy")
    call("compile", "raw", "-o", "null")

    assert Path("link.npy").is_symlink()
    np.testing.assert_array_equal(np.load("in.npy"), np.load("trace.npy"))
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["raw", "sumAll", "correlation"])
@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_run_plots(name: str, suffix: str) -> None:
    result = call("run", name, vectors(count=8), "--plot", f"out{suffix}")

    assert 0 == result.exit_code
    assert Path(f"out{suffix}").stat().st_size > 1000


def test_run_modes_and_compression() -> None:
    vectors()
    for mode in ("reference", "fixed", "as-built"):
        found = json.loads(call("run", "raw", "in.npy", "--mode", mode, "--json").stdout)
        assert np.load("in.npy").tolist() == [row["row"] for row in found["rows"]]
    found = json.loads(call("run", "raw", "in.npy", "--delta", "4", "--json").stdout)
    assert 1 < found["report"]["compression_ratio"] <= 4


def test_run_signals_and_arrivals() -> None:
    v = np.arange(48, dtype=float).reshape(6, 8)
    np.savez("in.npz", v=v, valid=[1, 0, 1, 1, 1, 1], eof1=[0, 0, 1, 0, 0, 1])
    found = json.loads(call("run", "raw", "in.npz", "--arrivals", "5", "--json").stdout)
    assert [7, 17, 22, 27, 32] == [row["step"] for row in found["rows"]]

    lossy = call("run", "minicache", "in.npz", "--arrivals", "0", "--set", "IB_DEPTH=1", "--json")
    assert 3 == json.loads(lossy.stdout)["report"]["vectors_lost"]
    assert "3 of 5 vectors lost" in lossy.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "in.npy"], "which firmware?"),
        (["run", "raw", "none.npy"], "none.npy: no such file or directory"),
        (["run", "raw", "bad.npy"], "bad.npy: not a numpy array file"),
        (["run", "raw", "pickle.npy"], "pickle.npy: values of type object"),
        (["run", "raw", "complex.npy"], "real numbers are wanted"),
        (["run", "raw", "in.txt"], "input vectors are .npy or .npz"),
        (["run", "raw", "in.npy", "--set", "N=16"], "the last axis must be N = 16"),
        (["run", "raw", "in.npy", "--set", "N=12"], "must be a power of 2"),
        (["run", "raw", "in.npy", "--set", "X=1"], "unknown parameter 'X'"),
        (["run", "raw", "in.npy", "--set", "TB_SIZE"], "NAME=VALUE is wanted"),
        (["run", "raw", "in.npy", "--set", "TB_SIZE=99999999999"], "the largest supported"),
        (["run", "raw", "in.npy", "--eof1", "sometimes"], "--eof1: 'sometimes' is not"),
        (["run", "raw", "in.npy", "--eof1", "0101010"], "7 entries for 4 vectors"),
        (["run", "raw", "in.npy", "--eof1", "every:0"], "every:K takes a positive integer"),
        (["run", "raw", "in.npy", "--arrivals", "-1"], "arrivals: '-1' is not"),
        (["run", "raw", "in.npy", "-o", "x.xls"], "a trace is written as"),
        (["run", "raw", "in.npy", "-o", "in.npy/x.npy"], "in.npy/x.npy: cannot be written"),
        (["run", "raw", "in.npy", "--plot", "x.gif"], "a plot is a .png"),
        (["run", "raw", "in.npy", "--delta", "5"], "not divisible by DELTA_SLOTS 5"),
        (["run", "raw", "in.npy", "--edges", "1,2"], "2 edges, the filter memory holds 16"),
        (["run", "raw", "in.npy", "--edges", "nan," * 15 + "nan"], "NaN cannot be an edge"),
        (["run", "distribution", "in.npy"], "needs a value for its parameter 'bins'"),
        (["run", "missing.py", "in.npy"], "missing.py: no such file"),
        (["compile", "bad.npy"], "bad.npy: not UTF-8 text"),
        (["disasm", "in.npy"], "not LeBug bytecode"),
        (["case", "in.npy"], "not JSON"),
        (["case", "deep.json"], "not JSON"),
        (["compile", "raw", "-c", "bad.yaml"], "bad.yaml:2: expected 'NAME: value'"),
        (["run", "raw", "in.npy", "-c", "list.yaml"], "list.yaml: N is [8], not an integer"),
        (["compile", "raw", "-c", "table.json"], "table.json: N is {}, not an integer"),
        (["compile", "raw", "-c", "digits.json"], "digits.json: not JSON"),
        (["compile", "raw", "-c", "digits.toml"], "digits.toml: not TOML"),
        (["compile", "raw", "-c", "digits.yaml"], "digits.yaml: N is inf, not an integer"),
        (["run", "raw", "huge.npy", "--delta", "4"], "row 0[0]: 1e+300 does not fit 32 bits"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: list[str], words: str) -> None:
    vectors()
    Path("bad.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff broken")
    np.save("pickle.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save("complex.npy", np.ones((2, 8), dtype=complex))
    Path("in.txt").write_text("1 2 3")
    Path("deep.json").write_text("[" * 100_000)
    Path("bad.yaml").write_text("N: 8\n  nested: {a: b}\n")
    Path("list.yaml").write_text("N: [8]\n")
    Path("table.json").write_text('{"N": {}}')
    digits = "9" * 5000
    Path("digits.json").write_text(f'{{"N": {digits}}}')
    Path("digits.toml").write_text(f"N = {digits}")
    Path("digits.yaml").write_text(f"N: {digits}")
    np.save("huge.npy", np.full((1, 8), 1e300))

    assert words in error(*arguments)


CASE: dict[str, Any] = {
    "params": {"N": 4, "M": 2},
    "program": [[{"op": "v_commit"}]],
    "inputs": [{"v": [1, 2, 3, "inf"]}, {"v": [0, 0, 0, 0], "valid": False}],
    "steps": 20,
}


def run_case(case: Any, *options: str) -> Result:
    Path("case.json").write_text(json.dumps(case))
    return call("case", "case.json", *options)


def test_case_without_expectation_has_everything() -> None:
    found = json.loads(run_case(CASE, "--json").stdout)

    assert [{"step": 7, "row": [1.0, 2.0, 3.0, "inf"]}] == found["packed_rows"]
    assert 20 == len(found["cycle_trace"])
    assert "cycle_trace" not in json.loads(run_case(CASE, "--json", "--no-cycles").stdout)


def test_case_check_compares() -> None:
    good = {**CASE, "expected": {"tb_write_index": 1, "packer_fill": 0}}
    bad = {**CASE, "expected": {"tb_write_index": 2, "packer_fill": 0}}

    assert 0 == run_case(good, "--check").exit_code
    assert (1, "differs: tb_write_index\n") == (
        run_case(bad, "--check").exit_code,
        run_case(bad, "--check").stderr,
    )


def test_case_stops_after_its_steps() -> None:
    found = json.loads(run_case({**CASE, "steps": 7}, "--json").stdout)

    assert [] == found["packed_rows"]
    assert 1 == len(json.loads(run_case({**CASE, "steps": 8}, "--json").stdout)["packed_rows"])


def test_case_picked_from_many() -> None:
    many = {"cases": [{**CASE, "id": "a"}, {**CASE, "id": "b"}]}

    assert 0 == run_case(many, "--id", "b", "--json").exit_code
    assert "no case 'c'" in str(run_case(many, "--id", "c").exception)
    assert "holds 2 cases" in str(run_case(many).exception)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"program": 5}, "a program is a list of chains"),
        ({"program": [[{"op": "jump"}]]}, "chain 1: unknown instruction 'jump'"),
        ({"program": [[{"op": "v_cache", "addr": 99}]]}, "cache row 99 does not exist"),
        ({"program": []}, "no chains"),
        ({"inputs": [{"v": [1]}]}, "input 0 must have 'v', a list of 4 values"),
        ({"inputs": 3}, "'inputs' must be a list"),
        ({"inputs": [{"v": [1, 2, 3, None]}]}, "'None' is not a number"),
        ({"inputs": [{"v": [0] * 4}] * 20}, "input buffer overflowed: 20 vectors"),
        ({"steps": 10**12}, "'steps' is 1000000000000"),
        ({"steps": "x"}, "'steps' must be an integer"),
        ({"fu_vrf": [1]}, "'fu_vrf' has 1 values, the machine 8"),
        ({"params": {"N": 3}}, "N is 3: must be a power of 2"),
        ({"params": {"N": 4, "BUILDING_BLOCKS": ["Tea"]}}, "unknown building block 'Tea'"),
        ({"params": 7}, "'params' must be an object"),
    ],
)
def test_malformed_cases_are_refused(change: dict[str, Any], words: str) -> None:
    result = run_case({**CASE, **change}, "--json")

    assert isinstance(result.exception, HccError)
    assert words in str(result.exception)
    assert words in json.loads(result.stdout)["error"]


def test_bench_reports_rates() -> None:
    result = CliRunner().invoke(bench, ["--vectors", "2000", "--json"])
    found = json.loads(result.stdout)

    assert 0 == result.exit_code
    assert [8, 128] == [row["N"] for row in found["rates"]]
    assert all(row["chain_vectors_per_second"] > 0 for row in found["rates"])
