"""What is built again after each kind of change, counted; and what a build refuses."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hcc.runtime.workload import cpio
from hcc.runtime.workload.programs import HCC
from tests.workload.tool import put_program, workload, write

TASKS = {
    "host-init:base", "program:base/base", "post-bin:base", "image:base",
    "image:w", "image:w-a", "image:w-b",
}  # fmt: skip


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A workload on a base, with two jobs; everything that a build can depend on."""
    put_program(tmp_path, "guest")
    write(tmp_path, "base/overlay/etc/motd", "hello\n")
    write(tmp_path, "base/gen.sh", "#!/bin/sh\ncp input generated\necho ran >> ../init.log\n")
    write(tmp_path, "base/input", "1\n")
    write(tmp_path, "base/after.sh", "test -f $HCC_PROGRAM && echo ran >> ../post.log\n")
    write(tmp_path, "w/one", "1\n")
    write(tmp_path, "w/two", "2\n")
    write(
        tmp_path, "base.yaml", """
        name: base
        bin: guest.hcc
        host-init: gen.sh
        post-bin: after.sh
        overlay: overlay
        files: [[generated, /data/]]
        """,
    )  # fmt: skip
    return write(
        tmp_path, "w.yaml", """
        name: w
        base: base.yaml
        files: [[one, /one]]
        jobs:
          - {name: a, args: [x]}
          - {name: b, files: [[two, /two]]}
        """,
    )  # fmt: skip


def built(spec: Path) -> set[str]:
    said = workload("build", "--json", spec)
    assert 0 == said.status, said.err
    return set(said.json["ran"])


def change(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text) and None


def touch(folder: Path) -> None:
    for path in folder.rglob("*"):
        if "hcc-workloads" not in path.parts:
            os.utime(path)


def recompiled(folder: Path) -> None:
    put_program(folder, "guest")
    os.utime(folder / "guest.hcc")


def replaced(folder: Path) -> None:
    from tests.workload.tool import fat

    (folder / "guest.hcc").write_bytes(fat("ping"))


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        path = folder / name
        path.write_text(path.read_text().replace(old, new))

    return act


CHANGES: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "nothing": (lambda _: None, set()),
    "times only": (touch, set()),
    "the same content": (recompiled, set()),
    "the program": (replaced, {"program:base/base", "post-bin:base"}),
    "a file of the base's overlay": (
        change("base/overlay/etc/motd", "bye\n"),
        {"image:base", "image:w", "image:w-a", "image:w-b"},
    ),
    "what host-init reads": (
        change("base/input", "2\n"),
        {"host-init:base", "image:base", "image:w", "image:w-a", "image:w-b"},
    ),
    "what host-init reads, to no effect": (
        lambda folder: write(folder, "base/unread", "") and None, {"host-init:base"},
    ),
    "host-init's arguments": (
        edited("base.yaml", "gen.sh", "gen.sh again"), {"host-init:base"},
    ),
    "what host-init made": (
        lambda folder: (folder / "base/generated").unlink(), {"host-init:base"},
    ),
    "post-bin": (edited("base/after.sh", "ran", "run"), {"post-bin:base"}),
    "post-bin's arguments": (edited("base.yaml", "after.sh", "after.sh x"), {"post-bin:base"}),
    "a file of the workload": (
        change("w/one", "new\n"), {"image:w", "image:w-a", "image:w-b"},
    ),
    "a file of a job": (change("w/two", "new\n"), {"image:w-b"}),
    "a job's arguments": (edited("w.yaml", "[x]", "[y]"), set()),
    "where a file goes": (edited("w.yaml", "/two", "/three"), {"image:w-b"}),
    "that a file may be executed": (
        lambda folder: (folder / "w/two").chmod(0o755), {"image:w-b"},
    ),
    "a new file in the overlay": (
        lambda folder: write(folder, "base/overlay/new", "") and None,
        {"image:base", "image:w", "image:w-a", "image:w-b"},
    ),
    "a comment": (edited("w.yaml", "name: w", "name: w  # this one"), set()),
    "a reference": (edited("w.yaml", "name: w\n", "name: w\ntesting: {exit: 0}\n"), set()),
    "an image": (
        lambda folder: (folder / "hcc-workloads/images/w-a/layer.cpio").write_bytes(b"")
        and None,
        {"image:w-a"},
    ),
    "the state": (lambda folder: (folder / "hcc-workloads/state.json").unlink(), TASKS),
    "a damaged state": (change("hcc-workloads/state.json", '{"version": 1'), TASKS),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_change_builds_again(name: str, spec: Path) -> None:
    act, expected = CHANGES[name]
    assert TASKS == built(spec)
    assert set() == built(spec)
    act(spec.parent)

    assert expected == built(spec)
    assert set() == built(spec)


