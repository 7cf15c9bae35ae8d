"""The example runs as its text says, and its firmware compiles with nothing to complain about."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from hcc.compiler.firmware import Compiler, FirmwareError, begin_chain, build, end_chain, v_commit
from hcc.compiler.firmware.checks import check
from hcc.compiler.firmware.config import read_config
from hcc.compiler.firmware.text import compile_file
from hcc.isa.errors import HccError
from hcc.isa.lebug import Machine, encode

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "lebug"


def test_network_example_agrees_with_numpy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["network.py", str(tmp_path / "plot.png")])
    runpy.run_path(str(EXAMPLES / "network.py"), run_name="__main__")

    assert capsys.readouterr().out.endswith("as numpy has it\n")
    assert (tmp_path / "plot.png").stat().st_size > 1000


def test_example_firmware_is_clean_for_the_emulator() -> None:
    configuration = read_config(EXAMPLES / "layers.yaml")
    compilation = compile_file(
        EXAMPLES / "layers.py", configuration.machine, edges=configuration.edges
    )

    assert {"cache-condition", "edge-infinite"} == {d.code for d in check(compilation)}


def test_example_firmware_runs_as_python_too() -> None:
    configuration = read_config(EXAMPLES / "layers.yaml")
    function = runpy.run_path(str(EXAMPLES / "layers.py"))["layers"]
    python = build(function, configuration.machine, edges=configuration.edges)
    text = compile_file(EXAMPLES / "layers.py", configuration.machine, edges=configuration.edges)

    assert encode(text.firmware) == encode(python.firmware)


# The Python builder's own manners


def test_direct_calls_need_a_firmware() -> None:
    with pytest.raises(FirmwareError, match="a firmware instruction outside a firmware"):
        begin_chain()
    with Compiler(4, 2, 8) as cp:
        begin_chain()
        v_commit()
        end_chain()

        assert 4 == cp.compile().chains[0].commit


def test_compilers_nest() -> None:
    with Compiler() as outer:
        with Compiler() as inner:
            begin_chain()
            end_chain()
        begin_chain()
        v_commit(1)
        end_chain()

    assert (1, 0) == (outer.compile().chains[0].commit, inner.compile().chains[0].commit)


def test_builder_errors_name_the_callers_line() -> None:
    def bad(cp: Compiler) -> None:
        cp.begin_chain()
        cp.v_commit(3)

    with pytest.raises(FirmwareError) as caught:
        build(bad, Machine())
    span = caught.value.span
    assert span is not None
    assert ("test_examples.py", bad.__code__.co_firstlineno + 2) == (span.file, span.line)


def test_builder_takes_numpy_integers_and_checks_arguments() -> None:
    def some(cp: Compiler, rows: int, N: int) -> None:
        cp.begin_chain()
        cp.v_cache(np.int64(rows))  # type: ignore[arg-type]
        cp.v_commit(N)
        cp.end_chain()

    built = build(some, Machine(n=16, m=2), {"rows": 3}).firmware
    assert (3, 16) == (built.chains[0].cache_addr, built.chains[0].commit)
    with pytest.raises(FirmwareError, match="some needs its parameter 'rows'"):
        build(some, Machine())
    with pytest.raises(FirmwareError, match="some has no parameter 'x'"):
        build(some, Machine(), {"rows": 1, "x": 1})


def test_configurations_in_three_formats_agree(tmp_path: Path) -> None:
    texts = {
        "a.yaml": "N: 16\nM: 2 # ranges\nDATA_TYPE: int\n"
        "BUILDING_BLOCKS: ['InputBuffer', DataPacker, TraceBuffer]\n",
        "a.json": '{"N": 16, "M": 2, "DATA_TYPE": 0, '
        '"BUILDING_BLOCKS": ["InputBuffer", "DataPacker", "TraceBuffer"]}',
        "a.toml": 'N = 16\nM = 2\nDATA_TYPE = "int"\n'
        'BUILDING_BLOCKS = ["InputBuffer", "DataPacker", "TraceBuffer"]\n',
    }
    found = []
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        found.append(read_config(tmp_path / name).machine)

    assert found[0] == found[1] == found[2]
    assert (16, 2) == (found[0].n, found[0].m)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.yaml", "N: [1\n", "a list in brackets must end on its line"),
        ("a.yaml", "N: 8\nN: 4\n", "'N' is given twice"),
        ("a.yaml", "N: 'x\n", "unfinished string"),
        ("a.yaml", "N: {}\n", "only plain names"),
        ("a.yaml", "N: many\n", "N is 'many', not an integer"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[]", "a table of names and values"),
        ("a.toml", "N =", "not TOML"),
        ("a.ini", "N=8", "is .yaml, .json or .toml"),
        ("a.yaml", "DATA_TYPE: float\n", "unknown data type 'float'"),
        ("a.yaml", "BUILDING_BLOCKS: [DataPacker]\n", "first building block must be InputBuffer"),
        ("a.yaml", "FU_VRF: [1, 2]\n", "2 edges, the filter memory holds 16"),
        ("a.yaml", "FU_VRF: [x]\n", "'x' is not a number"),
    ],
)
def test_malformed_configurations_are_refused(
    name: str, text: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(HccError) as caught:
        read_config(tmp_path / name)
    assert words in str(caught.value)
