"""Debian's own Linux kernels for the system level: which, from where, and what they must be.

A kernel is a package, pinned by version and digest, fetched over HTTP, opened here (an `ar`
archive around a tar archive) and kept in the cache folder. Nothing is installed. bookworm has no
riscv64, so that one comes from trixie.

A mirror drops a package when a point release or a security update replaces it. So the places are
asked in turn: the mirror that apt uses on this machine, Debian's own, and Debian's archive of all
that ever was, as it stood when the pins were made. Wherever the bytes come from, the digest
decides. Where all fail, the error says so, and `fetch-kernel --latest` takes what the archive's
signed index names now, through apt with folders of its own; the cache notes which package that
is, and so does the manifest of each run.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from pathlib import Path

from attrs import asdict, evolve, frozen

from hcc.isa.errors import FormatError, HccError, UnsupportedError
from hcc.isa.store import store_dir, write_atomically

DEFAULT_MIRROR = "http://deb.debian.org/debian"
SNAPSHOT = "https://snapshot.debian.org/archive/debian/20261001T000000Z"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_TIMEOUT = 60.0


@frozen
class Pin:
    """A package: its name, version, place in the archive and SHA-256."""

    package: str
    version: str
    path: str
    sha256: str


@frozen
class Source:
    """Where an ISA's kernels come from; `meta` is the package that depends on the current one."""

    architecture: str
    suite: str
    meta: str
    pin: Pin


SOURCES: Mapping[str, Source] = {
    "aarch64": Source(
        "arm64", "bookworm", "linux-image-cloud-arm64",
        Pin(
            "linux-image-6.1.0-50-cloud-arm64", "6.1.176-1",
            "pool/main/l/linux-signed-arm64/"
            "linux-image-6.1.0-50-cloud-arm64_6.1.176-1_arm64.deb",
            "9d41a53f5d687ae1a33cf546d0ed8be955f72e5f9e97b2b4e45e41dff3353b97",
        ),
    ),
    "riscv64": Source(
        "riscv64", "trixie", "linux-image-riscv64",
        Pin(
            "linux-image-6.12.107+deb13-riscv64", "6.12.107-1",
            "pool/main/l/linux/linux-image-6.12.107%2bdeb13-riscv64_6.12.107-1_riscv64.deb",
            "abe9f65d74b434692149482b031db7a2aaf832921e09f69f775293c0e0c5799c",
        ),
    ),
    "x86_64": Source(
        "amd64", "bookworm", "linux-image-cloud-amd64",
        Pin(
            "linux-image-6.1.0-50-cloud-amd64", "6.1.176-1",
            "pool/main/l/linux-signed-amd64/"
            "linux-image-6.1.0-50-cloud-amd64_6.1.176-1_amd64.deb",
            "efe19f605b6f54a8352e68d85a629abb2d30b72a085faef603a9152590baa791",
        ),
    ),
}  # fmt: skip


@frozen
class Kernel:
    """A kernel in the cache: its image, the image's SHA-256, and the package it came in."""

    image: Path
    sha256: str
    package: str
    version: str
    package_sha256: str


def _folder(isa: str) -> Path:
    return store_dir() / "kernels" / isa


def cached(isa: str) -> Kernel | None:
    """The kernel of an ISA, if it is in the cache; FormatError if it was altered there."""
    folder = _folder(isa)
    try:
        note = json.loads((folder / "kernel.json").read_bytes())
        kernel = Kernel(folder / "image", **note)
        content = kernel.image.read_bytes()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"{folder}: a damaged kernel: fetch it again: {error}") from error
    if hashlib.sha256(content).hexdigest() != kernel.sha256:
        raise FormatError(f"{kernel.image}: not the kernel that was fetched: fetch it again")
    return kernel


def fetch(isa: str, latest: bool = False) -> Kernel:
    """Fetch the pinned kernel (or the archive's latest) into the cache."""
    source = SOURCES[isa]
    if latest:
        pin, package = _latest(source)
    else:
        pin = source.pin
        package = _download(pin, [mirror(), DEFAULT_MIRROR, SNAPSHOT])
    image = kernel_of_package(package, pin.package)
    digest = hashlib.sha256(image).hexdigest()
    kernel = Kernel(_folder(isa) / "image", digest, pin.package, pin.version, pin.sha256)
    note = asdict(kernel)
    del note["image"]
    write_atomically(kernel.image, image)
    write_atomically(_folder(isa) / "kernel.json", json.dumps(note, indent=2).encode())
    return kernel


