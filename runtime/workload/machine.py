"""The system level: QEMU with Debian's kernel, the job's image, and our init in front of it.

The initial file system is a chain of archives: init and device nodes, the image's layers, the
program's slice, and the description of the job. Nothing else goes in and only the console comes
out, so a run cannot change its image.
"""

from __future__ import annotations

import secrets
import shutil
import threading
from pathlib import Path

from attrs import frozen

from hcc.isa import store
from hcc.isa.errors import UnsupportedError
from hcc.isa.fatbinary import Program
from hcc.runtime.workload import cpio
from hcc.runtime.workload.tasks import JobTask

_INIT = Path(__file__).parent / "guest" / "init.c"
_COMPILING = threading.Lock()


@frozen
class Board:
    """QEMU's name for an ISA's machine, and how that machine is spoken to.

    `network` is the second serial line: options for QEMU, the character device's number, its
    name in the guest.
    """

    qemu: str
    package: str
    machine: tuple[str, ...]
    console: str
    network: tuple[str, ...]
    network_device: tuple[int, int]


BOARDS = {
    "aarch64": Board(
        "qemu-system-aarch64", "qemu-system-arm", ("-M", "virt", "-cpu", "cortex-a57"), "ttyAMA0",
        ("-device", "pci-serial,chardev=net"), (4, 64),
    ),
    "riscv64": Board(
        "qemu-system-riscv64", "qemu-system-misc", ("-M", "virt"), "ttyS0",
        ("-device", "pci-serial,chardev=net"), (4, 65),
    ),
    "x86_64": Board(
        "qemu-system-x86_64", "qemu-system-x86", ("-M", "q35,accel=tcg"), "ttyS0",
        ("-serial", "chardev:net"), (4, 65),
    ),
}  # fmt: skip


def find_qemu(isa: str, given: str) -> str:
    """The path of an ISA's QEMU; UnsupportedError names what is missing."""
    board = BOARDS[isa]
    found = shutil.which(given or board.qemu)
    if found is None:
        if given:
            raise UnsupportedError(f"there is no '{given}'")
        raise UnsupportedError(f"{board.qemu} is not installed (Debian package {board.package})")
    return found


def init_program(isa: str) -> bytes:
    """init's executable for an ISA, compiled by hcc once; kept in the store."""
    from hcc.compiler.library import installation_digest
    from hcc.isa import fatbinary

    source = _INIT.read_bytes()
    with _COMPILING:
        key = store.digest_of([installation_digest().encode(), source])
        content = store.fetch("workload-init", key)
        if content is None:
            content = fatbinary.encode(_compile_init())
            store.keep("workload-init", key, content)
    return fatbinary.encode_elf(fatbinary.decode(content, str(_INIT)), isa)


def _compile_init() -> Program:
    from hcc.compiler.build import BuildOptions
    from hcc.compiler.driver import CompileOptions, compile_program
    from hcc.compiler.kernelc import FrontEndOptions

    return compile_program([_INIT], CompileOptions(FrontEndOptions(), BuildOptions()))


def initial_files(task: JobTask, layers: list[bytes], content: bytes, mark: str) -> bytes:
    """The archives that the kernel unpacks as its first file system."""
    isa = task.cell.isa
    board = BOARDS[isa]
    network = "/dev/hcc-network" if task.node is not None else ""
    first: cpio.Tree = {
        "init": cpio.file(init_program(isa), executable=True),
        "dev/console": cpio.device(5, 1),
        "dev/null": cpio.device(1, 3),
        "dev/zero": cpio.device(1, 5),
    }
    if network:
        first["dev/hcc-network"] = cpio.device(*board.network_device)
    argv = [f"bin/{task.program}", *task.args]
    env = [f"{name}={value}" for name, value in task.env]
    outputs = ["/" + path.lstrip("/") for path in task.outputs]
    if network:
        env.append("HCC_NET_FD=3")
    fields = [mark, network, f"/bin/{task.program}"]
    for words in (argv, env, outputs):
        fields += [str(len(words)), *words]
    job = b"".join(field.encode(errors="surrogateescape") + b"\0" for field in fields)
    last: cpio.Tree = {
        f"bin/{task.program}": cpio.file(content, executable=True),
        ".hcc/job": cpio.file(job),
    }
    if task.stdin is not None:
        last[".hcc/stdin"] = cpio.file(task.stdin.read_bytes())
    return b"".join([cpio.pack(first), *layers, cpio.pack(last)])


def command(task: JobTask, kernel: Path, initrd: Path, socket: str | None) -> list[str]:
    """QEMU's command line; `socket` is a name in the folder that QEMU is started in."""
    machine = task.machine
    board = BOARDS[task.cell.isa]
    words = [machine.qemu, *board.machine, "-m", str(machine.memory >> 20)]
    words += ["-smp", str(machine.cpus), "-display", "none", "-monitor", "none"]
    words += ["-no-reboot", "-nic", "none", "-serial", "stdio"]
    if socket is not None:
        words += ["-chardev", f"socket,id=net,path={socket}", *board.network]
    if machine.firmware is not None:
        words += ["-bios", str(machine.firmware)]
    words += ["-kernel", str(kernel), "-initrd", str(initrd)]
    words += ["-append", f"console={board.console} panic=-1 quiet"]
    return [*words, *machine.qemu_args]


def new_mark() -> str:
    """A word that no program prints by chance."""
    return f"@hcc-{secrets.token_hex(8)}"
