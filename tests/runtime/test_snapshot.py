"""Checkpoint on one ISA, resume on another: the run goes on as if nothing had happened."""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import pytest

from hcc.isa.errors import FormatError
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.runtime import snapshot
from hcc.runtime.process import CheckpointReached, Process
from tests import cells

PROGRAMS = Path(__file__).parent.parent / "programs"


def stop_at(program: Program, isa: str, point: int, out: int) -> Process:
    """A process stopped at a migration point, its output in the file `out`."""
    process = Process(program, isa, ["program"])
    process.personality.files[1].host = out
    process.watch_points(None, checkpoint_at=point)
    with pytest.raises(CheckpointReached):
        process.run()
    return process


def finish(saved: snapshot.Snapshot, isa: str, out: int) -> int:
    process = snapshot.restore(saved, isa)
    process.stop_watching()
    process.personality.files[1].host = out
    status = process.run()
    assert isinstance(status, int)
    return status


@pytest.mark.parametrize("name", ["migrate_memory", "migrate_state"])
@pytest.mark.parametrize("source", ARCHITECTURES)
@pytest.mark.parametrize("target", ARCHITECTURES)
def test_resumed_run_ends_like_an_uninterrupted_one(
    name: str, source: str, target: str, tmp_path: Path
) -> None:
    program = cells.build((PROGRAMS / f"{name}.c",), 2)
    expected = cells.run(program, source)
    with tempfile.TemporaryFile() as out:
        process = stop_at(program, source, 25, out.fileno())
        path = tmp_path / "s.snap"
        snapshot.save(snapshot.capture(process), path)
        status = finish(snapshot.load(path), target, out.fileno())
        out.seek(0)

        assert expected == cells.Outcome(out.read(), status)


def test_snapshot_does_not_depend_on_the_isa_it_was_taken_on(tmp_path: Path) -> None:
    """At one point, memory and activation records are the same on every ISA."""
    program = cells.build((PROGRAMS / "migrate_memory.c",), 2)
    taken = []
    with tempfile.TemporaryFile() as out:
        for isa in ARCHITECTURES:
            taken.append(snapshot.capture(stop_at(program, isa, 40, out.fileno())))

    for other in taken[1:]:
        assert taken[0].activations == other.activations
        assert taken[0].pages == other.pages
        assert taken[0].personality == other.personality


def test_open_file_goes_on_at_its_position(tmp_path: Path) -> None:
    source = tmp_path / "reader.c"
    source.write_text(
        """#include <hcc.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <unistd.h>
        int main(int argc, char **argv) {
            char text[8] = {0};
            int fd = open(argv[1], O_RDONLY);
            read(fd, text, 3);
            migrate_point();
            read(fd, text + 3, 3);
            puts(text);
            return 0;
        }"""
    )
    data = tmp_path / "data.txt"
    data.write_bytes(b"abcdefgh")
    program = cells.build((source,), 2)
    counter = Process(program, "x86_64", ["program", str(data)])
    counter.watch_points(None)
    with tempfile.TemporaryFile() as out:
        counter.personality.files[1].host = out.fileno()
        counter.run()
        # The point by name is the last one before puts; find it by where the file stands.
        for point in range(1, counter.statistics.points + 1):
            process = Process(program, "x86_64", ["program", str(data)])
            process.personality.files[1].host = out.fileno()
            process.watch_points(None, checkpoint_at=point)
            with pytest.raises(CheckpointReached):
                process.run()
            files = process.personality.state()["files"]
            if files and files[0][3] == 3:
                break
        saved = snapshot.capture(process)
        process.close()
        os.ftruncate(out.fileno(), 0)
        out.seek(0)
        finish(saved, "aarch64", out.fileno())
        out.seek(0)

        assert b"abcdef\n" == out.read()


def test_damaged_or_foreign_snapshots_are_refused(tmp_path: Path) -> None:
    program = cells.build((PROGRAMS / "migrate_state.c",), 2)
    path = tmp_path / "s.snap"
    with tempfile.TemporaryFile() as out:
        snapshot.save(snapshot.capture(stop_at(program, "x86_64", 5, out.fileno())), path)
    content = path.read_bytes()
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    damaged = [content[:n] for n in (0, 5, 8, 20, 100, len(content) // 2, len(content) - 1)]
    for _ in range(60):
        changed = bytearray(content)
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        damaged.append(bytes(changed))
    damaged.append(b"\x7fELF" + content)
    for bad in damaged:
        path.write_bytes(bad)
        with pytest.raises(FormatError, match=r"s\.snap: "):
            snapshot.load(path)
