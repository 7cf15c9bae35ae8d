"""`test`: what passes, what fails and how it is said; references, patterns, cells, reports."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from hcc.runtime.workload.compare import Rules, compare_file, compare_log, log_text
from hcc.runtime.workload.console import BEGIN, END
from tests.workload.tool import Said, put_program, workload, write


def spec(folder: Path, testing: str, args: str = "[say, one, say, two, write, /x, 1.5]") -> Path:
    put_program(folder)
    path = folder / "w.yaml"
    path.write_text(
        f"name: w\nbin: guest.hcc\nisas: [x86_64]\nlevels: [native]\nargs: {args}\n"
        f"outputs: [/x]\ntesting: {testing}\n"
    )
    return path


def log_matches(reference: str, found: str, **rules: object) -> bool:
    how = Rules(**rules)  # type: ignore[arg-type]
    return compare_log(reference.encode(), found.encode(), how, "uartlog") is None


# ---- the rules by themselves ----


@pytest.mark.parametrize(
    ("reference", "log", "expected"),
    [
        ("b\nc\n", "a\nb\nc\nd\n", True),
        ("b\nc", "a\nb\nc\nd\n", True),  # without a last newline
        ("", "anything", True),
        ("b\nd\n", "a\nb\nc\nd\n", False),  # not contiguous
        ("b", "abc\n", False),  # not a whole line
        ("b\r\nc\r\n", "a\nb\nc\n", True),
        ("a\n", "", False),
        ("a\na\nb\n", "a\na\na\nb\n", True),
    ],
)
def test_reference_lines_stand_in_the_log(reference: str, log: str, expected: bool) -> None:
    assert expected is log_matches(reference, log)


def test_long_logs_of_repeated_lines_do_match() -> None:
    seed = random.randrange(1 << 32)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(20):
        lines = [chance.choice("abc") for _ in range(400)]
        start = chance.randrange(300)
        part = lines[start : start + 100]
        assert log_matches("\n".join(part), "\n".join(lines))
        assert not log_matches("\n".join([*part, "d"]), "\n".join(lines))


def test_other_ways_a_log_may_match() -> None:
    assert log_matches("a\nc", "a\nb\nc", log="ordered")
    assert not log_matches("c\na", "a\nb\nc", log="ordered")
    assert not log_matches("b", "a\nb\nc", log="exact")
    assert log_matches("a\nb", "a\nb\n", log="exact")


@pytest.mark.parametrize(
    ("reference", "found", "rules", "expected"),
    [
        (b"x 1.00 y", b"x 1.01 y", {"relative": 0.02}, True),
        (b"x 1.00 y", b"x 1.03 y", {"relative": 0.02}, False),
        (b"x 1.00 y", b"z 1.00 y", {"relative": 0.02}, False),
        (b"0 1e-9", b"1e-10 0", {"absolute": 1e-8}, True),
        (b"1 2", b"1 2 3", {"relative": 1.0}, False),
        (b"1.0", b"1.00", {}, False),
        (b"a\0b", b"a\0b", {}, True),
        (b"a\0b", b"a\0c", {"relative": 1.0}, False),
        (b"same\n", b"same", {}, True),
        (b"\xff\xfe", b"\xff\xfe", {}, True),
        (b"\xff\xfe", b"\xff\xfd", {"absolute": 1.0}, False),
    ],
)
def test_files_are_equal_within_the_tolerance(
    reference: bytes, found: bytes, rules: dict[str, float], expected: bool
) -> None:
    problem = compare_file(reference, found, Rules(**rules), "file")  # type: ignore[arg-type]
    assert expected is (problem is None), problem


def test_stripped_log_is_what_the_program_printed() -> None:
    log = b"kernel\r\n" + BEGIN + b"one\r\ntwo" + END + b"off\r\n"

    assert b"one\ntwo" == log_text(log, True)
    assert b"kernel\n" == log_text(log, False)[:7]
    assert b"out\n" == log_text(b"out\nhcc: killed by signal 11 in main\n", True, 139)
    assert b"out\nhcc: mine\n" == log_text(b"out\nhcc: mine\n", True, 1)


# ---- the command ----


def verdicts(said: Said) -> dict[str, str]:
    (one,) = said.json["workloads"]
    return {case["name"]: case["state"] for case in one["cases"]}


def test_reference_is_a_subset_of_the_results(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: ref}")
    write(tmp_path, "ref/w/uartlog", "two\n")
    write(tmp_path, "ref/w/x", "1.5\n")
    said = workload("test", path)

    assert (0, "SUCCESS: All Tests Passed") == (said.status, said.out.splitlines()[-1])
    write(tmp_path, "ref/w/y", "")
    said = workload("test", path)
    assert 1 == said.status
    assert "y: no such file among the results" in said.out


def test_difference_is_shown_side_by_side(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: ref}")
    write(tmp_path, "ref/w/uartlog", "one\nthree\n")
    said = workload("test", path)

    assert 1 == said.status
    assert "first difference, in line 2 of reference:" in said.out
    assert any(
        line.split() == ["!", "2", "three", "|", "2", "two"] for line in said.out.splitlines()
    )


@pytest.mark.parametrize(
    ("testing", "message"),
    [
        ("{match: ['^o.e$', tw]}", None),
        ("{match: three}", "uartlog: nothing in it matches 'three'"),
        ("{match: {x: '^1'}}", None),
        ("{match: {y: '^1'}}", "y: no such file among the results"),
        ("{absent: [ERROR, 'tw.']}", "uartlog:2: matches 'tw.', which must be absent: 'two'"),
        ("{absent: ERROR}", None),
        ("{exit: 3}", "exit status 0, not 3"),
        ("{exit: any}", None),
        ("{}", None),
    ],
)
def test_patterns_and_status(testing: str, message: str | None, tmp_path: Path) -> None:
    said = workload("test", spec(tmp_path, testing))

    assert (0 if message is None else 1) == said.status, said
    assert message is None or message in said.out


def test_program_that_fails_fails_its_test_though_the_log_matches(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: ref}", "[write, /x, y, say, one, exit, 5]")
    write(tmp_path, "ref/w/uartlog", "one\n")

    assert "exit status 5" in workload("test", path).out


def test_tolerance(tmp_path: Path) -> None:
    write(tmp_path, "ref/w/x", "1.51\n")

    assert 1 == workload("test", spec(tmp_path, "{refDir: ref}")).status
    assert 0 == workload("test", spec(tmp_path, "{refDir: ref, tolerance: 0.01}")).status
    strict = "{refDir: ref, tolerance: {absolute: 1.0e-3}}"
    assert 1 == workload("test", spec(tmp_path, strict)).status


def test_run_out_of_time_fails(tmp_path: Path) -> None:
    said = workload("test", spec(tmp_path, "{runTimeout: 0.3}", "[say, one, spin]"))

    assert 1 == said.status
    assert "out of time after 0.3 s" in said.out


def test_build_out_of_time_fails(tmp_path: Path) -> None:
    path = spec(tmp_path, "{buildTimeout: 0.3}")
    path.write_text(path.read_text() + "host-init: sleep 30\n")
    said = workload("test", path)

    assert 1 == said.status
    assert "out of time" in said.out


def test_no_testing_is_skipped_and_no_failure(tmp_path: Path) -> None:
    put_program(tmp_path)
    path = write(tmp_path, "w.yaml", "name: w\nbin: guest.hcc\n")
    said = workload("test", path)

    assert 0 == said.status
    assert "w: testing: skipped: the workload has no 'testing'" in said.out
    assert "SUCCESS: All Tests Passed (1 tests skipped)" in said.out


def test_missing_reference_folder_is_bad_input(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: none}")
    said = workload("test", path)

    assert 2 == said.status
    assert f"{path}:7:11: 'testing.refDir': there is no 'none' in" in said.err


def test_cells_that_disagree_are_told(tmp_path: Path) -> None:
    # What a program finds in its environment tells the levels apart.
    path = spec(tmp_path, "{}", "[say, one, env, HCC_WORKLOAD_TOKEN]")
    path.write_text(path.read_text().replace("[native]", "[interp, native]").replace(
        "outputs: [/x]\n", ""))  # fmt: skip
    said = workload("test", path)

    assert 1 == said.status
    assert "w: agreement w: FAILED" in said.out
    assert "x86_64-interp and x86_64-native differ" in said.out
    assert "HCC_WORKLOAD_TOKEN=(none)" in said.out


def test_jobs_have_references_by_their_names(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: ref}")
    path.write_text(path.read_text() + "jobs:\n- {name: a}\n- {name: b, args: [say, b]}\n")
    write(tmp_path, "ref/w-a/uartlog", "one\ntwo\n")
    write(tmp_path, "ref/b/uartlog", "b\n")
    states = verdicts(workload("test", "--json", path))
    assert {"x86_64-native w-a": "passed", "x86_64-native w-b": "failed"} == states  # no /x

    write(tmp_path, "ref/w-c/uartlog", "")
    assert "no job is called so" in workload("test", path).out


def test_update_reference_makes_the_test_pass(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: ref}")
    assert 0 == workload("test", "--update-reference", path).status
    assert "one\ntwo\n" == (tmp_path / "ref/w/uartlog").read_text()
    assert "1.5\n" == (tmp_path / "ref/w/x").read_text()
    path = spec(tmp_path, "{refDir: ref}", "[say, other, write, /x, 2.5]")
    assert 1 == workload("test", path).status
    (tmp_path / "ref/w/x").unlink()
    assert 0 == workload("test", "--update-reference", path).status

    assert ["uartlog"] == [p.name for p in (tmp_path / "ref/w").iterdir()]
    assert 0 == workload("test", path).status


def test_results_of_an_earlier_run_are_compared(tmp_path: Path) -> None:
    path = spec(tmp_path, "{refDir: ref}")
    write(tmp_path, "ref/w/uartlog", "two\n")
    folder = workload("test", "--json", path).json["workloads"][0]["folder"]
    assert 0 == workload("test", "-m", folder, path).status
    assert 0 == workload("test", "--manual", Path(folder) / "x86_64-native", path).status
    write(tmp_path, "ref/w/uartlog", "three\n")
    assert 1 == workload("test", "-m", folder, path).status
    assert 2 == workload("test", "-m", tmp_path / "none", path).status


def test_reports_for_other_programs(tmp_path: Path) -> None:
    path = spec(tmp_path, "{match: three}")
    path.write_text(path.read_text().replace("[native]", "[native, system]") + "qemu: null\n")
    junit, report = tmp_path / "junit.xml", tmp_path / "report.json"
    said = workload("test", "--junit", junit, "--report", report, "--json", path)

    suite = ET.parse(junit).getroot()[0]
    assert ("w", "2", "1", "1") == tuple(
        suite.attrib[key] for key in ("name", "tests", "failures", "skipped")
    )
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "uartlog: nothing in it matches 'three'" == failure.attrib["message"]
    assert report.read_text() == said.out
    assert (False, 1) == (said.json["ok"], said.json["failed"])


def test_a_suite_goes_on_after_a_failure(tmp_path: Path) -> None:
    bad = spec(tmp_path, "{match: three}").rename(tmp_path / "bad.yaml")
    bad.write_text(bad.read_text().replace("name: w", "name: bad"))
    good = spec(tmp_path, "{match: two}")
    said = workload("test", bad, good)

    assert 1 == said.status
    assert "w: x86_64-native w: passed" in said.out
    assert "FAILURE: 1 of 2 tests failed" == said.out.splitlines()[-1]
