"""Launching: what runs, where, on which bytes; what comes back; what stays as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcc.runtime.external import command_for
from hcc.runtime.workload import jobs as running
from tests.conftest import require
from tests.workload.tool import put_program, workload, write

NATIVE = ("--isa", "x86_64", "--level", "native")


@pytest.fixture(autouse=True)
def _on_x86() -> None:
    try:
        command_for("x86_64", "native")
    except Exception:  # noqa: BLE001
        pytest.skip("this machine is not x86-64 Linux")


def spec(folder: Path, text: str = "") -> Path:
    put_program(folder)
    head = "name: w\nbin: guest.hcc\nisas: [x86_64]\nlevels: [native]\n"
    path = folder / "w.yaml"
    path.write_text(head + text)
    return path


def one(said: object) -> dict[str, object]:
    """The only job of a launch's JSON."""
    (cell,) = said["cells"]  # type: ignore[index]
    (job,) = cell["jobs"]
    found: dict[str, object] = job
    return found


def test_every_level_runs_the_same_code_to_the_same_end(tmp_path: Path) -> None:
    require("qemu-x86_64")
    put_program(tmp_path)
    write(tmp_path, "in", "standard input\n")
    write(tmp_path, "ov/etc/motd", "motd\n")
    path = write(
        tmp_path, "w.yaml", """
        name: w
        bin: guest.hcc
        overlay: ov
        stdin: in
        env: {A: "x, y=z", HOME: /root}
        args: [args, env, A, env, PATH, copy, cat, /etc/motd, cat, etc/motd,
               write, /out/x, "no folder"]
        levels: [interp, jit, user, native]
        isas: [x86_64, riscv64]
        testing: {exit: 1}
        """,
    )  # fmt: skip
    found = workload("launch", "--json", path).json

    logs, codes = set(), {}
    for cell in found["cells"]:
        (job,) = cell["jobs"]
        assert (1, "ok") == (job["status"], job["state"]), job
        logs.add((Path(job["folder"]) / "uartlog").read_text())
        manifest = json.loads((Path(job["folder"]) / "manifest.json").read_text())
        codes.setdefault(cell["isa"], set()).add(manifest["code_sha256"])
    assert 7 == len(found["cells"])
    assert ["riscv64"] == [s["isa"] for s in found["skipped"]]
    assert [1, 1] == [len(c) for c in codes.values()]
    (log,) = logs
    expected = ["0: bin/w", "1: args", "2: env", "3: A", "A=x, y=z", "PATH=(none)"]
    lines = log.splitlines()
    assert expected[:4] == lines[:4]
    assert [*expected[4:], "standard input", "motd", "motd"] == lines[14:19]


def test_code_that_is_not_what_was_built_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = spec(tmp_path)
    monkeypatch.setattr(running, "code_digest_of_elf", lambda content, name: "other")
    said = workload("launch", "--json", path)

    assert 1 == said.status
    assert "is not what was built" in str(one(said.json)["message"])


def test_a_run_never_changes_the_image_unless_asked_to(tmp_path: Path) -> None:
    write(tmp_path, "ov/log", "0\n")
    path = spec(tmp_path, "overlay: ov\nargs: [append, /log, more, cat, /log]\n")
    layer = tmp_path / "hcc-workloads/images/w/layer.cpio"

    assert workload("launch", path).out.startswith("0\nmore\nx86")
    before = layer.read_bytes()
    assert workload("launch", "--persist", path).out.startswith("0\nmore\nx86")
    assert workload("launch", path).out.startswith("0\nmore\nmore\nx86")
    assert workload("launch", "--persist", path).out.startswith("0\nmore\nmore\nx86")
    assert workload("launch", path).out.startswith("0\nmore\nmore\nmore\nx86")
    assert before == layer.read_bytes()
    write(tmp_path, "ov/log", "new\n")
    assert workload("launch", path).out.startswith("new\nmore\nx86")


def test_outputs_come_back_flat_also_of_a_failing_run(tmp_path: Path) -> None:
    write(tmp_path, "ov/a/b/c", "there\n")
    path = spec(
        tmp_path, "overlay: ov\noutputs: [/x, /a/b, none]\nargs: [write, /x, y, exit, 3]\n"
        "post_run_hook: hook.sh first\n",
    )  # fmt: skip
    write(tmp_path, "hook.sh", 'echo "$@" > hooked; ls "$2"/w >> hooked\n')
    said = workload("launch", "--json", path)
    job = one(said.json)

    assert (1, 3) == (said.status, job["status"])
    assert "there is no output none" in str(job["message"])
    folder = Path(str(job["folder"]))
    assert ("y\n", "there\n") == ((folder / "x").read_text(), (folder / "b/c").read_text())
    hooked = (tmp_path / "hooked").read_text().splitlines()
    assert [f"first {folder.parent.absolute()}", "b", "manifest.json", "uartlog", "x"] == hooked


