"""What a child gets of its base, by key; where bases are looked for; what `explain` says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcc.runtime.workload.chain import Loader
from hcc.runtime.workload.schema import Rule, all_keys
from tests.workload.tool import workload, write

NOTHING = object()

# key: what the base says, what the child says, what the child has then
RULES: dict[str, tuple[str, str, Any]] = {
    # Not inherited.
    "host-init": ("host-init: a", "", None),
    "post-bin": ("post-bin: a", "", None),
    "guest-init": ("guest-init: a", "", None),
    "run": ("run: a.c", "", None),
    "command": ("command: base", "", None),
    "overlay": ("overlay: a", "", None),
    "files": ("files: [[a, /b]]", "", None),
    "testing.refDir": ("testing: {refDir: a}", "", None),
    "firesim.simulation_inputs": ("firesim: {simulation_inputs: [a]}", "", None),
    "deps": ("deps: [a]", "", None),
    # Inherited, replaced as a whole.
    "sources": ("sources: [a.c]", "", ["a.c"]),
    "flags": ("flags: -O3", "", ["-O3"]),
    "outputs": ("outputs: [/a]", "outputs: [/b]", ["/b"]),
    "launch": ("launch: no", "", False),
    "bin": ("bin: a.hcc", "", "a.hcc"),
    "cpus": ("cpus: 2", "", 2),
    "mem": ("mem: 1GiB", "", 1 << 30),
    "rootfs-size": ("rootfs-size: 4GiB", "", 4 << 30),
    "qemu-args": ("qemu-args: -a", "qemu-args: -b", ["-b"]),
    "qemu": ("qemu: null", "", None),
    "post_run_hook": ("post_run_hook: plot a", "", ["plot", "a"]),
    "isas": ("isas: [riscv64]", "", ["riscv64"]),
    "levels": ("levels: [interp]", "levels: [user]", ["user"]),
    "args": ("args: [1, 2]", "args: [3]", ["3"]),
    "stdin": ("stdin: a", "", "a"),
    "pim": ("pim: samsung", "", "samsung"),
    "lebug": ("lebug: a", "", ["a"]),
    "engine-args": ("engine-args: --x", "", ["--x"]),
    "migrate.plan": ("migrate: random@3", "migrate: {seed: 1}", "random@3"),
    "linux.source": ("linux: {source: a}", "linux: {config: b}", {
        "x86_64": "a", "aarch64": "a", "riscv64": "a"}),
    "firmware.opensbi-src": ("firmware: {opensbi-src: a}", "firmware: {opensbi-src: b}", "b"),
    # Added behind, merged.
    "linux.config": ("linux: {config: a}", "linux: {config: [b]}", ["a", "b"]),
    "firmware.opensbi-build-args": (
        "firmware: {opensbi-build-args: x y}", "firmware: {opensbi-build-args: z}", ["x", "y", "z"]
    ),
    "linux.modules": ("linux: {modules: {a: 1d, b: 2d}}", "linux: {modules: {a: null, c: 3d}}",
                      {"b": "2d", "c": "3d"}),
    "env": ("env: {A: 1, B: 2}", "env: {B: 3, A: null}", {"B": "3"}),
}  # fmt: skip


def options(folder: Path, base: str, child: str) -> dict[str, Any]:
    write(folder, "base.yaml", f"name: base\n{base}\n")
    path = write(folder, "child.yaml", f"name: child\nbase: base.yaml\n{child}\n")
    said = workload("resolve", "--all", path)
    assert 0 == said.status, said.err
    found: dict[str, Any] = said.json
    return found


@pytest.mark.parametrize("key", RULES)
def test_rule(key: str, tmp_path: Path) -> None:
    base, child, expected = RULES[key]

    assert expected == options(tmp_path, base, child).get(key)


def test_every_key_that_is_inherited_has_its_rule_shown() -> None:
    inherited = {name for name, key in all_keys().items() if key.rule is not Rule.OWN}

    assert inherited - set(RULES) == {"migrate.seed", "migrate.poison"}  # as migrate.plan


def test_modules_may_come_from_the_base_alone(tmp_path: Path) -> None:
    found = options(tmp_path, "linux: {modules: {a: 1d}}", "linux: {config: c}")

    assert {"a": "1d"} == found["linux.modules"]


@pytest.mark.parametrize(
    ("base", "child", "gone", "there"),
    [
        ("bin: a.hcc", "sources: [b.c]", "bin", "sources"),
        ("sources: [b.c]", "bin: a.hcc", "sources", "bin"),
    ],
)
def test_a_childs_program_replaces_the_bases(
    base: str, child: str, gone: str, there: str, tmp_path: Path
) -> None:
    found = options(tmp_path, base, child)

    assert gone not in found
    assert there in found


def test_three_deep_with_jobs(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "name: a\nargs: [a]\nenv: {X: a, Y: a}\ncpus: 3\n")
    write(tmp_path, "b.yaml", "name: b\nbase: a.yaml\nenv: {Y: b}\noutputs: [/b]\n")
    path = write(
        tmp_path, "c.yaml",
        "name: c\nbase: b.yaml\nargs: [c]\njobs:\n- name: one\n  args: [j]\n- {name: two}\n",
    )  # fmt: skip
    one = workload("resolve", "-j", "one", path).json
    two = workload("resolve", "--job", "c-two", path).json

    assert (["j"], {"X": "a", "Y": "b"}, 3, ["/b"]) == (
        one["args"], one["env"], one["cpus"], one["outputs"],
    )  # fmt: skip
    assert ["c"] == two["args"]
    names = [w.name for w in Loader().target(str(path)).everyone()]
    assert ["c", "c-one", "c-two"] == names


def test_a_job_may_have_another_base(tmp_path: Path) -> None:
    write(tmp_path, "other.yaml", "name: other\nargs: [o]\n")
    path = write(
        tmp_path, "w.yaml", "name: w\nargs: [w]\njobs: [{name: j, base: other.yaml}, {name: k}]\n"
    )

    assert ["o"] == workload("resolve", "-j", "j", path).json["args"]
    assert ["w"] == workload("resolve", "-j", "k", path).json["args"]


def test_unknown_job_is_one_line_with_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "w.yaml", "name: w\njobs: [{name: client}, {name: server}]\n")
    said = workload("resolve", "-j", "clent", path)

    message = f"{path}: no job 'clent' (its jobs: client, server); did you mean 'client'?"
    assert (2, f"hcc: error: {message}\n") == (said.status, said.err)


def test_cycle_names_its_members(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "name: a\nbase: b.yaml\n")
    path = write(tmp_path, "b.yaml", "name: b\nbase: a.yaml\n")
    said = workload("build", path)

    assert 2 == said.status
    assert f"{tmp_path}/a.yaml:2:1: 'base' goes in a circle: b.yaml -> a.yaml -> b.yaml" in said.err


def test_missing_base_says_where_it_looked_and_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "parent.yaml", "name: parent\n")
    path = write(tmp_path, "w.yaml", "name: w\nbase: parnt.yaml\n")
    said = workload("build", path)

    assert 2 == said.status
    assert f"{path}:2:1: base 'parnt.yaml' is not in {tmp_path}; did you mean" in said.err


def test_board_base_is_named_as_such(tmp_path: Path) -> None:
    path = write(tmp_path, "w.yaml", "name: w\nbase: br-base.json\n")

    assert "2:1: base 'br-base.json' is one of FireMarshal's boards" in workload("build", path).err


def test_two_workloads_of_one_name(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "name: same\n")
    path = write(tmp_path, "w.yaml", "name: same\nbase: a.yaml\n")
    said = workload("build", path)

    assert 2 == said.status
    assert f"{tmp_path}/a.yaml:1:1: a second workload named 'same': {path}:1:1 has one" in said.err


def test_a_name_is_kept_for_its_specification_between_commands(tmp_path: Path) -> None:
    first = write(tmp_path, "a.yaml", "name: same\n")
    second = write(tmp_path, "b.yaml", "name: same\n")

    assert 0 == workload("build", first).status
    said = workload("build", second)
    assert (2, f"hcc: error: {second}:1:1: a second workload named 'same': {first} has one\n") == (
        said.status,
        said.err,
    )
    first.unlink()
    assert 0 == workload("build", second).status


def test_the_folder_of_the_target_comes_before_workdir(tmp_path: Path) -> None:
    write(tmp_path, "lib/base.yaml", "name: far\nargs: [far]\n")
    write(tmp_path, "near/base.yaml", "name: near\nargs: [near]\n")
    near = write(tmp_path, "near/w.yaml", "name: w\nbase: base.yaml\n")
    other = write(tmp_path, "other/w.yaml", "name: w\nbase: base.yaml\n")
    lib = tmp_path / "lib"

    assert ["near"] == workload("resolve", "--workdir", lib, near).json["args"]
    assert ["far"] == workload("--workdir", lib, "resolve", other).json["args"]


def test_explain_tells_who_set_a_key_and_what_that_overrode(tmp_path: Path) -> None:
    base = write(tmp_path, "base.yaml", "name: base\nmem: 1GiB\nhost-init: x\n")
    path = write(tmp_path, "w.yaml", "name: w\nbase: base.yaml\nmem: 2GiB\n")
    said = workload("explain", path, "mem")

    assert said.out.splitlines()[1:] == [
        f"  {path}:3:1: w: {2 << 30} [set]",
        f"  {base}:2:1: base: {1 << 30} [overridden]",
    ]
    found = workload("explain", "--json", path, "mem").json
    assert (2 << 30, f"{path}:3:1") == (found["value"], found["from"])
    assert ["overridden", "set"] == [step["effect"] for step in found["history"]]
    assert "[not inherited]" in workload("explain", path, "host-init").out
    assert "default: nothing in the chain sets it" in workload("explain", path, "cpus").out
    said = workload("explain", path, "memm")
    assert (2, "hcc: error: no such key: 'memm'; did you mean 'mem'?\n") == (said.status, said.err)


def test_workdir_is_named_like_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "w.yaml", "name: other\njobs: [{name: j}]\n")
    loaded = Loader().target(str(path))
    assert tmp_path == loaded.workdir

    (tmp_path / "other").mkdir()
    assert tmp_path / "other" == Loader().target(str(path)).workdir
    (tmp_path / "w").mkdir()
    loaded = Loader().target(str(path))
    assert [tmp_path / "w"] * 2 == [one.workdir for one in loaded.everyone()]


def test_a_job_may_name_its_own_workload_as_base(tmp_path: Path) -> None:
    path = write(
        tmp_path, "w.yaml", "name: w\nargs: [w]\njobs: [{name: j, base: w.yaml, cpus: 2}]\n"
    )

    found = workload("resolve", "-j", "j", path).json
    assert (["w"], 2) == (found["args"], found["cpus"])


def test_a_circle_through_a_job_names_it(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "name: a\nbase: b.yaml\n")
    write(tmp_path, "b.yaml", "name: b\njobs:\n- {name: j, base: a.yaml}\n")
    said = workload("build", path)

    circle = "a.yaml -> b.yaml -> b.yaml (job j) -> a.yaml"
    expected = f"hcc: error: {tmp_path}/b.yaml:3:13: 'base' goes in a circle: {circle}\n"
    assert (2, expected) == (said.status, said.err)


def test_later_workdirs_come_first_and_missing_ones_are_no_matter(tmp_path: Path) -> None:
    for name in ("x", "y"):
        write(tmp_path, f"{name}/base.yaml", f"name: base\nargs: [{name}]\n")
    path = write(tmp_path, "w.yaml", "name: w\nbase: base.yaml\n")
    options = [w for name in ("none", "x", "y") for w in ("--workdir", tmp_path / name)]

    assert ["y"] == workload("resolve", *options, path).json["args"]
