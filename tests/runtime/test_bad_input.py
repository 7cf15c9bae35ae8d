"""Bad input and awkward outputs: one clear line or a right answer, never a traceback."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hcc.compiler.build import BuildOptions
from hcc.compiler.diagnostics import CompileError
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.compiler.passes import Points
from hcc.isa import fatbinary
from hcc.isa.errors import FormatError, HccError
from hcc.isa.fatbinary import ARCHITECTURES, Program
from hcc.isa.store import write_atomically
from hcc.runtime import snapshot
from hcc.runtime.death import Death
from hcc.runtime.process import CheckpointReached, Process
from hcc.runtime.verify import verify_file
from tests import cells

POINTS = "#include <hcc.h>\nint main(void) { migrate_point(); return 3; }\n"


def build(folder: Path, text: str) -> Program:
    source = folder / "program.c"
    source.write_text(text)
    return cells.build((source,), 2)


def test_errors_of_all_sources_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int main(void) { return missing; }\n")
    (tmp_path / "b.c").write_text("int f(void) { return absent; }\n")
    options = CompileOptions(FrontEndOptions(), BuildOptions(0, ARCHITECTURES, Points.NONE))

    with pytest.raises(CompileError) as caught:
        compile_program([tmp_path / "a.c", tmp_path / "b.c"], options)

    assert 2 == len(caught.value.errors)
    assert "a.c:1:25: error: 'missing'" in str(caught.value)
    assert "b.c:1:22: error: 'absent'" in str(caught.value)


def test_folder_as_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HccError, match="cannot be written"):
        write_atomically(tmp_path, b"content")

    assert [] == list(tmp_path.iterdir())


def test_output_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(HccError, match="cannot be written"):
        write_atomically(tmp_path / "file" / "out", b"content")


def test_pipe_as_output_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"content")

        assert b"content" == os.read(reader, 100)
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


def test_link_as_output_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    write_atomically(tmp_path / "link", b"content")

    assert b"content" == (tmp_path / "target").read_bytes()
    assert (tmp_path / "link").is_symlink()


def test_any_changed_byte_of_the_headers_is_refused(tmp_path: Path) -> None:
    """Headers have no checksums of their own, and Linux starts the program by them."""
    content = fatbinary.encode(build(tmp_path, POINTS))
    (table,) = struct.unpack_from("<Q", content, 40)
    for at in [*range(64 + 6 * 56), *range(table, len(content))]:
        changed = bytearray(content)
        changed[at] ^= 1
        with pytest.raises(FormatError, match=r"^f: "):
            fatbinary.decode(bytes(changed), "f")
    wrong_entry = bytearray(content)
    wrong_entry[0x18] ^= 0x10

    assert verify_file(bytes(wrong_entry), "f") == [
        "f: bytes outside the sections have been altered"
    ]
    assert [] == verify_file(content, "f")


def taken_snapshot(folder: Path) -> Path:
    process = Process(build(folder, POINTS), "x86_64", ["program"])
    process.watch_points(None, checkpoint_at=1)
    with pytest.raises(CheckpointReached):
        process.run()
    path = folder / "s.snap"
    snapshot.save(snapshot.capture(process), path)
    return path


def with_header(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A snapshot whose header is changed and whose checksum is made to match again."""
    head = struct.Struct("<8sIQ")
    magic, version, size = head.unpack_from(content)
    header = json.loads(content[head.size : head.size + size])
    change(header)
    text = json.dumps(header).encode()
    body = content[head.size + size : -32]
    whole = head.pack(magic, version, len(text)) + text + body
    return whole + hashlib.sha256(whole).digest()


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "isa": lambda h: h.update(isa="mips"),
    "no records": lambda h: h.update(activations=[]),
    "unknown function": lambda h: h["activations"][0].__setitem__(0, 12345),
    "unknown site": lambda h: h["activations"][0].__setitem__(1, 999),
    "too many values": lambda h: h["activations"][0][2].append(1),
    "value that is text": lambda h: h["activations"][0].__setitem__(2, ["x"]),
    "range that is no list": lambda h: h["ranges"].append(7),
    "range without end": lambda h: h["ranges"].append([4096, None, 1]),
    "range beyond 4 GiB": lambda h: h["ranges"].append([0, 1 << 40, 1]),
    "page outside ranges": lambda h: h["pages"].__setitem__(0, 0),
    "page that is a fraction": lambda h: h["pages"].__setitem__(0, 3.5),
    "no heap": lambda h: h["personality"].pop("heap_end"),
    "streams that are lists": lambda h: h["personality"].update(standard=[[1]]),
    "file without a path": lambda h: h["personality"].update(files=[[3, None, 0, 0]]),
    "points": lambda h: h.update(points="many"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_snapshot_with_a_wrong_header_is_refused(name: str, tmp_path: Path) -> None:
    path = taken_snapshot(tmp_path)
    path.write_bytes(with_header(path.read_bytes(), CHANGES[name]))

    with pytest.raises(FormatError, match=r"s\.snap: damaged"):
        snapshot.load(path)


def test_snapshot_with_its_own_header_written_again_is_accepted(tmp_path: Path) -> None:
    path = taken_snapshot(tmp_path)
    path.write_bytes(with_header(path.read_bytes(), lambda header: None))

    assert 1 == snapshot.load(path).points


def test_program_dies_of_sigpipe_when_nobody_reads(tmp_path: Path) -> None:
    program = build(
        tmp_path, "#include <stdio.h>\nint main(void) { for (;;) puts(\"line\"); }\n"
    )
    process = Process(program, "x86_64", ["program"])
    reader, writer = os.pipe()
    os.close(reader)
    process.personality.files[1].host = writer
    try:
        result = process.run()
    finally:
        os.close(writer)
        process.close()

    assert isinstance(result, Death)
    assert 13 == result.signal


def test_numbers_no_system_call_takes_are_refused_as_by_linux(tmp_path: Path) -> None:
    """nanosleep (101), clock_gettime (113) and kill (129) with senseless arguments: EINVAL."""
    program = build(
        tmp_path,
        """#include <hcc/syscall.h>
        int main(void) {
            long when[2] = {-5, 7}, part[2] = {0, 1000000000};
            return __hcc_syscall(101, when, 0L) == -22
                && __hcc_syscall(101, part, 0L) == -22
                && __hcc_syscall(113, 123456789012345L, when) == -22
                && __hcc_syscall(129, 1L, 99999L) == -22;
        }""",
    )
    with tempfile.TemporaryFile() as out:
        process = Process(program, "x86_64", ["program"])
        process.personality.files[1].host = out.fileno()

        assert 1 == process.run()
        process.close()
