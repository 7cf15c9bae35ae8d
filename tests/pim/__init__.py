"""Processing in memory: instruction set, device, timing, compiler."""