def test_host_init_runs_once_for_all_children(spec: Path) -> None:
    built(spec)

    assert "ran\n" == (spec.parent / "init.log").read_text()


def test_declared_deps_are_taken_at_their_word(tmp_path: Path) -> None:
    write(tmp_path, "read", "1")
    write(tmp_path, "unread", "1")
    path = write(tmp_path, "w.yaml", "name: w\nhost-init: touch made\ndeps: [read]\n")
    assert {"host-init:w", "image:w"} == built(path)
    write(tmp_path, "unread", "2")
    assert set() == built(path)
    write(tmp_path, "read", "2")

    assert {"host-init:w"} == built(path)


def test_same_input_same_bytes_anywhere(
    spec: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    archives = []
    for name in ("x", "y"):
        out = tmp_path_factory.mktemp(name)
        assert 0 == workload("build", "--out", out, "--parallel", 1 + len(archives), spec).status
        archives.append(
            {p.relative_to(out): p.read_bytes() for p in sorted(out.glob("images/*/*"))}
        )

    assert 0 < len(archives[0])
    assert archives[0] == archives[1]


def test_layers_hold_only_what_is_added(spec: Path) -> None:
    built(spec)
    images = spec.parent / "hcc-workloads" / "images"

    def layer(name: str) -> set[str]:
        archive = (images / name / "layer.cpio").read_bytes()
        return {p for p, e in cpio.unpack(archive, name).items() if not e.is_folder}

    assert {"etc/motd", "data/generated"} == layer("base")
    assert [{"one"}, set(), {"two"}] == [layer(n) for n in ("w", "w-a", "w-b")]
    chain = json.loads((images / "w-b" / "image.json").read_text())["layers"]
    assert ["base", "w", "w-b"] == [one["workload"] for one in chain]


def test_compiling_follows_headers_and_flags(tmp_path: Path) -> None:
    write(tmp_path, "main.c", '#include "one.h"\nint main(void) { return ONE; }\n')
    write(tmp_path, "one.h", '#include "two.h"\n#define ONE TWO\n')
    write(tmp_path, "two.h", "#define TWO 3\n")
    write(tmp_path, "other.h", "")
    path = write(tmp_path, "w.yaml", "name: w\nsources: main.c\nlevels: native\n")
    assert {"program:w/w", "image:w"} == built(path)
    write(tmp_path, "other.h", "#define OTHER\n")
    assert set() == built(path)
    write(tmp_path, "two.h", "#define TWO 4\n")
    assert {"program:w/w"} == built(path)
    assert "exit status 4" in workload("launch", "--isa", "x86_64", path).out
    edited("w.yaml", "levels", "flags: -O1\nlevels")(tmp_path)

    assert {"program:w/w"} == built(path)


def test_compile_errors_are_shown_and_hold_up_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "bad.c", "int main(void) { return x; }\n")
    path = write(tmp_path, "w.yaml", "name: w\nsources: bad.c\noverlay: .\n")
    write(tmp_path, "ov/file", "")
    path = write(tmp_path, "w.yaml", "name: w\nsources: bad.c\noverlay: ov\n")
    said = workload("build", path)

    assert 1 == said.status
    assert "bad.c:1:25: error:" in said.err
    assert "made image:w" in said.out


