"""System calls as Linux does them, on our engines and on others'."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from hcc.compiler.build import BuildOptions
from hcc.compiler.driver import CompileOptions, compile_program
from hcc.compiler.kernelc import FrontEndOptions
from hcc.isa import fatbinary
from hcc.runtime.external import command_for
from tests.conftest import require
from tests.runtime.test_cli import HCC, hcc

AWKWARD = r"""
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
static char buffer[4096];
int main(void) {
    printf("%d %d\n", (int)write(1, NULL, 0), (int)read(0, NULL, 0));
    printf("%d ", (int)write(99, NULL, 5));
    printf("%d\n", errno == EBADF);
    printf("%d ", (int)write(1, NULL, 5));
    printf("%d\n", errno == EFAULT);
    printf("%d ", (int)read(0, NULL, 5));
    printf("%d\n", errno == EFAULT);
    printf("%d %s\n", (int)read(0, buffer, 1L << 30), buffer);
    return 0;
}
"""


def compiled(folder: Path, text: str, name: str = "p") -> Path:
    """The fat binary of a program without points but those by name."""
    source = folder / f"{name}.c"
    source.write_text(text)
    options = CompileOptions(FrontEndOptions(), BuildOptions(1))
    path = folder / f"{name}.hcc"
    path.write_bytes(fatbinary.encode(compile_program([source], options)))
    return path


@pytest.mark.parametrize("engine", ["interp", "jit"])
def test_awkward_reads_and_writes_end_as_under_linux(engine: str, tmp_path: Path) -> None:
    gcc = require("gcc")
    path = compiled(tmp_path, AWKWARD)
    subprocess.run([gcc, "-w", "-o", "native", "p.c"], cwd=tmp_path, check=True)
    wanted = subprocess.run([tmp_path / "native"], input=b"four", capture_output=True, check=True)
    command = [HCC, "run", "--engine", engine, path]
    done = subprocess.run(command, input=b"four", capture_output=True, check=True)

    assert wanted.stdout == done.stdout


@pytest.mark.parametrize("engine", ["interp", "jit", "native"])
def test_remove_takes_an_empty_folder_below_the_root(engine: str, tmp_path: Path) -> None:
    if engine == "native":
        command_for("x86_64", "native")
    path = compiled(
        tmp_path, '#include <stdio.h>\nint main(void) { return remove("/victim") ? 1 : 0; }\n'
    )
    root = tmp_path / "root"
    (root / "victim").mkdir(parents=True)
    command = ("run", "--engine", engine, "-E", f"HCC_ROOT={root}", path)

    assert 0 == hcc(*command).returncode
    assert not (root / "victim").exists()
    assert 1 == hcc(*command).returncode


ROOTED = r"""
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
static struct stat s;
static char here[4096];
int main(void) {
    printf("%d %d", mkdir("/made", 0700), chmod("/made", 0750));
    printf(" %d %o", stat("/made", &s), s.st_mode);
    printf(" %d %s", chdir("/made"), getcwd(here, sizeof here));
    fclose(fopen("/made/a", "w"));
    printf(" %d %d %d", access("a", R_OK), access("/made/a", R_OK), access("/a", R_OK));
    printf(" %d %d", truncate("/made/a", 9), lstat("/made/a", &s));
    printf(" %d %d", (int)s.st_size, S_ISREG(s.st_mode));
    printf(" %d %s", chdir(".."), getcwd(here, sizeof here));
    printf(" %d %d", chdir(".."), getcwd(here, sizeof here) == NULL && errno == ENOENT);
    printf(" %d %s", chdir("/"), getcwd(here, sizeof here));
    printf(" %ld %ld", sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_PAGESIZE));
    return 0;
}
"""


@pytest.mark.parametrize("root", [".", "{}", "../{}"])
@pytest.mark.parametrize("engine", ["interp", "jit", "native", "qemu"])
def test_files_are_below_the_root(engine: str, root: str, tmp_path: Path) -> None:
    isa = "aarch64" if engine == "qemu" else "x86_64"
    if engine == "qemu":
        require("qemu-aarch64")
    path = compiled(tmp_path, ROOTED)
    below = tmp_path / "root"
    below.mkdir()
    where = f"HCC_ROOT={root.format(below.name if root[0] == '.' else below)}"
    command = [HCC, "run", "--engine", engine, "--isa", isa, "-E", where, path]
    done = subprocess.run(command, cwd=below, capture_output=True, check=False)

    wanted = "0 0 0 40750 0 /made 0 0 -1 0 0 9 1 0 / 0 1 0 / 1 4096"
    assert (wanted, b"") == (done.stdout.decode(), done.stderr)
    assert (below / "made" / "a").stat().st_size == 9


COPIES = r"""
#include <fcntl.h>
#include <hcc.h>
#include <stdio.h>
#include <unistd.h>
int main(void) {
    int fd = open("log", O_RDWR | O_CREAT, 0600), copy = dup(fd), out = dup(1);
    chdir("sub");
    write(fd, "one ", 4);
    dup2(copy, 1);
    migrate_point();
    write(copy, "two ", 4);
    write(fd, "three ", 6);
    write(1, "four", 4);
    fclose(fopen("here", "w"));
    write(out, "said\n", 5);
    return 0;
}
"""


def test_snapshot_keeps_copied_descriptors_and_the_folder(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text(COPIES)
    (tmp_path / "sub").mkdir()
    assert 0 == hcc("compile", "p.c", "--points", "calls", folder=tmp_path).returncode
    stopped = hcc("checkpoint", "--at", 2, "-o", "s.snap", "a.hcc", folder=tmp_path)
    assert (0, "one ") == (stopped.returncode, (tmp_path / "log").read_text())
    resumed = hcc("resume", tmp_path / "s.snap", "--isa", "riscv64", folder=tmp_path.parent)

    assert (0, b"said\n", b"") == (resumed.returncode, resumed.stdout, resumed.stderr)
    assert "one two three four" == (tmp_path / "log").read_text()
    assert (tmp_path / "sub" / "here").exists()


@pytest.mark.parametrize("engine", ["jit", "native", "qemu"])
def test_variables_reach_the_program_as_they_are(engine: str, tmp_path: Path) -> None:
    if engine == "qemu":
        require("qemu-x86_64")
    path = compiled(
        tmp_path,
        "#include <stdio.h>\n#include <stdlib.h>\n"
        'int main(void) { printf("%s|%s|%s", getenv("A"), getenv("B"), getenv("QEMU_C")); }\n',
    )
    done = hcc("run", "--engine", engine, "-E", "A=1,B=2", "-E", "B=x=y", "-E", "QEMU_C=3", path)

    assert b"1,B=2|x=y|3" == done.stdout


def test_native_program_ends_with_hcc(tmp_path: Path) -> None:
    path = compiled(
        tmp_path,
        '#include <stdio.h>\nint main(void) { puts("on"); fflush(stdout); for (;;) ; }\n',
    )
    command = [HCC, "run", "--engine", "native", path]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert b"on\n" == child.stdout.readline()
    child.send_signal(signal.SIGTERM)

    assert 143 == child.wait(30)
    assert b"" == child.stdout.read(), "the program still has its standard output"


MOVED = r"""
#include <hcc.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv) {
    FILE *old = fopen("log", "w");
    fputs("one\n", old);
    fflush(old);
    rename("log", "log.1");
    FILE *new = fopen("log", "w");
    fputs("new\n", new);
    fflush(new);
    if (argc > 1) unlink("log.1");
    migrate_point();
    fputs("two\n", old);
    fputs("newer\n", new);
    return 0;
}
"""


def test_renamed_file_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text(MOVED)
    assert 0 == hcc("compile", "p.c", "--points", "calls", folder=tmp_path).returncode
    stopped = hcc("checkpoint", "--at", 2, "-o", "s.snap", "a.hcc", folder=tmp_path)
    resumed = hcc("resume", "s.snap", "--isa", "riscv64", folder=tmp_path)

    assert (0, 0) == (stopped.returncode, resumed.returncode)
    assert "one\ntwo\n" == (tmp_path / "log.1").read_text()
    assert "new\nnewer\n" == (tmp_path / "log").read_text()
    removed = hcc("checkpoint", "--at", 2, "-o", "t.snap", "a.hcc", "--", "x", folder=tmp_path)
    assert 2 == removed.returncode
    assert b"log: is open and has been removed: a snapshot cannot keep it\n" in removed.stderr
    assert not (tmp_path / "t.snap").exists()


def test_pipe_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text(
        "#include <hcc.h>\n#include <stdio.h>\n"
        'int main(void) { FILE *f = fopen("/dev/stdin", "r"); migrate_point(); return !f; }\n'
    )
    assert 0 == hcc("compile", "p.c", "--points", "calls", folder=tmp_path).returncode
    command = [HCC, "checkpoint", "--at", "2", "-o", "s.snap", "a.hcc"]
    done = subprocess.run(command, cwd=tmp_path, input=b"a", capture_output=True, check=False)

    wanted = b"hcc: error: /dev/stdin: is open and has no positions: a snapshot cannot keep it\n"
    assert (2, wanted) == (done.returncode, done.stderr)
