"""AArch64 (Armv8.0-A in 64-bit state, with Advanced SIMD). Sources: Arm ARM DDI 0487, AAPCS64.

Read `registers`, `operands` and `decode`, then `access` and the semantics, then the rest.
"""
