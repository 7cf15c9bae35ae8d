"""Every case of the reference data, through the command line as a script would run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hcc.compiler.firmware import FirmwareError, from_program
from hcc.emulator.lebug.engine import Engine
from hcc.isa.errors import HccError
from hcc.isa.lebug import Machine, decode, decode_value, encode, encode_value
from hcc.isa.lebug.bytecode import chain_fields, published_fields
from hcc.isa.lebug.machine import EMULATOR_LATENCY
from hcc.runtime.cli.firmware import command

DATA = Path(__file__).parent.parent / "data" / "lebug"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / name).read_text())
    return found


EMULATOR = load("emulator.json")
CASES = {case["id"]: case for case in EMULATOR["cases"] + load("random.json")["cases"]}
RTL = {case["id"]: case for case in load("rtl.json")["cases"] if case["id"] in CASES}
DELTA = {case["id"]: case for case in load("delta.json")["cases"]}


def run_case(case: dict[str, Any], tmp_path: Path, *options: str) -> Any:
    file = tmp_path / "case.json"
    file.write_text(json.dumps(case))
    result = CliRunner().invoke(command, ["case", str(file), "--json", *options])
    assert result.exception is None or isinstance(result.exception, (SystemExit, HccError))
    return json.loads(result.stdout)


def close(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) or isinstance(found, float):
        return bool(abs(expected - found) <= 1e-9)
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(close, expected, found))
    if isinstance(expected, dict):
        return expected.keys() == found.keys() and all(
            close(expected[key], found[key]) for key in expected
        )
    return bool(expected == found)


@pytest.mark.parametrize("name", CASES)
def test_reference_case_prints_what_the_emulator_left(name: str, tmp_path: Path) -> None:
    assert close(CASES[name]["expected"], run_case(CASES[name], tmp_path))


@pytest.mark.parametrize("name", CASES)
def test_fast_engine_gives_the_emulators_rows_and_memories(name: str) -> None:
    case, expected = CASES[name], CASES[name]["expected"]
    machine = Machine.from_parameters(case["params"])
    firmware = from_program(
        case["program"], machine, edges=[float(edge) for edge in case["fu_vrf"]]
    ).firmware
    engine = Engine(firmware)
    rows = engine.run(
        np.array([item["v"] for item in case["inputs"]], dtype=float),
        np.array([item["eof1"] + 2 * item["eof2"] for item in case["inputs"]], dtype=np.uint8),
    )
    steps = rows.vectors * len(firmware.chains) + rows.chains + machine.latency(EMULATOR_LATENCY)

    assert [row["step"] for row in expected["packed_rows"]] == steps.tolist()
    assert close([row["row"] for row in expected["packed_rows"]], rows.lanes.tolist())
    assert close(expected["vvvrf_final"], engine.cache.tolist())
    assert close(expected["minicache_final"], engine.minicache.tolist())
    assert expected["packer_fill"] == engine.fill
    assert close(expected["packer_residue"], engine.residue.tolist())


@pytest.mark.parametrize("name", CASES)
def test_bytecode_fields_are_the_generators(name: str) -> None:
    case = CASES[name]
    machine = Machine.from_parameters(case["params"])
    firmware = from_program(case["program"], machine).firmware
    for expected, chain in zip(case["encoded_chains"], firmware.chains, strict=True):
        lossless = {
            "VVALU": chain_fields(chain, machine, False)["VVALU_cond"],
            "CACHE": chain_fields(chain, machine, False)["VVALU_cache_cond"],
            "DP": chain_fields(chain, machine, False)["DP_cond"],
        }

        assert expected == {**published_fields(chain, machine), "full_cond_bits": lossless}
    assert firmware == decode(encode(firmware))


@pytest.mark.parametrize("name", RTL)
def test_as_built_case_prints_what_the_rtl_gave(name: str, tmp_path: Path) -> None:
    given = ("data_type", "data_width", "fu_vrf_used")
    case = {**CASES[name], **{key: RTL[name][key] for key in given}}

    found = run_case(case, tmp_path, "--mode", "as-built")

    assert RTL[name]["hw_rows"] == found["hw_rows"]
    assert [row["value"] for row in RTL[name]["hw_rows"]] == [
        row["row"] for row in found["packed_rows"]
    ]


@pytest.mark.parametrize("name", DELTA)
def test_delta_case_prints_what_the_compressor_left(name: str, tmp_path: Path) -> None:
    case = DELTA[name]
    keys = ("tb_words", "comp_flags", "tb_ptr", "last_vector", "decompressed")

    assert {key: case[key] for key in keys} == run_case(case, tmp_path, "--mode", "delta")


PHRASES = {
    "more chains than MAX_CHAINS": "more chains than the hardware can handle",
    "commit size not in {1,M,N}": "cannot commit 3 elements",
    "unknown condition": "condition not understood",
    "unknown reduce axis": "unknown axis for instruction m_reduce",
    "mc_load twice": "load the mini-cache more than once per chain",
    "mc_save before mc_load": "load the mini-cache more than once per chain, or after saving",
    "mc_save twice": "save the mini-cache more than once per chain",
}


@pytest.mark.parametrize("case", EMULATOR["compile_errors"], ids=lambda case: case["description"])
def test_compiler_refuses_what_lebugs_refuses(case: dict[str, Any], tmp_path: Path) -> None:
    found = run_case(case, tmp_path)
    if case["error"] is None:
        assert found["error"] is None
        return

    assert PHRASES[case["description"]] in found["error"]
    with pytest.raises(FirmwareError):
        from_program(case["program"], Machine.from_parameters(case))


def test_codec_table() -> None:
    quirks = 0
    for line in EMULATOR["fixed_point_codec"]:
        word = encode_value(line["value"], line["width"])
        if line["encoded"] == 1 << line["width"]:
            # LeBug's encoder gives a word of W + 1 bits for a negative value that rounds to 0.
            quirks += 1
            assert (0, 0.0) == (word, decode_value(word, line["width"]))
            continue

        assert (line["encoded"], line["decoded"]) == (word, decode_value(word, line["width"]))
    assert quirks == 2


@pytest.mark.parametrize(("value", "word"), [(1e305, 0x7FFFFFFF), (-1e305, 0x80000001)])
def test_what_overflows_clamps(value: float, word: int) -> None:
    assert word == encode_value(value, 32)


# What LeBug's guide prints under "Emulation results", with its own spacing.
GUIDE = {
    "raw_doc": """\
[[ 0.744  1.576  1.014  0.724  0.118  1.229  0.188  2.459]
 [ 2.818 -0.083  1.959  0.644  0.84   2.628 -1.645 -1.564]
 [-1.899  2.163  1.891  2.35   2.893  1.996  0.307  1.903]]
""",
    "minicache_doc": """\
[[ 4.  4. 12.  2.  6. 12.  2.  0.]
 [10.  8. 24. 10. 20. 24.  4.  8.]]
""",
    "dist_doc16": """\
[[0. 0. 2. 1. 1. 0. 3. 0. 1. 0. 0. 0. 0. 0. 0. 0.]
 [1. 0. 0. 4. 1. 0. 2. 0. 0. 0. 0. 0. 0. 0. 0. 0.]]
""",
}


@pytest.mark.parametrize("name", GUIDE)
def test_case_prints_digit_for_digit_as_the_guide(name: str, tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text(json.dumps(CASES[name]))
    result = CliRunner().invoke(command, ["case", str(file)])
    title = "********** Emulation results **********\n"

    assert GUIDE[name] == result.stdout.partition(title)[2]
    assert "Cycle 0:\t[" in result.stdout
