"""An access through a null pointer faults on every ISA and at every -O level: LLVM, which could
see that it is undefined in C and leave it out, is told that it is not."""

from __future__ import annotations

import pytest

from hcc.isa.fatbinary import ARCHITECTURES
from hcc.runtime.death import Death
from hcc.runtime.process import Process
from tests import cells

SOURCE = """
struct s { int a; int (*f)(int); };
static int (*never_set)(int);
int main(int argc, char **argv) {
    struct s *p = 0;
    char *c = 0;
    switch (argv[1][0]) {
    case 'r': return p->a;
    case 'w': p->a = 4; return 1;
    case 'm': return p->f(2);
    case 'c': return ((int (*)(void))0)();
    case 'v': return never_set(3);
    case 'l': for (int i = 0; i < 10; i++) c[i] = i; return 5;
    }
    return 0;
}
"""


@pytest.mark.parametrize("opt_level", [0, 2])
@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("r", "bad read of 4 bytes at 0x0"),
        ("w", "bad write of 4 bytes at 0x0"),
        ("m", "bad read of 8 bytes at 0x8"),
        ("c", "bad jump to 0x0"),
        ("v", "bad jump to 0x0"),
        ("l", "bad write of 1 bytes at 0x0"),
    ],
)
def test_a_known_null_pointer_faults(
    case: str, message: str, opt_level: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.getbasetemp() / "null.c"
    source.write_text(SOURCE)
    program = cells.build((source,), opt_level)

    for isa in ARCHITECTURES:
        process = Process(program, isa, ["null", case])
        result = process.run()
        process.close()
        assert isinstance(result, Death), isa
        assert 11 == result.signal, isa
        assert result.message.startswith(message), isa
