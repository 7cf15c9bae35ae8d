"""The JIT: guest code as LLVM IR, compiled for the host.

Read `nodes` and `builder` (what a block of guest instructions does), `regions` (what is compiled
together), `flow` (what of the guest's state matters where), `printer`, `function` and `module`
(the text), `generator` (all of that), `compiler`, `objects` and `arena` (text to running code),
`support` (what runs beside it), `translator` and `cache`, and last `engine`, which ties them to the
interpreter.
"""
