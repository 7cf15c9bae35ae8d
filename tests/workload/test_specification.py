"""Specifications: what is refused, with its place and the nearest word; what is accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcc.runtime.workload.spec import load_spec
from tests.workload.tool import workload, write

BAD = {
    "unknown key": ("name: x\ncomand: y\n", "2:1: unknown key 'comand'; did you mean 'command'?"),
    "hyphens": (
        "name: x\npost-run-hook: y\n",
        "2:1: unknown key 'post-run-hook'; did you mean 'post_run_hook'?",
    ),
    "in a map": (
        "name: x\ntesting:\n  refdir: y\n",
        "3:3: unknown key 'refdir' in 'testing'; did you mean 'refDir'?",
    ),
    "in a job": (
        "name: x\njobs:\n  - name: a\n    overlai: y\n",
        "4:5: unknown key 'overlai'; did you mean 'overlay'?",
    ),
    "no name": ("command: x\n", "1:1: a workload needs a 'name'"),
    "nameless job": ("name: x\njobs: [{args: [1]}]\n", "2:8: a job needs a 'name'"),
    "type": ("name: x\ncpus: many\n", "2:7: 'cpus' takes a whole number from 1, not 'many'"),
    "truth": ("name: x\nlaunch: 3\n", "2:9: 'launch' takes true or false, not '3'"),
    "list": ("name: x\noutputs: {a: b}\n", "2:10: 'outputs' takes a path or a list of paths"),
    "size": ("name: x\nmem: 4 apples\n", "2:6: 'mem' takes a size"),
    "word": ("name: x\nlevels: [jti]\n", "2:10: 'levels': no such thing as 'jti'"),
    "nearest word": ("name: x\nisas: risc64\n", "did you mean 'riscv64'?"),
    "pairs": ("name: x\nfiles: [[a, b, c]]\n", "2:9: 'files' takes a list of [source, dest"),
    "twice": ("name: x\nname: y\n", "2:1: 'name' is given twice, first in line 1"),
    "both": ("name: x\nrun: a\ncommand: b\n", "3:1: 'command' excludes 'run', which line 2"),
    "jobs of jobs": (
        "name: x\njobs:\n- name: a\n  jobs: []\n",
        "4:3: a job cannot have jobs of its own",
    ),
    "two jobs": (
        "name: x\njobs:\n- name: a\n- name: a\n",
        "4:3: a second job named 'a', after that of line 3",
    ),
    "shell": ("name: x\ncommand: a | b\n", "2:10: 'command': '|' is for a shell"),
    "quotes": ("name: x\nrun: a 'b\n", "2:6: no closing quotation in 'a 'b'"),
    "expression": ("name: x\ntesting: {match: '('}\n", "2:18: 'testing.match': '(' is no regular"),
    "image": ("name: x\nimg: y\n", "2:1: 'img' is not supported"),
    "syntax": ("name: x\n  y: [\n", "2:4: mapping values are not allowed here"),
    "scalar": ("hello\n", "1:1: a workload is a map, not a string"),
    "nothing": ("# nothing\n", "the file is empty"),
    "bad name": ("name: a/b\n", "1:7: 'a/b' is not a name"),
    "name up": ("name: ..\n", "1:7: '..' is not a name"),
    "long name": ("name: " + 101 * "a", "aaa…' is not a name (at most 100 letters"),
    "empty": ("", "1:1: the file is empty"),
    "nothing there": ("cpus:\nname: x\n", "1:1: 'cpus' takes a whole number from 1, not null"),
    "a job's name": ("name: x\njobs: [{name: ../y}]\n", "2:15: '../y' is not a name"),
    "negative": ("name: x\ncpus: -2\n", "2:7: 'cpus' takes a whole number from 1, not '-2'"),
    "signs": ("name: x\ncpus: !!int '+-5'\n", "2:7: 'cpus' takes a whole number from 1, not '+-5'"),
    "huge": ("name: x\ncpus: " + 5000 * "9", "2:7: 'cpus' takes a whole number from 1, not '999"),
    "huge size": ("name: x\nmem: " + 400 * "9" + ".5GiB\n", "2:6: 'mem' takes a size"),
    "not a number": ("name: x\ntesting: {runTimeout: .nan}\n", "2:23: 'testing.runTimeout' takes"),
    "old key": ("name: x\nlinux-src: y\n", "it is called linux.source now"),
    "circle": ("name: x\nenv: &a {b: *a}\n", "nested too deeply"),
    "deep": ("name: x\nargs: " + 3000 * "[" + 3000 * "]", "nested too deeply"),
    "tag": ("name: !!python/name:os.system x\n", "python/name:os.system means nothing here"),
    "merge": ("name: x\n<<: {cpus: 2}\n", "2:1: '<<' is not supported"),
    "two": ("name: x\n---\nname: y\n", "2:1: found another document"),
    "control": ("name: x\nargs: a\0b\n", "2:8: a control character, U+0000"),
    "surrogate": ('name: x\nargs: ["\\ud800"]\n', "2:8: half a surrogate pair is no character"),
    "great expression": (
        "name: x\ntesting: {match: 'a{99999999999}'}\n",
        "2:18: 'testing.match': 'a{99999999999}' is no regular expression: ",
    ),
    "far file": (
        "name: x\ntesting: {match: {../y: z}}\n",
        "2:19: 'testing.match': '../y' is no file of the results",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_specification_has_one_line_with_its_place(case: str, tmp_path: Path) -> None:
    text, message = BAD[case]
    path = write(tmp_path, "w.yaml", text)
    said = workload("build", path)

    assert 2 == said.status
    assert 1 == len(said.err.splitlines()), said.err
    assert message in said.err
    assert said.err.startswith(f"hcc: error: {path}:")


def test_what_is_not_utf8_has_its_place(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_bytes(b"name: x\nargs: caf\xe9\n")

    assert f"hcc: error: {path}:2:10: not text in UTF-8\n" == workload("build", path).err


def test_missing_file_is_bad_input(tmp_path: Path) -> None:
    said = workload("launch", tmp_path / "none.yaml")

    assert (2, f"hcc: error: {tmp_path}/none.yaml: No such file or directory\n") == (
        said.status,
        said.err,
    )


def test_json_may_be_indented_by_tabs(tmp_path: Path) -> None:
    path = tmp_path / "w.json"
    path.write_text('{\n\t"name": "w",\n\t"cpus": 2,\n\t"commnd": "x"\n}\n')
    said = workload("resolve", path)

    assert f"hcc: error: {path}:4:2: unknown key 'commnd'; did you mean 'command'?\n" == said.err
    path.write_text('{\n\t"name": "w",\n\t"cpus": 2\n}\n')
    assert {"name": "w", "cpus": 2} == workload("resolve", path).json


def test_keys_without_effect_are_said_and_fatal_if_asked(tmp_path: Path) -> None:
    path = write(tmp_path, "w.yaml", "name: w\nspike-args: --extension=hwacha\n")
    said = workload("resolve", path)

    expected = f"{path}:2:1: 'spike-args' has no effect: hcc has no Spike\n"
    assert (0, f"hcc: warning: {expected}") == (said.status, said.err)
    said = workload("resolve", "--werr", path)
    assert (2, f"hcc: error: {expected}") == (said.status, said.err)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GiB", 4 << 30), ("4GB", 4 * 10**9), ("512 MiB", 512 << 20), ("256", 256 << 20),
        ("1.5GiB", 3 << 29), ("2g", 2 * 10**9),
    ],
)  # fmt: skip
def test_sizes_are_human_and_numbers_are_mib(text: str, size: int, tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, "w.yaml", f"name: w\nmem: {text}\n"))

    assert size == spec.settings["mem"].value


def test_command_words_may_be_quoted(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, "w.yaml", 'name: w\nhost-init: gen "a b" c\\ d\n'))

    assert ("gen", "a b", "c d") == spec.settings["host-init"].value


def test_arguments_keep_how_they_are_written(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, "w.yaml", "name: w\nargs: [1, 0x10, 1e3, yes, 'a b', 007]\n"))

    assert ("1", "0x10", "1e3", "yes", "a b", "007") == spec.settings["args"].value
