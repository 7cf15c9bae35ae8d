"""IR to machine code: LLVM IR text, the targets, and the door to LLVM."""