@pytest.mark.parametrize("key", ["host-init", "post-bin"])
def test_a_failing_script_fails_the_build_with_what_it_said(key: str, tmp_path: Path) -> None:
    write(tmp_path, "fail.sh", "echo the reason >&2; exit 3\n")
    path = write(tmp_path, "w.yaml", f"name: w\n{key}: fail.sh\n")
    said = workload("build", path)

    assert 1 == said.status
    assert f"{path}:2:1: {key} of w failed with status 3\n  the reason" in said.err
    write(tmp_path, "fail.sh", "exit 0\n")
    assert 0 == workload("build", path).status


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: none.c", "2:1: 'sources': there is no 'none.c' in"),
        ("overlay: none", "2:1: 'overlay': there is no 'none' in"),
        ("files: [[none, /x]]", "2:1: 'files': there is no 'none' in"),
        ("host-init: none.sh", "2:1: 'host-init': there is no 'none.sh' in"),
        ("bin: w.yaml", "2:1: 'bin': no fat binary: "),
        ("workdir: none", "2:1: 'workdir': "),
        ("files: [[w.yaml, ../x]]", "2:1: 'files': ../x leads out of the image"),
        ("files: [[w.yaml, /x]]\nrootfs-size: 3", "3:1: 'rootfs-size': the image of w holds"),
        ("sources: a.c\nflags: -Wall", "3:1: 'flags': -Wall is not one of"),
        ("sources: pipes", "2:1: 'sources': {0}/pipes is no file"),
        ("bin: pipes", "2:1: 'bin': {0}/pipes is no file"),
        ("overlay: pipes", "2:1: 'overlay': {0}/pipes/pipe: an image holds files, folders and"),
        ("files: [[pipes/pipe, /x]]", "2:1: 'files': {0}/pipes/pipe: an image holds files"),
        ("files: [[/dev/null, /x]]", "2:1: 'files': /dev/null: an image holds files, folders and"),
        ("overlay: .", "2:1: 'overlay': {0} holds {0}/hcc-workloads, where images are made"),
        ("files: [[a.c, /a], [a.c, /a/b]]", "2:1: 'files': /a/b lies below /a, which is no folder"),
    ],
)
def test_bad_files_have_their_place(text: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, "a.c", "int main(void) { return 0; }")
    (tmp_path / "pipes").mkdir()
    os.mkfifo(tmp_path / "pipes" / "pipe")
    path = write(tmp_path, "w.yaml", f"name: w\n{text}\n")
    said = workload("build", path)

    assert (2, 1) == (said.status, len(said.err.splitlines()))
    assert f"hcc: error: {path}:{message.format(tmp_path)}" in said.err


def test_guest_init_changes_the_image_once(tmp_path: Path) -> None:
    put_program(tmp_path)
    write(tmp_path, "ov/old", "old\n")
    path = write(
        tmp_path, "w.yaml",
        "name: w\nbin: guest.hcc\noverlay: ov\nguest-init: guest.hcc write /made yes cat /old\n"
        "args: [cat, /made, cat, /old, append, /made, more]\nisas: x86_64\nlevels: native\n",
    )  # fmt: skip
    child = write(
        tmp_path, "c.yaml",
        "name: c\nbase: w.yaml\nargs: [cat, /made]\n",
    )  # fmt: skip

    for _ in range(2):
        assert workload("launch", path).out.startswith("yes\nold\n")
    assert workload("launch", child).out.startswith("yes\nx86_64-native c: ok")
    assert set() == built(path)


