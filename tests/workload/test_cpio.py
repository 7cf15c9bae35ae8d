"""Archives: the format the kernel reads, the same bytes for the same tree, layers over layers."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hcc.isa.errors import FormatError
from hcc.runtime.workload import cpio

TREE: cpio.Tree = {
    "b/file": cpio.file(b"content"),
    "a": cpio.file(b"#!/bin/sh\n", executable=True),
    "link": cpio.Entry(stat.S_IFLNK | 0o777, b"/b/file"),
    "dev/console": cpio.device(5, 1),
}


def test_header_is_newc_with_root_as_owner_and_no_time() -> None:
    archive = cpio.pack({"a": cpio.file(b"xyz")})
    fields = [int(archive[6 + 8 * i : 14 + 8 * i], 16) for i in range(13)]

    assert b"070701" == archive[:6]
    # inode, mode, uid, gid, links, time, size, device, device of a node, name with NUL, check
    assert [1, 0o100644, 0, 0, 1, 0, 3, 0, 0, 0, 0, 2, 0] == fields
    assert b"a\0xyz\0" == archive[110:116]
    assert b"TRAILER!!!" in archive
    assert 0 == len(archive) % 512


def test_tree_comes_back_with_its_folders() -> None:
    expected = {**TREE, "b": cpio.folder(), "dev": cpio.folder()}

    assert expected == cpio.unpack(cpio.pack(TREE), "archive")


def test_order_times_and_umask_do_not_matter(tmp_path: Path) -> None:
    archives = []
    for name, mask, order in (("x", 0o077, "ab"), ("y", 0o002, "ba")):
        before = os.umask(mask)
        for letter in order:
            (tmp_path / name / letter).mkdir(parents=True)
            (tmp_path / name / letter / "file").write_text(letter)
        os.umask(before)
        os.utime(tmp_path / name / "a" / "file", (1, len(archives)))
        archives.append(cpio.pack(cpio.read_tree(tmp_path / name)))

    assert archives[0] == archives[1]


def test_later_archives_lie_over_earlier_ones() -> None:
    chain = cpio.pack({"a": cpio.file(b"1"), "b": cpio.file(b"1")}) + cpio.pack(
        {"a": cpio.file(b"2"), "c": cpio.file(b"2")}
    )

    found = cpio.unpack(chain, "chain")
    assert [b"2", b"1", b"2"] == [found[name].content for name in "abc"]


def test_links_stay_in_the_tree_where_it_is_laid_out(tmp_path: Path) -> None:
    cpio.write_tree(TREE, tmp_path / "root")

    assert b"content" == (tmp_path / "root" / "link").read_bytes()
    assert "b/file" == str((tmp_path / "root" / "link").readlink())
    assert not (tmp_path / "root" / "dev" / "console").exists()


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x"])
def test_paths_that_lead_out_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="leads out of the image"):
        cpio.write_tree({path: cpio.file(b"")}, tmp_path / "root")


def test_damage_is_named() -> None:
    archive = cpio.pack(TREE)
    with pytest.raises(FormatError, match=r"^x: not a cpio archive in newc format at byte 0$"):
        cpio.unpack(b"hello" * 100, "x")
    with pytest.raises(FormatError, match=r"^x: cut off in the entry at byte \d+$"):
        cpio.unpack(archive[: archive.index(b"content") + 2], "x")


def test_what_an_image_cannot_hold_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match=r"pipe: an image holds files, folders and links"):
        cpio.read_tree(tmp_path)