def _download(pin: Pin, archives: Iterable[str]) -> bytes:
    """A package from the first of the archives that has the one meant, by its digest."""
    problems = []
    for archive in dict.fromkeys(archives):
        url = f"{archive}/{pin.path}"
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
                content: bytes = answer.read()
            found = hashlib.sha256(content).hexdigest()
            if found == pin.sha256:
                return content
            problems.append(f"{archive} has another, of SHA-256 {found}, not {pin.sha256}")
        except urllib.error.HTTPError as error:
            problems.append(f"{archive} says {error.code} {error.reason}")
        except (OSError, HTTPException) as error:
            problems.append(f"{archive} cannot be reached ({error})")
    raise HccError(
        f"{pin.package} {pin.version} cannot be fetched: {'; '.join(problems)}; "
        "`hcc workload fetch-kernel --latest` takes what Debian has now"
    )


def mirror() -> str:
    """The Debian mirror that apt uses on this machine."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(CODENAME)"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return DEFAULT_MIRROR
    for line in done.stdout.splitlines():
        uri, _, rest = line.partition(" ")
        if rest.split()[:1] == ["Debian"] and "security" not in line and uri.startswith("http"):
            return uri.rstrip("/")
    return DEFAULT_MIRROR


def kernel_of_package(package: bytes, name: str) -> bytes:
    """The kernel image in a .deb."""
    for member, content in _ar_members(package, name):
        if member.startswith("data.tar"):
            try:
                with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
                    for entry in archive:
                        if entry.name.lstrip("./").startswith("boot/vmlinu"):
                            file = archive.extractfile(entry)
                            if file is not None:
                                return file.read()
            except (tarfile.TarError, lzma.LZMAError, OSError, EOFError) as error:
                raise FormatError(f"{name}: a damaged package: {error}") from error
    raise FormatError(f"{name}: there is no kernel in the package")


def _ar_members(content: bytes, name: str) -> list[tuple[str, bytes]]:
    if not content.startswith(b"!<arch>\n"):
        raise FormatError(f"{name}: not a Debian package")
    members, at = [], 8
    while at + 60 <= len(content):
        header = content[at : at + 60]
        try:
            size = int(header[48:58])
        except ValueError as error:
            raise FormatError(f"{name}: a damaged package") from error
        members.append((header[:16].decode("latin-1").strip(" /"), content[at + 60 :][:size]))
        at += 60 + size + size % 2
    return members


def _latest(source: Source) -> tuple[Pin, bytes]:
    """The current kernel by the archive's signed index, through apt with folders of its own."""
    if shutil.which("apt-get") is None:
        raise UnsupportedError("--latest needs apt-get, which is not on this machine")
    with tempfile.TemporaryDirectory(prefix="hcc-apt-") as scratch:
        root = Path(scratch)
        for part in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/trusted.gpg.d",
                     "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):  # fmt: skip
            (root / part).mkdir(parents=True)
        (root / "status").touch()
        how = f"[arch={source.architecture} signed-by={_KEYRING}]"
        line = f"deb {how} {mirror()} {source.suite} main"
        (root / "etc/apt/sources.list").write_text(line + "\n")
        (root / "apt.conf").write_text(
            f'Dir "{root}";\nDir::State::status "{root}/status";\n'
            f'APT::Architecture "{source.architecture}";\n'
            f'APT::Architectures {{ "{source.architecture}"; }};\nAcquire::Languages "none";\n'
            'APT::Sandbox::User "root";\n'
        )
        _apt(root, "apt-get", "update", "-qq")
        depends = _apt(root, "apt-cache", "depends", source.meta)
        name = next(
            (w.split()[1] for w in depends.splitlines() if w.split()[:1] == ["Depends:"]), None
        )
        if name is None:
            raise HccError(f"{source.meta}: names no kernel")
        shown = _apt(root, "apt-cache", "show", name)
        fields = dict(
            line.split(": ", 1) for line in shown.splitlines() if ": " in line and line[0] != " "
        )
        pin = Pin(name, fields["Version"], fields["Filename"], fields["SHA256"])
        return pin, _download(evolve(pin, path=pin.path.replace("+", "%2b")), [mirror()])


def _apt(root: Path, *command: str) -> str:
    env = {**os.environ, "APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no word why"])[-1]
        raise HccError(f"{' '.join(command)}: {said}")
    return done.stdout