def test_clean_removes_what_was_built_and_deep_clean_all(spec: Path) -> None:
    built(spec)
    images = spec.parent / "hcc-workloads" / "images"
    removed = workload("clean", "--json", spec).json["removed"]

    assert {str(images / name) for name in ("w", "w-a", "w-b")} == set(removed)
    assert {"image:w", "image:w-a", "image:w-b"} == built(spec)
    workload("clean", "--deep", spec)
    assert [] == list(images.iterdir())
    assert [] == list((spec.parent / "hcc-workloads" / "logs").iterdir())
    assert (spec.parent / "base" / "generated").exists()
    assert TASKS == built(spec)


def test_binaries_or_images_only(spec: Path) -> None:
    said = workload("build", "-B", "--json", spec)
    assert {"host-init:base", "program:base/base", "post-bin:base"} == set(said.json["ran"])
    said = workload("build", "--imgOnly", "--json", spec)
    assert {"image:base", "image:w", "image:w-a", "image:w-b"} == set(said.json["ran"])


def test_what_host_init_leaves_alone_may_be_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = write(tmp_path, "w.yaml", "name: w\nhost-init: touch made\n")

    assert {"host-init:w", "image:w"} == built(path)
    assert set() == built(path)


def test_links_in_an_overlay_are_kept_as_links(tmp_path: Path) -> None:
    write(tmp_path, "ov/file", "")
    links = {"self": ".", "a": "b", "b": "a", "out": "../../etc/x", "no": "n"}
    for name, target in links.items():
        (tmp_path / "ov" / name).symlink_to(target)
    path = write(tmp_path, "w.yaml", "name: w\noverlay: ov\n")
    built(path)
    archive = (tmp_path / "hcc-workloads/images/w/layer.cpio").read_bytes()

    found = cpio.unpack(archive, "layer")
    assert {"file", *links} == set(found)
    assert b"../../etc/x" == found["out"].content


def parallel_spec(folder: Path, script: str) -> Path:
    write(folder, "meet.sh", script)
    text = "name: w\njobs:\n"
    for name in "ab":
        text += f"  - {{name: {name}, host-init: meet.sh {name}, deps: []}}\n"
    return write(folder, "w.yaml", text)


def test_tasks_run_side_by_side(tmp_path: Path) -> None:
    # Each ends only when the other has begun.
    path = parallel_spec(tmp_path, "touch $1\nuntil test -e a -a -e b; do sleep 0.01; done\n")

    assert 0 == workload("build", "--parallel", "2", path).status


def test_no_more_tasks_run_at_a_time_than_asked_for(tmp_path: Path) -> None:
    path = parallel_spec(tmp_path, "mkdir alone && sleep 0.05 && rmdir alone\n")

    assert 0 == workload("build", "-P", "1", path).status


def test_workloads_that_share_a_program_do_not_share_failures(tmp_path: Path) -> None:
    put_program(tmp_path)
    good = write(tmp_path, "good.yaml", "name: good\nbin: guest.hcc\nhost-init: 'true'\n")
    bad = write(tmp_path, "bad.yaml", "name: bad\nbin: guest.hcc\nhost-init: 'false'\n")
    said = workload("build", "--json", bad, good)

    assert (1, ["host-init:bad"]) == (said.status, list(said.json["failed"]))
    assert {"host-init:good", "program:good/good", "image:good"} == set(said.json["ran"])


def test_only_the_chain_that_is_asked_for_is_read(tmp_path: Path) -> None:
    write(tmp_path, "broken.yaml", "name: [\n")
    path = write(tmp_path, "w.yaml", "name: w\n")

    assert 0 == workload("build", path).status


def test_two_commands_may_work_at_once(spec: Path) -> None:
    command = [*HCC, "workload", "build", str(spec)]
    commands = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(3)
    ]
    said = [c.communicate()[0] for c in commands]

    assert [0, 0, 0] == [c.returncode for c in commands], said
    counts = sorted(int(text.splitlines()[-1].split()[0]) for text in said)
    assert [0, 0, len(TASKS)] == counts