def test_outputs_that_would_be_called_alike_are_refused(tmp_path: Path) -> None:
    said = workload("launch", spec(tmp_path, "outputs: [/a/x, /b/x]\n"))

    assert 2 == said.status
    assert "5:1: 'outputs': /b/x would be called like /a/x" in said.err


def test_a_failing_hook_fails_the_launch(tmp_path: Path) -> None:
    path = spec(tmp_path, "post_run_hook: hook.sh\n")
    write(tmp_path, "hook.sh", "echo because; exit 4\n")
    said = workload("launch", path)

    assert 1 == said.status
    assert f"{path}:5:1: post_run_hook failed with status 4" in said.err
    assert "because" in said.err


def test_jobs_hooks_get_the_jobs_folder_and_the_workloads_runs_once(tmp_path: Path) -> None:
    path = spec(
        tmp_path, "post_run_hook: hook.sh all\njobs:\n- {name: a, post_run_hook: hook.sh mine}\n"
        "- {name: b}\n",
    )  # fmt: skip
    write(tmp_path, "hook.sh", 'echo "$1 $(basename "$2")" >> hooked\n')

    assert 0 == workload("launch", "-a", path).status
    assert "all x86_64-native\nmine w-a\n" == (tmp_path / "hooked").read_text()


def test_which_jobs_run(tmp_path: Path) -> None:
    path = spec(
        tmp_path, "args: [say, root]\njobs:\n- {name: a, args: [say, one]}\n"
        "- {name: b, args: [say, two]}\n- {name: c, launch: false}\n",
    )  # fmt: skip

    def names(*options: str) -> list[str]:
        (cell,) = workload("launch", "--json", *options, path).json["cells"]
        return [job["name"] for job in cell["jobs"]]

    assert ["w"] == names()
    assert ["w-b"] == names("-j", "b")
    assert ["w-b", "w-a"] == names("-j", "b", "--job", "w-a")
    assert ["w-a", "w-b"] == names("-a")
    said = workload("launch", path)
    assert "its jobs were not launched: -a is for all" in said.err
    said = workload("launch", "-a", path)
    assert "w-c: skipped: " in said.out
    assert "says launch: false" in said.out
    assert "Workload outputs available at: " in said.out


def test_outputs_of_all_jobs_are_in_their_own_folders(tmp_path: Path) -> None:
    path = spec(
        tmp_path, "outputs: [/x]\njobs:\n- {name: a, args: [write, /x, one]}\n"
        "- {name: b, args: [write, /x, two]}\n",
    )  # fmt: skip
    (cell,) = workload("launch", "-a", "--json", path).json["cells"]

    found = {j["name"]: (Path(j["folder"]) / "x").read_text() for j in cell["jobs"]}
    assert {"w-a": "one\n", "w-b": "two\n"} == found


def test_arguments_at_launch(tmp_path: Path) -> None:
    path = spec(tmp_path, "command: guest say first\nargs: [say, second]\n")

    assert workload("launch", path).out.startswith("first\nsecond\nx86")
    said = workload("launch", "--args", "say 'third one'", path)
    assert said.out.startswith("first\nthird one\nx86")


def test_run_takes_a_source_of_the_workdir(tmp_path: Path) -> None:
    write(tmp_path, "p.c", '#include <stdio.h>\nint main(int n, char **a) { puts(a[n - 1]); }\n')
    path = write(
        tmp_path, "w.yaml",
        'name: w\nrun: p.c x "two words"\n',
    )  # fmt: skip

    assert workload("launch", *NATIVE, path).out.startswith("two words\n")


def test_a_death_has_its_signal_on_every_level(tmp_path: Path) -> None:
    path = spec(tmp_path, "args: [say, before, crash]\n")
    said = workload("launch", "--json", "--level", "interp,native", path)

    assert 1 == said.status
    for cell in said.json["cells"]:
        (job,) = cell["jobs"]
        assert 139 == job["status"]
        assert (Path(job["folder"]) / "uartlog").read_text().startswith("before\n")


def test_levels_that_cannot_be_are_skipped_by_name(tmp_path: Path) -> None:
    path = spec(tmp_path, "isas: [x86_64, aarch64]\nqemu: null\n".replace("isas", "#"))
    said = workload("launch", "--level", "system", path)

    assert "x86_64-system w: skipped: " in said.out
    assert "says qemu: null" in said.out
    path = spec(tmp_path, "migrate: x86_64@1\n")
    said = workload("launch", path)
    assert "x86_64-native w: skipped: 'migrate' needs an emulator of hcc" in said.out
    said = workload("launch", "--isa", "aarch64", "--level", "native", path.with_name("w.yaml"))
    assert "aarch64-native w: skipped" in said.out


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--level", "natve"), "no such level: 'natve' (known: interp, jit, user, native, system)"
                               "; did you mean 'native'?"),
        (("--isa", "riscv"), "did you mean 'riscv64'?"),
        (("-j", "x"), "no job 'x': it has no jobs"),
        (("--args", "'x"), "--args: no closing quotation"),
        (("--timeout", "0"), "Invalid value for '--timeout'"),
        (("--persist", "--executor", "ray"), "--persist is for this machine, not for"),
        (("--persist", "--level", "native,interp"), "--persist keeps what one cell does"),
    ],
)  # fmt: skip
def test_bad_choices(option: tuple[str, ...], message: str, tmp_path: Path) -> None:
    said = workload("launch", *option, spec(tmp_path))

    assert 2 == said.status
    assert message in said.err


