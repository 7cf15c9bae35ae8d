"""From loops over arrays to microkernels for processing in memory.

Read in this order: `vendor` (the reference's library kernels).
"""
