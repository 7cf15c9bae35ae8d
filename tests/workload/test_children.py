"""Ends of child processes: at a time limit with their whole tree, and when hcc is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from hcc.runtime.workload.children import carriers, children, end_leftovers

TREE = """
import os, sys, time
for _ in range(2):
    if os.fork() == 0:
        os.setsid()          # out of the session that is killed as one
        if os.fork() == 0:   # and its parent gone
            time.sleep(600)
        os._exit(0)
time.sleep(600)
"""


def gone(token: str) -> bool:
    for _ in range(100):
        if not carriers(token):
            return True
        time.sleep(0.02)
    return False


def test_time_limit_ends_the_whole_tree(tmp_path: Path) -> None:
    with children(tmp_path) as own, (tmp_path / "log").open("wb") as log:
        ending = own.run(
            [sys.executable, "-c", TREE], log, tmp_path, dict(os.environ), timeout=0.5
        )

        assert ending.timed_out
        assert 128 + signal.SIGKILL == ending.status
        assert gone(own.token)


def test_what_a_child_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    script = TREE.replace("time.sleep(600)\n", "", 0).rsplit("time.sleep", 1)[0]
    with children(tmp_path) as own, (tmp_path / "log").open("wb") as log:
        ending = own.run([sys.executable, "-c", script], log, tmp_path, dict(os.environ))

        assert (0, False) == (ending.status, ending.timed_out)
        assert gone(own.token)


def test_a_killed_commands_children_are_ended_by_the_next(tmp_path: Path) -> None:
    source = (
        "import os, sys\nfrom pathlib import Path\n"
        "from hcc.runtime.workload.children import children\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "with children(folder) as own, open(os.devnull, 'wb') as log, own.scratch('x'):\n"
        f"    own.run([sys.executable, '-c', {TREE!r}], log, folder, dict(os.environ))\n"
    )
    command = subprocess.Popen([sys.executable, "-c", source])
    for _ in range(500):
        running = list((tmp_path / "running").glob("*")) if (tmp_path / "running").exists() else []
        if running and len(carriers(running[0].name.removesuffix(".d"))) >= 3:
            break
        time.sleep(0.02)
    token = next(path.name for path in running if path.is_file())
    assert [True] == [path.is_dir() for path in running if path.name != token]
    command.kill()
    command.wait()
    end_leftovers(tmp_path / "running")

    assert gone(token)
    assert [] == list((tmp_path / "running").iterdir())


def test_a_living_commands_children_are_left_alone(tmp_path: Path) -> None:
    with children(tmp_path):
        end_leftovers(tmp_path / "running")

        assert 1 == len(list((tmp_path / "running").iterdir()))


def test_scratch_without_a_token_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "running" / "123-abc.d" / "cell"
    left.mkdir(parents=True)
    with children(tmp_path) as own, own.scratch("x") as mine:
        assert not left.parent.exists()
        end_leftovers(tmp_path / "running")
        assert Path(mine).exists()
    assert [] == list((tmp_path / "running").iterdir())


def test_a_program_that_is_still_open_for_writing_is_waited_for(tmp_path: Path) -> None:
    program = tmp_path / "program"
    shutil.copy("/bin/true", program)
    writer = program.open("ab")
    threading.Timer(0.1, writer.close).start()
    with children(tmp_path) as own, (tmp_path / "log").open("wb") as log:
        assert 0 == own.run([str(program)], log, tmp_path, {}).status
