"""`hcc systolic`: output, files, status."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click import BadParameter
from click.testing import CliRunner, Result

from hcc.isa.errors import FormatError, HccError
from hcc.runtime.cli.systolic import command
from hcc.runtime.systolic.reports import write_file

from .golden import DATA, runs

CONFIG = str(DATA / "gemm_small_8x16_is_calc.cfg")
GEMM = str(DATA / "gemm_small.csv")
TUTORIAL = str(DATA / "scale_sim_tutorial1_64x64_os.cfg")
NETWORK = str(DATA / "tutorial1_topofile.csv")


def call(*words: str) -> Result:
    return CliRunner().invoke(command, list(words), standalone_mode=False)


def test_run_prints_a_row_a_layer_and_a_summary() -> None:
    result = call("run", "-c", TUTORIAL, "-t", NETWORK)

    assert result.exception is None
    lines = result.output.splitlines()
    assert lines[1].split()[:5] == ["Conv_3x3", "32291", "0", "81.27", "99.05"]
    assert "104313 cycles, 0 of them stalls" in lines[-1]


def test_run_writes_scale_sims_files(tmp_path) -> None:
    result = call("run", "-c", CONFIG, "-t", GEMM, "--gemm", "-p", str(tmp_path))

    assert result.exception is None
    folder = tmp_path / "gemm_small_8x16_is_calc"
    run = next(r for n, v, r in runs() if n == "gemm_small_8x16_is_calc" and v == "2.0.2")
    lines = (folder / "COMPUTE_REPORT.csv").read_text().splitlines()
    wanted = [", ".join(map(str, row.values())) + "," for row in run["COMPUTE_REPORT"]]
    assert wanted == lines[1:]
    names = {"COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv", "DETAILED_ACCESS_REPORT.csv"}
    assert names | {"REPORT.json"} == {path.name for path in folder.iterdir()}
    report = json.loads((folder / "REPORT.json").read_text())
    assert [x["name"] for x in report["layers"]] == ["G_small", "G_tiny", "G_vec", "G_tall"]


def test_run_with_json_and_energy() -> None:
    result = call("run", "-c", CONFIG, "-t", GEMM, "-i", "gemm", "--json", "--energy", "default")

    found = json.loads(result.stdout)

    assert found["compat"] == "2.0"
    assert found["layers"][0]["energy_pj"]["total"] > 0


def test_traces_are_written_on_request(tmp_path) -> None:
    config = str(DATA / "depthwise_8x8_ws_user.cfg")
    topology = str(DATA / "conv_depthwise.csv")

    call("run", "-c", config, "-t", topology, "-p", str(tmp_path), "--traces")

    folder = tmp_path / "depthwise_8x8_ws_user"
    assert [f"layer{at}" for at in range(4)] == sorted(p.name for p in folder.glob("layer*"))
    line = (folder / "layer0" / "IFMAP_SRAM_TRACE.csv").read_text().splitlines()[8]
    assert line == "9,0,-1,-1,-1,-1,-1,-1,-1"


def test_compat_chooses_the_rules() -> None:
    config, topology = DATA / "alexnet_part_32x32_ws_user10.cfg", DATA / "alexnet_part.csv"
    cycles = {}
    for rules in ("2.0", "3.0", "fixed"):
        words = ("run", "-c", str(config), "-t", str(topology), "--compat", rules, "--json")
        cycles[rules] = json.loads(call(*words).stdout)["total_cycles"]

    assert (cycles["2.0"], cycles["3.0"]) == (439609, 441990)
    assert len(set(cycles.values())) == 3


def test_sweep_best_answers_in_one_line() -> None:
    words = ("--cells", "4096", "--dataflows", "os,ws,is", "--best")

    result = call("sweep", "-c", TUTORIAL, "-t", NETWORK, *words)

    assert result.exception is None
    assert result.output.startswith(
        "64x64 os (512/512/512 KiB, CALC) on tutorial1_topofile: 104313"
    )
    assert len(result.output.splitlines()) == 1


def test_sweep_best_as_json_is_one_of_the_points() -> None:
    words = ("sweep", "-c", CONFIG, "-t", GEMM, "--gemm", "--shapes", "8x8,16x4", "--json")
    points = json.loads(call(*words).stdout)["points"]

    assert min(points, key=lambda point: point["Total Cycles"]) == json.loads(
        call(*words, "--best").stdout
    )


def test_reports_go_through_links_and_into_devices(tmp_path) -> None:
    target, link, null = (tmp_path / name for name in ("target", "link", "null"))
    link.symlink_to(target)
    null.symlink_to("/dev/null")
    write_file(link, ["one ", "two"])
    write_file(null, ["three"])

    assert target.read_text() == "one two"
    assert link.is_symlink()
    assert null.is_char_device()
    assert len(list(tmp_path.iterdir())) == 3
    with pytest.raises(FormatError, match="Is a directory"):
        write_file(tmp_path, [""])


def test_sweep_writes_csv_json_and_plots(tmp_path) -> None:
    pytest.importorskip("matplotlib")
    words = ("--shapes", "8x8,16x4", "--dataflows", "os,ws", "-p", str(tmp_path), "--plots")

    result = call("sweep", "-c", CONFIG, "-t", GEMM, "--gemm", "--bandwidths", "5,10", *words)

    assert result.exception is None
    rows = (tmp_path / "sweep.csv").read_text().splitlines()
    assert len(rows) == 9
    found = json.loads((tmp_path / "sweep.json").read_text())
    assert len(found["points"]) == 8
    assert found["pareto"]
    names = ["bandwidth", "layers", "pareto", "runtime", "utilisation"]
    assert names == sorted(path.stem for path in tmp_path.glob("*.svg"))


def test_compute_agrees_with_numpy() -> None:
    result = call("compute", "-t", str(DATA / "conv_odd.csv"), "--shape", "8x8")

    assert result.return_value == 0
    assert result.output.count("agrees with numpy") == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "-c", "none.cfg", "-t", NETWORK), "none.cfg: No such file"),
        (("run", "-c", TUTORIAL), "no topology"),
        (("run", "-c", TUTORIAL, "-t", NETWORK, "--traces"), "--traces wants -p DIR"),
        (("sweep", "-c", TUTORIAL, "-t", NETWORK, "--best", "beauty"), "no objective 'beauty'"),
        (("sweep", "-c", TUTORIAL, "-t", NETWORK, "--cells", "100"), "no power of two"),
        (("compute", "-t", GEMM, "--gemm", "--shape", "99999x99999"), "take 968.8 GiB; the most"),
    ],
)
def test_bad_input_is_an_error_of_ours(words, message) -> None:
    result = call(*words)

    assert isinstance(result.exception, HccError)
    assert message in str(result.exception)


@pytest.mark.parametrize(
    "words",
    [
        ("sweep", "-c", TUTORIAL, "-t", NETWORK, "--shapes", "²x²"),
        ("sweep", "-c", TUTORIAL, "-t", NETWORK, "--shapes", f"8x{'9' * 5000}"),
        ("sweep", "-c", TUTORIAL, "-t", NETWORK, "--bandwidths", "²"),
        ("sweep", "-c", TUTORIAL, "-t", NETWORK, "--sram", "9" * 5000),
        ("sweep", "-c", TUTORIAL, "-t", NETWORK, "--cells", str(1 << 31)),
        ("compute", "-t", NETWORK, "--shape", "²x²"),
        ("compute", "-t", NETWORK, "--seed", "-1"),
    ],
)
def test_options_that_are_no_numbers_are_refused(words) -> None:
    exception = call(*words).exception

    assert isinstance(exception, BadParameter)
    assert "\n" not in exception.format_message()


def test_layers_beyond_the_memory_are_refused(monkeypatch) -> None:
    def run_network(*arguments: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("hcc.emulator.systolic.run_network", run_network)
    result = call("run", "-c", CONFIG, "-t", NETWORK)

    assert isinstance(result.exception, HccError)
    assert "do not fit this machine's memory" in str(result.exception)


def test_bad_files_exit_with_2_and_one_line(tmp_path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("h,\nA, 5, 6, 7, 2, 4, 7, 2,\n")
    script = (
        "import sys; from hcc.runtime import cli;"
        "cli.COMMANDS['systolic'] = ('systolic', ''); cli.main(sys.argv[1:])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, "systolic", "run", "-c", TUTORIAL, "-t", str(bad)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert f"hcc: error: {bad}:2:10: filter height 7 is larger than its input's 5\n" == done.stderr
