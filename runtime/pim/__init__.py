"""PIM seen from outside: kernels run on arrays, vectors, measurements, and the memory beside a
program.

Read plan (a compiled plan executed), kernel (a bare microkernel), model (what they must compute),
cases, bench and speedup (the commands behind `hcc pim` and `hcc bench pim`), then range (the
memory of `hcc run --pim`).
"""
