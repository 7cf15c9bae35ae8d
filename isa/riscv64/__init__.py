"""RISC-V, RV64GC: read `registers`, `abi`, `decode`, then `semantics` and its parts."""
