"""Kernels: out of a package into the cache, from the first archive that has the right one."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from attrs import evolve

from hcc.isa.errors import FormatError, HccError
from hcc.runtime.workload import kernels
from tests.workload.tool import workload

KERNEL = b"MZ a kernel"


def package(name: str = "./boot/vmlinuz-1") -> bytes:
    """A .deb with one file, as dpkg-deb lays it out."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(KERNEL)
        archive.addfile(entry, io.BytesIO(KERNEL))
    members = ((b"debian-binary", b"2.0\n"), (b"data.tar.xz", data.getvalue()))
    parts = [b"!<arch>\n"]
    for label, content in members:
        head = label.ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"100644".ljust(8)
        parts += [head + str(len(content)).encode().ljust(10) + b"`\n", content]
        parts += [b"\n"] if len(content) % 2 else []
    return b"".join(parts)


PACKAGE = package()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What an archive has, by path; /mirror and /old are asked in turn for a pinned kernel."""
    files: dict[str, bytes] = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in files else 404)
            self.end_headers()
            self.wfile.write(files.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    pin = kernels.Pin("linux-1", "1", "pool/linux.deb", hashlib.sha256(PACKAGE).hexdigest())
    source = evolve(kernels.SOURCES["riscv64"], pin=pin)
    monkeypatch.setattr(kernels, "SOURCES", {**kernels.SOURCES, "riscv64": source})
    monkeypatch.setattr(kernels, "mirror", lambda: f"{url}/mirror")
    monkeypatch.setattr(kernels, "DEFAULT_MIRROR", f"{url}/mirror")
    monkeypatch.setattr(kernels, "SNAPSHOT", f"{url}/old")
    monkeypatch.setenv("HCC_CACHE_DIR", str(tmp_path / "cache"))
    yield files
    server.shutdown()
    server.server_close()


def fetch() -> tuple[int, str]:
    said = workload("fetch-kernel", "--isa", "riscv64")
    return said.status, said.out + said.err


@pytest.mark.parametrize(
    "has",
    [
        {"/mirror/pool/linux.deb": PACKAGE},
        {"/old/pool/linux.deb": PACKAGE},  # the mirror has dropped it
        {"/mirror/pool/linux.deb": b"sorry", "/old/pool/linux.deb": PACKAGE},
    ],
)
def test_kernel_comes_from_the_first_that_has_it(
    has: dict[str, bytes], archive: dict[str, bytes], tmp_path: Path
) -> None:
    archive |= has
    image = tmp_path / "cache" / "kernels" / "riscv64" / "image"

    assert (0, f"riscv64: linux-1 1 in {image}\n") == fetch()
    assert KERNEL == image.read_bytes()
    archive.clear()
    assert 0 == fetch()[0]  # it is in the cache


def test_kernel_that_is_gone_is_said_with_what_to_do(archive: dict[str, bytes]) -> None:
    archive["/old/pool/linux.deb"] = b"something else"
    status, said = fetch()

    assert (2, 1) == (status, len(said.splitlines()))
    assert said.startswith("hcc: error: linux-1 1 cannot be fetched: ")
    assert "/mirror says 404 Not Found; " in said
    assert "/old has another, of SHA-256 " in said
    assert said.endswith("`hcc workload fetch-kernel --latest` takes what Debian has now\n")
    assert kernels.cached("riscv64") is None


def test_altered_kernel_in_the_cache_is_not_used(archive: dict[str, bytes], tmp_path: Path) -> None:
    archive["/mirror/pool/linux.deb"] = PACKAGE
    kernels.fetch("riscv64")
    (tmp_path / "cache" / "kernels" / "riscv64" / "image").write_bytes(b"other")

    with pytest.raises(FormatError, match="not the kernel that was fetched: fetch it again"):
        kernels.cached("riscv64")
    assert 0 == workload("fetch-kernel", "--isa", "riscv64", "--force").status


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"hello", "not a Debian package"),
        (PACKAGE[:200], "a damaged package"),
        (package("./usr/share/doc"), "there is no kernel in the package"),
    ],
)
def test_damaged_package_is_named(content: bytes, message: str) -> None:
    with pytest.raises(HccError, match=f"^linux-1: {message}"):
        kernels.kernel_of_package(content, "linux-1")