def test_nothing_to_run_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "w.yaml", "name: w\nlevels: native\nisas: x86_64\n")

    assert "w has nothing to run" in workload("launch", path).err


def test_verify_finds_what_was_altered(tmp_path: Path) -> None:
    path = spec(tmp_path, "outputs: [/x]\nargs: [write, /x, y]\n")
    job = one(workload("launch", "--json", path).json)
    folder = Path(str(job["folder"]))
    assert 0 == workload("verify", folder).status
    assert 0 == workload("verify", folder.parent.parent).status

    (folder / "x").write_text("z\n")
    said = workload("verify", folder)
    assert 1 == said.status
    assert f"{folder}/x: output has changed" in said.out
    (folder / "x").write_text("y\n")
    fat = tmp_path / "hcc-workloads/images/w/w.hcc"
    content = fat.read_bytes()
    fat.write_bytes(content + b"\0")
    assert f"{fat}: input has changed" in workload("verify", folder).out
    fat.unlink()
    assert f"{fat}: input is missing" in workload("verify", folder).out
    fat.write_bytes(content)
    (folder / "extra").write_text("")
    assert "was not there after the run" in workload("verify", folder).out
    manifest = json.loads((folder / "manifest.json").read_text())
    for damage in ({"inputs": {"a": None}}, {"fat": [1]}, {"outputs": {"a": 7}}):
        (folder / "manifest.json").write_text(json.dumps(manifest | damage))
        assert 2 == workload("verify", folder).status, damage
    (folder / "manifest.json").write_text("{")
    assert 2 == workload("verify", folder).status
    assert 2 == workload("verify", tmp_path / "none").status


def test_cell_alone_says_what_runs_on_which_isa(tmp_path: Path) -> None:
    path = spec(tmp_path, "engine-args: [--isa, riscv64]\n")
    said = workload("launch", "--level", "jit", path)

    assert 2 == said.status
    assert "'engine-args': '--isa' belongs to the cell" in said.err


def test_words_reach_the_program_as_they_are(tmp_path: Path) -> None:
    words = ["a; touch /tmp/x", "$(id) `id`", "*", "two  spaces", "\"'\\", "-x", "é", "", "a\tb"]
    path = spec(tmp_path, f"args: {json.dumps(['args', *words])}\n")
    expected = [f"{n}: {word}" for n, word in enumerate(words, 2)]
    for level in ("interp", "native"):
        said = workload("launch", "--level", level, path)
        assert expected == said.out.splitlines()[2 : 2 + len(words)], level


def test_outputs_follow_links_in_the_image_and_no_further(tmp_path: Path) -> None:
    write(tmp_path, "ov/d/file", "inside\n")
    for name, target in (
        ("d/link", "file"), ("d/far", "/../../../etc/passwd"), ("d/near", "../../../../d/file"),
        ("d/up", ".."), ("a", "b"), ("b", "a"), ("e", "/d/file"),
    ):  # fmt: skip
        (tmp_path / "ov" / name).symlink_to(target)
    path = spec(tmp_path, "overlay: ov\noutputs: [/d, /a, /e]\nargs: [cat, /d/near]\n")
    job = one(workload("launch", "--json", path).json)
    folder = Path(str(job["folder"]))

    assert "there is no output /a" == job["message"]
    assert "inside\n" == (folder / "uartlog").read_text() == (folder / "e").read_text()
    assert {"file", "link", "near", "up"} == {p.name for p in (folder / "d").iterdir()}
    assert "inside\n" == (folder / "d/link").read_text()


def test_a_plan_that_cannot_be_has_its_place(tmp_path: Path) -> None:
    path = spec(tmp_path, "migrate: x86_64,riscv@3\n")
    said = workload("launch", "--level", "jit", path)

    expected = "migration plan 'x86_64,riscv@3': no such ISA: 'riscv'"
    assert f"hcc: error: {path}:5:1: 'migrate': {expected}\n" == said.err


def test_a_file_where_programs_go_is_said(tmp_path: Path) -> None:
    path = spec(tmp_path, "files: [[w.yaml, /bin]]\n")

    assert "the image has a /bin that is no folder" in workload("launch", path).out
