"""x86-64: the integer instructions, SSE and SSE2 that compilers emit for its baseline.

Read registers, decode, operands, then the semantics by subject; abi, relocations, startup and
linux hold what the linker and the runtime need.
"""
